// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A box of an iteration space or of an operand, and ops cut down to such boxes.
#ifndef WEFT_DIALECTS_WEFT_TILE_H
#define WEFT_DIALECTS_WEFT_TILE_H

#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/TilingInterface.h"

namespace weft {
/// An offset and a size for each dimension; without dimensions, all there is.
struct Tile {
  llvm::SmallVector<mlir::OpFoldResult> offsets, sizes;

  Tile() = default;
  Tile(llvm::ArrayRef<mlir::OpFoldResult> offsets, llvm::ArrayRef<mlir::OpFoldResult> sizes)
      : offsets(offsets), sizes(sizes) {}
  void append(mlir::OpFoldResult offset, mlir::OpFoldResult size) {
    offsets.push_back(offset);
    sizes.push_back(size);
  }
};

/// The ranges of all dimensions of a shaped value.
llvm::SmallVector<mlir::Range> wholeRanges(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value shaped);

/// Whether [offset, offset + size) is known to be all of a dimension of
/// `shaped`: what cannot be cut is only ever tiled by its full extent.
bool coversDimension(mlir::Value shaped, int64_t dimension, mlir::OpFoldResult offset, mlir::OpFoldResult size);

/// False when `value` is known to take a value that is no multiple of
/// `factor`: constants, loop variables by lower bound and step, affine.apply
/// of these. Values of unknown origin are trusted.
bool mayBeMultipleOf(mlir::OpFoldResult value, int64_t factor);

/// Whether `i floordiv group` of the whole op and of a tile of i are the same but for a constant: the tile starts with
/// a group, or lies within one.
bool keepsGroups(mlir::OpFoldResult offset, mlir::OpFoldResult size, int64_t group);

/// The loops of a product, (m, n, k): the extents of its result and the depth of its left operand.
llvm::SmallVector<mlir::Range> productDomain(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value lhs,
                                             mlir::Value result);

/// The loops that compute a tile of a product's result: k is whole.
void productTileOfResult(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value lhs, const Tile &result,
                         llvm::SmallVectorImpl<mlir::OpFoldResult> &offsets,
                         llvm::SmallVectorImpl<mlir::OpFoldResult> &sizes);

/// Those of the `panels`, [⌈n / width⌉, …], that columns [offset, offset + size) lie in; the other dimensions whole.
Tile panelTile(mlir::OpBuilder &builder, mlir::Value panels, int64_t width, mlir::OpFoldResult offset,
               mlir::OpFoldResult size);

/// The op on slices of its operands (one tile for each, in operand order), in
/// tensors. Regions are cloned along.
mlir::FailureOr<mlir::TilingResult> cloneOntoTiles(mlir::DestinationStyleOpInterface op, mlir::OpBuilder &builder,
                                                   llvm::ArrayRef<Tile> tiles);

/// The part of the op that computes this tile of one of its results.
mlir::FailureOr<mlir::TilingResult> tileForResult(mlir::TilingInterface op, mlir::OpBuilder &builder, unsigned result,
                                                  const Tile &tile);
} // namespace weft

#endif // WEFT_DIALECTS_WEFT_TILE_H
