// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Indices and loops over them, at one location: what emitters have in common.
#ifndef WEFT_LOWERING_VECTORIZE_INDEXLOOPS_H
#define WEFT_LOWERING_VECTORIZE_INDEXLOOPS_H

#include "mlir/IR/Builders.h"

namespace weft {

class IndexLoops {
protected:
  using LoopBody = llvm::function_ref<void(mlir::OpBuilder &builder, mlir::Value index)>;

  explicit IndexLoops(mlir::Location loc) : loc(loc) {}

  mlir::Value constant(mlir::OpBuilder &builder, int64_t value);
  /// base + offset.
  mlir::Value add(mlir::OpBuilder &builder, mlir::Value base, int64_t offset);
  mlir::Value add(mlir::OpBuilder &builder, mlir::Value x, mlir::Value y);
  /// The body at each index of [begin, end) that is `step` after the one before.
  void forEach(mlir::OpBuilder &builder, mlir::Value begin, mlir::Value end, int64_t step, LoopBody body);
  /// The same from 0 on.
  void forEach(mlir::OpBuilder &builder, mlir::Value end, int64_t step, LoopBody body);

  mlir::Location loc;
};

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_INDEXLOOPS_H
