// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Queries once for a work item, keys and values once for a block, into tiles of bf16. Keys are rows as they are;
// queries and values are transposed in registers, in words of two d, respectively two keys.
#include "lowering/vectorize/TileAttention.h"

#include "lowering/vectorize/KeyPages.h"
#include "lowering/vectorize/StoredNumbers.h"
#include "lowering/vectorize/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

/// `count` elements of an operand along `dim` from `first` on, as bf16; beyond the extent zero.
Value TileAttentionEmitter::loadHalves(OpBuilder &b, unsigned operand, SmallVector<Value> dims, unsigned dim,
                                       int64_t first, int64_t extent, int64_t count) {
  auto type = VectorType::get({count}, b.getBF16Type());
  if (first >= extent)
    return arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  Value source = op->getOperand(operand);
  bool stored = getElementTypeOrSelf(source.getType()).isBF16();
  if (!stored && count > reg.lanes) {
    Value low = loadHalves(b, operand, dims, dim, first, extent, count / 2);
    Value high = loadHalves(b, operand, dims, dim, first + count / 2, extent, count / 2);
    SmallVector<int64_t> both = llvm::to_vector(llvm::seq<int64_t>(0, count));
    return vector::ShuffleOp::create(b, loc, low, high, both);
  }
  IterationPoint point;
  point.dims = std::move(dims);
  point.dims[dim] = constant(b, first);
  point.vectorDim = dim;
  point.lanes = count;
  if (extent - first < count)
    point.mask =
        vector::CreateMaskOp::create(b, loc, VectorType::get({count}, b.getI1Type()), constant(b, extent - first));
  Value numbers = emitOperandLoad(b, loc, op, operand, point);
  return stored ? numbers : emitFromF32(b, loc, reg, emitToF32(b, loc, reg, numbers), b.getBF16Type());
}

/// [q / 16][d / 32][pair of d][q · 2]; columns beyond the last query repeat it.
void TileAttentionEmitter::emitPackQuery(OpBuilder &b) {
  Value last = add(b, queryCount, -1);
  forEach(b, columns, reg.lanes, [&](OpBuilder &body, Value column) {
    SmallVector<Value> rows;
    for (int64_t r = 0; r < reg.lanes; ++r)
      rows.push_back(least(body, add(body, query, add(body, column, r)), last));
    for (int64_t d = 0; d < depthTiles() * kDepth; d += 2 * reg.lanes)
      emitPackQueryTile(body, rows, column, d);
  });
}

/// `lanes` queries, 2 · lanes of d.
void TileAttentionEmitter::emitPackQueryTile(OpBuilder &b, ArrayRef<Value> rows, Value column, int64_t d) {
  auto wordType = VectorType::get({reg.lanes}, b.getI32Type()),
       halfType = VectorType::get({2 * reg.lanes}, b.getBF16Type());
  Value zero = constant(b, 0);
  SmallVector<Value> words;
  for (Value row : rows) {
    SmallVector<Value> dims = {batch, head, row, zero, zero, zero};
    Value halves = loadHalves(b, 0, dims, AttentionOp::HeadDim, d, plan.headDim, 2 * reg.lanes);
    words.push_back(vector::BitCastOp::create(b, loc, wordType, halves));
  }
  // A negative factor's sign is the queries'.
  Value signs = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(wordType, int32_t(0x80008000)));
  Value tile = arith::DivUIOp::create(b, loc, column, constant(b, kRows));
  Value inTile = arith::RemUIOp::create(b, loc, column, constant(b, kRows));
  Value first = arith::MulIOp::create(b, loc, inTile, constant(b, 2));
  for (auto [i, pair] : llvm::enumerate(emitTranspose(b, loc, words))) {
    if (op.getScale().isNegative())
      pair = arith::XOrIOp::create(b, loc, pair, signs);
    int64_t row = d / 2 + i;
    vector::StoreOp::create(b, loc, vector::BitCastOp::create(b, loc, halfType, pair), packedQuery,
                            ValueRange{tile, constant(b, row / kRows), constant(b, row % kRows), first});
  }
}

/// Blocks start at multiples of their length: a query's sums are then cut in the same places, whatever the others see.
Value TileAttentionEmitter::firstBlock(OpBuilder &b, Value low) {
  Value length = constant(b, plan.keyBlock);
  return arith::MulIOp::create(b, loc, arith::DivUIOp::create(b, loc, low, length), length);
}

/// What the last 32 keys of a block lack repeats the last key; it gets no weight.
void TileAttentionEmitter::emitPackBlock(OpBuilder &b, Value key, Value count) {
  Value tiles = arith::CeilDivUIOp::create(b, loc, count, constant(b, kDepth));
  Value end = arith::MulIOp::create(b, loc, tiles, constant(b, kDepth));
  forEach(b, end, 1, [&](OpBuilder &body, Value row) { emitPackKeyRow(body, key, row); });
  forEach(b, end, 2 * reg.lanes, [&](OpBuilder &body, Value row) {
    for (int64_t e = 0; e < plan.outputRows(); e += reg.lanes)
      emitPackValueTile(body, key, row, e);
  });
}

/// Asks for a key and its value; those beyond the last key are the last one's.
void TileAttentionEmitter::emitPrefetchRow(OpBuilder &b, Value key) {
  Value zero = constant(b, 0), seen = least(b, key, add(b, keyCount, -1));
  for (unsigned operand : {1u, 2u}) {
    unsigned dim = operand == 1 ? AttentionOp::HeadDim : AttentionOp::ValueDim;
    Value source = op->getOperand(operand);
    int64_t perLine = 512 / cast<MemRefType>(source.getType()).getElementTypeBitWidth();
    for (int64_t first = 0, end = operand == 1 ? plan.headDim : plan.valueDim; first < end; first += perLine) {
      IterationPoint point;
      point.dims = {batch, head, zero, seen, zero, zero};
      point.dims[dim] = constant(b, first);
      emitOperandPrefetch(b, loc, op, operand, point);
    }
  }
}

void TileAttentionEmitter::emitPackKeyRow(OpBuilder &b, Value key, Value row) {
  Value zero = constant(b, 0), last = add(b, blockCount, -1);
  SmallVector<Value> dims = {batch, head, zero, add(b, key, least(b, row, last)), zero, zero};
  Value tile = arith::DivUIOp::create(b, loc, row, constant(b, kRows));
  Value inTile = arith::RemUIOp::create(b, loc, row, constant(b, kRows));
  for (int64_t step = 0; step < depthTiles(); ++step) {
    Value halves = loadHalves(b, 1, dims, AttentionOp::HeadDim, step * kDepth, plan.headDim, kDepth);
    vector::StoreOp::create(b, loc, halves, keys, ValueRange{tile, constant(b, step), inTile, zero});
  }
}

/// Vᵀ of 2 · lanes keys and `lanes` of e.
void TileAttentionEmitter::emitPackValueTile(OpBuilder &b, Value key, Value row, int64_t e) {
  auto wordType = VectorType::get({reg.lanes}, b.getI32Type()),
       halfType = VectorType::get({2 * reg.lanes}, b.getBF16Type()),
       bitType = VectorType::get({reg.lanes}, b.getI16Type());
  Value zero = constant(b, 0), last = add(b, blockCount, -1);
  auto load = [&](int64_t r) -> Value {
    SmallVector<Value> dims = {batch, head, zero, add(b, key, least(b, add(b, row, r), last)), zero, zero};
    Value halves = loadHalves(b, 2, dims, AttentionOp::ValueDim, e, plan.valueDim, reg.lanes);
    return arith::ExtUIOp::create(b, loc, wordType, arith::BitcastOp::create(b, loc, bitType, halves));
  };
  Value sixteen = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(wordType, int32_t(16)));
  SmallVector<Value> words;
  for (int64_t pair = 0; pair < reg.lanes; ++pair) {
    Value even = load(2 * pair), odd = arith::ShLIOp::create(b, loc, load(2 * pair + 1), sixteen);
    words.push_back(arith::OrIOp::create(b, loc, even, odd));
  }
  Value step = arith::DivUIOp::create(b, loc, row, constant(b, kDepth));
  Value first = arith::RemUIOp::create(b, loc, row, constant(b, kDepth));
  for (auto [i, transposed] : llvm::enumerate(emitTranspose(b, loc, words))) {
    int64_t to = e + i;
    vector::StoreOp::create(b, loc, vector::BitCastOp::create(b, loc, halfType, transposed), values,
                            ValueRange{step, constant(b, to / kRows), constant(b, to % kRows), first});
  }
}

} // namespace weft
