// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles of scan: dimensions that index every accumulator are cut, but for the scanned one. An accumulator that others
// share would be read and written by each of their tiles.
#include "dialects/weft/SequenceOps.h"
#include "dialects/weft/Tile.h"

using namespace mlir;
using namespace weft;
using utils::IteratorType;

SmallVector<IteratorType> ScanOp::getLoopIteratorTypes() {
  SmallVector<IteratorType> types(getNumLoops(), IteratorType::parallel);
  types[getDimension()] = IteratorType::reduction;
  for (unsigned dim : llvm::seq(getNumLoops()))
    for (unsigned i : llvm::seq(getNumAccumulators()))
      if (!getMap(i).isFunctionOfDim(dim))
        types[dim] = IteratorType::reduction;
  return types;
}

SmallVector<Range> ScanOp::getIterationDomain(OpBuilder &builder) {
  SmallVector<Range> domain;
  for (unsigned dim : llvm::seq(getNumLoops())) {
    auto [input, place] = getOperandWith(dim);
    domain.push_back(wholeRanges(builder, getLoc(), input)[place]);
  }
  return domain;
}

static Tile tileThroughMap(AffineMap map, const Tile &domain) {
  Tile tile;
  for (AffineExpr expr : map.getResults()) {
    unsigned dim = cast<AffineDimExpr>(expr).getPosition();
    tile.append(domain.offsets[dim], domain.sizes[dim]);
  }
  return tile;
}

FailureOr<TilingResult> ScanOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                       ArrayRef<OpFoldResult> sizes) {
  for (auto [dim, type] : llvm::enumerate(getLoopIteratorTypes())) {
    auto [input, place] = getOperandWith(dim);
    if (type == IteratorType::reduction && !coversDimension(input, place, offsets[dim], sizes[dim]))
      return failure();
  }
  Tile domain(offsets, sizes);
  SmallVector<Tile> tiles;
  unsigned count = getNumAccumulators();
  for (unsigned i : llvm::seq(getIndexingMaps().size())) // inputs and reset
    tiles.push_back(tileThroughMap(getMap(i), domain));
  for (unsigned i : llvm::seq(count))
    tiles.push_back(tileThroughMap(getMap(i), domain));
  for (unsigned i : llvm::seq(getStates().size()))
    tiles.push_back(tileThroughMap(getStateMap(i), domain));
  return cloneOntoTiles(*this, builder, tiles);
}

/// The map of a result: of an output, or of a state.
static AffineMap mapOfResult(ScanOp op, unsigned result) {
  unsigned count = op.getNumAccumulators();
  return result < count ? op.getMap(result) : op.getStateMap(result - count);
}

LogicalResult ScanOp::getResultTilePosition(OpBuilder &builder, unsigned result, ArrayRef<OpFoldResult> offsets,
                                            ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
                                            SmallVector<OpFoldResult> &resultSizes) {
  Tile tile = tileThroughMap(mapOfResult(*this, result), {offsets, sizes});
  resultOffsets = tile.offsets;
  resultSizes = tile.sizes;
  return success();
}

LogicalResult ScanOp::getIterationDomainTileFromResultTile(OpBuilder &builder, unsigned result,
                                                           ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
                                                           SmallVectorImpl<OpFoldResult> &domainOffsets,
                                                           SmallVectorImpl<OpFoldResult> &domainSizes) {
  for (Range range : getIterationDomain(builder)) {
    domainOffsets.push_back(range.offset);
    domainSizes.push_back(range.size);
  }
  for (auto [index, expr] : llvm::enumerate(mapOfResult(*this, result).getResults())) {
    unsigned dim = cast<AffineDimExpr>(expr).getPosition();
    domainOffsets[dim] = offsets[index];
    domainSizes[dim] = sizes[index];
  }
  return success();
}
