// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   sums[key][digit, row] = keys (tiles, where they lie) · digits of queries; scores: Σ sum · 256^place.
#include "lowering/vectorize/DecodeBytes.h"

#include "lowering/vectorize/AmxTiles.h"
#include "lowering/vectorize/OperandAccess.h"
#include "lowering/vectorize/RegisterTile.h"
#include "lowering/vectorize/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

DecodeBytes::DecodeBytes(AttentionOp op, const DecodePlan &plan, const RegisterPlan &registers, TargetAttr target)
    : DecodeTiles(op, plan, registers, hasTiles(target) && wantsByteTiles(op)),
      instructions(hasTileInstructions(target)), wide(VectorType::get({kTile}, Float32Type::get(op.getContext()))),
      whole(VectorType::get({kTile}, IntegerType::get(op.getContext(), 32))) {}

void DecodeBytes::allocate(OpBuilder &b) {
  DecodeTiles::allocate(b);
  if (!tile.bytes)
    return;
  int64_t blocks = plan.groups * rowBlocks;
  queryDigits = scratch(b, {blocks, plan.headDim / kRowBytes, kTile, kRowBytes}, b.getI8Type());
  queryFactors = scratch(b, {blocks, reg.lanes});
  someKeys = scratch(b, {kTile, plan.headDim}, b.getI8Type());
  keySums = scratch(b, {blockKeys, kTile}, b.getI32Type());
  weightDigits = scratch(b, {blockKeys / kRowBytes, kDigits * tile.rows, kRowBytes}, b.getI8Type());
  packedValues = scratch(b, {plan.valueDim / kTile, blockKeys / 4, kRowBytes}, b.getI8Type());
  valueSums = scratch(b, {kDigits * tile.rows, plan.valueDim}, b.getI32Type());
}

//===--------------------------------------------------------------------------------------------------------------===//
// Numbers as digits
//===--------------------------------------------------------------------------------------------------------------===//

/// Vectors side by side.
Value DecodeBytes::concatenate(OpBuilder &b, ArrayRef<Value> parts) {
  Value all = parts.front();
  for (Value part : parts.drop_front()) {
    int64_t count = cast<VectorType>(all.getType()).getDimSize(0) + cast<VectorType>(part.getType()).getDimSize(0);
    all = vector::ShuffleOp::create(b, loc, all, part, llvm::to_vector(llvm::seq<int64_t>(0, count)));
  }
  return all;
}

Value DecodeBytes::numberOf(OpBuilder &b, Value index, int64_t step) {
  return arith::DivUIOp::create(b, loc, index, constant(b, step));
}

/// Element r of each group of lanes that belong to a row.
Value DecodeBytes::rowOf(OpBuilder &b, Value vector, int64_t r) {
  return vector::ExtractOp::create(b, loc, vector, ArrayRef<int64_t>{r * tile.keysInVector});
}

/// Sixteen numbers, scaled to integers → words: word p of four has digit p of the four numbers.
Value DecodeBytes::emitDigits(OpBuilder &b, Value scaled) {
  auto integer = [&](int32_t value) { return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(whole, value)); };
  Value digits = arith::FPToSIOp::create(b, loc, whole, math::RoundEvenOp::create(b, loc, scaled));
  digits = arith::AddIOp::create(b, loc, digits, integer(kBias));
  digits = arith::XOrIOp::create(b, loc, digits, integer(kBias));
  auto bytes = VectorType::get({kRowBytes}, b.getI8Type());
  SmallVector<int64_t> order;
  for (int64_t byte = 0; byte < kRowBytes; ++byte)
    order.push_back(byte / 16 * 16 + byte % 4 * 4 + byte / 4 % 4);
  digits = vector::BitCastOp::create(b, loc, bytes, digits);
  return vector::ShuffleOp::create(b, loc, digits, digits, order);
}

/// The largest magnitude of a row of queries; NaN where one is in it.
Value DecodeBytes::emitRowLargest(OpBuilder &b, int64_t r) {
  Value rows = constant(b, tile.rows), count = constant(b, queryVectors);
  Value start = arith::MulIOp::create(b, loc, block, arith::MulIOp::create(b, loc, count, rows));
  auto loop = scf::ForOp::create(
      b, loc, constant(b, 0), count, constant(b, 1), splat(b, kSmallest),
      [&](OpBuilder &body, Location, Value v, ValueRange carried) {
        Value at = arith::AddIOp::create(body, loc, start, arith::MulIOp::create(body, loc, v, rows));
        Value query = math::AbsFOp::create(body, loc, loadVector(body, queries, add(body, at, r)));
        scf::YieldOp::create(body, loc, arith::MaximumFOp::create(body, loc, query, carried.front()).getResult());
      });
  return vector::ReductionOp::create(b, loc, vector::CombiningKind::MAXIMUMF, loop.getResult(0));
}

/// The digits of row r to where they are columns of tiles.
void DecodeBytes::emitPackQuery(OpBuilder &b, int64_t r, Value inverse) {
  int64_t parts = kTile / reg.lanes;
  Value start = arith::MulIOp::create(b, loc, block, constant(b, queryVectors));
  Value factor = vector::BroadcastOp::create(b, loc, wide, inverse);
  forEach(b, constant(b, 0), constant(b, plan.headDim / kTile), 1, [&](OpBuilder &body, Value v) {
    SmallVector<Value> pieces;
    for (int64_t part = 0; part < parts; ++part) {
      Value at = arith::MulIOp::create(body, loc, v, constant(body, parts));
      at = arith::AddIOp::create(body, loc, start, add(body, at, part));
      at = arith::MulIOp::create(body, loc, at, constant(body, tile.rows));
      pieces.push_back(loadVector(body, queries, add(body, at, r)));
    }
    Value digits = emitDigits(body, arith::MulFOp::create(body, loc, concatenate(body, pieces), factor));
    Value step = arith::DivUIOp::create(body, loc, v, constant(body, 4));
    Value row = arith::RemUIOp::create(body, loc, v, constant(body, 4));
    row = arith::MulIOp::create(body, loc, row, constant(body, 4));
    for (int64_t i = 0; i < kTile; ++i) {
      Value one = vector::ExtractStridedSliceOp::create(body, loc, digits, ArrayRef<int64_t>{4 * i},
                                                        ArrayRef<int64_t>{4}, ArrayRef<int64_t>{1});
      Value column = constant(body, 4 * (i % 4 * tile.rows + r));
      vector::StoreOp::create(body, loc, one, queryDigits, ValueRange{block, step, add(body, row, i / 4), column});
    }
  });
}

void DecodeBytes::emitPackBlock(OpBuilder &b) {
  if (!tile.bytes)
    return;
  auto number = [&](OpBuilder &at, float value) -> Value {
    return arith::ConstantOp::create(at, loc, at.getF32FloatAttr(value));
  };
  SmallVector<Value> factors;
  for (int64_t r = 0; r < tile.rows; ++r) {
    Value largest = emitRowLargest(b, r);
    emitPackQuery(b, r, arith::DivFOp::create(b, loc, number(b, kLargest), largest));
    factors.append(tile.keysInVector, arith::MulFOp::create(b, loc, largest, number(b, 1 / kLargest)));
  }
  storeVector(b, vector::FromElementsOp::create(b, loc, lanes, factors), queryFactors, block);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Queries · keys
//===--------------------------------------------------------------------------------------------------------------===//

/// [j][d] of the item's batch and of the head.
Value DecodeBytes::keyMatrix(OpBuilder &b) {
  AffineMap map = op.getIndexingMap(1);
  auto type = cast<MemRefType>(op.getKey().getType());
  Value zero = constant(b, 0);
  SmallVector<OpFoldResult> offsets, sizes(type.getRank(), b.getIndexAttr(1)),
      strides(type.getRank(), b.getIndexAttr(1));
  for (Value subscript : emitSubscripts(b, loc, map, {batch, head, zero, zero, zero, zero}))
    offsets.push_back(subscript);
  SmallVector<OpFoldResult> extents = memref::getMixedSizes(b, loc, op.getKey());
  SmallVector<int64_t> shape;
  for (auto [i, expr] : llvm::enumerate(map.getResults()))
    for (unsigned dim : {AttentionOp::Key, AttentionOp::HeadDim})
      if (expr == b.getAffineDimExpr(dim)) {
        sizes[i] = extents[i];
        shape.push_back(type.getDimSize(i));
      }
  auto matrix = memref::SubViewOp::inferRankReducedResultType(shape, type, offsets, sizes, strides);
  return memref::SubViewOp::create(b, loc, cast<MemRefType>(matrix), op.getKey(), offsets, sizes, strides);
}

/// Sixteen keys from the block's `first` on, the last one again where there are fewer.
void DecodeBytes::emitCopyKeys(OpBuilder &b, Value keys, Value first) {
  auto type = VectorType::get({kRowBytes}, b.getI8Type());
  Value start = arith::AddIOp::create(b, loc, key, first);
  forEach(b, constant(b, 0), constant(b, kTile), 1, [&](OpBuilder &body, Value row) {
    Value from = arith::MinUIOp::create(body, loc, arith::AddIOp::create(body, loc, start, row), lastKey);
    forEach(body, constant(body, 0), constant(body, plan.headDim), kRowBytes, [&](OpBuilder &inner, Value d) {
      Value bytes = vector::LoadOp::create(inner, loc, type, keys, ValueRange{from, d});
      vector::StoreOp::create(inner, loc, bytes, someKeys, ValueRange{row, d});
    });
  });
}

/// Asks for `rows` keys and values of the next block, those at `first` + `number` · `rows` and after it. Rows of the
/// first half of a block alternate with rows of the second: with keys and values four pages that are read at once.
void DecodeBytes::emitAhead(OpBuilder &b, int64_t first, Value number, int64_t rows) {
  Value start = add(b, arith::MulIOp::create(b, loc, number, constant(b, rows)), first), two = constant(b, 2);
  for (int64_t i = 0; i < rows; ++i) {
    Value place = add(b, start, i), half = constant(b, blockKeys / 2);
    Value row = arith::MulIOp::create(b, loc, arith::RemUIOp::create(b, loc, place, two), half);
    row = arith::AddIOp::create(b, loc, row, arith::DivUIOp::create(b, loc, place, two));
    row = arith::AddIOp::create(b, loc, row, nextKey);
    emitPrefetchRow(b, 1, nextHead, row, constant(b, 0), plan.headDim);
    emitPrefetchRow(b, 2, nextHead, row, constant(b, 0), plan.valueDim);
  }
}

/// Sums of sixteen keys, row `row` of the matrix.
void DecodeBytes::emitKeyTile(OpBuilder &b, Value keys, Value row, Value first) {
  Value zero = constant(b, 0);
  TileProduct product;
  product.element = b.getI8Type();
  product.leftTiles = product.rightTiles = 1;
  product.steps = constant(b, plan.headDim / kRowBytes);
  product.left = [&](OpBuilder &k, Value step, int64_t) -> TilePlace {
    return {keys, {row, arith::MulIOp::create(k, loc, step, constant(k, kRowBytes))}};
  };
  product.right = [&](OpBuilder &k, Value step, int64_t) -> TilePlace {
    return {queryDigits, {block, step, zero, zero}};
  };
  product.sums = {keySums, {first, zero}};
  emitTileProduct(b, loc, reg, instructions, product);
}

void DecodeBytes::emitBegin(OpBuilder &b, Value count) {
  if (!tile.bytes)
    return;
  Value rest = arith::RemUIOp::create(b, loc, count, constant(b, kTile)), keys = keyMatrix(b);
  Value main = arith::SubIOp::create(b, loc, count, rest);
  forEach(b, constant(b, 0), main, kTile, [&](OpBuilder &body, Value first) {
    emitAhead(body, Ahead::OfKeys, numberOf(body, first, kTile), 2);
    emitKeyTile(body, keys, arith::AddIOp::create(body, loc, key, first), first);
  });
  Value some = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, rest, constant(b, 0));
  scf::IfOp::create(b, loc, some, [&](OpBuilder &body, Location) {
    emitCopyKeys(body, keys, main);
    emitKeyTile(body, someKeys, constant(body, 0), main);
    scf::YieldOp::create(body, loc);
  });
  forEach(b, constant(b, 0), arith::CeilDivUIOp::create(b, loc, count, constant(b, 4)), 1,
          [&](OpBuilder &body, Value group) { emitPackValues(body, group); });
}

/// Scores of four keys from `first` on, lanes (key, row): Σ digit · 256^place.
Value DecodeBytes::emitScoresOfFour(OpBuilder &b, Value first) {
  SmallVector<Value> sums;
  for (int64_t k = 0; k < 4; ++k)
    sums.push_back(vector::LoadOp::create(b, loc, whole, keySums, ValueRange{add(b, first, k), constant(b, 0)}));
  /// Quarters i and j of x, then those of y.
  auto quarters = [&](Value x, Value y, int64_t i, int64_t j) -> Value {
    SmallVector<int64_t> order;
    for (int64_t from : {i, j, 4 + i, 4 + j})
      for (int64_t lane = 0; lane < 4; ++lane)
        order.push_back(4 * from + lane);
    return vector::ShuffleOp::create(b, loc, x, y, order);
  };
  Value low[] = {quarters(sums[0], sums[1], 0, 1), quarters(sums[2], sums[3], 0, 1)};
  Value high[] = {quarters(sums[0], sums[1], 2, 3), quarters(sums[2], sums[3], 2, 3)};
  Value digits[] = {quarters(low[0], low[1], 0, 2), quarters(low[0], low[1], 1, 3), quarters(high[0], high[1], 0, 2)};
  Value score;
  for (int64_t place = kDigits - 1; place >= 0; --place) {
    Value digit = arith::SIToFPOp::create(b, loc, wide, digits[place]);
    Value base = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(wide, 256.0f));
    score = score ? emitMultiplyAdd(b, loc, reg, score, base, digit) : digit;
  }
  return score;
}

SmallVector<Value> DecodeBytes::emitDotProducts(OpBuilder &b, Value first, bool whole) {
  if (!tile.bytes)
    return DecodeTiles::emitDotProducts(b, first, whole);
  if (whole)
    emitAhead(b, Ahead::OfScores, numberOf(b, first, kTile), 2);
  Value factor = loadVector(b, queryFactors, block);
  SmallVector<Value> scores;
  for (int64_t four = 0; four < kTile; four += 4) {
    Value sums = emitScoresOfFour(b, add(b, first, four));
    for (int64_t k = 0; k < 4; k += tile.keysInVector) {
      SmallVector<int64_t> order;
      for (int64_t lane = 0; lane < reg.lanes; ++lane)
        order.push_back((k + lane % tile.keysInVector) * tile.rows + lane / tile.keysInVector);
      Value some = vector::ShuffleOp::create(b, loc, sums, sums, order);
      scores.push_back(arith::MulFOp::create(b, loc, some, factor));
    }
  }
  return scores;
}

} // namespace weft
