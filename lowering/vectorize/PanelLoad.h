// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vectors of f32 out of the panels of a packed weight, whatever its elements are stored as.
#ifndef WEFT_LOWERING_VECTORIZE_PANELLOAD_H
#define WEFT_LOWERING_VECTORIZE_PANELLOAD_H

#include "dialects/weft/WeftDialect.h"
#include "lowering/analysis/RegisterPlan.h"

#include "mlir/IR/Builders.h"

#include <utility>

namespace weft {

/// plan.lanes columns of a panel, from column `offset` on.
struct PanelPlace {
  mlir::Value rhs; ///< a memref [panels, words, columns · steps in a word]
  mlir::Value panel, offset;
};

/// Rows of a panel that a hint runs ahead: 16 lines of 64 bytes cover the latency of the third-level cache at one line
/// in 14 cycles (measured: 5 % on products whose weights come from there; a row of integers from memory comes at four
/// fifths of the read rate without).
constexpr int64_t kPrefetchAhead = 16;

/// The places of `vectors` vectors of columns side by side, from `column` on, in panels of `width` columns. The last
/// tile's columns may lie beyond the last panel, which stands for them.
mlir::SmallVector<PanelPlace> emitPanelPlaces(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &plan,
                                              mlir::Value rhs, int64_t width, mlir::Value column, int64_t vectors);

/// Whether products read weights of this type: f32, bf16, f16.
bool isPanelElement(mlir::Type element);

/// Step k of the sum.
mlir::Value emitPanelStep(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &plan,
                          const PanelPlace &place, mlir::Value k);

/// Steps k and k + 1, k even, of a weight that holds two steps in a word: one load.
std::pair<mlir::Value, mlir::Value> emitPanelPair(mlir::OpBuilder &builder, mlir::Location loc,
                                                  const RegisterPlan &plan, const PanelPlace &place, mlir::Value k);

/// Word `k` of plan.lanes columns, as a vector of i32, of a weight that holds several steps in a word.
mlir::Value emitPanelWords(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &plan,
                           const PanelPlace &place, mlir::Value k);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_PANELLOAD_H
