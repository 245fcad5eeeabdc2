// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// With S₀ before a chunk of c steps, G_ij the product of the decays of steps j+1 … i, and G_i = G_{i,−1}:
//   p_i = Σ_n a_i G_{i−1} S₀ + Σ_{j<i} (Σ_n a_i G_{i−1,j} b_j) p_j + (Σ_n a_i G_{i−1,j} k_j) v_j
//   o_i = Σ_n q_i G_i S₀     + Σ_{j≤i} (Σ_n q_i G_ij b_j) p_j     + (Σ_n q_i G_ij k_j) v_j
//   S_c = G_{c−1} S₀         + Σ_j b_j G_{c−1,j} p_j              + k_j G_{c−1,j} v_j
// (the WY form of the delta rule, Bischof and Van Loan 1987, without its inverse; p only where there is a term of low
// rank.) S is read and written once for c steps. All decays are products: nothing is divided, and no exponential grows.
// A chunk ends before a step that resets S, so that a sequence's chunks are the same wherever it starts.
#include "lowering/cpu/ChunkedRecurrence.h"

#include "lowering/cpu/RegisterTile.h"
#include "lowering/cpu/VectorBody.h"
#include "lowering/cpu/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

void ChunkedRecurrenceEmitter::allocateScratch(OpBuilder &b) {
  paddedKeys = llvm::alignTo(plan.keys, registers.lanes);
  raw = allocate(b, {NumRows, kChunk, paddedKeys});
  scaled = allocate(b, {NumRows, kChunk, paddedKeys});
  pairs = allocate(b, {int64_t(llvm::alignTo(NumPairs * kChunk * kChunk, registers.lanes))});
  values = allocate(b, {kChunk, plan.vectors, registers.lanes});
  sums = allocate(b, {1, kChunk, plan.vectors, registers.lanes});
}

void ChunkedRecurrenceEmitter::emitSteps(OpBuilder &b) {
  Type index = b.getIndexType();
  scf::WhileOp::create(
      b, loc, index, constant(b, 0),
      [&](OpBuilder &before, Location, ValueRange step) {
        Value isLeft = arith::CmpIOp::create(before, loc, arith::CmpIPredicate::slt, step[0], stepCount);
        scf::ConditionOp::create(before, loc, isLeft, step);
      },
      [&](OpBuilder &body, Location, ValueRange step) {
        Value length = lengthOf(body, step[0]);
        emitChunk(body, step[0], length);
        scf::YieldOp::create(body, loc, add(body, step[0], length));
      });
}

Value ChunkedRecurrenceEmitter::lengthOf(OpBuilder &b, Value step) {
  Value left = arith::SubIOp::create(b, loc, stepCount, step);
  Value most = arith::MinSIOp::create(b, loc, left, constant(b, kChunk));
  if (!op.getReset())
    return most;
  Value length = constant(b, 1);
  for (int64_t next = 1; next < kChunk; ++next) {
    // All steps before `next` are in the chunk, and there is such a step.
    Value reached = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, length, constant(b, next));
    Value exists = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, most, constant(b, next));
    auto choice = scf::IfOp::create(
        b, loc, arith::AndIOp::create(b, loc, reached, exists),
        [&](OpBuilder &i, Location) {
          Value reset = isReset(i, timeOf(i, add(i, step, next)));
          scf::YieldOp::create(i, loc,
                               arith::SelectOp::create(i, loc, reset, length, constant(i, next + 1)).getResult());
        },
        [&](OpBuilder &i, Location) { scf::YieldOp::create(i, loc, length); });
    length = choice.getResult(0);
  }
  return length;
}

void ChunkedRecurrenceEmitter::emitChunk(OpBuilder &b, Value step, Value length) {
  storeRows(b, step, length);
  scaleRows(b);
  storePairs(b);
  forEachColumns(b, [&](OpBuilder &i, const Columns &columns) { emitColumns(i, columns, step, length); });
}

//===----------------------------------------------------------------------===//
// Vectors over n
//===----------------------------------------------------------------------===//

/// Steps that the chunk lacks change nothing: their vectors are zeros, their decays ones.
void ChunkedRecurrenceEmitter::storeRows(OpBuilder &b, Value step, Value length) {
  int64_t whole = plan.keys / registers.lanes * registers.lanes;
  forEach(b, length, 1, [&](OpBuilder &b1, Value place) {
    Value time = timeOf(b1, add(b1, step, place));
    forEach(b1, constant(b1, whole), registers.lanes,
            [&](OpBuilder &i, Value n) { storeRowsAt(i, place, time, n, Value()); });
    if (whole == plan.keys)
      return;
    auto type = VectorType::get({registers.lanes}, b1.getI1Type());
    Value mask = vector::CreateMaskOp::create(b1, loc, type, constant(b1, plan.keys - whole));
    storeRowsAt(b1, place, time, constant(b1, whole), mask);
  });
  forEach(b, length, constant(b, kChunk), 1, [&](OpBuilder &b1, Value place) {
    Value zero = zeros(b1), one = arith::ConstantOp::create(b1, loc, DenseElementsAttr::get(lane, 1.0f));
    forEach(b1, constant(b1, paddedKeys), registers.lanes, [&](OpBuilder &i, Value n) {
      for (unsigned row = 0; row < (hasLowRank() ? NumRows : A); ++row)
        storeScratch(i, row == Decay ? one : zero, raw, {constant(i, row), place, n});
    });
  });
}

void ChunkedRecurrenceEmitter::storeRowsAt(OpBuilder &b, Value place, Value time, Value n, Value mask) {
  IterationPoint point;
  point.dims = {batch, head, time, n, constant(b, 0)};
  point.vectorDim = RecurrenceOp::Key;
  point.lanes = registers.lanes;
  point.mask = mask;
  Numbers numbers = numbersAt(b, point, Value(), 0);
  Value one = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(lane, 1.0f));
  auto store = [&](Row row, ValueRange number) {
    Value value = number.empty() ? one : number[0];
    // Lanes beyond the last key count for nothing, whatever the region makes of them.
    if (mask && row != Decay)
      value = arith::SelectOp::create(b, loc, mask, value, zeros(b));
    storeScratch(b, value, raw, {constant(b, row), place, n});
  };
  store(Query, numbers.query);
  store(Key, numbers.key);
  store(Decay, numbers.decay);
  if (hasLowRank()) {
    store(A, numbers.lowRank[0]);
    store(B, numbers.lowRank[1]);
  }
}

Value ChunkedRecurrenceEmitter::loadRow(OpBuilder &b, Value rows, Row row, int64_t step, Value n) {
  return loadScratch(b, rows, {constant(b, row), constant(b, step), n});
}

void ChunkedRecurrenceEmitter::scaleRows(OpBuilder &b) {
  forEach(b, constant(b, paddedKeys), registers.lanes, [&](OpBuilder &i, Value n) {
    auto scale = [&](Row row, int64_t step, Value decay) {
      Value value = loadRow(i, raw, row, step, n);
      if (decay)
        value = arith::MulFOp::create(i, loc, value, decay);
      storeScratch(i, value, scaled, {constant(i, row), constant(i, step), n});
    };
    Value product; // of the decays of all steps before
    for (int64_t step = 0; step < kChunk; ++step) {
      if (hasLowRank())
        scale(A, step, product);
      Value decay = loadRow(i, raw, Decay, step, n);
      product = product ? Value(arith::MulFOp::create(i, loc, product, decay)) : decay;
      scale(Query, step, product);
    }
    storeScratch(i, product, scaled, {constant(i, Decay), constant(i, 0), n});
    product = Value(); // of the decays of all steps after
    for (int64_t step = kChunk - 1; step >= 0; --step) {
      scale(Key, step, product);
      if (hasLowRank())
        scale(B, step, product);
      Value decay = loadRow(i, raw, Decay, step, n);
      product = product ? Value(arith::MulFOp::create(i, loc, product, decay)) : decay;
    }
  });
}

/// The sums over n of step j's vectors with those of later steps, lane by lane, in the order of Pair and step.
RecurrenceEmitter::Values ChunkedRecurrenceEmitter::pairsOf(OpBuilder &b, int64_t j) {
  unsigned kinds = hasLowRank() ? NumPairs : QueryB;
  Values start;
  for (unsigned pair = 0; pair < kinds; ++pair)
    for (int64_t i = j; i < kChunk; ++i)
      if (isPair(Pair(pair), i, j))
        start.push_back(zeros(b));
  auto body = [&](OpBuilder &i, Location, Value n, ValueRange held) {
    Values next;
    for (unsigned pair = 0; pair < kinds; ++pair) {
      Value vector = loadRow(i, raw, pair == QueryKey || pair == AKey ? Key : B, j, n);
      for (int64_t later = j; later < kChunk; ++later) {
        // a meets S as the step before left it, q as its own step does.
        bool isA = pair == AKey || pair == AB;
        if (later > j && !isA)
          vector = arith::MulFOp::create(i, loc, vector, loadRow(i, raw, Decay, later, n));
        if (isPair(Pair(pair), later, j))
          next.push_back(fma(i, loadRow(i, raw, isA ? A : Query, later, n), vector, held[next.size()]));
        if (later > j && isA)
          vector = arith::MulFOp::create(i, loc, vector, loadRow(i, raw, Decay, later, n));
      }
    }
    scf::YieldOp::create(i, loc, next);
  };
  auto loop =
      scf::ForOp::create(b, loc, constant(b, 0), constant(b, paddedKeys), constant(b, registers.lanes), start, body);
  return Values(loop.getResults());
}

void ChunkedRecurrenceEmitter::storePairs(OpBuilder &b) {
  unsigned kinds = hasLowRank() ? NumPairs : QueryB;
  Values vectors(llvm::alignTo(kinds * kChunk * kChunk, registers.lanes));
  for (int64_t j = 0; j < kChunk; ++j) {
    Values products = pairsOf(b, j);
    ValueRange rest(products);
    for (unsigned pair = 0; pair < kinds; ++pair)
      for (int64_t i = j; i < kChunk; ++i)
        if (isPair(Pair(pair), i, j)) {
          vectors[placeOf(Pair(pair), i, j)] = rest.front();
          rest = rest.drop_front();
        }
  }
  for (Value &vector : vectors)
    if (!vector)
      vector = zeros(b);
  for (size_t first = 0; first < vectors.size(); first += registers.lanes)
    storeScratch(b, emitLaneSums(b, loc, ArrayRef<Value>(vectors).slice(first, registers.lanes)), pairs,
                 {constant(b, first)});
}

//===----------------------------------------------------------------------===//
// Vectors over e
//===----------------------------------------------------------------------===//

Value ChunkedRecurrenceEmitter::scalar(OpBuilder &b, Row row, int64_t step, Value n) {
  Value number = memref::LoadOp::create(b, loc, scaled, ValueRange{constant(b, row), constant(b, step), n});
  return widen(b, loc, number, registers.lanes);
}

Value ChunkedRecurrenceEmitter::fma(OpBuilder &b, Value x, Value y, Value z) {
  return emitMultiplyAdd(b, loc, registers, x, y, z);
}

void ChunkedRecurrenceEmitter::emitColumns(OpBuilder &b, const Columns &columns, Value step, Value length) {
  if (op.getReset())
    resetRows(b, timeOf(b, step), columns);
  Registers v = valuesOf(b, columns, step, length), recalled;
  Registers o = passState(b, columns, v, hasLowRank() ? &recalled : nullptr);
  if (hasLowRank()) {
    addPairs(b, recalled, AKey, v, /*itself=*/false);
    // In order: each is made of those before.
    addPairs(b, recalled, AB, recalled, /*itself=*/false);
    addPairs(b, o, QueryB, recalled, /*itself=*/true);
    updateState(b, columns, v, recalled);
  }
  addPairs(b, o, QueryKey, v, /*itself=*/true);
  for (int64_t i = 0; i < kChunk; ++i)
    for (int64_t u = 0; u < columns.vectors; ++u)
      storeSums(b, constant(b, i), u, o[i][u]);
  emitOutputs(b, columns, step, length);
}

ChunkedRecurrenceEmitter::Registers ChunkedRecurrenceEmitter::valuesOf(OpBuilder &b, const Columns &columns, Value step,
                                                                       Value length) {
  forEach(b, length, 1, [&](OpBuilder &i, Value place) {
    Value time = timeOf(i, add(i, step, place));
    for (int64_t u = 0; u < columns.vectors; ++u) {
      IterationPoint point = pointAt(i, time, constant(i, 0), columns, u);
      prefetch(i, point);
      storeScratch(i, numbersAt(i, point, Value(), u).value[0], values, {place, constant(i, u), constant(i, 0)});
    }
  });
  forEach(b, length, constant(b, kChunk), 1, [&](OpBuilder &i, Value place) {
    for (int64_t u = 0; u < columns.vectors; ++u)
      storeScratch(i, zeros(i), values, {place, constant(i, u), constant(i, 0)});
  });
  Registers loaded(kChunk);
  for (int64_t j = 0; j < kChunk; ++j)
    for (int64_t u = 0; u < columns.vectors; ++u)
      loaded[j].push_back(loadScratch(b, values, {constant(b, j), constant(b, u), constant(b, 0)}));
  return loaded;
}

ChunkedRecurrenceEmitter::Registers ChunkedRecurrenceEmitter::passState(OpBuilder &b, const Columns &columns,
                                                                        const Registers &v, Registers *recalled) {
  int64_t rows = recalled ? 2 * kChunk : kChunk;
  Values start(rows * columns.vectors, zeros(b));
  auto body = [&](OpBuilder &i, Location, Value n, ValueRange held) {
    Values next;
    for (int64_t row = 0; row < rows; ++row) {
      Value number = scalar(i, row < kChunk ? Query : A, row % kChunk, n);
      for (int64_t u = 0; u < columns.vectors; ++u)
        next.push_back(fma(i, number, loadState(i, n, columns, u)[0], held[next.size()]));
    }
    if (!recalled)
      updateRow(i, columns, n, v, {});
    scf::YieldOp::create(i, loc, next);
  };
  auto loop = scf::ForOp::create(b, loc, constant(b, 0), constant(b, plan.keys), constant(b, 1), start, body);
  auto take = [&](int64_t first) {
    Registers taken(kChunk);
    for (int64_t step = 0; step < kChunk; ++step)
      for (int64_t u = 0; u < columns.vectors; ++u)
        taken[step].push_back(loop.getResult((first + step) * columns.vectors + u));
    return taken;
  };
  if (recalled)
    *recalled = take(kChunk);
  return take(0);
}

void ChunkedRecurrenceEmitter::updateState(OpBuilder &b, const Columns &columns, const Registers &v,
                                           const Registers &recalled) {
  forEach(b, constant(b, plan.keys), 1, [&](OpBuilder &i, Value n) { updateRow(i, columns, n, v, recalled); });
}

void ChunkedRecurrenceEmitter::updateRow(OpBuilder &b, const Columns &columns, Value n, const Registers &v,
                                         const Registers &recalled) {
  for (int64_t u = 0; u < columns.vectors; ++u) {
    Value row = loadState(b, n, columns, u)[0];
    if (!op.getStepOp().getDecay().empty())
      row = arith::MulFOp::create(b, loc, row, scalar(b, Decay, 0, n));
    for (int64_t j = 0; j < kChunk; ++j) {
      row = fma(b, scalar(b, Key, j, n), v[j][u], row);
      if (!recalled.empty())
        row = fma(b, scalar(b, B, j, n), recalled[j][u], row);
    }
    storeState(b, n, columns, u, row);
  }
}

void ChunkedRecurrenceEmitter::addPairs(OpBuilder &b, Registers &into, Pair pair, const Registers &of, bool itself) {
  for (int64_t i = 0; i < kChunk; ++i)
    for (int64_t j = 0; j < (itself ? i + 1 : i); ++j) {
      Value number = memref::LoadOp::create(b, loc, pairs, ValueRange{constant(b, placeOf(pair, i, j))});
      Value factor = widen(b, loc, number, registers.lanes);
      for (size_t u = 0; u < into[i].size(); ++u)
        into[i][u] = fma(b, factor, of[j][u], into[i][u]);
    }
}

} // namespace weft
