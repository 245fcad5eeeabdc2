// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The score and mask regions, evaluated on vectors of (row, key) pairs, and the keys that a mask leaves.
#include "lowering/vectorize/DecodeRegions.h"

#include "lowering/analysis/MaskTiles.h"
#include "lowering/vectorize/KeyPages.h"
#include "lowering/vectorize/VectorBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

/// The rows of `head`'s group that exist.
Value DecodeRegions::rowCount(OpBuilder &b) {
  Value left = arith::SubIOp::create(b, loc, headCount, head);
  Value heads = arith::MinUIOp::create(b, loc, left, constant(b, plan.group));
  return arith::MulIOp::create(b, loc, heads, constant(b, plan.queries));
}

/// (b, h, i) of a row of `head`'s group.
SmallVector<Value> DecodeRegions::rowDims(OpBuilder &b, Value inGroup) {
  Value queries = constant(b, plan.queries);
  Value query = arith::RemUIOp::create(b, loc, inGroup, queries);
  Value offset = arith::DivUIOp::create(b, loc, inGroup, queries);
  return {batch, arith::AddIOp::create(b, loc, head, offset), query};
}

/// The number in its group of row r of the row block, the last for rows that do not exist.
Value DecodeRegions::rowOfBlock(OpBuilder &b, int64_t r) {
  Value inGroup = arith::RemUIOp::create(b, loc, block, constant(b, rowBlocks));
  Value row = add(b, arith::MulIOp::create(b, loc, inGroup, constant(b, tile.rows)), r);
  return arith::MinUIOp::create(b, loc, row, add(b, rowCount(b), -1));
}

/// The score and mask regions on a vector of scores of the keys from `from` on, `count` of them where given; the
/// result is in units of log 2, −inf for what is hidden or does not exist.
Value DecodeRegions::emitRegions(OpBuilder &b, Value score, Value from, Value count) {
  Value hidden = splat(b, -std::numeric_limits<float>::infinity());
  if (!op.getScore().empty() || !op.getMask().empty()) {
    SmallVector<Value> arguments = emitIndices(b, from);
    for (unsigned extra = 0; extra < op.getExtras().size(); ++extra)
      arguments.push_back(emitExtra(b, 3 + extra, from, count));
    if (!op.getScore().empty()) {
      SmallVector<Value> scoreArguments = {score};
      llvm::append_range(scoreArguments, arguments);
      score = widen(b, loc, emitRegion(b, op.getScore(), scoreArguments), reg.lanes);
      score = arith::MulFOp::create(b, loc, score, splat(b, kLog2e));
    }
    if (!op.getMask().empty()) {
      Value visible = widen(b, loc, emitRegion(b, op.getMask(), arguments), reg.lanes);
      score = arith::SelectOp::create(b, loc, visible, score, hidden);
    }
  }
  return count ? arith::SelectOp::create(b, loc, keyMask(b, count, tile.rows), score, hidden).getResult() : score;
}

Value DecodeRegions::emitRegion(OpBuilder &b, Region &region, ArrayRef<Value> arguments) {
  IRMapping mapping;
  mapping.map(region.getArguments(), arguments);
  return emitVectorBody(b, region.front(), mapping, reg.lanes).front();
}

/// b, h, i, j of each lane.
SmallVector<Value> DecodeRegions::emitIndices(OpBuilder &b, Value from) {
  SmallVector<Value> heads, queries;
  for (int64_t r = 0; r < tile.rows; ++r) {
    SmallVector<Value> dims = rowDims(b, rowOfBlock(b, r));
    heads.push_back(dims[1]);
    queries.push_back(dims[2]);
  }
  auto type = VectorType::get({reg.lanes}, b.getIndexType());
  SmallVector<int64_t> keyOf;
  for (int64_t lane = 0; lane < reg.lanes; ++lane)
    keyOf.push_back(lane % tile.keysInVector);
  Value offset = arith::ConstantOp::create(b, loc, DenseIntElementsAttr::get(type, keyOf));
  Value keys = arith::AddIOp::create(b, loc, widen(b, loc, from, reg.lanes), offset);
  return {batch, emitSpread(b, heads), emitSpread(b, queries), keys};
}

/// An extra operand's element for each lane: scalars or pieces along the keys, row by row.
Value DecodeRegions::emitExtra(OpBuilder &b, unsigned operand, Value from, Value count) {
  AffineMap map = op.getIndexingMap(operand);
  bool ofRows = llvm::any_of(map.getResults(), [&](AffineExpr expr) { return differsInGroup(expr); });
  IterationPoint point;
  if (map.isFunctionOfDim(AttentionOp::Key) && tile.keysInVector > 1) {
    point.vectorDim = AttentionOp::Key;
    point.lanes = tile.keysInVector;
    point.mask = count ? keyMask(b, count, 1) : Value();
  }
  SmallVector<Value> pieces;
  for (int64_t r = 0; r < (ofRows ? tile.rows : 1); ++r) {
    SmallVector<Value> dims = rowDims(b, rowOfBlock(b, r));
    Value j = count && point.vectorDim < 0 ? arith::MinUIOp::create(b, loc, from, lastKey).getResult() : from;
    point.dims = {dims[0], dims[1], dims[2], j, constant(b, 0), constant(b, 0)};
    pieces.push_back(emitOperandLoad(b, loc, op, operand, point));
  }
  return emitSpread(b, pieces);
}

Value DecodeRegions::multiplied(OpBuilder &b, Value x, Value factor) {
  return arith::MulFOp::create(b, loc, x, widen(b, loc, factor, reg.lanes));
}

/// Whether an index is not the same for all rows of a group.
bool DecodeRegions::differsInGroup(AffineExpr expr) {
  auto division = dyn_cast<AffineBinaryOpExpr>(expr); // h floordiv g
  if (division)
    return cast<AffineConstantExpr>(division.getRHS()).getValue() % plan.group != 0;
  return expr.isFunctionOfDim(AttentionOp::Head) || expr.isFunctionOfDim(AttentionOp::Query);
}

/// One piece for all rows, or one for each: scalars or vectors of keysInVector → all lanes.
Value DecodeRegions::emitSpread(OpBuilder &b, ArrayRef<Value> pieces) {
  if (pieces.size() == 1 && !isa<VectorType>(pieces[0].getType()))
    return pieces[0];
  auto type = VectorType::get({reg.lanes}, getElementTypeOrSelf(pieces[0].getType()));
  SmallVector<Value> elements;
  for (int64_t lane = 0; lane < reg.lanes; ++lane) {
    Value piece = pieces[pieces.size() == 1 ? 0 : lane / tile.keysInVector];
    if (isa<VectorType>(piece.getType()))
      piece = vector::ExtractOp::create(b, loc, piece, ArrayRef<int64_t>{lane % tile.keysInVector});
    elements.push_back(piece);
  }
  return vector::FromElementsOp::create(b, loc, type, elements);
}

/// The extras as the mask sees them: a point where one is the same for the whole item, a range over its queries where
/// integers differ only between these.
static MaskRanges rangesOfExtras(OpBuilder &b, AttentionOp op, ArrayRef<Value> dims, int64_t queries) {
  Location loc = op.getLoc();
  MaskRanges ranges;
  for (auto [i, extra] : llvm::enumerate(op.getExtras())) {
    AffineMap map = op.getIndexingMap(3 + i);
    bool isInteger = getElementTypeOrSelf(extra.getType()).isIntOrIndex(),
         ofQuery = map.isFunctionOfDim(AttentionOp::Query);
    if (map.isFunctionOfDim(AttentionOp::Head) || map.isFunctionOfDim(AttentionOp::Key) || (ofQuery && !isInteger)) {
      ranges.push_back(std::nullopt);
      continue;
    }
    IndexRange range{};
    for (int64_t query = 0; query < (ofQuery ? queries : 1); ++query) {
      IterationPoint point;
      point.dims.assign(dims.begin(), dims.end());
      point.dims[AttentionOp::Query] = arith::ConstantIndexOp::create(b, loc, query);
      Value value = emitLoad(b, loc, extra, map, point);
      range.low = range.low ? arith::MinSIOp::create(b, loc, range.low, value).getResult() : value;
      range.high = range.high ? arith::MaxSIOp::create(b, loc, range.high, value).getResult() : value;
    }
    ranges.push_back(range.isPoint() ? range : boundedRange(b, loc, range));
  }
  return ranges;
}

std::pair<Value, Value> DecodeRegions::visibleKeys(OpBuilder &b, Value begin, Value end) {
  if (op.getMask().empty())
    return {begin, end};
  Value zero = constant(b, 0), left = arith::SubIOp::create(b, loc, headCount, firstHead);
  Value heads = arith::MinUIOp::create(b, loc, left, constant(b, plan.heads()));
  Value lastHead = add(b, arith::AddIOp::create(b, loc, firstHead, heads), -1);
  MaskRanges ranges = {IndexRange{batch, batch}, IndexRange{firstHead, lastHead},
                       IndexRange{zero, constant(b, plan.queries - 1)}, IndexRange{begin, add(b, end, -1)}};
  llvm::append_range(ranges, rangesOfExtras(b, op, {batch, zero, zero, zero, zero, zero}, plan.queries));
  MaskTile item(b, op.getMask().front(), ranges);
  IndexRange keys = item.visibleKeys(AttentionOp::Key);
  if (Value never = item.truth().never)
    keys.high = arith::SelectOp::create(b, loc, never, add(b, begin, -1), keys.high);
  return {keys.low, add(b, keys.high, 1)};
}

} // namespace weft
