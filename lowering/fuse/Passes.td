// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fuse phase: canonical ops → weft.kernel regions.
#ifndef WEFT_LOWERING_FUSE_PASSES_TD
#define WEFT_LOWERING_FUSE_PASSES_TD

include "mlir/Pass/PassBase.td"

def FuseProjections : Pass<"weft-fuse-projections", "::mlir::ModuleOp"> {
  let summary = "Merges products that read the same tensor";
  let description = [{
    Before: several `weft.packed_matmul` of one left operand with weights of one layout (queries, keys and values).
    After: one product with the weights side by side, and `tensor.extract_slice` views of its result. Products whose
    result has an elementwise reader stay apart, with a missed-optimisation remark: that reader is their epilogue.

    Example:
    ```mlir
    %q = weft.packed_matmul ins(%x, %wq, %bq : tensor<?x4xf32>, tensor<2x4x16xf32>, tensor<20xf32>) outs(%eq : tensor<?x20xf32>) -> tensor<?x20xf32>
    %k = weft.packed_matmul ins(%x, %wk, %bk : tensor<?x4xf32>, tensor<1x4x16xf32>, tensor<12xf32>) outs(%ek : tensor<?x12xf32>) -> tensor<?x12xf32>
    ```
    becomes
    ```
    %w = weft.parameter "q.weight+k.weight" sources(["q.w", "k.w"]) layout(…) : tensor<2x4x16xf32>
    %b = weft.parameter "q.bias+k.bias" sources(["q.bias", "k.bias"]) : tensor<32xf32>
    %0 = weft.packed_matmul ins(%x, %w, %b) outs(%init : tensor<?x32xf32>)
    %q = tensor.extract_slice %0[0, 0] [%n, 20] [1, 1]
    %k = tensor.extract_slice %0[0, 20] [%n, 12] [1, 1]
    ```
  }];
  let dependentDialects = ["::weft::WeftDialect", "::mlir::tensor::TensorDialect"];
}

def SplitAttention : Pass<"weft-split-attention", "::mlir::ModuleOp"> {
  let summary = "Cuts the keys of attention with few queries into splits that run in parallel";
  let description = [{
    Before: `weft.attention`. After: where few queries (decoding) meet more keys than a split has, or a number that is not
    known, attention over splits, whose outputs and log-sum-exps have a slice for each split, and linalg ops that combine
    them. The length of a split depends on shapes only.

    Example:
    ```mlir
    %o = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
      ins(%q, %k, %v : tensor<1x32x1x128xf32>, tensor<1x8x?x128xf32>, tensor<1x8x?x128xf32>)
      outs(%init : tensor<1x32x1x128xf32>) -> tensor<1x32x1x128xf32>
    ```
    becomes
    ```
    %parts:2 = weft.attention {… affine_map<(b, h, i, j, d, e) -> (j floordiv 1024, b, h, i, e)> …}
      ins(%q, %k, %v) outs(%p, %l : tensor<?x1x32x1x128xf32>, tensor<?x1x1x32xf32>)
    %weights = linalg.generic … exp(%parts#1 − max) / sum
    %o = linalg.generic … sum over the splits of %weights · %parts#0
    ```
  }];
  let dependentDialects = ["::weft::WeftDialect", "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
}

def SplitRecurrence : Pass<"weft-split-recurrence", "::mlir::ModuleOp"> {
  let summary = "Cuts the time of recurrences that would be one work item into parts that run in parallel";
  let description = [{
    Before: `weft.recurrence`. After: where batch, heads and columns give one work item and the time is long, or its length
    is not known, four recurrences: what each part of 512 steps adds to S, and the product of its decays, both with a slot
    for each part; S before each part, over the slots; and the op itself with these for states. A reset or a term of low
    rank keeps the time in one piece, and so does work that would nearly double, each with a missed-optimisation remark.
    `weft.part_length` on the module gives another length, for all recurrences that can be cut; 0 cuts none.

    Example:
    ```mlir
    %y = weft.recurrence {indexing_maps = [#n, #e, #time, #e]} ins(%k, %v, %g : tensor<?x8xf32>, tensor<?x16xf32>, tensor<?xf32>)
         outs(%init : tensor<?x16xf32>)
         step {
         ^bb0(%key: f32, %value: f32, %decay: f32):
           weft.step key(%key) value(%value) decay(%decay)
         } -> tensor<?x16xf32>
    ```
    becomes
    ```
    %x = weft.recurrence {… affine_map<(b, h, t, n, e) -> (t floordiv 512 + 1, n, e)>} ins(%ks, %vs, %gs) state(%zeros : tensor<?x8x16xf32>)
    %d = weft.recurrence {… affine_map<(b, h, t, n, e) -> (t floordiv 512 + 1)>} ins(%gs) state(%ones : tensor<?xf32>)
    %s = weft.recurrence ins(%x, %d) outs(%e : tensor<?x8x16xf32>) step { … weft.step value(%added) decay(%factor) }
    %y = weft.recurrence {… affine_map<(b, h, t, n, e) -> (t floordiv 512, n, e)>} ins(%k, %v, %g) outs(%init) state(%s)
    ```
  }];
  let dependentDialects = ["::weft::WeftDialect", "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def QuantizeProducts : Pass<"weft-quantize-products", "::mlir::ModuleOp"> {
  let summary = "Turns products with weights into products of 8-bit integers";
  let description = [{
    Before: `weft.packed_matmul` with a packed `weft.parameter`, in a module with `weft.weights = "int8"`; other modules
    stay as they are. After: `weft.quantize_rows` of each left operand, once for all products that read it, and
    `weft.quantized_matmul` with the weight's 8-bit form, which the compiler makes of the model's files. Products
    without a weight stay, with a missed-optimisation remark.

    Example:
    ```mlir
    %w = weft.parameter "w.packed" sources(["w"]) layout(#weft.panels<width = 16, out_by_in = true>) : tensor<1x8x16xf32>
    %y = weft.packed_matmul ins(%x, %w : tensor<?x8xf32>, tensor<1x8x16xf32>) outs(%init : tensor<?x16xf32>) -> tensor<?x16xf32>
    ```
    becomes
    ```
    %q:2 = weft.quantize_rows ins(%x) outs(…) -> tensor<?x8xi8>, tensor<?xf32>
    %v = weft.parameter "w.packed.int8" sources(["w"]) layout(<width = 16, out_by_in = true, int8 = true>) : tensor<1x2x64xi8>
    %t = weft.parameter "w.packed.int8_scales" sources(["w"]) layout(<width = 16, out_by_in = true, int8 = true>) : tensor<16xf32>
    %y = weft.quantized_matmul ins(%q#0, %q#1, %v, %t) outs(%init)
    ```
  }];
  let dependentDialects = ["::weft::WeftDialect", "::mlir::tensor::TensorDialect"];
}

def QuantizeExperts : Pass<"weft-quantize-experts", "::mlir::ModuleOp"> {
  let summary = "Rounds the weights of products of ragged groups";
  let description = [{
    Before: `weft.grouped_matmul` with a packed `weft.parameter` of f32, in a module whose `weft.weights` names a form of
    integers; other modules stay as they are. After: the same op with the weight in groups along k, in the form that is
    asked for; for "int8" with rows and weights as 8-bit integers and their scales, each tensor of rows rounded once. What
    is not rounded gives a missed-optimisation remark.

    Example:
    ```mlir
    %w = weft.parameter "w.packed" sources(["0.w", "1.w"]) layout(#weft.panels<width = 16, out_by_in = true>)
         : tensor<2x1x40x16xf32>
    %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x40xf32>, tensor<2x1x40x16xf32>, tensor<3xi32>)
         outs(%init : tensor<?x16xf32>) -> tensor<?x16xf32>
    ```
    becomes
    ```
    %v = weft.parameter "w.packed.int4" sources(["0.w", "1.w"])
         layout(<width = 16, out_by_in = true, form = "int4">) : tensor<2x1x2x288xi8>
    %y = weft.grouped_matmul {bits = 4, group = 32} ins(%x, %v, %offsets) outs(%init)
    ```
  }];
  let dependentDialects = ["::weft::WeftDialect"];
}

def BindStates : Pass<"weft-bind-states", "::mlir::ModuleOp"> {
  let summary = "Makes what a state becomes an update of the state in place";
  let description = [{
    Before: entry functions whose states (arguments and results marked `weft.state`) become any value. After: a state's
    result is its argument, or lies in the argument's memory after a chain of ops that each write over the one before;
    no op reads a value after another op wrote over it; an op that adds to a tensor which must not be written, or is
    still read, adds to a copy. A value that is computed elsewhere is copied into the state at the end. Each copy gives
    a remark.

    Example:
    ```mlir
    func.func @step(%x: tensor<4xf32> {weft.name = "x"}, %s: tensor<4xf32> {weft.name = "sum", weft.state})
        -> (tensor<4xf32> {weft.name = "sum", weft.state}) attributes {weft.entry} {
      %empty = tensor.empty() : tensor<4xf32>
      %y = linalg.generic {indexing_maps = [#v, #v, #v], iterator_types = ["parallel"]}
           ins(%s, %x : tensor<4xf32>, tensor<4xf32>) outs(%empty : tensor<4xf32>) {
      ^bb0(%a: f32, %b: f32, %out: f32):
        %sum = arith.addf %a, %b : f32
        linalg.yield %sum : f32
      } -> tensor<4xf32>
      return %y : tensor<4xf32>
    }
    ```
    becomes
    ```
    %y = linalg.generic … ins(%x) outs(%s) { ^bb0(%b, %a): … arith.addf %a, %b … }
    return %y
    ```
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect", "::mlir::linalg::LinalgDialect", "::mlir::arith::ArithDialect"];
}

def FuseKernels : Pass<"weft-fuse-kernels", "::mlir::ModuleOp"> {
  let summary = "Groups the ops of entry functions into kernels";
  let description = [{
    Before: compute ops in the entry functions' bodies. After: each is in exactly one `weft.kernel`; outside there are
    kernels, parameters, views, empty tensors and index arithmetic only. The grouping, and a remark for each op that
    could not join its reader or is cheaper apart, come from `lowering/analysis/KernelGroups`. In a module with
    `weft.fusion = "off"` each op is a kernel of its own.

    Example:
    ```mlir
    %p = weft.packed_matmul ins(%x, %w : tensor<?x8xf32>, tensor<1x8x16xf32>) outs(%empty : tensor<?x16xf32>) -> tensor<?x16xf32>
    %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%p : tensor<?x16xf32>) outs(%empty : tensor<?x16xf32>) {
    ^bb0(%a: f32, %out: f32):
      %e = math.erf %a : f32
      linalg.yield %e : f32
    } -> tensor<?x16xf32>
    ```
    becomes
    ```
    %y = weft.kernel "linear"(%x, %w, %n, %dest) {
      %p = weft.packed_matmul ins(%kx, %kw) outs(%e)
      %r = linalg.generic … ins(%p) outs(%out) { … math.erf … }
      weft.yield %r
    }
    ```
  }];
  let dependentDialects = ["::weft::WeftDialect", "::mlir::tensor::TensorDialect", "::mlir::linalg::LinalgDialect"];
}

def FuseElementwise : Pass<"weft-fuse-elementwise", "::mlir::ModuleOp"> {
  let summary = "Makes one op of a chain of elementwise ops in a kernel";
  let description = [{
    Before: elementwise `linalg.generic` ops that feed one another inside a `weft.kernel`. After: one op whose body is
    theirs in sequence, so that intermediate values stay in registers.

    Example:
    ```mlir
    %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
         ins(%kx, %kr : tensor<?x8xf32>, tensor<?x8xf32>) outs(%out : tensor<?x8xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %sum = arith.addf %a, %b : f32
      linalg.yield %sum : f32
    } -> tensor<?x8xf32>
    %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%s : tensor<?x8xf32>) outs(%out : tensor<?x8xf32>) {
    ^bb0(%a: f32, %o: f32):
      %tanh = math.tanh %a : f32
      linalg.yield %tanh : f32
    } -> tensor<?x8xf32>
    weft.yield %t : tensor<?x8xf32>
    ```
    becomes
    ```
    %t = linalg.generic … ins(%kx, %kr) outs(%out) { %sum = arith.addf %a, %b; %tanh = math.tanh %sum; linalg.yield %tanh }
    weft.yield %t
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def AbsorbElementwise : Pass<"weft-absorb-elementwise", "::mlir::ModuleOp"> {
  let summary = "Moves elementwise ops around recurrences and convolutions over time into their regions";
  let description = [{
    Before: `weft.recurrence` and `weft.causal_conv` in entry functions. After: an elementwise op that alone reads a
    result of theirs is part of the `output` region, and one that computes an input of a recurrence part of its `step`
    region, where `lowering/analysis/FusionCost` estimates that no slower (what does not depend on the value dimension
    is computed once for each group of columns there) and no product has it as its epilogue.

    Example:
    ```mlir
    %g = linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel"]}
         ins(%log : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
    ^bb0(%l: f32, %o: f32):
      %exp = math.exp %l : f32
      linalg.yield %exp : f32
    } -> tensor<?x8xf32>
    %s = weft.recurrence {indexing_maps = [#te, #te, #te]} ins(%x, %g : tensor<?x8xf32>, tensor<?x8xf32>)
         outs(%e : tensor<?x8xf32>)
         step {
         ^bb0(%value: f32, %decay: f32):
           weft.step value(%value) decay(%decay)
         } -> tensor<?x8xf32>
    %y = linalg.generic {indexing_maps = [#row, #row, #row], iterator_types = ["parallel", "parallel"]}
         ins(%s, %z : tensor<?x8xf32>, tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
    ^bb0(%sum: f32, %gate: f32, %o: f32):
      %gated = arith.mulf %sum, %gate : f32
      linalg.yield %gated : f32
    } -> tensor<?x8xf32>
    ```
    becomes
    ```
    %y = weft.recurrence … ins(%x, %log, %z) outs(%e) step {
      %exp = math.exp %l
      weft.step value(%value) decay(%exp)
    } output {
      %gated = arith.mulf %sum, %gate
      weft.yield %gated
    }
    ```
  }];
  let dependentDialects = ["::weft::WeftDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect"];
}

#endif // WEFT_LOWERING_FUSE_PASSES_TD
