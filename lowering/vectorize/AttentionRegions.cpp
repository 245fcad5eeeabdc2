// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The score and mask regions: on a vector of scores, and on the ranges of a tile's indices.
#include "lowering/vectorize/AttentionEmitter.h"

#include "lowering/vectorize/VectorBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

/// The score and mask regions on one vector of scores of a key; the result is in units of log 2.
Value AttentionEmitter::emitRegions(OpBuilder &b, Value score, Value column, Value key, int64_t v,
                                    ArrayRef<Value> decided) {
  if (!hasRegions())
    return score;
  Value first = add(b, query, add(b, column, v * reg.lanes));
  IterationPoint point;
  Value zero = constant(b, 0);
  point.dims = {batch, head, first, key, zero, zero};
  point.vectorDim = AttentionOp::Query;
  point.lanes = reg.lanes;
  SmallVector<Value> extras;
  for (unsigned i = 0; i < op.getExtras().size(); ++i) {
    Value extra = op.getExtras()[i];
    AffineMap map = op.getIndexingMap(3 + i);
    if (classifyAccess(extra, map, point.vectorDim) != AccessKind::Uniform && !point.mask)
      point.mask = laneMask(b, arith::SubIOp::create(b, loc, queryCount, first));
    extras.push_back(emitLoad(b, loc, extra, map, point));
  }
  Value step = vector::StepOp::create(b, loc, VectorType::get({reg.lanes}, b.getIndexType()));
  Value queries = arith::AddIOp::create(b, loc, widen(b, loc, first, reg.lanes), step);
  SmallVector<Value> arguments = {batch, head, queries, key};
  llvm::append_range(arguments, extras);
  if (!op.getScore().empty()) {
    SmallVector<Value> scoreArguments = {score};
    llvm::append_range(scoreArguments, arguments);
    score = widen(b, loc, emitRegion(b, op.getScore(), scoreArguments, {}), reg.lanes);
    score = arith::MulFOp::create(b, loc, score, splat(b, kLog2e));
  }
  Value visible;
  if (!op.getMask().empty() && !llvm::is_contained(decided, op.getMask().front().getTerminator()->getOperand(0)))
    visible = emitRegion(b, op.getMask(), arguments, decided);
  return visible ? arith::SelectOp::create(b, loc, visible, score, splat(b, -std::numeric_limits<float>::infinity()))
                 : score;
}

/// The region on vectors; the i1 values of `decided` are true.
Value AttentionEmitter::emitRegion(OpBuilder &b, Region &region, ArrayRef<Value> arguments, ArrayRef<Value> decided) {
  IRMapping mapping;
  mapping.map(region.getArguments(), arguments);
  for (Value value : decided)
    mapping.map(value, arith::ConstantIntOp::create(b, loc, 1, 1).getResult());
  return emitVectorBody(b, region.front(), mapping, reg.lanes).front();
}

/// The queries of `count` columns from `column` on, those that exist.
IndexRange AttentionEmitter::queriesFrom(OpBuilder &b, Value column, int64_t count) {
  Value first = add(b, query, column);
  return {first, least(b, add(b, first, count - 1), add(b, queryCount, -1))};
}

/// The integers that an extra operand has for these queries: a tile's last positions bound the keys that it sees.
IndexRange AttentionEmitter::rangeOfExtra(OpBuilder &b, Value extra, AffineMap map, IndexRange queries) {
  auto at = [&](OpBuilder &inner, Value i) -> Value {
    Value zero = constant(inner, 0);
    IterationPoint point;
    point.dims = {batch, head, i, zero, zero, zero};
    return emitLoad(inner, loc, extra, map, point);
  };
  Value last = at(b, queries.high);
  if (!map.isFunctionOfDim(AttentionOp::Query))
    return {last, last};
  auto loop = scf::ForOp::create(b, loc, queries.low, queries.high, constant(b, 1), ValueRange{last, last},
                                 [&](OpBuilder &body, Location, Value i, ValueRange ends) {
                                   Value value = at(body, i);
                                   Value low = arith::MinSIOp::create(body, loc, ends[0], value);
                                   scf::YieldOp::create(
                                       body, loc, ValueRange{low, arith::MaxSIOp::create(body, loc, ends[1], value)});
                                 });
  return boundedRange(b, loc, {loop.getResult(0), loop.getResult(1)});
}

MaskRanges AttentionEmitter::maskRanges(OpBuilder &b, IndexRange queries, IndexRange keys) {
  MaskRanges ranges = {IndexRange{batch, batch}, IndexRange{head, head}, queries, keys};
  for (auto [i, extra] : llvm::enumerate(op.getExtras())) {
    AffineMap map = op.getIndexingMap(3 + i);
    bool isInteger = getElementTypeOrSelf(extra.getType()).isIntOrIndex();
    bool varies = map.isFunctionOfDim(AttentionOp::Key) || (!isInteger && map.isFunctionOfDim(AttentionOp::Query));
    ranges.push_back(varies ? std::nullopt : std::optional(rangeOfExtra(b, extra, map, queries)));
  }
  return ranges;
}

/// The keys in a range that some of the queries may see; `never`, where known, says that there are none.
IndexRange AttentionEmitter::visibleKeys(OpBuilder &b, IndexRange queries, IndexRange keys, Value &never) {
  if (op.getMask().empty())
    return keys;
  MaskTile tile(b, op.getMask().front(), maskRanges(b, queries, keys));
  IndexRange seen = tile.visibleKeys(AttentionOp::Key);
  never = tile.truth().never;
  return seen;
}

} // namespace weft
