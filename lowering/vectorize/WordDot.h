// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dot products of 32-bit words, four bytes or two bf16 each, by one instruction where the target has it.
#ifndef WEFT_LOWERING_VECTORIZE_WORDDOT_H
#define WEFT_LOWERING_VECTORIZE_WORDDOT_H

#include "lowering/analysis/RegisterPlan.h"

#include "mlir/IR/Builders.h"

namespace weft {

/// Bytes of words plus 128: signed numbers as the unsigned ones that `emitByteDot` takes on its left.
mlir::Value emitUnsignedBytes(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value words);

/// acc + the dot product of each lane's four bytes, modulo 2^32: those of `a` unsigned, those of `b` signed. All are
/// vectors of i32. (`vpdpbusd`)
mlir::Value emitByteDot(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &plan, mlir::Value acc,
                        mlir::Value a, mlir::Value b);

/// acc + the dot product of each lane's two bf16. `acc` is a vector of f32, `a` and `b` of i32. Subnormal numbers may
/// count as zero. (`vdpbf16ps`: the product of the upper halves is added first.)
mlir::Value emitHalfDot(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &plan, mlir::Value acc,
                        mlir::Value a, mlir::Value b);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_WORDDOT_H
