// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar region bodies, evaluated on vectors: one lane an iteration of the vectorised dimension.
#ifndef WEFT_LOWERING_VECTORIZE_VECTORBODY_H
#define WEFT_LOWERING_VECTORIZE_VECTORBODY_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

namespace weft {

/// The value as a vector of `lanes`: itself, or a scalar broadcast.
mlir::Value widen(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value, int64_t lanes);

/// Whether every op of the body can be evaluated lane by lane.
bool isVectorizableBody(mlir::Block &body);

/// Emits the body with its arguments (and linalg.index results) mapped to scalars or vectors of `lanes`; values
/// that depend on scalars only stay scalar. `index` gives linalg.index by dimension and may be null. Returns the
/// terminator's operands.
mlir::SmallVector<mlir::Value> emitVectorBody(mlir::OpBuilder &builder, mlir::Block &body, mlir::IRMapping &mapping,
                                              int64_t lanes, llvm::function_ref<mlir::Value(unsigned)> index = nullptr);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_VECTORBODY_H
