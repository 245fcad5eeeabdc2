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
    `weft.packed_matmul`, with the bias row that a `linalg.generic` added as its start. Products of two computed
    tensors stay as they are, with a missed-optimisation remark.
  }];
  let dependentDialects = ["::weft::WeftDialect"];
}

def NormalizeConcat : Pass<"weft-normalize-concat", "::mlir::ModuleOp"> {
  let summary = "Turns insertions of two halves into one elementwise op";
  let description = [{
    Before: two `tensor.insert_slice` that fill the halves of a tensor along its last dimension. After: one
    `linalg.generic` over the tensor seen as [..., 2, half], which fuses like any elementwise op.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

#endif // WEFT_LOWERING_NORMALIZE_PASSES_TD
