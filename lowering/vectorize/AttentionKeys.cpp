// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block of keys: packed, scored, and its values added.
#include "lowering/vectorize/AttentionEmitter.h"

#include "lowering/vectorize/KeyPages.h"
#include "lowering/vectorize/RegisterTile.h"
#include "lowering/vectorize/RowTiles.h"
#include "lowering/vectorize/StoredNumbers.h"
#include "lowering/vectorize/VectorBody.h"
#include "lowering/vectorize/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

void AttentionEmitter::emitKeyBlock(OpBuilder &b, Value key, Value count) {
  block = key;
  blockCount = count;
  emitPackBlock(b, key, count);
  forEach(b, columns, plan.lanes(),
          [&](OpBuilder &body, Value column) { emitKeysOfQueries(body, key, count, column); });
}

void AttentionEmitter::emitPackBlock(OpBuilder &b, Value key, Value count) {
  emitPackKeys(b, {1, AttentionOp::HeadDim, plan.headDim, op.getKeyScale(), op.getKeyScaleNumber(), keys}, key, count);
  emitPackKeys(b, {2, AttentionOp::ValueDim, plan.valueDim, op.getValueScale(), op.getValueScaleNumber(), values}, key,
               count);
  // What a last tile reads beyond the keys is never used, but must be no denormal, whose sums would be slow.
  Value partial = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, count, constant(b, plan.keyBlock));
  scf::IfOp::create(b, loc, partial, [&](OpBuilder &edge, Location) {
    forEach(edge, constant(edge, plan.keyRows), 1, [&](OpBuilder &body, Value row) {
      for (int64_t d = 0; d < plan.headDim; d += reg.lanes) {
        Value exists = plan.headDim - d < reg.lanes ? laneMask(body, constant(body, plan.headDim - d)) : Value();
        IterationPoint place{{add(body, count, row), constant(body, d)}, 1, reg.lanes, exists};
        emitStore(body, loc, splat(body, 0.0f), keys, body.getMultiDimIdentityMap(2), place);
      }
    });
    scf::YieldOp::create(edge, loc);
  });
}

/// The block's rows as f32, one after the other: strides of whole pages would let few of them stay in a cache.
void AttentionEmitter::emitPackKeys(OpBuilder &b, const PackedRows &rows, Value key, Value count) {
  forEach(b, count, 1, [&](OpBuilder &body, Value row) {
    IterationPoint point;
    Value zero = constant(body, 0), scale;
    point.dims = {batch, head, zero, add(body, key, row), zero, zero};
    if (rows.scale)
      scale = emitOperandLoad(body, loc, op, rows.scaleNumber, point);
    point.vectorDim = rows.dim;
    point.lanes = reg.lanes;
    for (int64_t d = 0; d < rows.extent; d += reg.lanes) {
      point.dims[rows.dim] = constant(body, d);
      if (rows.extent - d < reg.lanes)
        point.mask = laneMask(body, constant(body, rows.extent - d));
      Value numbers = emitToF32(body, loc, reg, emitOperandLoad(body, loc, op, rows.operand, point));
      if (scale)
        numbers = arith::MulFOp::create(body, loc, numbers, widen(body, loc, scale, reg.lanes));
      IterationPoint place = point;
      place.dims = {row, constant(body, d)};
      place.vectorDim = 1;
      emitStore(body, loc, numbers, rows.block, body.getMultiDimIdentityMap(2), place);
    }
  });
}

void AttentionEmitter::emitKeysOfQueries(OpBuilder &b, Value key, Value count, Value column) {
  if (op.getMask().empty())
    return emitSoftmaxStep(b, {key, constant(b, 0), count, column});
  Value never;
  IndexRange range{key, add(b, add(b, key, count), -1)};
  IndexRange seen = visibleKeys(b, queriesFrom(b, column, plan.lanes()), range, never);
  Value some = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, seen.low, seen.high);
  if (never) {
    Value one = arith::ConstantIntOp::create(b, loc, 1, 1);
    some = arith::AndIOp::create(b, loc, some, arith::XOrIOp::create(b, loc, never, one));
  }
  scf::IfOp::create(b, loc, some, [&](OpBuilder &body, Location) {
    Value row = arith::SubIOp::create(body, loc, seen.low, key);
    Value visible = add(body, arith::SubIOp::create(body, loc, seen.high, seen.low), 1);
    emitSoftmaxStep(body, {seen.low, row, visible, column});
    scf::YieldOp::create(body, loc);
  });
}

/// One step of the online softmax (Milakov and Gimelshein 2018, arXiv:1805.02867).
void AttentionEmitter::emitSoftmaxStep(OpBuilder &b, const KeySpan &span) {
  SmallVector<Value> before, alpha, sums;
  for (int64_t v = 0; v < reg.vectors; ++v)
    before.push_back(loadLanes(b, state, constant(b, 0), span.column, v));
  SmallVector<Value> maxima = emitScores(b, span, before);
  for (int64_t v = 0; v < reg.vectors; ++v) {
    Value change = arith::SubFOp::create(b, loc, before[v], maxima[v]);
    alpha.push_back(emitExp2(b, loc, reg, change, /*nonPositive=*/true));
    Value sum = loadLanes(b, state, constant(b, 1), span.column, v);
    sums.push_back(arith::MulFOp::create(b, loc, sum, alpha[v]));
  }
  sums = emitProbabilities(b, span, maxima, sums);
  for (int64_t v = 0; v < reg.vectors; ++v) {
    storeLanes(b, maxima[v], state, constant(b, 0), span.column, v);
    storeLanes(b, sums[v], state, constant(b, 1), span.column, v);
  }
  emitValues(b, span, alpha);
}

// --- scores ---------------------------------------------------------------------------------------------------------

/// Sᵀ of the span into `scores`; returns the maxima, the old ones included.
SmallVector<Value> AttentionEmitter::emitScores(OpBuilder &b, const KeySpan &span, SmallVector<Value> maxima) {
  Value rest = arith::RemUIOp::create(b, loc, span.count, constant(b, plan.keyRows));
  Value main = arith::SubIOp::create(b, loc, span.count, rest);
  auto loop = scf::ForOp::create(b, loc, constant(b, 0), main, constant(b, plan.keyRows), maxima,
                                 [&](OpBuilder &body, Location, Value row, ValueRange carried) {
                                   scf::YieldOp::create(
                                       body, loc, emitScoreTile(body, span, row, true, SmallVector<Value>(carried)));
                                 });
  Value some = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, rest, constant(b, 0));
  auto tail = scf::IfOp::create(
      b, loc, some,
      [&](OpBuilder &body, Location) {
        scf::YieldOp::create(body, loc, emitScoreTile(body, span, main, false, SmallVector<Value>(loop.getResults())));
      },
      [&](OpBuilder &body, Location) { scf::YieldOp::create(body, loc, loop.getResults()); });
  return SmallVector<Value>(tail.getResults());
}

/// Scores of the span's keys from `row` on. Unless the tile is `whole`, rows beyond the span's last are computed from
/// whatever the block holds there; they count for nothing.
SmallVector<Value> AttentionEmitter::emitScoreTile(OpBuilder &b, const KeySpan &span, Value row, bool whole,
                                                   SmallVector<Value> maxima) {
  SmallVector<Value> acc(plan.keyRows * reg.vectors, splat(b, 0.0f));
  Value first = add(b, span.row, row);
  TileOperands operands;
  operands.a = [&](OpBuilder &k, Value depth, int64_t r) -> Value {
    return memref::LoadOp::create(k, loc, keys, ValueRange{add(k, first, r), depth});
  };
  operands.b = [&](OpBuilder &k, Value depth, int64_t v) -> Value {
    return loadLanes(k, packedQuery, depth, span.column, v);
  };
  if (whole && plan.headDim % kTileBlock == 0)
    addKeyPrefetch(b, span, row, operands);
  acc = emitTileProduct(b, loc, reg, plan.keyRows, reg.vectors, b.getIndexAttr(plan.headDim), acc, operands);
  if (op.getMask().empty() || !whole)
    return emitScoreStores(b, span, row, whole, acc, {}, maxima);

  Value key = add(b, span.first, row);
  MaskRanges ranges = maskRanges(b, queriesFrom(b, span.column, plan.lanes()), {key, add(b, key, plan.keyRows - 1)});
  MaskTile::Parts parts = MaskTile(b, op.getMask().front(), ranges).knownParts();
  if (!parts.always)
    return emitScoreStores(b, span, row, whole, acc, {}, maxima);
  auto choice = scf::IfOp::create(
      b, loc, parts.always,
      [&](OpBuilder &body, Location) {
        scf::YieldOp::create(body, loc, emitScoreStores(body, span, row, whole, acc, parts.values, maxima));
      },
      [&](OpBuilder &body, Location) {
        scf::YieldOp::create(body, loc, emitScoreStores(body, span, row, whole, acc, {}, maxima));
      });
  return SmallVector<Value>(choice.getResults());
}

/// The regions on a tile of scores, with the mask's `decided` parts true; the result's maxima and stores.
SmallVector<Value> AttentionEmitter::emitScoreStores(OpBuilder &b, const KeySpan &span, Value row, bool whole,
                                                     ArrayRef<Value> acc, ArrayRef<Value> decided,
                                                     SmallVector<Value> maxima) {
  Value lastKey = add(b, keyCount, -1);
  for (int64_t r = 0; r < plan.keyRows; ++r) {
    Value place = add(b, row, r), key = add(b, span.first, place), exists;
    if (!whole) {
      exists = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, place, span.count);
      key = least(b, key, lastKey);
    }
    for (int64_t v = 0; v < reg.vectors; ++v) {
      Value score = emitRegions(b, acc[r * reg.vectors + v], span.column, key, v, decided);
      Value higher = maximum(b, score, maxima[v]);
      maxima[v] = exists ? arith::SelectOp::create(b, loc, exists, higher, maxima[v]).getResult() : higher;
      storeLanes(b, score, scores, place, constant(b, 0), v);
    }
  }
  return maxima;
}

/// Asks for the next block's keys and values while this one's are scored, a share by each tile of queries.
void AttentionEmitter::addKeyPrefetch(OpBuilder &b, const KeySpan &span, Value row, TileOperands &operands) {
  int64_t tiles = plan.queryRows / plan.lanes(), share = llvm::divideCeilSigned(plan.keyRows, tiles);
  Value tile = arith::DivUIOp::create(b, loc, span.column, constant(b, plan.lanes()));
  Value place = add(b, row, arith::MulIOp::create(b, loc, tile, constant(b, share)));
  Value next = add(b, add(b, block, plan.keyBlock), place), last = add(b, keyCount, -1);
  SmallVector<Value> wanted;
  for (int64_t i = 0; i < share; ++i)
    wanted.push_back(least(b, add(b, next, i), last));
  operands.beforeBlock = [=, this](OpBuilder &k, Value depth) {
    Value zero = constant(k, 0);
    for (Value key : wanted) {
      IterationPoint point;
      point.dims = {batch, head, zero, key, depth, depth};
      emitOperandPrefetch(k, loc, op, 1, point);
      emitOperandPrefetch(k, loc, op, 2, point);
    }
  };
}

// --- probabilities and values ---------------------------------------------------------------------------------------

/// scores = exp2(scores − max); returns the sums with the span's added.
SmallVector<Value> AttentionEmitter::emitProbabilities(OpBuilder &b, const KeySpan &span, ArrayRef<Value> maxima,
                                                       SmallVector<Value> sums) {
  auto loop = scf::ForOp::create(b, loc, constant(b, 0), span.count, constant(b, 1), sums,
                                 [&](OpBuilder &body, Location, Value row, ValueRange carried) {
                                   SmallVector<Value> next;
                                   Value zero = constant(body, 0);
                                   for (int64_t v = 0; v < reg.vectors; ++v) {
                                     Value shifted = arith::SubFOp::create(
                                         body, loc, loadLanes(body, scores, row, zero, v), maxima[v]);
                                     Value p = emitExp2(body, loc, reg, shifted, /*nonPositive=*/true);
                                     storeLanes(body, p, scores, row, zero, v);
                                     next.push_back(arith::AddFOp::create(body, loc, carried[v], p));
                                   }
                                   scf::YieldOp::create(body, loc, next);
                                 });
  return SmallVector<Value>(loop.getResults());
}

/// Oᵀ = Oᵀ · alpha + Vᵀ · P
void AttentionEmitter::emitValues(OpBuilder &b, const KeySpan &span, ArrayRef<Value> alpha) {
  emitRowTiles(b, loc, b.getIndexAttr(plan.valueDim), 1, reg.rows,
               [&](OpBuilder &body, int64_t rows, Value e, Value) { emitValueTile(body, span, alpha, rows, e); });
}

void AttentionEmitter::emitValueTile(OpBuilder &b, const KeySpan &span, ArrayRef<Value> alpha, int64_t rows, Value e) {
  SmallVector<Value> acc;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < reg.vectors; ++v) {
      Value before = loadOutput(b, span.column, add(b, e, r), v);
      acc.push_back(arith::MulFOp::create(b, loc, before, alpha[v]));
    }
  TileOperands operands;
  operands.a = [&](OpBuilder &k, Value depth, int64_t r) -> Value {
    return memref::LoadOp::create(k, loc, values, ValueRange{add(k, span.row, depth), add(k, e, r)});
  };
  operands.b = [&](OpBuilder &k, Value depth, int64_t v) -> Value {
    return loadLanes(k, scores, depth, constant(k, 0), v);
  };
  acc = emitTileProduct(b, loc, reg, rows, reg.vectors, span.count, acc, operands);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < reg.vectors; ++v)
      storeOutput(b, acc[r * reg.vectors + v], span.column, add(b, e, r), v);
}

} // namespace weft
