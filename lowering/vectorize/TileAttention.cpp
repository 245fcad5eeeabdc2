// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block of keys for a tile of queries, in steps of 32 keys:
//   Sᵀ = K · Qᵀ (tiles); regions, maxima; P = exp2(factor · (Sᵀ − reference)), rounded; Oᵀ += Vᵀ · P (tiles).
// The reference of a lane follows its maximum only when that has grown by more than kSlack, so that Oᵀ is seldom
// rescaled; it cancels in O. A lane decides for itself: its bits depend on its own query.
#include "lowering/vectorize/TileAttention.h"

#include "lowering/vectorize/AmxTiles.h"
#include "lowering/vectorize/RegisterTile.h"
#include "lowering/vectorize/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <cmath>

using namespace mlir;

namespace weft {

/// Weights are at most 2^8 then: far from overflow, and bf16 is as precise there as below 1.
static constexpr float kSlack = 8.0f;

TileAttentionEmitter::TileAttentionEmitter(const AttentionPlan &plan, bool instructions)
    : AttentionEmitter(plan), instructions(instructions) {
  // The queries are negated where the scale is negative.
  factor = std::abs(op.getScale().convertToFloat()) * (op.getScore().empty() ? kLog2e : 1.0f);
  deferred = op.getScore().empty() && factor > 1e-30f;
  stateUnit = deferred ? factor : 1.0f;
}

AttentionPlan TileAttentionEmitter::planOf(AttentionPlan plan) {
  constexpr int64_t kFirstLevel = 54 << 10;   // what a part touches, about: a little more than the cache
  constexpr int64_t kSecondLevel = 128 << 10; // packed keys and values, beside the queries and their results
  plan.outputUnit = kRows;
  int64_t queries = plan.lanes(), depth = llvm::alignTo(plan.headDim, kDepth);
  int64_t ofQueries = queries * (2 * depth + 4 * plan.outputRows()), packed = 2 * (depth + plan.outputRows());
  int64_t fitting = (kFirstLevel - ofQueries) / (packed + 6 * queries) / kDepth * kDepth;
  plan.keyPart = std::clamp<int64_t>(fitting, 64, 96); // fewer: Oᵀ is loaded and stored too often
  plan.keyBlock = std::clamp<int64_t>(kSecondLevel / packed, plan.keyPart, 512) / plan.keyPart * plan.keyPart;
  return plan;
}

void TileAttentionEmitter::allocateOperands(OpBuilder &b) {
  Type half = b.getBF16Type();
  int64_t depth = depthTiles(), outputs = plan.outputRows() / kRows;
  packedQuery = allocate(b, {plan.queryRows / kRows, depth, kRows, kDepth}, half);
  keys = allocate(b, {plan.keyBlock / kRows, depth, kRows, kDepth}, half);
  values = allocate(b, {plan.keyBlock / kDepth, outputs, kRows, kDepth}, half);
  weights = allocate(b, {plan.keyPart / kDepth, plan.lanes() / kRows, kRows, kDepth}, half);
  scores = allocate(b, {plan.keyPart, plan.lanes()}, b.getF32Type());
}

void TileAttentionEmitter::emitSoftmaxStep(OpBuilder &b, const KeySpan &span) {
  Value depth = constant(b, kDepth), length = constant(b, plan.keyPart), zero = constant(b, 0);
  auto down = [&](Value row, Value step) -> Value {
    return arith::MulIOp::create(b, loc, arith::DivUIOp::create(b, loc, row, step), step);
  };
  Value first = down(span.row, depth);
  Value end = down(add(b, add(b, span.row, span.count), kDepth - 1), depth);
  scf::ForOp::create(
      b, loc, down(first, length), end, length, ValueRange(), [&](OpBuilder &body, Location, Value start, ValueRange) {
        Value before = arith::MaxSIOp::create(body, loc, arith::SubIOp::create(body, loc, first, start), zero);
        Value after = least(body, arith::SubIOp::create(body, loc, end, start), length);
        emitPart(body, {span.column, start, before, after});
        scf::YieldOp::create(body, loc);
      });
}

/// One step of the online softmax.
void TileAttentionEmitter::emitPart(OpBuilder &b, const KeyPart &part) {
  Value depth = constant(b, kDepth);
  scf::ForOp::create(b, loc, part.first, part.end, depth, ValueRange(),
                     [&](OpBuilder &body, Location, Value row, ValueRange) {
                       emitScoreProducts(body, part, row);
                       scf::YieldOp::create(body, loc);
                     });
  SmallVector<Value> none(reg.vectors, splat(b, -std::numeric_limits<float>::infinity())), sums;
  auto maxima = scf::ForOp::create(b, loc, part.first, part.end, depth, none,
                                   [&](OpBuilder &body, Location, Value row, ValueRange carried) {
                                     SmallVector<Value> before(carried);
                                     scf::YieldOp::create(body, loc, emitMaxima(body, part, row, before));
                                   });
  SmallVector<Value> reference = emitReference(b, part, SmallVector<Value>(maxima.getResults()));
  for (int64_t v = 0; v < reg.vectors; ++v)
    sums.push_back(loadLanes(b, state, constant(b, 1), part.column, v));
  sums = emitWeights(b, part, reference, sums);
  for (int64_t v = 0; v < reg.vectors; ++v)
    storeLanes(b, sums[v], state, constant(b, 1), part.column, v);
  emitValueProducts(b, part);
}

// --- scores ---------------------------------------------------------------------------------------------------------

/// Sᵀ of 32 keys, from row `row` of the part on.
void TileAttentionEmitter::emitScoreProducts(OpBuilder &b, const KeyPart &part, Value row) {
  Value keyTile = arith::DivUIOp::create(b, loc, add(b, part.start, row), constant(b, kRows)), zero = constant(b, 0);
  Value queryTile = arith::DivUIOp::create(b, loc, part.column, constant(b, kRows));
  TileProduct product;
  product.element = b.getBF16Type();
  product.rightTiles = plan.lanes() / kRows;
  product.steps = constant(b, depthTiles());
  product.left = [&](OpBuilder &k, Value step, int64_t i) -> TilePlace {
    return {keys, {add(k, keyTile, i), step, zero, zero}};
  };
  product.right = [&](OpBuilder &k, Value step, int64_t j) -> TilePlace {
    return {packedQuery, {add(k, queryTile, j), step, zero, zero}};
  };
  product.sums = {scores, {row, zero}};
  emitTileProduct(b, loc, reg, instructions, product);
}

/// The maxima with those of the 32 keys from row `row` on; scores that a region changes are stored.
SmallVector<Value> TileAttentionEmitter::emitMaxima(OpBuilder &b, const KeyPart &part, Value row,
                                                    SmallVector<Value> maxima) {
  Value inBlock = add(b, part.start, row);
  Value whole = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, add(b, inBlock, kDepth), blockCount);
  MaskTile::Parts parts;
  if (!op.getMask().empty()) {
    Value key = add(b, block, inBlock);
    MaskRanges ranges = maskRanges(b, queriesFrom(b, part.column, plan.lanes()), {key, add(b, key, kDepth - 1)});
    parts = MaskTile(b, op.getMask().front(), ranges).knownParts();
  }
  bool decidable =
      op.getMask().empty() || llvm::is_contained(parts.values, op.getMask().front().getTerminator()->getOperand(0));
  Value simple = whole;
  if (parts.always)
    simple = arith::AndIOp::create(b, loc, whole, parts.always);
  if (!op.getMask().empty() && !parts.always)
    return emitRegionMaxima(b, part, row, maxima, {});
  if (!deferred && op.getMask().empty())
    return emitRegionMaxima(b, part, row, maxima, {});
  auto choice = scf::IfOp::create(
      b, loc, simple,
      [&](OpBuilder &body, Location) {
        scf::YieldOp::create(body, loc,
                             deferred && decidable ? emitPlainMaxima(body, row, maxima)
                                                   : emitRegionMaxima(body, part, row, maxima, parts.values));
      },
      [&](OpBuilder &body, Location) {
        scf::YieldOp::create(body, loc, emitRegionMaxima(body, part, row, maxima, {}));
      });
  return SmallVector<Value>(choice.getResults());
}

/// Of scores that no region changes: eight rows in a tree, so that maxima do not wait for each other.
SmallVector<Value> TileAttentionEmitter::emitPlainMaxima(OpBuilder &b, Value row, SmallVector<Value> maxima) {
  constexpr int64_t kTogether = 8;
  Value zero = constant(b, 0);
  auto loop = scf::ForOp::create(b, loc, row, add(b, row, kDepth), constant(b, kTogether), maxima,
                                 [&](OpBuilder &body, Location, Value first, ValueRange carried) {
                                   SmallVector<Value> next;
                                   for (int64_t v = 0; v < reg.vectors; ++v) {
                                     SmallVector<Value> all;
                                     for (int64_t r = 0; r < kTogether; ++r)
                                       all.push_back(loadLanes(body, scores, add(body, first, r), zero, v));
                                     for (int64_t half = kTogether / 2; half; half /= 2)
                                       for (int64_t r = 0; r < half; ++r)
                                         all[r] = maximum(body, all[r], all[r + half]);
                                     next.push_back(maximum(body, all[0], carried[v]));
                                   }
                                   scf::YieldOp::create(body, loc, next);
                                 });
  return SmallVector<Value>(loop.getResults());
}

SmallVector<Value> TileAttentionEmitter::emitRegionMaxima(OpBuilder &b, const KeyPart &part, Value row,
                                                          SmallVector<Value> maxima, ArrayRef<Value> decided) {
  auto loop = scf::ForOp::create(b, loc, row, add(b, row, kDepth), constant(b, 1), maxima,
                                 [&](OpBuilder &body, Location, Value place, ValueRange carried) {
                                   SmallVector<Value> next;
                                   for (int64_t v = 0; v < reg.vectors; ++v) {
                                     Value score = emitRegionScore(body, part, place, v, decided);
                                     storeLanes(body, score, scores, place, constant(body, 0), v);
                                     next.push_back(maximum(body, score, carried[v]));
                                   }
                                   scf::YieldOp::create(body, loc, next);
                                 });
  return SmallVector<Value>(loop.getResults());
}

/// The score of a row with its regions; −∞ beyond the block's last key.
Value TileAttentionEmitter::emitRegionScore(OpBuilder &b, const KeyPart &part, Value row, int64_t v,
                                            ArrayRef<Value> decided) {
  Value score = loadLanes(b, scores, row, constant(b, 0), v);
  if (!deferred)
    score = arith::MulFOp::create(b, loc, score, splat(b, factor));
  Value inBlock = add(b, part.start, row);
  Value exists = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, inBlock, blockCount);
  Value key = add(b, block, least(b, inBlock, add(b, blockCount, -1)));
  score = emitRegions(b, score, part.column, key, v, decided);
  return arith::SelectOp::create(b, loc, exists, score, splat(b, -std::numeric_limits<float>::infinity()));
}

// --- softmax --------------------------------------------------------------------------------------------------------

/// What is subtracted from the scores after keys with these maxima.
SmallVector<Value> TileAttentionEmitter::emitReference(OpBuilder &b, const KeyPart &part, ArrayRef<Value> maxima) {
  SmallVector<Value> before, after;
  Value grown;
  for (int64_t v = 0; v < reg.vectors; ++v) {
    before.push_back(loadLanes(b, state, constant(b, 0), part.column, v));
    Value limit = arith::AddFOp::create(b, loc, before[v], splat(b, kSlack / stateUnit));
    Value above = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, maxima[v], limit);
    after.push_back(arith::SelectOp::create(b, loc, above, maxima[v], before[v]));
    grown = grown ? arith::OrIOp::create(b, loc, grown, above).getResult() : above;
  }
  Value any = vector::ReductionOp::create(b, loc, vector::CombiningKind::OR, grown);
  scf::IfOp::create(b, loc, any, [&](OpBuilder &body, Location) {
    emitRescale(body, part, before, after);
    scf::YieldOp::create(body, loc);
  });
  return after;
}

/// Sums and Oᵀ to another reference; where a lane's stays, its factor is exactly 1.
void TileAttentionEmitter::emitRescale(OpBuilder &b, const KeyPart &part, ArrayRef<Value> before,
                                       ArrayRef<Value> after) {
  SmallVector<Value> alpha;
  for (int64_t v = 0; v < reg.vectors; ++v) {
    Value change = emitExponent(b, before[v], after[v]);
    alpha.push_back(emitExp2(b, loc, reg, change, /*nonPositive=*/true));
    Value sum = loadLanes(b, state, constant(b, 1), part.column, v);
    storeLanes(b, after[v], state, constant(b, 0), part.column, v);
    storeLanes(b, arith::MulFOp::create(b, loc, sum, alpha[v]), state, constant(b, 1), part.column, v);
  }
  forEach(b, constant(b, plan.outputRows()), 1, [&](OpBuilder &body, Value e) {
    for (int64_t v = 0; v < reg.vectors; ++v) {
      Value value = loadOutput(body, part.column, e, v);
      storeOutput(body, arith::MulFOp::create(body, loc, value, alpha[v]), part.column, e, v);
    }
  });
}

/// Asks for keys and values of the next block, a share with each step of each tile of queries.
void TileAttentionEmitter::emitPrefetchKeys(OpBuilder &b, const KeyPart &part, Value row) {
  int64_t tiles = plan.queryRows / plan.lanes(), share = llvm::divideCeil(kDepth, tiles);
  Value tile = arith::DivUIOp::create(b, loc, part.column, constant(b, plan.lanes()));
  Value step = arith::DivUIOp::create(b, loc, add(b, part.start, row), constant(b, kDepth));
  Value number = add(b, arith::MulIOp::create(b, loc, tile, constant(b, plan.keyBlock / kDepth)), step);
  Value first = add(b, add(b, block, plan.keyBlock), arith::MulIOp::create(b, loc, number, constant(b, share)));
  for (int64_t i = 0; i < share; ++i)
    emitPrefetchRow(b, add(b, first, i));
}

/// P of the part's rows, as pairs; returns the sums with those of P before it is rounded.
SmallVector<Value> TileAttentionEmitter::emitWeights(OpBuilder &b, const KeyPart &part, ArrayRef<Value> reference,
                                                     SmallVector<Value> sums) {
  auto type = VectorType::get({2 * reg.lanes}, b.getBF16Type());
  auto pairs = [&](OpBuilder &body, Value row, Value pair, ValueRange carried) {
    SmallVector<Value> next(carried);
    Value step = arith::DivUIOp::create(body, loc, row, constant(body, kDepth));
    Value even = add(body, row, arith::MulIOp::create(body, loc, pair, constant(body, 2)));
    for (int64_t v = 0; v < reg.vectors; ++v) {
      Value words = emitWeightPair(body, even, v, reference[v], next[v]);
      Value tile = constant(body, v * reg.lanes / kRows), column = constant(body, 2 * (v * reg.lanes % kRows));
      vector::StoreOp::create(body, loc, vector::BitCastOp::create(body, loc, type, words), weights,
                              ValueRange{step, tile, pair, column});
    }
    return next;
  };
  auto loop = scf::ForOp::create(b, loc, part.first, part.end, constant(b, kDepth), sums,
                                 [&](OpBuilder &outer, Location, Value row, ValueRange before) {
                                   emitPrefetchKeys(outer, part, row);
                                   auto inner = scf::ForOp::create(
                                       outer, loc, constant(outer, 0), constant(outer, kRows), constant(outer, 1),
                                       before, [&](OpBuilder &body, Location, Value pair, ValueRange carried) {
                                         scf::YieldOp::create(body, loc, pairs(body, row, pair, carried));
                                       });
                                   scf::YieldOp::create(outer, loc, inner.getResults());
                                 });
  return SmallVector<Value>(loop.getResults());
}

/// The weights of keys `row` and `row` + 1: rounded halves of a word.
Value TileAttentionEmitter::emitWeightPair(OpBuilder &b, Value row, int64_t v, Value reference, Value &sum) {
  auto type = VectorType::get({reg.lanes}, b.getI32Type());
  auto constantBits = [&](int32_t bits) -> Value {
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, bits));
  };
  SmallVector<Value> rounded;
  for (int64_t half = 0; half < 2; ++half) {
    Value score = loadLanes(b, scores, add(b, row, half), constant(b, 0), v);
    Value exponent = emitExponent(b, score, reference);
    Value weight = emitExp2ForHalf(b, loc, reg, exponent);
    sum = arith::AddFOp::create(b, loc, sum, weight);
    // To the nearest; halfway up. A weight is no negative number.
    rounded.push_back(
        arith::AddIOp::create(b, loc, arith::BitcastOp::create(b, loc, type, weight), constantBits(0x8000)));
  }
  // A shift that keeps the sign, which is 0: LLVM makes a slow permutation of the other one.
  Value low = arith::ShRSIOp::create(b, loc, rounded[0], constantBits(16));
  return arith::OrIOp::create(b, loc, low, arith::AndIOp::create(b, loc, rounded[1], constantBits(-65536)));
}

/// score − reference in units of log 2: subtracted first, so that 0 is 0 however large they are.
Value TileAttentionEmitter::emitExponent(OpBuilder &b, Value score, Value reference) {
  Value difference = arith::SubFOp::create(b, loc, score, reference);
  return deferred ? arith::MulFOp::create(b, loc, difference, splat(b, factor)).getResult() : difference;
}

// --- values ---------------------------------------------------------------------------------------------------------

/// Oᵀ += Vᵀ · P over the part's keys.
void TileAttentionEmitter::emitValueProducts(OpBuilder &b, const KeyPart &part) {
  Value zero = constant(b, 0), depth = constant(b, kDepth);
  Value first = arith::DivUIOp::create(b, loc, part.first, depth),
        end = arith::DivUIOp::create(b, loc, part.end, depth);
  Value before = arith::DivUIOp::create(b, loc, part.start, depth);
  int64_t tiles = plan.outputRows() / kRows;
  auto emit = [&](OpBuilder &body, Value tile, int64_t count) {
    TileProduct product;
    product.element = body.getBF16Type();
    product.leftTiles = count;
    product.rightTiles = plan.lanes() / kRows;
    product.steps = arith::SubIOp::create(body, loc, end, first);
    product.left = [&](OpBuilder &k, Value step, int64_t i) -> TilePlace {
      return {values, {add(k, add(k, before, first), step), add(k, tile, i), zero, zero}};
    };
    product.right = [&](OpBuilder &k, Value step, int64_t j) -> TilePlace {
      return {weights, {add(k, first, step), constant(k, j), zero, zero}};
    };
    Value row = outputRow(body, part.column, arith::MulIOp::create(body, loc, tile, constant(body, kRows)));
    product.sums = {packedOutput, {row, zero}};
    product.accumulate = true;
    emitTileProduct(body, loc, reg, instructions, product);
  };
  forEach(b, constant(b, tiles / 2 * 2), 2, [&](OpBuilder &body, Value tile) { emit(body, tile, 2); });
  if (tiles % 2)
    emit(b, constant(b, tiles - 1), 1);
}

} // namespace weft
