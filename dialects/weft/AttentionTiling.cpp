// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles of attention: batch, head and query are cut; a row of keys (where it
// is split: a split), the head dimension and the value dimension stay whole. The regions see the indices of
// the whole op: a tile adds its offsets to them.
#include "dialects/weft/Tile.h"
#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"

using namespace mlir;
using namespace weft;
using utils::IteratorType;

SmallVector<IteratorType> AttentionOp::getLoopIteratorTypes() {
  SmallVector<IteratorType> types(NumDims, IteratorType::reduction);
  types[Batch] = types[Head] = types[Query] = IteratorType::parallel;
  if (getSplitLength())
    types[Key] = IteratorType::parallel;
  return types;
}

SmallVector<Range> AttentionOp::getIterationDomain(OpBuilder &builder) {
  SmallVector<Range> domain(NumDims);
  for (unsigned operand : {0u, 1u, 2u}) { // query, key, value name all dims
    AffineMap map = getIndexingMap(operand);
    for (auto [expr, range] : llvm::zip_equal(map.getResults(), wholeRanges(builder, getLoc(), getOperand(operand))))
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        if (!domain[dim.getPosition()].size)
          domain[dim.getPosition()] = range;
  }
  if (getTable()) {
    Range blocks = wholeRanges(builder, getLoc(), getTable()).back();
    blocks.size = affine::makeComposedFoldedAffineApply(builder, getLoc(),
                                                        builder.getAffineDimExpr(0) * getPageLength(), {blocks.size});
    domain[Key] = blocks;
  }
  return domain;
}

/// The tile of an operand that is indexed by dimensions, `h floordiv group` and `j floordiv length`.
static FailureOr<Tile> tileThroughMap(AttentionOp op, OpBuilder &builder, unsigned operand, const Tile &domain) {
  AffineMap map = op.getIndexingMap(operand);
  Tile tile;
  for (auto [index, expr] : llvm::enumerate(map.getResults())) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      unsigned position = dim.getPosition();
      if (op.isPaged(operand) && (position == AttentionOp::Batch || position == AttentionOp::Key)) {
        // Any batch's keys may be in any page: the table is what is cut.
        Range whole = wholeRanges(builder, op.getLoc(), op->getOperand(operand))[index];
        tile.append(whole.offset, whole.size);
        continue;
      }
      tile.append(domain.offsets[position], domain.sizes[position]);
      continue;
    }
    bool split = expr.isFunctionOfDim(AttentionOp::Key);
    unsigned dim = split ? AttentionOp::Key : AttentionOp::Head;
    OpFoldResult offset = domain.offsets[dim], size = domain.sizes[dim];
    int64_t group = cast<AffineConstantExpr>(cast<AffineBinaryOpExpr>(expr).getRHS()).getValue();
    if (split ? !mayBeMultipleOf(offset, group) : !keepsGroups(offset, size, group))
      return failure();
    AffineExpr head = builder.getAffineDimExpr(0);
    tile.append(affine::makeComposedFoldedAffineApply(builder, op.getLoc(), head.floorDiv(group), {offset}),
                affine::makeComposedFoldedAffineApply(builder, op.getLoc(), head.ceilDiv(group), {size}));
  }
  return tile;
}

/// Makes a region's b, h, i, j (the arguments from `first` on) mean the whole
/// op's indices.
static void shiftIndices(OpBuilder &builder, Region &region, unsigned first, ArrayRef<OpFoldResult> offsets) {
  if (region.empty())
    return;
  for (unsigned dim : {AttentionOp::Batch, AttentionOp::Head, AttentionOp::Query, AttentionOp::Key}) {
    BlockArgument index = region.getArgument(first + dim);
    if (index.use_empty() || isConstantIntValue(offsets[dim], 0))
      continue;
    Value offset = getValueOrCreateConstantIndexOp(builder, region.getLoc(), offsets[dim]);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&region.front());
    auto sum = arith::AddIOp::create(builder, region.getLoc(), index, offset);
    index.replaceAllUsesExcept(sum, sum);
  }
}

/// Whether keys (unless they are split), head dimension and value dimension are whole.
static bool cutsOnlyRows(AttentionOp op, const Tile &domain) {
  std::pair<unsigned, unsigned> whole[] = {
      {1, AttentionOp::Key}, {0, AttentionOp::HeadDim}, {2, AttentionOp::ValueDim}};
  return llvm::all_of(whole, [&](auto pair) {
    auto [operand, dim] = pair;
    if (dim == AttentionOp::Key && op.getSplitLength())
      return true;
    if (dim == AttentionOp::Key && op.getTable())
      return isConstantIntValue(domain.offsets[dim], 0);
    AffineExpr expr = getAffineDimExpr(dim, op.getContext());
    std::optional<unsigned> position = op.getIndexingMap(operand).getResultPosition(expr);
    return coversDimension(op->getOperand(operand), *position, domain.offsets[dim], domain.sizes[dim]);
  });
}

FailureOr<TilingResult> AttentionOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                            ArrayRef<OpFoldResult> sizes) {
  Tile domain(offsets, sizes);
  if (!cutsOnlyRows(*this, domain))
    return failure();
  SmallVector<Tile> tiles;
  for (unsigned operand : llvm::seq(getNumOperands())) {
    FailureOr<Tile> tile = tileThroughMap(*this, builder, operand, domain);
    if (failed(tile))
      return failure();
    tiles.push_back(*tile);
  }
  FailureOr<TilingResult> result = cloneOntoTiles(*this, builder, tiles);
  if (failed(result))
    return failure();
  auto tiled = cast<AttentionOp>(result->tiledOps.front());
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(tiled);
  shiftIndices(builder, tiled.getScore(), /*first=*/1, offsets);
  shiftIndices(builder, tiled.getMask(), /*first=*/0, offsets);
  return result;
}

LogicalResult AttentionOp::getResultTilePosition(OpBuilder &builder, unsigned result, ArrayRef<OpFoldResult> offsets,
                                                 ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
                                                 SmallVector<OpFoldResult> &resultSizes) {
  unsigned operand = getDpsInitOperand(result)->getOperandNumber();
  FailureOr<Tile> tile = tileThroughMap(*this, builder, operand, Tile(offsets, sizes));
  if (failed(tile))
    return failure();
  resultOffsets = tile->offsets;
  resultSizes = tile->sizes;
  return success();
}

LogicalResult AttentionOp::getIterationDomainTileFromResultTile(OpBuilder &builder, unsigned result,
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
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      domainOffsets[dim.getPosition()] = offsets[index];
      domainSizes[dim.getPosition()] = sizes[index];
      continue;
    }
    // Splits: the keys from the first to the end of the last, or to that of all keys.
    AffineExpr split = builder.getAffineDimExpr(0), count = builder.getAffineDimExpr(1),
               keys = builder.getAffineDimExpr(2);
    int64_t length = getSplitLength();
    SmallVector<OpFoldResult> operands = {offsets[index], sizes[index], domainSizes[Key]};
    auto ends = AffineMap::get(3, 0, {count * length, keys - split * length}, getContext());
    domainSizes[Key] = affine::makeComposedFoldedAffineMin(builder, getLoc(), ends, operands);
    domainOffsets[Key] = affine::makeComposedFoldedAffineApply(builder, getLoc(), split * length, {offsets[index]});
  }
  return success();
}
