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

def NormalizeCheck : Pass<"weft-normalize-check", "::mlir::ModuleOp"> {
  let summary = "Turns expectations into outputs that say what was found";
  let description = [{
    Before: `check.expect_close` and `check.expect_eq` of tensors in entry functions. After: the entry has outputs for
    the N-th of them, each with the op's attributes as `weft.check`: "check.N.mismatches" (i64, elements that differ in
    kind, by too many ulps or, of an expect_eq, in any bit) and, of an expect_close, "check.N.error" and "check.N.size"
    (f64, Σ (actual − expected)² and Σ expected² of the finite elements). Whoever runs the entry judges them. An
    expectation outside of an entry function is an error.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
}

def NormalizeNamed : Pass<"weft-normalize-named", "::mlir::ModuleOp"> {
  let summary = "Gives named elementwise linalg ops their generic form";
  let description = [{
    Before: named linalg ops without reduction loops. After: `linalg.generic` with the same meaning; fills, products and
    reductions keep their names.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
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
