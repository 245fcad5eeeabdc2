// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a thread of a block does for a linalg op: its share of the elements, or of the sums.
#ifndef WEFT_LOWERING_NVPTX_ROWOPS_H
#define WEFT_LOWERING_NVPTX_ROWOPS_H

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"

namespace weft {

class RowOp {
public:
  using Value = mlir::Value;
  using Values = mlir::SmallVector<mlir::Value>;

  static constexpr int64_t kThreads = 256;
  /// Shared memory for what threads have of a sum.
  static constexpr int64_t kPartBytes = kThreads * 4;

  /// Whether threads can share the op: elements or sums of known number, in f32 where sums meet, by arithmetic on
  /// numbers.
  static bool fits(mlir::linalg::LinalgOp op);
  /// Elements of a reduction, very many where that is not known; 0 for an op without one.
  static int64_t longestReduction(mlir::linalg::LinalgOp op);
  /// Shared memory, and scratch in it.
  static Value allocate(mlir::OpBuilder &b, mlir::Location loc, int64_t bytes);
  static Value allocateView(mlir::OpBuilder &b, mlir::memref::AllocaOp op, int64_t bytes,
                            const mlir::LLVMTypeConverter &types);

  RowOp(mlir::OpBuilder &b, mlir::linalg::LinalgOp op, mlir::IRMapping &mapping, Value parts);
  void run();

private:
  Value constant(int64_t value);
  Value plus(Value x, Value y);
  Value extentOf(unsigned dim);
  void unravel(Value index, mlir::utils::IteratorType kind, Values &dims);
  Value product(mlir::utils::IteratorType kind);
  Value read(mlir::OpOperand &operand, const Values &dims);
  void write(Value value, const Values &dims);
  Value evaluate(const Values &inputs, const Values &dims);
  Values readInputs(const Values &dims);
  void when(Value condition, mlir::function_ref<void()> body);
  void loop(Value begin, Value end, Value step, mlir::function_ref<void(Value)> body);

  void emitElements();
  void emitElement(mlir::ArrayRef<Value> indices);
  void emitSums();
  Value emitShare(Values dims, Value first, int64_t together);
  Value combine(Value x, Value y);
  Value exchange(Value x, int64_t distance);
  Value neutral();

  mlir::OpBuilder &b;
  mlir::linalg::LinalgOp op;
  mlir::IRMapping &mapping;
  Value parts;
  mlir::Location loc;
  Value thread;
};

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_ROWOPS_H
