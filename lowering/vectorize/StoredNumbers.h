// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers as they are stored (bf16, f16, i8) and as they are computed with (f32), without a call on any target.
#ifndef WEFT_LOWERING_VECTORIZE_STOREDNUMBERS_H
#define WEFT_LOWERING_VECTORIZE_STOREDNUMBERS_H

#include "lowering/analysis/RegisterPlan.h"

#include "mlir/IR/Builders.h"

namespace weft {

/// Whether values of this type are read as f32: f32, bf16, f16 and i8 (signed).
bool isStoredNumber(mlir::Type element);

/// A scalar or a vector of stored numbers as f32, exactly.
mlir::Value emitToF32(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &plan, mlir::Value value);

/// An f32 scalar or vector as f32, bf16 or f16, rounded to nearest even; a NaN stays one.
mlir::Value emitFromF32(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &plan, mlir::Value value,
                        mlir::Type element);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_STOREDNUMBERS_H
