// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one micro-kernel: a register tile of a matrix product, used by dense products and by attention.
#ifndef WEFT_LOWERING_VECTORIZE_REGISTERTILE_H
#define WEFT_LOWERING_VECTORIZE_REGISTERTILE_H

#include "lowering/analysis/RegisterPlan.h"

#include "mlir/IR/Builders.h"

#include <functional>
#include <utility>

namespace weft {

/// a · b + c on vectors, fused where the target has it.
mlir::Value emitMultiplyAdd(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &plan, mlir::Value a,
                            mlir::Value b, mlir::Value c);

/// The operands of a tile product: a(k, row) is a scalar, b(k, vector) a vector of plan.lanes of its type.
struct TileOperands {
  std::function<mlir::Value(mlir::OpBuilder &, mlir::Value k, int64_t row)> a;
  std::function<mlir::Value(mlir::OpBuilder &, mlir::Value k, int64_t vector)> b;
  /// b of steps k and k + 1 for even k, where one load gives both; null: `b` gives each.
  std::function<std::pair<mlir::Value, mlir::Value>(mlir::OpBuilder &, mlir::Value k, int64_t vector)> pair = nullptr;
  /// acc + a · b, of a broadcast of a and a vector of b; null: emitMultiplyAdd.
  std::function<mlir::Value(mlir::OpBuilder &, mlir::Value a, mlir::Value b, mlir::Value acc)> multiplyAdd = nullptr;
  /// Emitted before each kTileBlock steps from k on; may be null.
  std::function<void(mlir::OpBuilder &, mlir::Value k)> beforeBlock = nullptr;
};

/// Steps of the sum between two calls of TileOperands::beforeBlock: a multiple of every plan's unroll.
constexpr int64_t kTileBlock = 8;

/// acc[r · vectors + v] + Σ_{0 ≤ k < depth} a(k, r) · b(k, v), summed in order of k in registers.
/// `depth` is an index; `unroll` > 1 needs a depth whose remainder runs in a second loop.
mlir::SmallVector<mlir::Value> emitTileProduct(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &plan,
                                               int64_t rows, int64_t vectors, mlir::OpFoldResult depth,
                                               mlir::ValueRange acc, const TileOperands &operands);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_REGISTERTILE_H
