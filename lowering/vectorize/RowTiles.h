// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows → tiles of nearly equal height.
#ifndef WEFT_LOWERING_VECTORIZE_ROWTILES_H
#define WEFT_LOWERING_VECTORIZE_ROWTILES_H

#include "mlir/IR/Builders.h"

#include <functional>

namespace weft {

/// One tile of `rows` rows from `first` on; `index` counts the tiles.
using RowTileBody = std::function<void(mlir::OpBuilder &builder, int64_t rows, mlir::Value first, mlir::Value index)>;

/// Covers rows [0, count) with as few tiles of at most `most` rows as there can be, of two heights that differ by one:
/// 128 rows in tiles of at most 9 are 8 tiles of 9 and 7 of 8. Where `count` is not known, `tile` is emitted for each
/// height from `least` on, which must be small enough for every count that comes.
void emitRowTiles(mlir::OpBuilder &builder, mlir::Location loc, mlir::OpFoldResult count, int64_t least, int64_t most,
                  const RowTileBody &tile);

/// `few` where there are at most `most` rows, else `many`: a branch where their count is not known.
void emitByRowCount(mlir::OpBuilder &builder, mlir::Location loc, mlir::OpFoldResult count, int64_t most,
                    llvm::function_ref<void(mlir::OpBuilder &)> few, llvm::function_ref<void(mlir::OpBuilder &)> many);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_ROWTILES_H
