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
    an `scf.forall` over tiles of the last op with its producers inside. Products: eight register tiles high, in even
    column blocks; attention: one head and one block of queries; the rest: rows.
  }];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect", "::mlir::affine::AffineDialect"];
}

def DecomposeOps : Pass<"weft-decompose-ops", "::mlir::ModuleOp"> {
  let summary = "Replaces row-wise ops on tiles by their definitions";
  let description = [{
    Before: `weft.layer_norm` on tiles. After: the linalg ops of its definition. Ops with a lowering of their own
    (attention, products, embedding) stay.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
}

#endif // WEFT_LOWERING_TILE_PASSES_TD
