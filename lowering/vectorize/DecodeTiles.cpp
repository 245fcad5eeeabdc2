// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// rows × keys dot products → as many accumulators over the head dimension, then their lanes added up by halves:
//   16 accumulators of 16 lanes (4 rows × 4 keys on AVX-512) → 1 vector of 16 scores, by 15 shuffles, blends and adds,
//   three of them for each key, whether keys are multiplied together or, where they are long, one after the other.
// weights · values → rows × vectors accumulators over the keys, in passes over the value dimension.
#include "lowering/vectorize/DecodeTiles.h"

#include "lowering/vectorize/KeyPages.h"
#include "lowering/vectorize/RegisterTile.h"
#include "lowering/vectorize/StoredNumbers.h"
#include "lowering/vectorize/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

/// Keys, or values, of a block, about: how far ahead is read. Longer blocks ask for too much at once (16 KiB: 76 % of
/// read bandwidth for bf16 instead of 93 %), shorter ones pay for their maxima.
static constexpr int64_t kBlockBytes = 4 << 10;
static constexpr int64_t kLineBytes = 64;
/// Of a key or value whose lines are read in turn with others'; longer ones are read one after the other. What the
/// processor reads ahead of its own accord are lines that follow each other: with the hints of these loops a Zen 4
/// reads four rows of 512 bytes in turn at 20 GB/s, one after the other at 28, four of 256 at 25.
static constexpr int64_t kTogetherBytes = 256;
/// Vectors of the head dimension in one iteration of the dot products: few, since LLVM hoists the queries of a whole
/// row into registers that it does not have, and gathers the prefetches of a long iteration at its end.
static constexpr int64_t kDotUnroll = 4;
/// Keys in one iteration of the product with the values.
static constexpr int64_t kValueUnroll = 4;

DecodeTiles::DecodeTiles(AttentionOp op, const DecodePlan &plan, const RegisterPlan &registers, bool bytes)
    : IndexLoops(op.getLoc()), op(op), plan(plan), reg(registers), tile(plan, registers, bytes) {
  lanes = VectorType::get({reg.lanes}, Float32Type::get(op.getContext()));
  rowBlocks = llvm::divideCeil(plan.rows(), tile.rows);
  queryVectors = llvm::divideCeil(plan.headDim, reg.lanes);
  valueVectors = llvm::divideCeil(plan.valueDim, reg.lanes);
  Type element = cast<ShapedType>(op.getKey().getType()).getElementType();
  int64_t rowBytes = std::max(plan.headDim, plan.valueDim) * llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  // Whole tiles; a matrix tile of weights holds 64.
  blockKeys = bytes ? 64 : std::clamp<int64_t>(kBlockBytes / rowBytes / tile.keys * tile.keys, tile.keys, 256);
}

void DecodeTiles::allocate(OpBuilder &b) {
  int64_t blocks = plan.groups * rowBlocks;
  queries = scratch(b, {blocks * queryVectors * tile.rows, reg.lanes});
  weights = scratch(b, {blockKeys * tile.rows});
  output = scratch(b, {blocks * tile.rows, valueVectors * reg.lanes});
  dotSums = scratch(b, {tile.keys, reg.lanes});
}

//===--------------------------------------------------------------------------------------------------------------===//
// Small things
//===--------------------------------------------------------------------------------------------------------------===//

Value DecodeTiles::splat(OpBuilder &b, float value) {
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(lanes, value));
}

Value DecodeTiles::scratch(OpBuilder &b, ArrayRef<int64_t> shape, Type element) {
  auto type = MemRefType::get(shape, element ? element : b.getF32Type());
  return memref::AllocaOp::create(b, loc, type, b.getI64IntegerAttr(64));
}

Value DecodeTiles::extentOf(OpBuilder &b, unsigned operand, unsigned dim) {
  std::optional<unsigned> position = op.getIndexingMap(operand).getResultPosition(b.getAffineDimExpr(dim));
  assert(position && "asked of operands that have the dimension");
  OpFoldResult size = memref::getMixedSize(b, loc, op->getOperand(operand), *position);
  return getValueOrCreateConstantIndexOp(b, loc, size);
}

Value DecodeTiles::loadVector(OpBuilder &b, Value matrix, Value row, Value column) {
  return vector::LoadOp::create(b, loc, lanes, matrix, ValueRange{row, column ? column : constant(b, 0)});
}

void DecodeTiles::storeVector(OpBuilder &b, Value value, Value matrix, Value row, Value column) {
  vector::StoreOp::create(b, loc, value, matrix, ValueRange{row, column ? column : constant(b, 0)});
}

Value DecodeTiles::maximum(OpBuilder &b, Value x, Value y) {
  Value greater = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, x, y);
  return arith::SelectOp::create(b, loc, greater, x, y);
}

Value DecodeTiles::keyMask(OpBuilder &b, Value count, int64_t rows) {
  auto index = VectorType::get({rows * tile.keysInVector}, b.getIndexType());
  SmallVector<int64_t> keyOf;
  for (int64_t lane = 0; lane < index.getDimSize(0); ++lane)
    keyOf.push_back(lane % tile.keysInVector);
  Value keys = arith::ConstantOp::create(b, loc, DenseIntElementsAttr::get(index, keyOf));
  Value bound = vector::BroadcastOp::create(b, loc, index, count);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, keys, bound);
}

Value DecodeTiles::emitAcrossKeys(OpBuilder &b, Value value, function_ref<Value(Value, Value)> combine) {
  for (int64_t step = 1; step < tile.keysInVector; step *= 2) {
    SmallVector<int64_t> other;
    for (int64_t lane = 0; lane < reg.lanes; ++lane)
      other.push_back(lane ^ step);
    value = combine(value, vector::ShuffleOp::create(b, loc, value, value, other));
  }
  return value;
}

/// A vector of a row of keys or values from `first` on, of which `left` elements exist.
Value DecodeTiles::loadRow(OpBuilder &b, unsigned operand, Value at, Value first, int64_t left) {
  IterationPoint point;
  Value zero = constant(b, 0);
  point.dims = {batch, head, zero, at, first, first};
  point.vectorDim = operand == 1 ? AttentionOp::HeadDim : AttentionOp::ValueDim;
  point.lanes = reg.lanes;
  if (left < reg.lanes)
    point.mask = vector::CreateMaskOp::create(b, loc, VectorType::get({reg.lanes}, b.getI1Type()), constant(b, left));
  return emitToF32(b, loc, reg, emitOperandLoad(b, loc, op, operand, point));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Reading ahead
//===--------------------------------------------------------------------------------------------------------------===//

static int64_t elementBytes(Value memref) {
  return std::max(1u, cast<ShapedType>(memref.getType()).getElementTypeBitWidth() / 8);
}

/// Whether keys or values are read one after the other. Sixteen registers hold too few sums for all of a value.
bool DecodeTiles::isLong(Value memref, int64_t extent) const {
  return reg.rows >= 8 && extent * elementBytes(memref) > kTogetherBytes;
}

void DecodeTiles::emitPrefetchRow(OpBuilder &b, unsigned operand, Value ofHead, Value at, Value first, int64_t count) {
  Value memref = op->getOperand(operand), zero = constant(b, 0);
  for (int64_t element = 0; element < count; element += kLineBytes / elementBytes(memref)) {
    IterationPoint point;
    Value place = add(b, first, element);
    point.dims = {batch, ofHead, zero, at, place, place};
    // Where arithmetic is what bounds it: Zen 4 reads bf16 and f16 a tenth faster from memory, f32 a sixth more slowly.
    bool near = reg.halfDots && elementBytes(memref) < 4;
    emitOperandPrefetch(b, loc, op, operand, point, near);
  }
}

//===--------------------------------------------------------------------------------------------------------------===//
// Queries · keys
//===--------------------------------------------------------------------------------------------------------------===//

void DecodeTiles::emitPackRow(OpBuilder &b, Value row, ArrayRef<Value> dims, float factor) {
  Value rows = constant(b, tile.rows), zero = constant(b, 0);
  Value block = arith::DivUIOp::create(b, loc, row, rows), place = arith::RemUIOp::create(b, loc, row, rows);
  Value start = arith::MulIOp::create(b, loc, block, constant(b, queryVectors * tile.rows));
  start = arith::AddIOp::create(b, loc, start, place);
  for (int64_t v = 0; v < queryVectors; ++v) {
    IterationPoint point;
    point.dims = {dims[0], dims[1], dims[2], zero, constant(b, v * reg.lanes), zero};
    point.vectorDim = AttentionOp::HeadDim;
    point.lanes = reg.lanes;
    if (int64_t left = plan.headDim - v * reg.lanes; left < reg.lanes)
      point.mask = vector::CreateMaskOp::create(b, loc, VectorType::get({reg.lanes}, b.getI1Type()), constant(b, left));
    Value query = emitToF32(b, loc, reg, emitLoad(b, loc, op.getQuery(), op.getIndexingMap(0), point));
    storeVector(b, arith::MulFOp::create(b, loc, query, splat(b, factor)), queries, add(b, start, v * tile.rows));
  }
  forEach(b, zero, constant(b, valueVectors * reg.lanes), reg.lanes,
          [&](OpBuilder &body, Value e) { storeVector(body, splat(body, 0.0f), output, row, e); });
}

/// One vector of the head dimension: sums[r · keys + k] += query r · key k. With `ahead`, the same part of these values
/// is asked for.
void DecodeTiles::emitDotStep(OpBuilder &b, ArrayRef<Value> keys, ArrayRef<Value> ahead, Value vector, int64_t left,
                              MutableArrayRef<Value> sums) {
  Value start = arith::MulIOp::create(b, loc, block, constant(b, queryVectors));
  start = arith::AddIOp::create(b, loc, start, vector);
  start = arith::MulIOp::create(b, loc, start, constant(b, tile.rows));
  Value first = arith::MulIOp::create(b, loc, vector, constant(b, reg.lanes));
  SmallVector<Value> rows;
  for (int64_t r = 0; r < tile.rows; ++r)
    rows.push_back(loadVector(b, queries, add(b, start, r)));
  for (size_t k = 0; k < keys.size(); ++k) {
    Value row = loadRow(b, 1, keys[k], first, left);
    if (!ahead.empty())
      emitPrefetchRow(b, 2, head, ahead[k], first, 1);
    for (int64_t r = 0; r < tile.rows; ++r) {
      Value &sum = sums[r * keys.size() + k];
      sum = emitMultiplyAdd(b, loc, reg, rows[r], row, sum);
    }
  }
}

/// A loop that LLVM leaves as it is: of one that it unrolls it gathers the loads of keys, which should follow each
/// other as the keys do, and keeps a whole row of queries in registers that it does not have.
static scf::ForOp rolled(scf::ForOp loop) {
  MLIRContext *context = loop.getContext();
  auto unroll = LLVM::LoopUnrollAttr::get(context, /*disable=*/BoolAttr::get(context, true), {}, {}, {}, {}, {}, {});
  auto annotation =
      LLVM::LoopAnnotationAttr::get(context, {}, {}, {}, unroll, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {});
  loop->setAttr("loop_annotation", annotation);
  return loop;
}

/// The products of the rows with some keys, and their lanes added up as far as those of one key allow: a vector a key.
SmallVector<Value> DecodeTiles::emitDotsOf(OpBuilder &b, ArrayRef<Value> keys, ArrayRef<Value> ahead) {
  int64_t vectors = plan.headDim / reg.lanes, unroll = std::max<int64_t>(1, std::min(vectors, kDotUnroll));
  while (vectors % unroll)
    --unroll;
  int64_t line = kLineBytes / elementBytes(op.getValue());
  SmallVector<Value> sums(tile.rows * keys.size(), splat(b, 0.0f)), ofKeys;
  auto loop = scf::ForOp::create(b, loc, constant(b, 0), constant(b, vectors), constant(b, unroll), sums,
                                 [&](OpBuilder &body, Location, Value vector, ValueRange carried) {
                                   SmallVector<Value> next(carried);
                                   for (int64_t u = 0; u < unroll; ++u)
                                     emitDotStep(body, keys, u * reg.lanes % line ? ArrayRef<Value>() : ahead,
                                                 add(body, vector, u), reg.lanes, next);
                                   scf::YieldOp::create(body, loc, next);
                                 });
  sums = llvm::to_vector_of<Value>((int64_t(keys.size()) < tile.keys ? rolled(loop) : loop).getResults());
  if (int64_t left = plan.headDim % reg.lanes)
    emitDotStep(b, keys, ahead, constant(b, vectors), left, sums);
  for (size_t k = 0; k < keys.size(); ++k) {
    SmallVector<Value> rows;
    for (int64_t r = 0; r < tile.rows; ++r)
      rows.push_back(sums[r * keys.size() + k]);
    ofKeys.push_back(emitLaneSums(b, loc, rows, tile.keysInVector));
  }
  return ofKeys;
}

SmallVector<Value> DecodeTiles::emitDotProducts(OpBuilder &b, Value first, bool whole) {
  int64_t together = isLong(op.getKey(), plan.headDim) ? 1 : tile.keys;
  Value start = arith::AddIOp::create(b, loc, key, first), zero = constant(b, 0);
  auto some = [&](OpBuilder &body, Value from) {
    SmallVector<Value> keys, ahead;
    for (int64_t k = 0; k < together; ++k) {
      Value j = add(body, arith::AddIOp::create(body, loc, start, from), k);
      keys.push_back(whole ? j : arith::MinUIOp::create(body, loc, j, lastKey).getResult());
      // The block's values come next.
      if (whole)
        ahead.push_back(j);
    }
    return emitDotsOf(body, keys, ahead);
  };
  SmallVector<Value> ofKeys, scores;
  if (together == tile.keys) {
    ofKeys = some(b, zero);
  } else {
    rolled(scf::ForOp::create(b, loc, zero, constant(b, tile.keys), constant(b, together), ValueRange(),
                              [&](OpBuilder &body, Location, Value from, ValueRange) {
                                for (auto [k, sums] : llvm::enumerate(some(body, from)))
                                  storeVector(body, sums, dotSums, add(body, from, k));
                                scf::YieldOp::create(body, loc);
                              }));
    for (int64_t k = 0; k < tile.keys; ++k)
      ofKeys.push_back(loadVector(b, dotSums, constant(b, k)));
  }
  for (int64_t s = 0; s < tile.sums; ++s)
    scores.push_back(emitLaneSums(b, loc, ArrayRef(ofKeys).slice(s * tile.keysInVector, tile.keysInVector)));
  return scores;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Weights · values
//===--------------------------------------------------------------------------------------------------------------===//

void DecodeTiles::emitValues(OpBuilder &b, Value count, Value alpha) {
  // As many vectors as the accumulators hold for all rows; of long rows of values all, for some rows at once.
  int64_t accumulators = tile.valueVectors * tile.rows, rows = tile.rows;
  if (isLong(op.getValue(), plan.valueDim))
    rows = std::clamp<int64_t>(accumulators / llvm::PowerOf2Ceil(valueVectors), 1, tile.rows);
  int64_t most = accumulators / rows, width = most * reg.lanes, whole = plan.valueDim / width;
  int64_t rest = plan.valueDim - whole * width, each = whole + (rest > 0), passes = each * tile.rows / rows;
  for (int64_t r = 0; r < tile.rows; r += rows) {
    int64_t before = r / rows * each;
    forEach(b, constant(b, 0), constant(b, whole), 1, [&](OpBuilder &body, Value number) {
      Value first = arith::MulIOp::create(body, loc, number, constant(body, width));
      emitValuePass(body, {add(body, number, before), first, passes, most, reg.lanes, r, rows}, count, alpha);
    });
    if (!rest)
      continue;
    int64_t vectors = llvm::divideCeil(rest, reg.lanes), last = rest - (vectors - 1) * reg.lanes;
    Value number = constant(b, before + whole), first = constant(b, whole * width);
    emitValuePass(b, {number, first, passes, vectors, last, r, rows}, count, alpha);
  }
}

void DecodeTiles::emitValuePass(OpBuilder &b, const ValuePass &pass, Value count, Value alpha) {
  Value start = arith::MulIOp::create(b, loc, block, constant(b, tile.rows));
  SmallVector<Value> acc;
  auto place = [&](int64_t v) { return add(b, pass.first, v * reg.lanes); };
  for (int64_t r = 0; r < pass.rows; ++r) {
    Value factor = vector::ExtractOp::create(b, loc, alpha, ArrayRef<int64_t>{(pass.firstRow + r) * tile.keysInVector});
    factor = vector::BroadcastOp::create(b, loc, lanes, factor);
    for (int64_t v = 0; v < pass.vectors; ++v)
      acc.push_back(
          arith::MulFOp::create(b, loc, loadVector(b, output, add(b, start, pass.firstRow + r), place(v)), factor));
  }
  int64_t unroll = std::min(kValueUnroll, tile.keysInVector);
  Value rest = arith::RemUIOp::create(b, loc, count, constant(b, unroll));
  Value main = arith::SubIOp::create(b, loc, count, rest);
  acc = emitValueKeys(b, pass, constant(b, 0), main, unroll, acc);
  if (unroll > 1)
    acc = emitValueKeys(b, pass, main, count, 1, acc);
  for (int64_t r = 0; r < pass.rows; ++r)
    for (int64_t v = 0; v < pass.vectors; ++v)
      storeVector(b, acc[r * pass.vectors + v], output, add(b, start, pass.firstRow + r), place(v));
}

/// The accumulators with keys [begin, end) of the block added, in order, `step` keys an iteration.
SmallVector<Value> DecodeTiles::emitValueKeys(OpBuilder &b, const ValuePass &pass, Value begin, Value end, int64_t step,
                                              ValueRange acc) {
  auto loop = scf::ForOp::create(
      b, loc, begin, end, constant(b, step), acc, [&](OpBuilder &body, Location, Value first, ValueRange carried) {
        SmallVector<Value> sums(carried);
        // The vector of weights that holds the key, and the key's lane of row 0 in it.
        Value inVector = constant(body, tile.keysInVector);
        Value base = arith::MulIOp::create(body, loc, arith::DivUIOp::create(body, loc, first, inVector),
                                           constant(body, reg.lanes));
        base = arith::AddIOp::create(body, loc, base, arith::RemUIOp::create(body, loc, first, inVector));
        for (int64_t u = 0; u < step; ++u) {
          SmallVector<Value> values;
          for (int64_t v = 0; v < pass.vectors; ++v)
            values.push_back(loadRow(body, 2, arith::AddIOp::create(body, loc, key, add(body, first, u)),
                                     add(body, pass.first, v * reg.lanes),
                                     v + 1 == pass.vectors ? pass.lastLanes : reg.lanes));
          if (step > 1)
            emitPrefetchKeys(body, pass, first, u);
          for (int64_t r = 0; r < pass.rows; ++r) {
            Value weight = memref::LoadOp::create(body, loc, weights,
                                                  add(body, base, (pass.firstRow + r) * tile.keysInVector + u));
            weight = vector::BroadcastOp::create(body, loc, lanes, weight);
            for (int64_t v = 0; v < pass.vectors; ++v) {
              Value &sum = sums[r * pass.vectors + v];
              sum = emitMultiplyAdd(body, loc, reg, weight, values[v], sum);
            }
          }
        }
        scf::YieldOp::create(body, loc, sums);
      });
  return SmallVector<Value>(loop.getResults());
}

/// The keys that come next are asked for row by row: a pass asks for its share of whole rows, at the pace of its own
/// values. After an item's last key they are those of the next split or head, which lie there, or nothing.
void DecodeTiles::emitPrefetchKeys(OpBuilder &b, const ValuePass &pass, Value first, int64_t offset) {
  int64_t share = llvm::alignTo(llvm::divideCeil(plan.headDim, pass.passes), reg.lanes);
  Value step = arith::MulIOp::create(b, loc, pass.number, constant(b, blockKeys));
  step = arith::AddIOp::create(b, loc, step, add(b, first, offset));
  Value count = constant(b, llvm::divideCeil(plan.headDim, share));
  Value row = arith::AddIOp::create(b, loc, nextKey, arith::DivUIOp::create(b, loc, step, count));
  Value part = arith::MulIOp::create(b, loc, arith::RemUIOp::create(b, loc, step, count), constant(b, share));
  emitPrefetchRow(b, 1, nextHead, row, part, std::min(share, plan.headDim));
}

void DecodeTiles::emitOutputRow(OpBuilder &b, Value row, ArrayRef<Value> dims, Value inverse) {
  IterationPoint point;
  point.dims.assign(dims.begin(), dims.end());
  point.vectorDim = AttentionOp::ValueDim;
  point.lanes = reg.lanes;
  Value factor = vector::BroadcastOp::create(b, loc, lanes, inverse);
  for (int64_t v = 0; v < valueVectors; ++v) {
    Value first = constant(b, v * reg.lanes);
    point.dims[AttentionOp::ValueDim] = first;
    if (int64_t left = plan.valueDim - v * reg.lanes; left < reg.lanes)
      point.mask = vector::CreateMaskOp::create(b, loc, VectorType::get({reg.lanes}, b.getI1Type()), constant(b, left));
    Value values = arith::MulFOp::create(b, loc, loadVector(b, output, row, first), factor);
    values = emitFromF32(b, loc, reg, values, getElementTypeOrSelf(op.getOutput().getType()));
    emitStore(b, loc, values, op.getOutput(), op.getIndexingMap(op.getOutputNumber()), point);
  }
}

} // namespace weft
