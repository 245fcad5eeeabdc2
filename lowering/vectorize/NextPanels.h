// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The panels of a weight that the next columns will use, fetched ahead by the row tiles of these.
#ifndef WEFT_LOWERING_VECTORIZE_NEXTPANELS_H
#define WEFT_LOWERING_VECTORIZE_NEXTPANELS_H

#include "mlir/IR/Builders.h"

#include <functional>

namespace weft {

/// What one row tile knows of the panels after its own.
struct NextPanels {
  mlir::Value weight; ///< [panels, steps, width]
  mlir::Value first;  ///< the first panel to fetch
  int64_t count;      ///< how many
  mlir::Value begin;  ///< the first step of the sum's block; null: 0
  mlir::Value depth;  ///< steps of the block
  mlir::Value tiles;  ///< row tiles that share them
  mlir::Value index;  ///< which of them this is
};

/// A share of the panels into the second-level cache: hints before each kTileBlock steps of the tile's sum, to be used
/// as TileOperands::beforeBlock. The fewer tiles share them, the more hints each gives: two tiles of 8 rows use a panel
/// as fast as the third level gives the next one.
std::function<void(mlir::OpBuilder &builder, mlir::Value step)>
emitNextPanels(mlir::OpBuilder &builder, mlir::Location loc, const NextPanels &panels);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_NEXTPANELS_H
