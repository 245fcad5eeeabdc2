// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a chunk of steps has before it meets S: numbers of each step, vectors over n, and their products for pairs of
// steps.
#include "lowering/vectorize/ChunkedRecurrence.h"

#include "lowering/vectorize/VectorBody.h"
#include "lowering/vectorize/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

/// Lanes along time: one expansion of a function serves all steps.
void ChunkedRecurrenceEmitter::storeScalars(OpBuilder &b, Value step) {
  if (scalars.empty())
    return;
  bool forward = !op.getReverse();
  auto store = [&](OpBuilder &i, Value place, int64_t lanes) {
    IterationPoint point{{batch, head, timeOf(i, add(i, step, place)), constant(i, 0), constant(i, 0)},
                         forward ? int64_t(RecurrenceOp::Time) : -1,
                         lanes,
                         Value()};
    IRMapping mapping = elementsAt(i, point);
    emitVectorBody(i, op.getStep().front(), mapping, lanes);
    Value to = add(i, scalarPlace(i, 0), place);
    for (const Shared &scalar : scalars) {
      Value value = mapping.lookup(scalar.value);
      if (forward)
        vector::StoreOp::create(i, loc, widen(i, loc, value, lanes), scalar.scratch, ValueRange{to});
      else
        memref::StoreOp::create(i, loc, value, scalar.scratch, ValueRange{to});
    }
  };
  if (forward)
    return store(b, constant(b, 0), kChunk);
  forEach(b, constant(b, kChunk), 1, [&](OpBuilder &i, Value place) { store(i, place, 1); });
}

//===----------------------------------------------------------------------===//
// Vectors over n
//===----------------------------------------------------------------------===//

void ChunkedRecurrenceEmitter::storeRows(OpBuilder &b, Value step) {
  int64_t whole = plan.keys / registers.lanes * registers.lanes;
  forEach(b, constant(b, kChunk), 1, [&](OpBuilder &b1, Value place) {
    Value time = timeOf(b1, add(b1, step, place));
    forEach(b1, constant(b1, whole), registers.lanes,
            [&](OpBuilder &i, Value n) { storeRowsAt(i, place, time, n, Value()); });
    if (whole == plan.keys)
      return;
    auto type = VectorType::get({registers.lanes}, b1.getI1Type());
    Value mask = vector::CreateMaskOp::create(b1, loc, type, constant(b1, plan.keys - whole));
    storeRowsAt(b1, place, time, constant(b1, whole), mask);
  });
}

void ChunkedRecurrenceEmitter::storeRowsAt(OpBuilder &b, Value place, Value time, Value n, Value mask) {
  IterationPoint point;
  point.dims = {batch, head, time, n, constant(b, 0)};
  point.vectorDim = RecurrenceOp::Key;
  point.lanes = registers.lanes;
  point.mask = mask;
  prefetch(b, point); // of the next chunk
  Numbers numbers = numbersAt(b, point, place, 0);
  auto store = [&](Row row, ValueRange number) {
    Value value =
        number.empty() ? Value(arith::ConstantOp::create(b, loc, DenseElementsAttr::get(lane, 1.0f))) : number[0];
    // Lanes beyond the last key count for nothing, whatever the region makes of them.
    if (mask)
      value = arith::SelectOp::create(b, loc, mask, value, zeros(b));
    storeScratch(b, value, raw, {constant(b, row), place, n});
  };
  if (hasOutputs)
    store(Query, numbers.query);
  store(Key, numbers.key);
  if (!uniform)
    store(Decay, numbers.decay);
  if (hasLowRank) {
    store(A, numbers.lowRank[0]);
    store(B, numbers.lowRank[1]);
  }
}

Value ChunkedRecurrenceEmitter::loadRow(OpBuilder &b, Value rows, Row row, int64_t step, Value n) {
  return loadScratch(b, rows, {constant(b, row), constant(b, step), n});
}

void ChunkedRecurrenceEmitter::scaleRows(OpBuilder &b) {
  forEach(b, constant(b, paddedKeys), registers.lanes, [&](OpBuilder &i, Value n) {
    auto scaleRow = [&](Row row, int64_t step, Value decay) {
      Value value = multiply(i, decay, loadRow(i, raw, row, step, n));
      storeScratch(i, value, scaled, {constant(i, row), constant(i, step), n});
    };
    Value product; // of the decays of all steps before
    for (int64_t step = 0; step < kChunk; ++step) {
      if (hasLowRank)
        scaleRow(A, step, product);
      product = multiply(i, product, loadRow(i, raw, Decay, step, n));
      if (hasOutputs)
        scaleRow(Query, step, product);
    }
    storeScratch(i, product, scaled, {constant(i, Decay), constant(i, 0), n});
    product = Value(); // of the decays of all steps after
    for (int64_t step = kChunk - 1; step >= 0; --step) {
      scaleRow(Key, step, product);
      if (hasLowRank)
        scaleRow(B, step, product);
      product = multiply(i, product, loadRow(i, raw, Decay, step, n));
    }
  });
}

/// The decay of a step of the chunk, which is an input's element or one of the stored scalars.
Value ChunkedRecurrenceEmitter::decayAt(OpBuilder &b, int64_t step) {
  Value decay = op.getStepOp().getDecay()[0];
  for (const Shared &scalar : scalars)
    if (scalar.value == decay)
      return memref::LoadOp::create(b, loc, scalar.scratch, ValueRange{scalarPlace(b, step)});
  if (Operation *constantOp = decay.getDefiningOp())
    return b.clone(*constantOp)->getResult(0);
  unsigned index = cast<BlockArgument>(decay).getArgNumber();
  IterationPoint point{
      {batch, head, timeOf(b, add(b, chunkStart, step)), constant(b, 0), constant(b, 0)}, -1, 1, Value()};
  return emitLoad(b, loc, op.getInputs()[index], op.getIndexingMap(index), point);
}

void ChunkedRecurrenceEmitter::multiplyDecays(OpBuilder &b) {
  Values decay;
  for (int64_t i = 0; i < kChunk; ++i)
    decay.push_back(decayAt(b, i));
  fromBegin.assign(kChunk, Value());
  toEnd.assign(kChunk, Value());
  beforeStep.assign(kChunk, Value());
  Value product;
  for (int64_t i = 0; i < kChunk; ++i) {
    beforeStep[i] = product;
    fromBegin[i] = product = multiply(b, product, decay[i]);
  }
  product = Value();
  for (int64_t j = kChunk - 1; j >= 0; --j) {
    toEnd[j] = product;
    product = multiply(b, product, decay[j]);
  }
  for (auto [place, pair] : llvm::enumerate(pairs)) {
    Value between;
    for (int64_t i = pair.j + 1; i <= (pair.kind == AKey || pair.kind == AB ? pair.i - 1 : pair.i); ++i)
      between = multiply(b, between, decay[i]);
    if (!between)
      between = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(1.0f));
    memref::StoreOp::create(b, loc, between, decays, ValueRange{constant(b, place)});
  }
}

SmallVector<Value> ChunkedRecurrenceEmitter::sumPairs(OpBuilder &b, int64_t j) {
  SmallVector<Pair> own = pairsOf(j);
  auto body = [&](OpBuilder &i, Location, Value n, ValueRange held) {
    Values next;
    Value vector;
    int64_t reached = 0; // the step up to which the vector has decayed
    for (auto [pair, sum] : llvm::zip_equal(own, held)) {
      bool isA = pair.kind == AKey || pair.kind == AB;
      if (next.empty() || own[next.size() - 1].kind != pair.kind) {
        vector = loadRow(i, raw, pair.kind == QueryKey || pair.kind == AKey ? Key : B, j, n);
        reached = j;
      }
      while (!uniform && reached < (isA ? pair.i - 1 : pair.i))
        vector = multiply(i, vector, loadRow(i, raw, Decay, ++reached, n));
      next.push_back(fma(i, loadRow(i, raw, isA ? A : Query, pair.i, n), vector, sum));
    }
    scf::YieldOp::create(i, loc, next);
  };
  Values start(own.size(), zeros(b));
  return Values(
      scf::ForOp::create(b, loc, constant(b, 0), constant(b, paddedKeys), constant(b, registers.lanes), start, body)
          .getResults());
}

void ChunkedRecurrenceEmitter::storePairs(OpBuilder &b) {
  Values vectors;
  for (int64_t j = 0; j < kChunk; ++j)
    llvm::append_range(vectors, sumPairs(b, j));
  vectors.resize(llvm::alignTo(vectors.size(), registers.lanes), zeros(b));
  for (size_t first = 0; first < vectors.size(); first += registers.lanes) {
    Value sum = emitLaneSums(b, loc, ArrayRef<Value>(vectors).slice(first, registers.lanes));
    storeScratch(b, sum, sumsOfPairs, {constant(b, first)});
  }
}

void ChunkedRecurrenceEmitter::scalePairs(OpBuilder &b) {
  for (size_t first = 0; first < pairs.size(); first += registers.lanes) {
    Values index = {constant(b, first)};
    Value scaledPair = multiply(b, loadScratch(b, sumsOfPairs, index), loadScratch(b, decays, index));
    storeScratch(b, scaledPair, decayedPairs, index);
  }
}

} // namespace weft
