// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   values of four keys → words; sums[digit, row][e] = digits of weights · values (tiles); output += Σ sum · 256^place.
#include "lowering/vectorize/DecodeBytes.h"

#include "lowering/vectorize/AmxTiles.h"
#include "lowering/vectorize/OperandAccess.h"
#include "lowering/vectorize/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

/// The digits of 64 keys' weights, a row of the left tile for each digit of a row.
void DecodeBytes::emitPackWeights(OpBuilder &b, Value step, Value inverse) {
  int64_t parts = kTile / reg.lanes, perRow = kTile / tile.rows;
  SmallVector<int64_t> order, same;
  for (int64_t lane = 0; lane < kTile; ++lane) {
    int64_t r = lane / perRow, k = lane % perRow;
    order.push_back(k / tile.keysInVector * reg.lanes + r * tile.keysInVector + k % tile.keysInVector);
    same.push_back(r * tile.keysInVector);
  }
  Value factor = vector::ShuffleOp::create(b, loc, inverse, inverse, same);
  SmallVector<Value> words;
  Value first = arith::MulIOp::create(b, loc, step, constant(b, kRowBytes * tile.rows));
  for (int64_t four = 0; four < kTile; ++four) {
    SmallVector<Value> pieces;
    for (int64_t part = 0; part < parts; ++part)
      pieces.push_back(
          vector::LoadOp::create(b, loc, lanes, weights, add(b, first, (four * parts + part) * reg.lanes)));
    if (four % 2 == 0)
      emitAhead(b, Ahead::OfWeights + four / 2, constant(b, 0), 1);
    Value all = concatenate(b, pieces);
    all = vector::ShuffleOp::create(b, loc, all, all, order);
    Value digits = emitDigits(b, arith::MulFOp::create(b, loc, all, factor));
    words.push_back(vector::BitCastOp::create(b, loc, whole, digits));
  }
  auto bytes = VectorType::get({kRowBytes}, b.getI8Type());
  SmallVector<Value> rows = emitTranspose(b, loc, words);
  for (int64_t r = 0; r < tile.rows; ++r)
    for (int64_t place = 0; place < kDigits; ++place)
      vector::StoreOp::create(b, loc, vector::BitCastOp::create(b, loc, bytes, rows[r * perRow + place]), weightDigits,
                              ValueRange{step, constant(b, place * tile.rows + r), constant(b, 0)});
}

/// Four keys' values, from 4 · group on, as words of one e each. Quarters of a vector stay quarters: a tile's words are
/// those of four places in each quarter.
void DecodeBytes::emitPackValues(OpBuilder &b, Value group) {
  Value four = constant(b, 4), zero = constant(b, 0);
  Value first = arith::AddIOp::create(b, loc, key, arith::MulIOp::create(b, loc, group, four));
  emitAhead(b, Ahead::OfValues, group, 1);
  auto pairs = VectorType::get({kRowBytes / 2}, b.getI16Type());
  auto bytes = VectorType::get({kRowBytes}, b.getI8Type());
  /// Elements of x and y in turn, from the lower or upper half of each quarter.
  auto interleave = [&](Value x, Value y, bool upper) -> Value {
    int64_t count = cast<VectorType>(x.getType()).getDimSize(0), quarter = count / 4;
    SmallVector<int64_t> order;
    for (int64_t i = 0; i < count; ++i)
      order.push_back(i / quarter * quarter + i % quarter / 2 + upper * quarter / 2 + i % 2 * count);
    return vector::ShuffleOp::create(b, loc, x, y, order);
  };
  for (int64_t e = 0; e < plan.valueDim; e += kRowBytes) {
    SmallVector<Value> rows;
    for (int64_t k = 0; k < 4; ++k) {
      IterationPoint point;
      point.dims = {batch, head, zero, arith::MinUIOp::create(b, loc, add(b, first, k), lastKey), zero, constant(b, e)};
      point.vectorDim = AttentionOp::ValueDim;
      point.lanes = kRowBytes;
      rows.push_back(emitLoad(b, loc, op.getValue(), op.getIndexingMap(2), point));
    }
    for (int64_t i = 0; i < 4; ++i) {
      Value low = vector::BitCastOp::create(b, loc, pairs, interleave(rows[0], rows[1], i / 2));
      Value high = vector::BitCastOp::create(b, loc, pairs, interleave(rows[2], rows[3], i / 2));
      Value words = vector::BitCastOp::create(b, loc, bytes, interleave(low, high, i % 2));
      vector::StoreOp::create(b, loc, words, packedValues, ValueRange{constant(b, e / kTile + i), group, zero});
    }
  }
}

/// output = output · alpha + the sums, in the order of the tiles.
void DecodeBytes::emitAddProducts(OpBuilder &b, Value alpha, Value factor) {
  Value start = arith::MulIOp::create(b, loc, block, constant(b, tile.rows));
  SmallVector<std::array<Value, 1 + kDigits>> factors;
  auto all = [&](Value scalar) -> Value { return vector::BroadcastOp::create(b, loc, lanes, scalar); };
  for (int64_t r = 0; r < tile.rows; ++r) {
    Value unit = rowOf(b, factor, r);
    auto &ofRow = factors.emplace_back();
    ofRow[kDigits] = all(rowOf(b, alpha, r));
    for (int64_t place = 0; place < kDigits; ++place) {
      Value weight = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(float(1 << 8 * place)));
      ofRow[place] = all(arith::MulFOp::create(b, loc, unit, weight));
    }
  }
  auto sumType = VectorType::get({reg.lanes}, b.getI32Type());
  int64_t share = llvm::divideCeil(16 * reg.lanes, plan.valueDim);
  forEach(b, constant(b, 0), constant(b, plan.valueDim), reg.lanes, [&](OpBuilder &body, Value e) {
    emitAhead(body, Ahead::OfOutput, numberOf(body, e, reg.lanes), share);
    for (int64_t r = 0; r < tile.rows; ++r) {
      Value row = add(body, start, r);
      Value sum = arith::MulFOp::create(body, loc, loadVector(body, output, row, e), factors[r][kDigits]);
      for (int64_t place = kDigits - 1; place >= 0; --place) {
        Value digits =
            vector::LoadOp::create(body, loc, sumType, valueSums, ValueRange{constant(body, place * tile.rows + r), e});
        sum =
            vector::FMAOp::create(body, loc, arith::SIToFPOp::create(body, loc, lanes, digits), factors[r][place], sum);
      }
      storeVector(body, sum, output, row, e);
    }
  });
}

void DecodeBytes::emitValues(OpBuilder &b, Value count, Value alpha, Value largest) {
  if (!tile.bytes)
    return DecodeTiles::emitValues(b, count, alpha);
  // Keys beyond the last have no weight. −0, since LLVM makes a call of a loop that stores 0, and configures tiles
  // again after it.
  Value tiles = arith::CeilDivUIOp::create(b, loc, count, constant(b, tile.keys));
  Value end = arith::MulIOp::create(b, loc, tiles, constant(b, tile.keys * tile.rows));
  forEach(b, end, constant(b, blockKeys * tile.rows), reg.lanes,
          [&](OpBuilder &body, Value at) { vector::StoreOp::create(body, loc, splat(body, -0.0f), weights, at); });
  largest =
      emitAcrossKeys(b, maximum(b, largest, splat(b, kSmallest)), [&](Value x, Value y) { return maximum(b, x, y); });
  Value inverse = arith::DivFOp::create(b, loc, splat(b, kLargest), largest);
  Value steps = constant(b, blockKeys / kRowBytes);
  forEach(b, constant(b, 0), steps, 1, [&](OpBuilder &body, Value step) { emitPackWeights(body, step, inverse); });
  forEach(b, constant(b, 0), constant(b, plan.valueDim / kTile), 2, [&](OpBuilder &body, Value first) {
    Value zero = constant(body, 0);
    TileProduct product;
    product.element = body.getI8Type();
    product.leftTiles = 1;
    product.leftRows = kDigits * tile.rows;
    product.steps = steps;
    product.left = [&](OpBuilder &, Value step, int64_t) -> TilePlace { return {weightDigits, {step, zero, zero}}; };
    product.right = [&](OpBuilder &k, Value step, int64_t j) -> TilePlace {
      return {packedValues, {add(k, first, j), arith::MulIOp::create(k, loc, step, constant(k, kTile)), zero}};
    };
    product.sums = {valueSums, {zero, arith::MulIOp::create(body, loc, first, constant(body, kTile))}};
    emitAhead(body, Ahead::OfProducts, numberOf(body, first, 2), llvm::divideCeil(16 * kTile, plan.valueDim));
    emitTileProduct(body, loc, reg, instructions, product);
  });
  emitAddProducts(b, alpha, arith::MulFOp::create(b, loc, largest, splat(b, 1 / kLargest)));
}

void DecodeBytes::emitOutputRow(OpBuilder &b, Value row, ArrayRef<Value> dims, Value inverse) {
  if (!tile.bytes)
    return DecodeTiles::emitOutputRow(b, row, dims, inverse);
  // From the order of the tiles: quarter q of the fourth tile i is what quarter i of the fourth q was.
  auto quarter = VectorType::get({4}, b.getF32Type());
  forEach(b, constant(b, 0), constant(b, plan.valueDim), kRowBytes, [&](OpBuilder &body, Value e) {
    SmallVector<Value> quarters;
    for (int64_t i = 0; i < kTile; ++i)
      quarters.push_back(vector::LoadOp::create(body, loc, quarter, output, ValueRange{row, add(body, e, 4 * i)}));
    for (int64_t i = 0; i < kTile; ++i)
      storeVector(body, quarters[i], output, row, add(body, e, 4 * (i % 4 * 4 + i / 4)));
  });
  DecodeTiles::emitOutputRow(b, row, dims, inverse);
}

} // namespace weft
