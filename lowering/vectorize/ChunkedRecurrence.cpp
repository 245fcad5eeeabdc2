// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// With S₀ before a chunk of c steps, G_ij the product of the decays of steps j+1 … i, and G_i = G_{i,−1}:
//   p_i = Σ_n a_i G_{i−1} S₀ + Σ_{j<i} (Σ_n a_i G_{i−1,j} b_j) p_j + (Σ_n a_i G_{i−1,j} k_j) v_j
//   o_i = Σ_n q_i G_i S₀     + Σ_{j≤i} (Σ_n q_i G_ij b_j) p_j     + (Σ_n q_i G_ij k_j) v_j
//   S_c = G_{c−1} S₀         + Σ_j b_j G_{c−1,j} p_j              + k_j G_{c−1,j} v_j
// (the WY form of the delta rule, Bischof and Van Loan 1987, without its inverse; p only where there is a term of low
// rank.) S is read and written once for c steps. All decays are products: nothing is divided, and no exponential grows.
// Steps before a reset or the end that are fewer than c go one by one, so that a sequence's chunks are the same
// wherever it starts.
#include "lowering/vectorize/ChunkedRecurrence.h"

#include "lowering/vectorize/RegisterTile.h"
#include "lowering/vectorize/VectorBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;

namespace weft {

ChunkedRecurrenceEmitter::ChunkedRecurrenceEmitter(RecurrenceOp op, const RecurrencePlan &plan,
                                                   const RegisterPlan &registers)
    : RecurrenceEmitter(op, plan, registers) {
  StepOp step = op.getStepOp();
  hasLowRank = !step.getLowRank().empty();
  hasDecay = !step.getDecay().empty();
  hasOutputs = !op.getOutputs().empty();
  uniform = !hasDecay || !dependence.onKey.contains(step.getDecay()[0]);
  paddedKeys = llvm::alignTo(plan.keys, registers.lanes);
  for (int64_t j = 0; j < kChunk; ++j)
    llvm::append_range(pairs, pairsOf(j));
}

SmallVector<ChunkedRecurrenceEmitter::Pair> ChunkedRecurrenceEmitter::pairsOf(int64_t j) const {
  SmallVector<Pair> found;
  for (PairKind kind : {QueryKey, QueryB, AKey, AB}) {
    bool ofQuery = kind == QueryKey || kind == QueryB, ofLowRank = kind != QueryKey;
    if ((ofQuery && !hasOutputs) || (ofLowRank && !hasLowRank))
      continue;
    // a meets S as the step before left it, the query as its own step does.
    for (int64_t i = ofQuery ? j : j + 1; i < kChunk; ++i)
      found.push_back({kind, i, j});
  }
  return found;
}

void ChunkedRecurrenceEmitter::allocateScratch(OpBuilder &b) {
  RecurrenceEmitter::allocateScratch(b);
  int64_t count = llvm::alignTo(std::max<size_t>(1, pairs.size()), registers.lanes);
  raw = allocate(b, {NumRows, kChunk, paddedKeys});
  scaled = uniform ? raw : allocate(b, {NumRows, kChunk, paddedKeys});
  sumsOfPairs = allocate(b, {count});
  for (Value value : dependence.scalars)
    scalars.push_back({value, allocate(b, {plan.heads * kChunk}), /*isVector=*/false});
  decayedPairs = sumsOfPairs;
  if (uniform && hasDecay) {
    decays = allocate(b, {count});
    decayedPairs = allocate(b, {count});
    // Whole vectors are multiplied: what is beyond the last pair counts for nothing, and is a number.
    if (pairs.size() % registers.lanes != 0)
      storeScratch(b, zeros(b), decays, {constant(b, count - registers.lanes)});
  }
}

void ChunkedRecurrenceEmitter::forEachHead(OpBuilder &b, function_ref<void(OpBuilder &)> body) {
  if (plan.heads == 1)
    return body(b);
  forEach(b, constant(b, plan.heads), 1, [&](OpBuilder &i, Value index) {
    head = stateHead = index;
    body(i);
  });
  head = constant(b, 0); // any of them
  stateHead = Value();
}

Value ChunkedRecurrenceEmitter::scalarPlace(OpBuilder &b, int64_t step) {
  if (!stateHead)
    return constant(b, step);
  return add(b, arith::MulIOp::create(b, loc, stateHead, constant(b, kChunk)), step);
}

void ChunkedRecurrenceEmitter::emitHeads(OpBuilder &b) {
  if (plan.heads == 1)
    return RecurrenceEmitter::emitHeads(b);
  forEachHead(b, [&](OpBuilder &i) { copyState(i, /*toScratch=*/true); });
  emitSteps(b);
  if (!op.getStates().empty())
    forEachHead(b, [&](OpBuilder &i) { copyState(i, /*toScratch=*/false); });
}

void ChunkedRecurrenceEmitter::emitSteps(OpBuilder &b) {
  auto isLeft = [&](OpBuilder &before, Location, ValueRange step) {
    Value left = arith::CmpIOp::create(before, loc, arith::CmpIPredicate::slt, step[0], stepCount);
    scf::ConditionOp::create(before, loc, left, step);
  };
  auto advance = [&](OpBuilder &body, Location, ValueRange step) {
    auto next = scf::IfOp::create(
        body, loc, isWhole(body, step[0]),
        [&](OpBuilder &i, Location) {
          emitChunk(i, step[0]);
          scf::YieldOp::create(i, loc, add(i, step[0], kChunk));
        },
        [&](OpBuilder &i, Location) {
          forEachHead(i, [&](OpBuilder &h) {
            forEachColumns(
                h, [&](OpBuilder &c, const Columns &columns) { emitBlock(c, columns, step[0], constant(c, 1)); });
          });
          scf::YieldOp::create(i, loc, add(i, step[0], 1));
        });
    scf::YieldOp::create(body, loc, next.getResult(0));
  };
  scf::WhileOp::create(b, loc, b.getIndexType(), constant(b, 0), isLeft, advance);
}

Value ChunkedRecurrenceEmitter::isWhole(OpBuilder &b, Value step) {
  Value end = add(b, step, kChunk);
  Value whole = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, end, stepCount);
  if (!op.getReset())
    return whole;
  auto noReset = scf::IfOp::create(
      b, loc, whole,
      [&](OpBuilder &i, Location) {
        Value any = isReset(i, timeOf(i, add(i, step, 1)));
        for (int64_t next = 2; next < kChunk; ++next)
          any = arith::OrIOp::create(i, loc, any, isReset(i, timeOf(i, add(i, step, next))));
        Value yes = arith::ConstantIntOp::create(i, loc, 1, 1);
        scf::YieldOp::create(i, loc, arith::XOrIOp::create(i, loc, any, yes).getResult());
      },
      [&](OpBuilder &i, Location) { scf::YieldOp::create(i, loc, whole); });
  return noReset.getResult(0);
}

void ChunkedRecurrenceEmitter::emitChunk(OpBuilder &b, Value step) {
  // Steps that go one by one have scratches of their own.
  llvm::SaveAndRestore inChunk(shared, scalars);
  chunkStart = step;
  // For all heads at once: each is a long chain of operations, that others wait for.
  forEachHead(b, [&](OpBuilder &h) { storeScalars(h, step); });
  storeRows(b, step);
  if (!uniform)
    scaleRows(b);
  storePairs(b);
  forEachHead(b, [&](OpBuilder &h) {
    if (uniform && hasDecay) {
      multiplyDecays(h);
      scalePairs(h);
    }
    forEachColumns(h, [&](OpBuilder &i, const Columns &columns) { emitColumns(i, columns, step); });
  });
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

/// x · y, where a null x is 1.
Value ChunkedRecurrenceEmitter::multiply(OpBuilder &b, Value x, Value y) {
  return x ? Value(arith::MulFOp::create(b, loc, x, y)) : y;
}

ChunkedRecurrenceEmitter::Registers ChunkedRecurrenceEmitter::scale(OpBuilder &b, const Registers &of,
                                                                    ArrayRef<Value> factors) {
  if (!uniform || !hasDecay)
    return of;
  Registers products = of;
  for (auto [vectors, factor] : llvm::zip_equal(products, factors))
    for (Value &vector : vectors)
      vector = multiply(b, factor ? widen(b, loc, factor, registers.lanes) : Value(), vector);
  return products;
}

void ChunkedRecurrenceEmitter::emitColumns(OpBuilder &b, const Columns &columns, Value step) {
  resetRows(b, timeOf(b, step), columns);
  Registers v = valuesOf(b, columns, step), recalled;
  Registers o = passState(b, columns, scale(b, v, toEnd), hasLowRank ? &recalled : nullptr);
  o = scale(b, o, fromBegin);
  if (hasLowRank) {
    recalled = scale(b, recalled, beforeStep);
    addPairs(b, recalled, AKey, v);
    // In order: each is made of those before.
    addPairs(b, recalled, AB, recalled);
    addPairs(b, o, QueryB, recalled);
    updateState(b, columns, scale(b, v, toEnd), scale(b, recalled, toEnd));
  }
  if (!hasOutputs)
    return;
  addPairs(b, o, QueryKey, v);
  for (int64_t i = 0; i < kChunk; ++i) {
    Value time = timeOf(b, add(b, step, i));
    for (int64_t u = 0; u < columns.vectors; ++u)
      storeOutputs(b, pointAt(b, time, constant(b, 0), columns, u), o[i][u]);
  }
}

ChunkedRecurrenceEmitter::Registers ChunkedRecurrenceEmitter::valuesOf(OpBuilder &b, const Columns &columns,
                                                                       Value step) {
  Registers v(kChunk);
  for (int64_t j = 0; j < kChunk; ++j) {
    Value time = timeOf(b, add(b, step, j));
    for (int64_t u = 0; u < columns.vectors; ++u) {
      IterationPoint point = pointAt(b, time, constant(b, 0), columns, u);
      prefetch(b, point);
      v[j].push_back(numbersAt(b, point, scalarPlace(b, j), u).value[0]);
    }
  }
  return v;
}

ChunkedRecurrenceEmitter::Registers ChunkedRecurrenceEmitter::passState(OpBuilder &b, const Columns &columns,
                                                                        const Registers &v, Registers *recalled) {
  int64_t firstRow = hasOutputs ? 0 : kChunk, rows = recalled ? 2 * kChunk : kChunk;
  Values start((rows - firstRow) * columns.vectors, zeros(b));
  auto body = [&](OpBuilder &i, Location, Value n, ValueRange held) {
    Values next;
    for (int64_t row = firstRow; row < rows; ++row) {
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
        taken[step].push_back(loop.getResult((first - firstRow + step) * columns.vectors + u));
    return taken;
  };
  if (recalled)
    *recalled = take(kChunk);
  return hasOutputs ? take(0) : Registers(kChunk);
}

void ChunkedRecurrenceEmitter::updateState(OpBuilder &b, const Columns &columns, const Registers &v,
                                           const Registers &recalled) {
  forEach(b, constant(b, plan.keys), 1, [&](OpBuilder &i, Value n) { updateRow(i, columns, n, v, recalled); });
}

void ChunkedRecurrenceEmitter::updateRow(OpBuilder &b, const Columns &columns, Value n, const Registers &v,
                                         const Registers &recalled) {
  for (int64_t u = 0; u < columns.vectors; ++u) {
    Value row = loadState(b, n, columns, u)[0];
    if (hasDecay)
      row = multiply(b, uniform ? widen(b, loc, fromBegin.back(), registers.lanes) : scalar(b, Decay, 0, n), row);
    for (int64_t j = 0; j < kChunk; ++j) {
      row = fma(b, scalar(b, Key, j, n), v[j][u], row);
      if (!recalled.empty())
        row = fma(b, scalar(b, B, j, n), recalled[j][u], row);
    }
    storeState(b, n, columns, u, row);
  }
}

void ChunkedRecurrenceEmitter::addPairs(OpBuilder &b, Registers &into, PairKind kind, const Registers &of) {
  // By the later step: what is added to may be what is read.
  for (int64_t i = 0; i < kChunk; ++i)
    for (auto [place, pair] : llvm::enumerate(pairs)) {
      if (pair.kind != kind || pair.i != i)
        continue;
      Value number = memref::LoadOp::create(b, loc, decayedPairs, ValueRange{constant(b, place)});
      Value factor = widen(b, loc, number, registers.lanes);
      for (size_t u = 0; u < into[i].size(); ++u)
        into[i][u] = fma(b, factor, of[pair.j][u], into[i][u]);
    }
}

} // namespace weft
