// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles of recurrence: batch, head and value dimension are cut, the key dimension never. Time may be cut into a
// sequential loop where the state is an operand, which then goes from tile to tile.
#include "dialects/weft/RecurrenceOps.h"
#include "dialects/weft/Tile.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"

using namespace mlir;
using namespace weft;
using utils::IteratorType;

SmallVector<IteratorType> RecurrenceOp::getLoopIteratorTypes() {
  SmallVector<IteratorType> types(NumDims, IteratorType::parallel);
  types[Time] = types[Key] = IteratorType::reduction;
  return types;
}

/// An operand that is indexed by the dimension, and at which place.
static std::optional<std::pair<Value, int64_t>> findDimension(RecurrenceOp op, unsigned dim) {
  AffineExpr expr = getAffineDimExpr(dim, op.getContext());
  for (unsigned operand : llvm::seq(op->getNumOperands()))
    if (std::optional<unsigned> place = op.getIndexingMap(operand).getResultPosition(expr))
      return std::pair<Value, int64_t>(op->getOperand(operand), *place);
  return std::nullopt;
}

SmallVector<Range> RecurrenceOp::getIterationDomain(OpBuilder &builder) {
  OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
  SmallVector<Range> domain(NumDims, {zero, one, one});
  for (unsigned dim = 0; dim < NumDims; ++dim)
    if (auto found = findDimension(*this, dim))
      domain[dim] = wholeRanges(builder, getLoc(), found->first)[found->second];
  return domain;
}

static bool isWhole(RecurrenceOp op, unsigned dim, const Tile &domain) {
  auto found = findDimension(op, dim);
  return !found || coversDimension(found->first, found->second, domain.offsets[dim], domain.sizes[dim]);
}

static FailureOr<Tile> tileThroughMap(RecurrenceOp op, OpBuilder &builder, AffineMap map, const Tile &domain) {
  Tile tile;
  for (AffineExpr expr : map.getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      tile.append(domain.offsets[dim.getPosition()], domain.sizes[dim.getPosition()]);
      continue;
    }
    OpFoldResult offset = domain.offsets[RecurrenceOp::Head], size = domain.sizes[RecurrenceOp::Head];
    int64_t group = *headGroupOf(expr);
    if (!keepsGroups(offset, size, group))
      return failure();
    AffineExpr head = builder.getAffineDimExpr(0);
    tile.append(affine::makeComposedFoldedAffineApply(builder, op.getLoc(), head.floorDiv(group), {offset}),
                affine::makeComposedFoldedAffineApply(builder, op.getLoc(), head.ceilDiv(group), {size}));
  }
  return tile;
}

FailureOr<TilingResult> RecurrenceOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                             ArrayRef<OpFoldResult> sizes) {
  Tile domain(offsets, sizes);
  bool cutsTime = !isWhole(*this, Time, domain);
  if (!isWhole(*this, Key, domain) || (cutsTime && (getStates().empty() || getReverse())))
    return failure();
  SmallVector<Tile> tiles;
  for (unsigned operand : llvm::seq(getNumOperands())) {
    FailureOr<Tile> tile = tileThroughMap(*this, builder, getIndexingMap(operand), domain);
    if (failed(tile))
      return failure();
    tiles.push_back(*tile);
  }
  return cloneOntoTiles(*this, builder, tiles);
}

LogicalResult RecurrenceOp::getResultTilePosition(OpBuilder &builder, unsigned result, ArrayRef<OpFoldResult> offsets,
                                                  ArrayRef<OpFoldResult> sizes,
                                                  SmallVector<OpFoldResult> &resultOffsets,
                                                  SmallVector<OpFoldResult> &resultSizes) {
  unsigned operand = getDpsInitOperand(result)->getOperandNumber();
  FailureOr<Tile> tile = tileThroughMap(*this, builder, getIndexingMap(operand), Tile(offsets, sizes));
  if (failed(tile))
    return failure();
  resultOffsets = tile->offsets;
  resultSizes = tile->sizes;
  return success();
}

LogicalResult RecurrenceOp::getIterationDomainTileFromResultTile(OpBuilder &builder, unsigned result,
                                                                 ArrayRef<OpFoldResult> offsets,
                                                                 ArrayRef<OpFoldResult> sizes,
                                                                 SmallVectorImpl<OpFoldResult> &domainOffsets,
                                                                 SmallVectorImpl<OpFoldResult> &domainSizes) {
  for (Range range : getIterationDomain(builder)) {
    domainOffsets.push_back(range.offset);
    domainSizes.push_back(range.size);
  }
  AffineMap map = getIndexingMap(getDpsInitOperand(result)->getOperandNumber());
  for (auto [index, expr] : llvm::enumerate(map.getResults())) {
    unsigned dim = cast<AffineDimExpr>(expr).getPosition();
    domainOffsets[dim] = offsets[index];
    domainSizes[dim] = sizes[index];
  }
  return success();
}
