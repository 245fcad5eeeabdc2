// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements of structured ops' memref operands, read and written as scalars or as vectors along one dimension.
#ifndef WEFT_LOWERING_VECTORIZE_OPERANDACCESS_H
#define WEFT_LOWERING_VECTORIZE_OPERANDACCESS_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"

namespace weft {

/// A place in an iteration space: one index for each dimension; along `vectorDim` it covers `lanes` iterations.
struct IterationPoint {
  mlir::SmallVector<mlir::Value> dims;
  int64_t vectorDim = -1; ///< −1: a single iteration
  int64_t lanes = 1;
  mlir::Value mask; ///< lanes that exist; null: all
};

/// How an operand with this map and memref type is read along a dimension.
enum class AccessKind { Uniform, Contiguous, Strided, Unsupported };
AccessKind classifyAccess(mlir::Value memref, mlir::AffineMap map, int64_t vectorDim);

/// The operand's element (Uniform) or elements (Contiguous; Strided lane by lane) at the point.
mlir::Value emitLoad(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value memref, mlir::AffineMap map,
                     const IterationPoint &point);

/// Stores a scalar (Uniform) or a vector (Contiguous; Strided lane by lane) at the point.
void emitStore(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value, mlir::Value memref, mlir::AffineMap map,
               const IterationPoint &point);

/// The operand's subscripts at the point.
mlir::SmallVector<mlir::Value> emitSubscripts(mlir::OpBuilder &builder, mlir::Location loc, mlir::AffineMap map,
                                              mlir::ArrayRef<mlir::Value> dims);

/// Asks for the cache line of the element at the point, into the second-level cache or the first one.
void emitPrefetch(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value memref, mlir::AffineMap map,
                  const IterationPoint &point, bool intoFirstLevel = false);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_OPERANDACCESS_H
