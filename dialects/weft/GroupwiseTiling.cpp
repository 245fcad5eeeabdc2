// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles of groupwise_matmul: (m, n, k); a column tile starts where a panel does, k is whole.
#include "dialects/weft/Tile.h"
#include "dialects/weft/WeftDialect.h"

using namespace mlir;
using namespace weft;
using utils::IteratorType;

SmallVector<IteratorType> GroupwiseMatmulOp::getLoopIteratorTypes() {
  return {IteratorType::parallel, IteratorType::parallel, IteratorType::reduction};
}

SmallVector<Range> GroupwiseMatmulOp::getIterationDomain(OpBuilder &builder) {
  return productDomain(builder, getLoc(), getLhs(), getInit());
}

FailureOr<TilingResult> GroupwiseMatmulOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                                  ArrayRef<OpFoldResult> sizes) {
  if (!coversDimension(getLhs(), 1, offsets[2], sizes[2]) || !mayBeMultipleOf(offsets[1], kPanelWidth))
    return failure();
  Tile rhs = panelTile(builder, getRhs(), kPanelWidth, offsets[1], sizes[1]);
  SmallVector<Tile> tiles = {{{offsets[0], offsets[2]}, {sizes[0], sizes[2]}}, rhs};
  if (getBias())
    tiles.push_back({{offsets[1]}, {sizes[1]}});
  tiles.push_back({offsets.take_front(2), sizes.take_front(2)});
  return cloneOntoTiles(*this, builder, tiles);
}
