// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The vectorize phase: structured ops on memrefs → vector code.
#ifndef WEFT_LOWERING_VECTORIZE_PASSES_TD
#define WEFT_LOWERING_VECTORIZE_PASSES_TD

include "mlir/Pass/PassBase.td"

def MapProductsToAmx : Pass<"weft-map-products-to-amx", "::mlir::ModuleOp"> {
  let summary = "Turns products in 8 bits and in bf16 into products of tiles, on targets that have them";
  let description = [{
    Before: `weft.quantized_matmul`, or `weft.packed_matmul` with a weight in bf16, on memrefs; perhaps into a scratch that
    one elementwise `linalg.generic` reads. After, on levels `amx` and `amx-vectors`: rows of the left operand that
    have the weight's type and whole steps of 64 bytes, and begin with cache lines, are loaded where they are, but
    for those after the last block of 32; others are packed (f32 rounded to bf16). Each block and pair of the
    weight's panels is a product of 2 × 2 tiles over all steps, put into one of two staging tiles. While the next
    product runs, the rows of the one before get the scales, the bias and the elementwise op's body. Longer sums are
    cut into parts of 8 steps (see docs/rationale/matrix-tiles.md).

    Example:
    ```mlir
    weft.quantized_matmul ins(%x, %xs, %w, %ws : memref<32x64xi8>, memref<32xf32>, memref<2x16x64xi8>, memref<32xf32>) outs(%y : memref<32x32xf32>)
    ```
    becomes
    ```
    %sums:4 = scf.for %step = 0 to 1 iter_args(…) { 4 × amx.tile_load, 4 × amx.tile_muli }
    … 4 × amx.tile_store; scf.for %row = 0 to 32 { sitofp, 2 arith.mulf, vector.store } …
    ```
  }];
  let dependentDialects = ["::mlir::amx::AMXDialect", "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def VectorizeMatmul : Pass<"weft-vectorize-matmul", "::mlir::ModuleOp"> {
  let summary = "Turns products with packed weights, and what follows them, into register tiles";
  let description = [{
    Before: `weft.packed_matmul` on memrefs, perhaps into a scratch that one elementwise `linalg.generic` reads.
    After: loops over register tiles whose accumulators live in vector registers over the whole sum, or a block of a long
    one; the elementwise op's body runs on each tile's rows while they are in the first-level cache, and the scratch is
    gone. Rows are cut into tiles of nearly equal height, columns beyond the last vector are masked. On level `v4-bf16` a
    step of the sum with a weight in bf16 multiplies words of two numbers (`vdpbf16ps`); rows that are no words of bf16
    in memory are rounded to them once for a work item.

    Example:
    ```mlir
    weft.packed_matmul ins(%x, %w : memref<6x8xf32>, memref<1x8x16xf32>) outs(%y : memref<6x16xf32>)
    ```
    becomes
    ```
    %acc:12 = scf.for %k = 0 to 8 step 4 iter_args(…) { … 4 × (2 vector.load, 6 memref.load, 12 vector.fma) … }
    … 12 vector.store …
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def VectorizeQuantizedMatmul : Pass<"weft-vectorize-quantized-matmul", "::mlir::ModuleOp"> {
  let summary = "Turns products of 8-bit integers, and what follows them, into register tiles";
  let description = [{
    Before: `weft.quantized_matmul` on memrefs, perhaps into a scratch that one elementwise `linalg.generic` reads. After:
    loops over register tiles of i32 sums, which are exact; each row of a tile is scaled, gets its bias and runs the
    elementwise op's body, and the scratch is gone. With VNNI (levels `v4-vnni`, `v4-bf16`, `amx`) a step multiplies words
    of four bytes (`vpdpbusd`), whose left ones are unsigned: 128 is added to each byte of the weight, and 128 times the sum
    of a row taken from its results.

    Example:
    ```mlir
    weft.quantized_matmul ins(%x, %xs, %w, %ws : memref<6x8xi8>, memref<6xf32>, memref<1x2x64xi8>, memref<16xf32>) outs(%y : memref<6x16xf32>)
    ```
    becomes
    ```
    %sums:6 = scf.for %group = 0 to 2 iter_args(…) { … vector.load, 6 × (broadcast of 4 bytes, 2 vpmaddwd, 2 additions) … }
    scf.for %row = 0 to 6 { sitofp, 2 arith.mulf, vector.store }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def VectorizeGroupwiseMatmul : Pass<"weft-vectorize-groupwise-matmul", "::mlir::ModuleOp"> {
  let summary = "Turns products with weights rounded in groups, and what follows them, into register tiles";
  let description = [{
    Before: `weft.groupwise_matmul` on memrefs, perhaps into a scratch that one elementwise `linalg.generic` reads. After:
    loops over register tiles. Where the target has dot products of bytes, rows become digits of 8 bits, and sums of
    digits times weights are integers. Elsewhere few rows take the integers out of the words as they stream by; more rows
    share a block of a tile's columns that is taken out once, into a scratch of f32 in the second-level cache. Each
    group's sums are scaled and added to the rows' sums; then each row runs the elementwise op's body.

    Example:
    ```mlir
    weft.groupwise_matmul {bits = 8, group = 32} ins(%x, %w : memref<2x32xf32>, memref<1x1x544xi8>) outs(%y : memref<2x16xf32>)
    ```
    becomes
    ```
    %sums:2 = scf.for %word = 0 to 8 iter_args(…) { … vector.load of 16 words, 4 × (shifts, sitofp, 2 × (broadcast, fma)) }
    … fma of scales and sums, vector.store …
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def VectorizeRecurrence : Pass<"weft-vectorize-recurrence", "::mlir::ModuleOp"> {
  let summary = "Turns recurrences on memrefs into loops over time with the state in registers";
  let description = [{
    Before: `weft.recurrence` on memrefs with a known key dimension. After: a loop over time whose state goes from
    iteration to iteration in vector registers, lanes along the value dimension. Where the state has more rows than
    there are registers, rows take turns over a block of time; with a term of low rank, each step passes the state
    twice.

    Example:
    ```mlir
    weft.recurrence {indexing_maps = [#te, #tn, #te]}
      ins(%v, %q : memref<1x?x16xf32>, memref<1x?x2xf32>) outs(%y : memref<1x?x16xf32>)
      step {
      ^bb0(%value: f32, %query: f32):
        weft.step query(%query) value(%value)
      }
    ```
    becomes
    ```
    scf.for %t step 32 {
      %S:2 = scf.for %i iter_args(%S0, %S1) {
        %next0 = arith.addf %S0, %value : vector<16xf32> …
        vector.store %sum, %y[%b, %t, %e]
      }
    }
    ```
  }];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::memref::MemRefDialect", "::mlir::vector::VectorDialect",
                           "::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::affine::AffineDialect"];
}

def VectorizeAttention : Pass<"weft-vectorize-attention", "::mlir::ModuleOp"> {
  let summary = "Turns attention on memrefs into one fused kernel with queries in lanes";
  let description = [{
    Before: `weft.attention` on memrefs with static head dimensions. After: loops over blocks of keys with an online
    softmax; the score matrix exists only as one block in a scratch. Where the target has tiles and the op may round its
    products' operands to bf16 (`product_type`, or keys and values that are stored so), both products run on tiles.

    Example:
    ```mlir
    weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #m, #o]}
      ins(%q, %k, %k, %m : memref<1x?x1x8xf32>, memref<1x?x1x8xf32>, memref<1x?x1x8xf32>, memref<1x?xi64>)
      outs(%o : memref<1x?x1x8xf32>)
      mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index, %p: i64):
        %zero = arith.constant 0 : i64
        %visible = arith.cmpi ne, %p, %zero : i64
        weft.yield %visible : i1
      }
    ```
    becomes
    ```
    scf.for %query step 16 {
      … %q transposed into a scratch …
      %state:4 = scf.for %key step 128 iter_args(maxima, sums) { scores; exp2; values }
      … rows of %o …
    }
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::amx::AMXDialect", "::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def VectorizeDecodeAttention : Pass<"weft-vectorize-decode-attention", "::mlir::ModuleOp"> {
  let summary = "Turns attention of few queries into a kernel that reads each key and value once";
  let description = [{
    Before: `weft.attention` on memrefs. After: where at most four queries a head meet contiguous keys and values, loops
    over heads of the keys and blocks of keys, with all query heads of a group at once; the head dimension is in lanes.
    Keys and values of 8 bits that three rows or more share are tiles on level amx. Other attention stays for
    `weft-vectorize-attention`, with a missed-optimisation remark where it might have been.

    Example:
    ```mlir
    weft.attention {scale = 0.5 : f32, indexing_maps = [#qh, #kh, #vh, #qh_out]}
      ins(%q, %k, %k : memref<1x4x1x64xf32>, memref<1x1x?x64xf32>, memref<1x1x?x64xf32>)
      outs(%o : memref<1x4x1x64xf32>)
    ```
    becomes
    ```
    scf.for %key step 16 {
      scf.for %tile step 2 { 4 rows × 2 keys: dot products, lane sums, running maxima }
      scf.for … { exp2 }
      scf.for … { weights · values }
    }
    … rows of %o …
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::amx::AMXDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def VectorizeCausalConv : Pass<"weft-vectorize-causal-conv", "::mlir::ModuleOp"> {
  let summary = "Turns convolutions over time into loops with channels in lanes";
  let description = [{
    Before: `weft.causal_conv` on memrefs. After: the first steps one by one, with what a step sees in registers, begun
    from the state; then blocks of four steps, all channels of a panel in turn, that see the input only. The `output`
    region runs on the sums before they are stored; the state is written last. More than eight taps are looped over, a
    vector of channels at a time: taps and 128 steps with what they look back to are in scratches, and eight steps' sums
    in registers.

    Example:
    ```mlir
    weft.causal_conv ins(%x, %w : memref<1x?x16xf32>, memref<16x4xf32>) outs(%y : memref<1x?x16xf32>)
    ```
    becomes
    ```
    … 4 vector.load of %w, shuffles of them to taps …
    %seen:3 = scf.for %t = 0 to %first iter_args(…) { vector.load of %x, 4 vector.fma, vector.store to %y }
    scf.for %t = %first to %steps step 4 { scf.for %d … { 7 vector.load of %x, 4 × 4 vector.fma, 4 vector.store to %y } }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def VectorizeScan : Pass<"weft-vectorize-scan", "::mlir::ModuleOp"> {
  let summary = "Turns scans into walks with lanes beside the scanned dimension, in blocks where they are few";
  let description = [{
    Before: `weft.scan` on whole memrefs, in a kernel function without a parallel loop. After: parallel loops. Where there
    are more than eight places beside the scanned dimension (of four or eight vectors of lanes), one loop over them, each walked
    from the first step to the last with the accumulators in registers. Else, where there are at least 512 steps and no resets: a loop
    over places and up to 16 blocks of steps that computes each block's accumulators; the blocks' accumulators combined
    one after the other; and a loop over the blocks again, that begins where the one before ended and stores. Extents
    alone decide, not the number of threads.

    Example:
    ```mlir
    weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>]}
      ins(%x : memref<8x?x256xf32>) outs(%y : memref<8x?x256xf32>)
      combine {
      ^bb0(%a: f32, %b: f32):
        %sum = arith.addf %a, %b : f32
        weft.yield %sum : f32
      }
    ```
    becomes
    ```
    scf.forall (%place) in (16 · min(%steps, 1)) {
      … 8 vector.load of %x, 8 vector.store to %y …
      scf.for %t = 1 to %steps iter_args(%sum:8) { 8 vector.load, 8 arith.addf, 8 vector.store }
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def ConvertEmbedding : Pass<"weft-convert-embedding", "::mlir::ModuleOp"> {
  let summary = "Turns embedding look-ups on memrefs into copies of table rows";
  let description = [{
    Before: `weft.embedding` on memrefs. After: a loop over the indices with one `linalg.generic` copy of a row each.

    Example:
    ```mlir
    weft.embedding ins(%ids, %table : memref<?x?xi32>, memref<10x4xf32>) outs(%init : memref<?x?x4xf32>)
    ```
    becomes
    ```
    scf.for %b … { scf.for %s … {
      %id = memref.load %ids[%b, %s]
      linalg.generic (copy) ins(memref.subview %table[%id, 0] …) outs(memref.subview %init[%b, %s, 0] …)
    } }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
}

def ConvertCacheUpdate : Pass<"weft-convert-cache-update", "::mlir::ModuleOp"> {
  let summary = "Turns updates of caches on memrefs into copies of rows";
  let description = [{
    Before: `weft.cache_update` on memrefs. After: loops over batch and rows, in order, with one `linalg.generic` copy of
    a row each, where its position has a slot. Nothing else of the cache is touched.

    Example:
    ```mlir
    weft.cache_update {dimension = 1 : i64} ins(%rows, %positions : memref<1x?x4x16xf32>, memref<1x?xi64>)
                      outs(%cache : memref<1x?x4x16xf32>)
    ```
    becomes
    ```
    scf.for %b … { scf.for %t … {
      %p = memref.load %positions[%b, %t]
      scf.if (%p < slots, unsigned) {
        linalg.generic (copy) ins(memref.subview %rows[%b, %t, 0, 0] …) outs(memref.subview %cache[%b, %p, 0, 0] …)
      }
    } }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
}

def VectorizeRoute : Pass<"weft-vectorize-route", "::mlir::ModuleOp"> {
  let summary = "Turns the choice of experts into vector loops";
  let description = [{
    Before: `weft.route` on memrefs. After: for each token a loop over its choices, each of which looks for the largest
    key below the last one's, a vector of experts at a time. A key is an integer that orders numbers as the op does and,
    among equal ones, places; so there are no ties, and rows are not written. An unknown number of experts is an error
    where scores are scored.

    Example:
    ```mlir
    weft.route {normalize = "sum"} ins(%scores : memref<?x128xf32>) outs(%experts, %weights : memref<?x8xi32>, memref<?x8xf32>)
    ```
    becomes
    ```
    scf.for %t … {
      scf.for %j … iter_args(%last = …) {
        %best = scf.for %e … step 16 iter_args(%m = …) { vector.load; keys; arith.cmpi slt, %keys, %last; arith.select }
        %key = vector.reduction <maxsi>, %best
        memref.store …, %experts[%t, %j]
        scf.yield %key
      }
      … weights / their sum …
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def ConvertDispatch : Pass<"weft-convert-dispatch", "::mlir::ModuleOp"> {
  let summary = "Turns the sorting of tokens by expert into loops";
  let description = [{
    Before: `weft.dispatch` on memrefs. After: a counting sort on one thread, in time proportional to entries and experts
    together. An expert that an entry names is compared with their number before it is an index.

    Example:
    ```mlir
    weft.dispatch ins(%e, %w : memref<?x2xi32>, memref<?x2xf32>)
                  outs(%tokens, %sorted, %offsets : memref<?xi32>, memref<?xf32>, memref<9xi32>)
    ```
    becomes
    ```
    %cursors = memref.alloca() : memref<8xi32>
    scf.for %t … { scf.for %j … { scf.if (%expert < 8, unsigned) { offsets[%expert + 1]++ } } }
    scf.for %g … { %cursors[%g] = %offsets[%g]; %offsets[%g + 1] += %offsets[%g] }
    scf.for %t … { scf.for %j … { scf.if … { %row = %cursors[%expert]++; %tokens[%row] = %t; … } } }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def VectorizeCombine : Pass<"weft-vectorize-combine", "::mlir::ModuleOp"> {
  let summary = "Turns weighted sums of experts' rows into vector loops";
  let description = [{
    Before: `weft.combine` on memrefs. After: a loop over its rows, in order; the columns of one whose token there is are
    added to the token's, a vector at a time.

    Example:
    ```mlir
    weft.combine ins(%rows, %tokens, %weights : memref<?x144xf32>, memref<?xi32>, memref<?xf32>)
                 outs(%out : memref<?x144xf32, strided<[1024, 1], offset: ?>>)
    ```
    becomes
    ```
    scf.for %i … {
      scf.if (%token < %count, unsigned) { scf.for %c … step 16 { vector.load; vector.load; vector.fma; vector.store } }
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def VectorizeGeneric : Pass<"weft-vectorize-generic", "::mlir::ModuleOp"> {
  let summary = "Turns linalg ops on memrefs into vector loops";
  let description = [{
    Before: linalg ops on memrefs. After: loops; one dimension that is contiguous in all operands runs in vector
    lanes, with a masked tail. An op without such a dimension becomes scalar loops, with a missed-optimisation remark.

    Example:
    ```mlir
    linalg.generic {indexing_maps = [#id, #first, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %s : memref<1x16xf32>, memref<1xf32>) outs(%y : memref<1x16xf32>) {
    ^bb0(%a: f32, %b: f32, %out: f32):
      %t = arith.mulf %a, %b : f32
      linalg.yield %t : f32
    }
    ```
    becomes
    ```
    scf.for %n = 0 to 16 step 8 {
      %a = vector.load %x[0, %n]
      %b = vector.broadcast of memref.load %s[0]
      vector.store arith.mulf %a, %b, %y[0, %n]
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect"];
}

def ExpandHalves : Pass<"weft-expand-halves", "::mlir::ModuleOp"> {
  let summary = "Computes with bf16 and f16 in f32, and converts without calls";
  let description = [{
    Before: `arith` and `math` ops on bf16 and f16, scalars and vectors. After: the same ops on f32, each result rounded
    (so sums, products, quotients and roots have the bits that half precision gives); conversions are shifts and
    additions, or an instruction where the target has one. No call of the compiler's runtime library is left.

    Example:
    ```mlir
    %0 = arith.extf %x : vector<8xbf16> to vector<8xf32>
    ```
    becomes
    ```
    %bits = arith.bitcast %x : vector<8xbf16> to vector<8xi16>
    … arith.extui, arith.shli by 16, arith.bitcast to vector<8xf32> …
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

def ExpandMath : Pass<"weft-expand-math", "::mlir::ModuleOp"> {
  let summary = "Replaces elementary functions by polynomials";
  let description = [{
    Before: `math` ops on f32 scalars and vectors. After: arith ops only, except what is one instruction (sqrt, abs,
    copysign, fma). No call of a mathematics library is left.

    Example:
    ```mlir
    %0 = math.exp %x : vector<8xf32>
    ```
    becomes
    ```
    … arith.mulf by log2 e, a polynomial of vector.fma, the exponent added to the bits …
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

#endif // WEFT_LOWERING_VECTORIZE_PASSES_TD
