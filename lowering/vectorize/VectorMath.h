// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementary functions as short polynomial expansions on f32 scalars and vectors, free of calls and of intrinsics that
// only one instruction set has.
#ifndef WEFT_LOWERING_VECTORIZE_VECTORMATH_H
#define WEFT_LOWERING_VECTORIZE_VECTORMATH_H

#include "lowering/analysis/RegisterPlan.h"

#include "mlir/IR/Builders.h"

namespace weft {

/// 2^x, relative error below 1.7e-7, exact for integers; 0 for x < −126, +inf for x >= 128, NaN for NaN. With
/// `nonPositive`, x <= 0 is known and the upper bound is not tested; a NaN is one then if its low nine bits are 0, as
/// those that the processor makes are.
mlir::Value emitExp2(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &plan, mlir::Value x,
                     bool nonPositive);

/// 2^x for numbers that are rounded to bf16 afterwards: relative error below 9e-5, limits as above.
mlir::Value emitExp2ForHalf(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &plan, mlir::Value x);

/// erf x, absolute error below 3e-7.
mlir::Value emitErf(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &plan, mlir::Value x);

/// tanh x, absolute error below 3e-7.
mlir::Value emitTanh(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &plan, mlir::Value x);

/// The transpose of n vectors of n lanes, n a power of two, by log2 n stages of two-operand shuffles.
mlir::SmallVector<mlir::Value> emitTranspose(mlir::OpBuilder &builder, mlir::Location loc,
                                             mlir::ArrayRef<mlir::Value> rows);

/// Lane i of the result is the sum of the lanes of vector i: n vectors of n lanes, n a power of two, by log2 n stages
/// of a blend, a shuffle and an addition for each pair. Of fewer vectors, and from `step` on, these are some of the
/// stages: lane l is the sum of the lanes of vector l / step mod n whose numbers differ from l in these n places alone.
mlir::Value emitLaneSums(mlir::OpBuilder &builder, mlir::Location loc, mlir::ArrayRef<mlir::Value> vectors,
                         int64_t step = 1);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_VECTORMATH_H
