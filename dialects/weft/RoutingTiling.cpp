// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles of route, dispatch, grouped_matmul and combine.
#include "dialects/weft/RoutingOps.h"
#include "dialects/weft/Tile.h"

using namespace mlir;
using namespace weft;
using utils::IteratorType;

//===----------------------------------------------------------------------===//
// route: (t, e); a token's scores stay together
//===----------------------------------------------------------------------===//

SmallVector<IteratorType> RouteOp::getLoopIteratorTypes() { return {IteratorType::parallel, IteratorType::reduction}; }

SmallVector<Range> RouteOp::getIterationDomain(OpBuilder &builder) {
  return wholeRanges(builder, getLoc(), getScores());
}

/// Tokens [offset, offset + size) of a destination.
static Tile tokensOf(OpBuilder &builder, Value destination, OpFoldResult offset, OpFoldResult size) {
  Range choices = wholeRanges(builder, destination.getLoc(), destination)[1];
  return Tile({offset, choices.offset}, {size, choices.size});
}

FailureOr<TilingResult> RouteOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                        ArrayRef<OpFoldResult> sizes) {
  if (!coversDimension(getScores(), 1, offsets[1], sizes[1]))
    return failure();
  SmallVector<Tile> tiles = {Tile(offsets, sizes)};
  if (getBias())
    tiles.emplace_back();
  for (Value destination : {Value(getExperts()), Value(getWeights())})
    tiles.push_back(tokensOf(builder, destination, offsets[0], sizes[0]));
  return cloneOntoTiles(*this, builder, tiles);
}

LogicalResult RouteOp::getResultTilePosition(OpBuilder &builder, unsigned result, ArrayRef<OpFoldResult> offsets,
                                             ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
                                             SmallVector<OpFoldResult> &resultSizes) {
  Tile tile = tokensOf(builder, getDpsInits()[result], offsets[0], sizes[0]);
  resultOffsets = tile.offsets;
  resultSizes = tile.sizes;
  return success();
}

LogicalResult RouteOp::getIterationDomainTileFromResultTile(OpBuilder &builder, unsigned result,
                                                            ArrayRef<OpFoldResult> offsets,
                                                            ArrayRef<OpFoldResult> sizes,
                                                            SmallVectorImpl<OpFoldResult> &domainOffsets,
                                                            SmallVectorImpl<OpFoldResult> &domainSizes) {
  if (!coversDimension(getDpsInits()[result], 1, offsets[1], sizes[1]))
    return failure();
  Range experts = getIterationDomain(builder)[1];
  domainOffsets.assign({offsets[0], experts.offset});
  domainSizes.assign({sizes[0], experts.size});
  return success();
}

//===----------------------------------------------------------------------===//
// dispatch: (t, k), never cut: each entry's place depends on those before it
//===----------------------------------------------------------------------===//

SmallVector<IteratorType> DispatchOp::getLoopIteratorTypes() {
  return {IteratorType::reduction, IteratorType::reduction};
}

SmallVector<Range> DispatchOp::getIterationDomain(OpBuilder &builder) {
  return wholeRanges(builder, getLoc(), getExperts());
}

static bool coversAll(Value shaped, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes) {
  return llvm::all_of(llvm::seq<int64_t>(0, offsets.size()),
                      [&](int64_t dim) { return coversDimension(shaped, dim, offsets[dim], sizes[dim]); });
}

FailureOr<TilingResult> DispatchOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                           ArrayRef<OpFoldResult> sizes) {
  if (!coversAll(getExperts(), offsets, sizes))
    return failure();
  return cloneOntoTiles(*this, builder, SmallVector<Tile>(getNumOperands()));
}

LogicalResult DispatchOp::getResultTilePosition(OpBuilder &builder, unsigned result, ArrayRef<OpFoldResult>,
                                                ArrayRef<OpFoldResult>, SmallVector<OpFoldResult> &resultOffsets,
                                                SmallVector<OpFoldResult> &resultSizes) {
  Range whole = wholeRanges(builder, getLoc(), getDpsInits()[result]).front();
  resultOffsets = {whole.offset};
  resultSizes = {whole.size};
  return success();
}

LogicalResult DispatchOp::getIterationDomainTileFromResultTile(OpBuilder &builder, unsigned result,
                                                               ArrayRef<OpFoldResult> offsets,
                                                               ArrayRef<OpFoldResult> sizes,
                                                               SmallVectorImpl<OpFoldResult> &domainOffsets,
                                                               SmallVectorImpl<OpFoldResult> &domainSizes) {
  if (!coversAll(getDpsInits()[result], offsets, sizes))
    return failure();
  for (Range range : getIterationDomain(builder)) {
    domainOffsets.push_back(range.offset);
    domainSizes.push_back(range.size);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// grouped_matmul: (r, n, k); rows of any group, so that only columns are cut, where panels start
//===----------------------------------------------------------------------===//

SmallVector<IteratorType> GroupedMatmulOp::getLoopIteratorTypes() {
  return {IteratorType::parallel, IteratorType::parallel, IteratorType::reduction};
}

SmallVector<Range> GroupedMatmulOp::getIterationDomain(OpBuilder &builder) {
  return productDomain(builder, getLoc(), getLhs(), getInit());
}

/// Columns of all groups' weights.
static Tile weightTile(OpBuilder &builder, GroupedMatmulOp op, OpFoldResult offset, OpFoldResult size) {
  Tile tile;
  for (Range whole : wholeRanges(builder, op.getLoc(), op.getRhs()))
    tile.append(whole.offset, whole.size);
  tile.offsets[1] = offset;
  tile.sizes[1] = size;
  if (op.isPacked()) {
    Tile panels = panelTile(builder, op.getRhs(), op.getPanelWidth(), offset, size);
    tile.offsets[1] = panels.offsets[0];
    tile.sizes[1] = panels.sizes[0];
  }
  return tile;
}

FailureOr<TilingResult> GroupedMatmulOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                                ArrayRef<OpFoldResult> sizes) {
  if (!coversDimension(getInit(), 0, offsets[0], sizes[0]) || !coversDimension(getLhs(), 1, offsets[2], sizes[2]) ||
      (isPacked() && !mayBeMultipleOf(offsets[1], getPanelWidth())))
    return failure();
  SmallVector<Tile> tiles = {Tile(), weightTile(builder, *this, offsets[1], sizes[1]), Tile()};
  if (getRows())
    tiles.emplace_back();
  if (getLhsScales())
    tiles.emplace_back();
  for (Value ofColumns : {getRhsScales(), getBias()})
    if (ofColumns) {
      Range groups = wholeRanges(builder, getLoc(), ofColumns)[0];
      tiles.push_back({{groups.offset, offsets[1]}, {groups.size, sizes[1]}});
    }
  tiles.push_back({offsets.take_front(2), sizes.take_front(2)});
  return cloneOntoTiles(*this, builder, tiles);
}

//===----------------------------------------------------------------------===//
// combine: (r, n); rows come in order, columns are cut anywhere
//===----------------------------------------------------------------------===//

SmallVector<IteratorType> CombineOp::getLoopIteratorTypes() {
  return {IteratorType::reduction, IteratorType::parallel};
}

SmallVector<Range> CombineOp::getIterationDomain(OpBuilder &builder) {
  return wholeRanges(builder, getLoc(), getInput());
}

/// Columns [offset, offset + size) of all rows.
static Tile columnsOf(OpBuilder &builder, Value matrix, OpFoldResult offset, OpFoldResult size) {
  Range rows = wholeRanges(builder, matrix.getLoc(), matrix)[0];
  return Tile({rows.offset, offset}, {rows.size, size});
}

FailureOr<TilingResult> CombineOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                          ArrayRef<OpFoldResult> sizes) {
  if (!coversDimension(getInput(), 0, offsets[0], sizes[0]))
    return failure();
  return cloneOntoTiles(*this, builder,
                        {Tile(offsets, sizes), Tile(), Tile(), columnsOf(builder, getInit(), offsets[1], sizes[1])});
}

LogicalResult CombineOp::getResultTilePosition(OpBuilder &builder, unsigned, ArrayRef<OpFoldResult> offsets,
                                               ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
                                               SmallVector<OpFoldResult> &resultSizes) {
  Tile tile = columnsOf(builder, getInit(), offsets[1], sizes[1]);
  resultOffsets = tile.offsets;
  resultSizes = tile.sizes;
  return success();
}

LogicalResult CombineOp::getIterationDomainTileFromResultTile(OpBuilder &builder, unsigned,
                                                              ArrayRef<OpFoldResult> offsets,
                                                              ArrayRef<OpFoldResult> sizes,
                                                              SmallVectorImpl<OpFoldResult> &domainOffsets,
                                                              SmallVectorImpl<OpFoldResult> &domainSizes) {
  if (!coversDimension(getInit(), 0, offsets[0], sizes[0]))
    return failure(); // any row may be any token's
  Tile tile = columnsOf(builder, getInput(), offsets[1], sizes[1]);
  domainOffsets.assign(tile.offsets.begin(), tile.offsets.end());
  domainSizes.assign(tile.sizes.begin(), tile.sizes.end());
  return success();
}
