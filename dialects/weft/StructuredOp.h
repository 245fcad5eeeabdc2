// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What follows from destination style alone, shared by all structured weft ops.
#ifndef WEFT_DIALECTS_WEFT_STRUCTUREDOP_H
#define WEFT_DIALECTS_WEFT_STRUCTUREDOP_H

#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace weft {
/// Memref inputs are read and memref inits written, states (StatefulOpInterface) both; tensors have no effects.
void addOperandEffects(mlir::DestinationStyleOpInterface op,
                       llvm::SmallVectorImpl<mlir::SideEffects::EffectInstance<mlir::MemoryEffects::Effect>> &effects);

/// Each result has the shape of the init it is tied to.
llvm::LogicalResult reifyShapesOfInits(mlir::DestinationStyleOpInterface op, mlir::OpBuilder &builder,
                                       mlir::ReifiedRankedShapedTypeDims &shapes);

/// Either all shaped operands are tensors, with a result for each init, or all
/// are memrefs, without results.
llvm::LogicalResult verifyStorage(mlir::DestinationStyleOpInterface op);

/// Whether two extents may be the same at run time.
bool extentsAgree(int64_t a, int64_t b);

/// The divisor of `dim floordiv divisor`, or nothing for another expression.
std::optional<int64_t> divisorOf(mlir::AffineExpr expr, unsigned dim);

/// The operand must be one-dimensional, `extent` long.
llvm::LogicalResult verifyVector(mlir::Operation *op, llvm::StringRef operand, mlir::ShapedType type, int64_t extent);
} // namespace weft

#endif // WEFT_DIALECTS_WEFT_STRUCTUREDOP_H
