// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles of causal_conv: batch and channel are cut anywhere; time is where there is no state, and a tile sees the whole
// input then, since its first steps look back.
#include "dialects/weft/SequenceOps.h"
#include "dialects/weft/Tile.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace weft;
using utils::IteratorType;

SmallVector<IteratorType> CausalConvOp::getLoopIteratorTypes() {
  SmallVector<IteratorType> types(NumDims, IteratorType::parallel);
  if (getState())
    types[Time] = IteratorType::reduction;
  return types;
}

SmallVector<Range> CausalConvOp::getIterationDomain(OpBuilder &builder) {
  SmallVector<Range> domain = wholeRanges(builder, getLoc(), getInit());
  if (!getFrom()) // of an input: loops over tiles carry the destination
    domain[Time] = wholeRanges(builder, getLoc(), getInput())[Time];
  return domain;
}

/// The input's step that is the tile's first; null where the tile holds all steps of the input.
static Value firstStep(CausalConvOp op, OpBuilder &builder, OpFoldResult offset, OpFoldResult size) {
  if (!op.getFrom() && coversDimension(op.getInput(), CausalConvOp::Time, offset, size))
    return nullptr;
  if (!op.getFrom())
    return getValueOrCreateConstantIndexOp(builder, op.getLoc(), offset);
  AffineExpr sum = builder.getAffineDimExpr(0) + builder.getAffineDimExpr(1);
  OpFoldResult first =
      affine::makeComposedFoldedAffineApply(builder, op.getLoc(), sum, {OpFoldResult(op.getFrom()), offset});
  return getValueOrCreateConstantIndexOp(builder, op.getLoc(), first);
}

FailureOr<TilingResult> CausalConvOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                             ArrayRef<OpFoldResult> sizes) {
  Value from = firstStep(*this, builder, offsets[Time], sizes[Time]);
  if (from && getState())
    return failure();
  OpFoldResult zero = builder.getIndexAttr(0);
  OpFoldResult steps = linalg::createFoldedDimOp(builder, getLoc(), getInput(), Time);
  Tile rows({offsets[Batch], zero}, {sizes[Batch], steps});
  Tile input = rows;
  input.append(offsets[Channel], sizes[Channel]);
  Tile weight({offsets[Channel], zero}, {sizes[Channel], builder.getIndexAttr(getTaps())});
  SmallVector<Tile> tiles = {input, weight};
  if (getBias())
    tiles.push_back({offsets[Channel], sizes[Channel]});
  for (unsigned extra : llvm::seq(getExtras().size())) {
    Tile tile;
    for (AffineExpr expr : getExtraMap(extra).getResults()) {
      unsigned dim = cast<AffineDimExpr>(expr).getPosition();
      tile.append(offsets[dim], sizes[dim]);
    }
    tiles.push_back(tile);
  }
  if (getReset())
    tiles.push_back(rows);
  if (getFrom())
    tiles.push_back({}); // replaced below
  tiles.push_back({offsets, sizes});
  if (getState())
    tiles.push_back({{offsets[Batch], zero, offsets[Channel]},
                     {sizes[Batch], builder.getIndexAttr(getTaps() - 1), sizes[Channel]}});
  FailureOr<TilingResult> result = cloneOntoTiles(*this, builder, tiles);
  if (succeeded(result) && from)
    cast<CausalConvOp>(result->tiledOps.front()).getFromMutable().assign(from);
  return result;
}

LogicalResult CausalConvOp::getResultTilePosition(OpBuilder &builder, unsigned result, ArrayRef<OpFoldResult> offsets,
                                                  ArrayRef<OpFoldResult> sizes,
                                                  SmallVector<OpFoldResult> &resultOffsets,
                                                  SmallVector<OpFoldResult> &resultSizes) {
  resultOffsets.assign(offsets.begin(), offsets.end());
  resultSizes.assign(sizes.begin(), sizes.end());
  if (result == 0)
    return success();
  resultOffsets[Time] = builder.getIndexAttr(0); // of the state: whole
  resultSizes[Time] = builder.getIndexAttr(getTaps() - 1);
  return success();
}

LogicalResult CausalConvOp::getIterationDomainTileFromResultTile(OpBuilder &builder, unsigned result,
                                                                 ArrayRef<OpFoldResult> offsets,
                                                                 ArrayRef<OpFoldResult> sizes,
                                                                 SmallVectorImpl<OpFoldResult> &domainOffsets,
                                                                 SmallVectorImpl<OpFoldResult> &domainSizes) {
  domainOffsets.assign(offsets.begin(), offsets.end());
  domainSizes.assign(sizes.begin(), sizes.end());
  if (result == 0)
    return success();
  Range steps = getIterationDomain(builder)[Time]; // all of them lead to the state
  domainOffsets[Time] = steps.offset;
  domainSizes[Time] = steps.size;
  return success();
}
