// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The words in which ops are defined: filled tensors and sums of products over
// indexing maps, as linalg ops on tensors.
#ifndef WEFT_DIALECTS_WEFT_DEFINITION_H
#define WEFT_DIALECTS_WEFT_DEFINITION_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"

namespace weft {
class DefinitionBuilder {
public:
  DefinitionBuilder(mlir::OpBuilder &builder, mlir::Location loc) : b(builder), loc(loc) {}

  /// Computes one element from the elements of the inputs and the init.
  using Body = llvm::function_ref<mlir::Value(DefinitionBuilder &, mlir::ValueRange elements)>;

  /// A linalg.generic; one map for each input and one for the init. Dimensions
  /// that the init's map lacks are reductions, and run in order.
  mlir::Value compute(mlir::ValueRange inputs, mlir::Value init, llvm::ArrayRef<mlir::AffineMap> maps, Body body);

  /// A tensor of undefined values.
  mlir::Value empty(llvm::ArrayRef<mlir::OpFoldResult> shape, mlir::Type element);
  /// A tensor with the same value everywhere.
  mlir::Value filled(llvm::ArrayRef<mlir::OpFoldResult> shape, mlir::Type element, double value);

  mlir::Value constant(mlir::Type type, double value);
  /// A float of one type, or a signed integer, as a float of another.
  mlir::Value convert(mlir::Value value, mlir::Type type);
  /// Rows of a matrix [t, n], by number, i32 [m]: [m, n]. A row outside of the matrix is its last one.
  mlir::Value rowsOf(mlir::Value matrix, mlir::Value rows);
  /// A number of elements as a float.
  mlir::Value count(mlir::OpFoldResult elements, mlir::Type type);

  mlir::OpBuilder &b;
  mlir::Location loc;
};

/// What sums of this element type are kept in: at least f32.
mlir::Type accumulatorType(mlir::Type element);
} // namespace weft

#endif // WEFT_DIALECTS_WEFT_DEFINITION_H
