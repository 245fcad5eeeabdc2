// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles of grouped_matmul: (m, n, k); a column tile starts where a panel does, k is whole.
#include "dialects/weft/Tile.h"
#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"

using namespace mlir;
using namespace weft;
using utils::IteratorType;

SmallVector<IteratorType> GroupedMatmulOp::getLoopIteratorTypes() {
  return {IteratorType::parallel, IteratorType::parallel, IteratorType::reduction};
}

SmallVector<Range> GroupedMatmulOp::getIterationDomain(OpBuilder &builder) {
  SmallVector<Range> domain = wholeRanges(builder, getLoc(), getInit());
  domain.push_back(wholeRanges(builder, getLoc(), getLhs())[1]);
  return domain;
}

FailureOr<TilingResult> GroupedMatmulOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                                ArrayRef<OpFoldResult> sizes) {
  if (!coversDimension(getLhs(), 1, offsets[2], sizes[2]) || !mayBeMultipleOf(offsets[1], kPanelWidth))
    return failure();
  AffineExpr column = builder.getAffineDimExpr(0);
  auto apply = [&](AffineExpr expr, OpFoldResult value) {
    return affine::makeComposedFoldedAffineApply(builder, getLoc(), expr, {value});
  };
  SmallVector<Range> panels = wholeRanges(builder, getLoc(), getRhs());
  Tile rhs;
  rhs.append(apply(column.floorDiv(kPanelWidth), offsets[1]), apply(column.ceilDiv(kPanelWidth), sizes[1]));
  rhs.append(panels[1].offset, panels[1].size);
  rhs.append(panels[2].offset, panels[2].size);
  SmallVector<Tile> tiles = {{{offsets[0], offsets[2]}, {sizes[0], sizes[2]}}, rhs};
  if (getBias())
    tiles.push_back({{offsets[1]}, {sizes[1]}});
  tiles.push_back({offsets.take_front(2), sizes.take_front(2)});
  return cloneOntoTiles(*this, builder, tiles);
}

LogicalResult GroupedMatmulOp::getResultTilePosition(OpBuilder &builder, unsigned result,
                                                     ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
                                                     SmallVector<OpFoldResult> &resultOffsets,
                                                     SmallVector<OpFoldResult> &resultSizes) {
  resultOffsets.assign(offsets.begin(), offsets.begin() + 2);
  resultSizes.assign(sizes.begin(), sizes.begin() + 2);
  return success();
}

LogicalResult GroupedMatmulOp::getIterationDomainTileFromResultTile(OpBuilder &builder, unsigned result,
                                                                    ArrayRef<OpFoldResult> offsets,
                                                                    ArrayRef<OpFoldResult> sizes,
                                                                    SmallVectorImpl<OpFoldResult> &domainOffsets,
                                                                    SmallVectorImpl<OpFoldResult> &domainSizes) {
  Range depth = wholeRanges(builder, getLoc(), getLhs())[1];
  domainOffsets.assign(offsets.begin(), offsets.end());
  domainSizes.assign(sizes.begin(), sizes.end());
  domainOffsets.push_back(depth.offset);
  domainSizes.push_back(depth.size);
  return success();
}
