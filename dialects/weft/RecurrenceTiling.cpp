// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles of recurrence: batch, head and value dimension are cut, the key dimension never. Time may be cut into a
// sequential loop where the state is an operand, which then goes from tile to tile; parts of the time that have states
// of their own are tiles beside one another.
#include "dialects/weft/RecurrenceOps.h"
#include "dialects/weft/Tile.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;
using namespace weft;
using utils::IteratorType;

SmallVector<IteratorType> RecurrenceOp::getLoopIteratorTypes() {
  SmallVector<IteratorType> types(NumDims, IteratorType::parallel);
  types[Key] = IteratorType::reduction;
  if (!getPartLength())
    types[Time] = IteratorType::reduction;
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

/// The slots of a state that the steps of `domain` use.
static void appendParts(RecurrenceOp op, OpBuilder &builder, PartIndex part, const Tile &domain, Tile &tile) {
  OpFoldResult offset = domain.offsets[RecurrenceOp::Time], size = domain.sizes[RecurrenceOp::Time];
  AffineExpr step = builder.getAffineDimExpr(0);
  FailureOr<int64_t> most = ValueBoundsConstraintSet::computeConstantBound(
      presburger::BoundType::UB, {size}, /*stopCondition=*/nullptr, /*closedUB=*/true);
  bool isOne = succeeded(most) && *most <= part.length;
  tile.append(
      affine::makeComposedFoldedAffineApply(builder, op.getLoc(), step.floorDiv(part.length) + part.shift, {offset}),
      isOne ? builder.getIndexAttr(1)
            : affine::makeComposedFoldedAffineApply(builder, op.getLoc(), step.ceilDiv(part.length), {size}));
}

static FailureOr<Tile> tileThroughMap(RecurrenceOp op, OpBuilder &builder, AffineMap map, const Tile &domain) {
  Tile tile;
  for (AffineExpr expr : map.getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      tile.append(domain.offsets[dim.getPosition()], domain.sizes[dim.getPosition()]);
      continue;
    }
    if (std::optional<PartIndex> part = partIndexOf(expr)) {
      if (!mayBeMultipleOf(domain.offsets[RecurrenceOp::Time], part->length))
        return failure();
      appendParts(op, builder, *part, domain, tile);
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

/// A tile's slots begin with its own first.
static void dropShifts(RecurrenceOp tiled) {
  SmallVector<Attribute> maps;
  for (AffineMap map : tiled.getIndexingMaps().getAsValueRange<AffineMapAttr>()) {
    SmallVector<AffineExpr> exprs(map.getResults());
    for (AffineExpr &expr : exprs)
      if (std::optional<PartIndex> part = partIndexOf(expr))
        expr = getAffineDimExpr(RecurrenceOp::Time, tiled.getContext()).floorDiv(part->length);
    maps.push_back(AffineMapAttr::get(AffineMap::get(RecurrenceOp::NumDims, 0, exprs, tiled.getContext())));
  }
  tiled.setIndexingMapsAttr(ArrayAttr::get(tiled.getContext(), maps));
}

FailureOr<TilingResult> RecurrenceOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                             ArrayRef<OpFoldResult> sizes) {
  Tile domain(offsets, sizes);
  bool cutsTime = !isWhole(*this, Time, domain);
  bool mayCutTime = getPartLength() || (!getStates().empty() && !getReverse());
  if (!isWhole(*this, Key, domain) || (cutsTime && !mayCutTime))
    return failure();
  SmallVector<Tile> tiles;
  for (unsigned operand : llvm::seq(getNumOperands())) {
    FailureOr<Tile> tile = tileThroughMap(*this, builder, getIndexingMap(operand), domain);
    if (failed(tile))
      return failure();
    tiles.push_back(*tile);
  }
  FailureOr<TilingResult> tiled = cloneOntoTiles(*this, builder, tiles);
  if (succeeded(tiled))
    dropShifts(cast<RecurrenceOp>(tiled->tiledOps.front()));
  return tiled;
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
  if (!llvm::all_of(map.getResults(), llvm::IsaPred<AffineDimExpr>))
    return failure(); // steps that are not whole parts would share a slot
  for (auto [index, expr] : llvm::enumerate(map.getResults())) {
    unsigned dim = cast<AffineDimExpr>(expr).getPosition();
    domainOffsets[dim] = offsets[index];
    domainSizes[dim] = sizes[index];
  }
  return success();
}
