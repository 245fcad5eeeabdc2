// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The normalize phase: imported graphs → canonical weft ops.
#ifndef WEFT_LOWERING_NORMALIZE_PASSES_TD
#define WEFT_LOWERING_NORMALIZE_PASSES_TD

include "mlir/Pass/PassBase.td"

def NormalizeLinear : Pass<"weft-normalize-linear", "::mlir::ModuleOp"> {
  let summary = "Gives products with weights their packed form";
  let description = [{
    Before: `linalg.matmul` from zero whose right operand is a `weft.parameter`, in either order of its axes. After:
    `weft.packed_matmul`, with the bias row that a `linalg.generic` added as its start. So does a `linalg.contract` of
    (m, g, k) with a weight (g, k, n) or (g, n, k) to (m, g, n): a block-diagonal weight. The weight is stored in the type
    of the module's attribute `weft.dtype`: bf16 or f16; where there is none, in its own. Rows may be of f32, bf16 or f16; sums
    are f32. Products of two computed tensors
    stay as they are, with a missed-optimisation remark.

    Example:
    ```mlir
    %w = weft.parameter "l.weight" : tensor<4x20xf32>
    %start = linalg.fill ins(%zero : f32) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
    %y = linalg.matmul ins(%x, %w : tensor<?x4xf32>, tensor<4x20xf32>) outs(%start : tensor<?x20xf32>) -> tensor<?x20xf32>
    ```
    becomes
    ```
    %w = weft.parameter "l.weight.packed_in_by_out" sources(["l.weight"])
           layout(<width = 16, out_by_in = false>) : tensor<2x4x16xf32>
    %y = weft.packed_matmul ins(%x, %w) outs(%init)
    ```
  }];
  let dependentDialects = ["::weft::WeftDialect"];
}

def NormalizeGrouped : Pass<"weft-normalize-grouped", "::mlir::ModuleOp"> {
  let summary = "Gives products of ragged groups their packed weights";
  let description = [{
    Before: `weft.grouped_matmul` whose weight is a `weft.parameter` [groups, n, k]. After: the same op with each group's
    weight in panels, stored in the type of the module's attribute `weft.dtype`, or in its own. A weight that the files
    hold as [groups, k, n] (`order[0, 2, 1]`) is packed from there. What is not a weight stays, with a remark.

    Example:
    ```mlir
    %w = weft.parameter "up" sources(["0.up.weight", "1.up.weight"]) : tensor<2x20x4xf32>
    %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x4xf32>, tensor<2x20x4xf32>, tensor<3xi32>)
         outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
    ```
    becomes
    ```
    %w = weft.parameter "up.packed" sources(["0.up.weight", "1.up.weight"])
           layout(<width = 16, out_by_in = true>) : tensor<2x2x4x16xf32>
    %y = weft.grouped_matmul ins(%x, %w, %offsets) outs(%init)
    ```
  }];
  let dependentDialects = ["::weft::WeftDialect"];
}

def ShareTables : Pass<"weft-share-tables", "::mlir::ModuleOp"> {
  let summary = "Looks rows up in the packed weight of a product, where that is the same tensor";
  let description = [{
    Before: `weft.embedding` with a weight as its table. After: where a product of the module has the same weight in
    panels, of the table's type and with its rows as columns (the tied head of a language model), the look-up reads
    these panels, so that the weight is stored and held in memory once.

    Example:
    ```mlir
    %table = weft.parameter "emb" : tensor<32x8xf32>
    %x = weft.embedding ins(%ids, %table : tensor<?xi64>, tensor<32x8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
    %head = weft.parameter "emb.packed" sources(["emb"]) layout(#weft.panels<width = 16, out_by_in = true>) : tensor<2x8x16xf32>
    %y = weft.packed_matmul ins(%x, %head : tensor<?x8xf32>, tensor<2x8x16xf32>) outs(%o : tensor<?x32xf32>) -> tensor<?x32xf32>
    ```
    becomes
    ```
    %head = weft.parameter "emb.packed" … : tensor<2x8x16xf32>
    %x = weft.embedding ins(%ids, %head : tensor<?xi64>, tensor<2x8x16xf32>) …
    %y = weft.packed_matmul ins(%x, %head) …
    ```
  }];
  let dependentDialects = ["::weft::WeftDialect"];
}

def NormalizeAttention : Pass<"weft-normalize-attention", "::mlir::ModuleOp"> {
  let summary = "Says which attention may round its products' operands";
  let description = [{
    Before: `weft.attention` of f32 in a module whose products have weights of bf16 (`weft.dtype`). After: its
    `product_type` is bf16 too, unless it names one.

    Example:
    ```mlir
    %y = weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
      ins(%q, %k, %k : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>)
      outs(%o : tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
    ```
    becomes
    ```
    %y = weft.attention {indexing_maps = [#q, #k, #v, #o], product_type = bf16, scale = 1.0 : f32} …
    ```
  }];
  let dependentDialects = ["::weft::WeftDialect"];
}

def RoundAttention : Pass<"weft-round-attention", "::mlir::ModuleOp"> {
  let summary = "Stores what attention on matrix units rounds as it will be rounded";
  let description = [{
    Before: for GPUs (`weft.device`), `weft.attention` of many queries in f32 that may round its factors, by its
    `product_type` or by the module's `weft.dtype`. After: what computes queries, keys and values is followed by
    elementwise ops that round them, which fuse with it: they are stored in 16 bits, and read as the products take them.
    Inputs, caches and weights stay as they are.

    Example:
    ```mlir
    %q = linalg.add ins(%k, %k : tensor<1x?x2x4xf32>, tensor<1x?x2x4xf32>) outs(%i : tensor<1x?x2x4xf32>) -> tensor<1x?x2x4xf32>
    %y = weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
      ins(%q, %k, %q : tensor<1x?x2x4xf32>, tensor<1x?x2x4xf32>, tensor<1x?x2x4xf32>)
    ```
    becomes
    ```
    %h = linalg.generic … ins(%q : tensor<1x?x2x4xf32>) outs(%e : tensor<1x?x2x4xbf16>) { … arith.truncf … }
    %y = weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]} ins(%h, %k, %h : …) …
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect", "::weft::WeftDialect"];
}

def NormalizeCheck : Pass<"weft-normalize-check", "::mlir::ModuleOp"> {
  let summary = "Turns expectations into outputs that say what was found";
  let description = [{
    Before: `check.expect_close` and `check.expect_eq` of tensors in entry functions. After: the entry has outputs for
    the N-th of them, each with the op's attributes as `weft.check`: "check.N.mismatches" (i64, elements that differ in
    kind, by too many ulps or, of an expect_eq, in any bit) and, of an expect_close, "check.N.error" and "check.N.size"
    (f64, Σ (actual − expected)² and Σ expected² of the finite elements). Whoever runs the entry judges them. An
    expectation outside of an entry function is an error.

    Example:
    ```mlir
    check.expect_eq %y, %z : tensor<4xi32>, tensor<4xi32>
    ```
    becomes an output `{weft.name = "check.0.mismatches", weft.check = {}}` of type tensor<1xi64>.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
}

def NormalizeNamed : Pass<"weft-normalize-named", "::mlir::ModuleOp"> {
  let summary = "Gives named elementwise linalg ops their generic form";
  let description = [{
    Before: named linalg ops without reduction loops. After: `linalg.generic` with the same meaning; fills, products and
    reductions keep their names.

    Example:
    ```mlir
    %y = linalg.exp ins(%x : tensor<4x8xf32>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32>
    ```
    becomes
    ```
    %y = linalg.generic … ins(%x) outs(%init) { %e = math.exp %a; linalg.yield %e }
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def FoldParameters : Pass<"weft-fold-parameters", "::mlir::ModuleOp"> {
  let summary = "Computes functions of a weight once, when compiling";
  let description = [{
    Before: elementwise ops on `weft.parameter`. After: an op that applies functions of one number (those of
    `dialects/weft/ElementFunction`) to a weight in f32, with its dimensions in any order, is a parameter that the
    compiler computes and stores. The weight itself is stored only where something else reads it.

    Example:
    ```mlir
    %w = weft.parameter "A_log" : tensor<8x4xf32>
    %e = tensor.empty() : tensor<4x8xf32>
    %a = linalg.generic {indexing_maps = [affine_map<(n, d) -> (d, n)>, affine_map<(n, d) -> (n, d)>],
                         iterator_types = ["parallel", "parallel"]}
         ins(%w : tensor<8x4xf32>) outs(%e : tensor<4x8xf32>) {
    ^bb0(%log: f32, %o: f32):
      %rate = math.exp %log : f32
      %minus = arith.negf %rate : f32
      linalg.yield %minus : f32
    } -> tensor<4x8xf32>
    ```
    becomes
    ```
    %a = weft.parameter "A_log.exp.negf.1.0" sources(["A_log"]) functions(["math.exp", "arith.negf"]) order[1, 0]
         : tensor<4x8xf32>
    ```
  }];
  let dependentDialects = ["::weft::WeftDialect"];
}

def NormalizeInputs : Pass<"weft-normalize-inputs", "::mlir::ModuleOp"> {
  let summary = "Computes what an op that walks over its inputs cannot read in place";
  let description = [{
    Before: an input of attention, a recurrence, a scan, a convolution over time or a product with a weight may be a
    `linalg.fill` of unknown extents, or a `tensor.collapse_shape` of a slice whose merged dimensions do not lie one
    after the other. After: both are the results of ops that store them.

    Example: ten of forty columns of each of two rows, side by side
    ```mlir
    %part = tensor.extract_slice %x[0, 0, 0, 0] [1, 8, 2, 10] [1, 1, 1, 1] : tensor<1x8x2x40xf32> to tensor<1x8x2x10xf32>
    %in = tensor.collapse_shape %part [[0], [1], [2, 3]] : tensor<1x8x2x10xf32> into tensor<1x8x20xf32>
    %y = weft.causal_conv ins(%in, %w : tensor<1x8x20xf32>, tensor<20x4xf32>) outs(%e : tensor<1x8x20xf32>) -> tensor<1x8x20xf32>
    ```
    becomes
    ```
    %copy = linalg.copy ins(%part)
    %in = tensor.collapse_shape %copy [[0], [1], [2, 3]]
    %y = weft.causal_conv ins(%in, %w) …
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def NormalizeConcat : Pass<"weft-normalize-concat", "::mlir::ModuleOp"> {
  let summary = "Turns insertions of parts into one elementwise op";
  let description = [{
    Before: several `tensor.insert_slice` that fill a tensor along its last dimension. After: one `linalg.generic` over
    the tensor seen as [..., parts, width] where a width divides that of each and makes 16 parts at most (halves are
    two; a quarter, a quarter and a half are four), which fuses like any elementwise op.

    Example:
    ```mlir
    %0 = tensor.insert_slice %low into %empty[0, 0] [%n, 4] [1, 1] : tensor<?x4xf32> into tensor<?x8xf32>
    %1 = tensor.insert_slice %high into %0[0, 4] [%n, 4] [1, 1] : tensor<?x4xf32> into tensor<?x8xf32>
    ```
    becomes
    ```
    %0 = linalg.generic … ins(%low, %high) outs(%e : tensor<?x2x4xf32>) { yield of %low's element where linalg.index 1 is 0, else %high's }
    %1 = tensor.collapse_shape %0 [[0], [1, 2]]
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

#endif // WEFT_LOWERING_NORMALIZE_PASSES_TD
