// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tile phase: kernel functions → parallel loops over tiles.
#ifndef WEFT_LOWERING_TILE_PASSES_TD
#define WEFT_LOWERING_TILE_PASSES_TD

include "mlir/Pass/PassBase.td"

def TileKernels : Pass<"weft-tile-kernels", "::mlir::ModuleOp"> {
  let summary = "Cuts each kernel into tiles that run in parallel";
  let description = [{
    Before: kernel functions whose bodies are structured ops on whole tensors, and `weft.target` on the module. After:
    an `scf.forall` over tiles of the last op with its producers inside. Products: some ten register tiles
    high, rows and columns in even blocks; attention: one head and one block of queries; the rest: rows.

    Example:
    ```mlir
    %r = weft.packed_matmul ins(%tx, %tw : tensor<?x384xf32>, tensor<72x384x16xf32>) outs(%ty : tensor<?x1152xf32>) -> tensor<?x1152xf32>
    ```
    becomes
    ```
    %r = scf.forall (%row, %column) = (0, 0) to (%n, 1152) step (%rows, 128) shared_outs(%out = %ty) {
      … weft.packed_matmul on slices of %tx, %tw and %out …
    } {weft.item_cost = …}
    ```
  }];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect", "::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect"];
}

def MarkExperts : Pass<"weft-mark-experts", "::mlir::ModuleOp"> {
  let summary = "Names the arguments of kernels that hold experts' weights and their offsets";
  let description = [{
    Before: kernel functions with a `weft.grouped_matmul`. After: where its weight and its offsets are arguments, these
    have the attribute `weft.experts`, "weight" and "offsets", which stays when the product has become loops:
    `weft-announce-experts` reads it.

    Example:
    ```mlir
    func.func private @kernel(%x: memref<4x64xf32>, %w: memref<8x8x64x16xf32>, %offsets: memref<9xi32>,
                              %y: memref<4x128xf32>) attributes {weft.kernel = "experts"} {
      %x_t = bufferization.to_tensor %x restrict : memref<4x64xf32> to tensor<4x64xf32>
      %w_t = bufferization.to_tensor %w restrict : memref<8x8x64x16xf32> to tensor<8x8x64x16xf32>
      %offsets_t = bufferization.to_tensor %offsets restrict : memref<9xi32> to tensor<9xi32>
      %init = bufferization.to_tensor %y restrict writable : memref<4x128xf32> to tensor<4x128xf32>
      %p = weft.grouped_matmul ins(%x_t, %w_t, %offsets_t : tensor<4x64xf32>, tensor<8x8x64x16xf32>, tensor<9xi32>)
           outs(%init : tensor<4x128xf32>) -> tensor<4x128xf32>
      bufferization.materialize_in_destination %p in restrict writable %y : (tensor<4x128xf32>, memref<4x128xf32>) -> ()
      return
    }
    ```
    becomes
    ```
    func.func private @kernel(%x, %w {weft.experts = "weight"}, %offsets {weft.experts = "offsets"}, %y) …
    ```
  }];
}

def TileExperts : Pass<"weft-tile-experts", "::mlir::ModuleOp"> {
  let summary = "Cuts kernels around products of ragged groups into dense products of one group's rows";
  let description = [{
    Before: kernel functions with a `weft.grouped_matmul`. After: an `scf.forall` whose items are blocks of one group's
    rows and columns, with the elementwise op that reads the product; or, where a `weft.combine` reads it, columns, to
    which all groups add in order. Inside are `weft.packed_matmul` (rows of its left operand read where they are) or
    `weft.groupwise_matmul`. Rows of a block are as even as whole register tiles allow. A weight that is not packed, or in
    panels narrower than a vector, is multiplied by definition, with a remark.

    Example:
    ```mlir
    %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x64xf32>, tensor<8x8x64x16xf32>, tensor<9xi32>)
         rows(%tokens : tensor<?xi32>) outs(%init : tensor<?x128xf32>) -> tensor<?x128xf32>
    ```
    becomes
    ```
    %y = scf.forall (%item, %column) in (%blocks, 1) shared_outs(%out = %init) {
      %group, %first, %count = scf.for … offsets …
      %p = weft.packed_matmul ins(%x, %w[%group] …) rows(%tokens[%first] [%count]) outs(%out[%first, …])
      …
    } {weft.item_cost = …}
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def DecomposeOps : Pass<"weft-decompose-ops", "::mlir::ModuleOp"> {
  let summary = "Replaces row-wise ops on tiles by their definitions";
  let description = [{
    Before: `weft.layer_norm` and `weft.rms_norm` on tiles. After: the linalg ops of its definition. Ops with a lowering of their own
    (attention, recurrences, products, embedding) stay; in a module with `weft.definitions` recurrences and the ops of
    mixtures of experts do not, for comparisons.

    Example:
    ```mlir
    %y = weft.layer_norm {epsilon = 1.0e-12 : f32} ins(%x, %scale, %bias : tensor<1x8xf32>, tensor<8xf32>, tensor<8xf32>)
         outs(%init : tensor<1x8xf32>) -> tensor<1x8xf32>
    ```
    becomes
    ```
    %mean = linalg.generic … ["parallel", "reduction"] …
    %variance = linalg.generic … ["parallel", "reduction"] …
    %y = linalg.generic … ins(%x, %mean, …, %scale, %bias) outs(%init)
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

#endif // WEFT_LOWERING_TILE_PASSES_TD
