// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops of a recurrence. Where S fits the registers, a block of time is
//   %S:n = scf.for %t iter_args(rows of S) { numbers of the step; S; o; outputs }
// and where it does not, rows of S take turns, with o and what all rows share in scratches of a block of time:
//   scf.for %t { shared numbers }; scf.for %row { scf.for %t iter_args(some rows of S) { S; o += } }; scf.for %t {
//   outputs }
#include "lowering/vectorize/RecurrenceEmitter.h"

#include "lowering/vectorize/RegisterTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

/// Sums of one vector that run beside each other: a multiply-add waits four cycles for the one before.
static constexpr int64_t kPartialSums = 4;

RecurrenceEmitter::RecurrenceEmitter(RecurrenceOp op, const RecurrencePlan &plan, const RegisterPlan &registers)
    : IndexLoops(op.getLoc()), op(op), plan(plan), registers(registers), dependence(op),
      lane(VectorType::get({registers.lanes}, Float32Type::get(op.getContext()))), parts(op.isComplex() ? 2 : 1) {}

void RecurrenceEmitter::emit(OpBuilder &b) {
  columnCount = extentOf(b, RecurrenceOp::Value);
  stepCount = extentOf(b, RecurrenceOp::Time);
  bool oneStep = op.getStaticExtents()[RecurrenceOp::Time] == 1;
  if (!oneStep || op.getStates().empty())
    state = allocate(b, {plan.heads * vectorsOfHead(), parts * plan.keys, registers.lanes});
  allocateScratch(b);
  forEach(b, extentOf(b, RecurrenceOp::Batch), 1, [&](OpBuilder &b1, Value batchIndex) {
    batch = batchIndex;
    emitHeads(b1);
  });
}

void RecurrenceEmitter::allocateScratch(OpBuilder &b) {
  if (plan.holdsWholeState())
    return;
  if (!op.getOutputs().empty())
    sums = allocate(b, {parts, plan.steps, plan.vectors, registers.lanes});
  for (Value value : dependence.shared) {
    bool isVector = dependence.onValue.contains(value);
    SmallVector<int64_t> shape = {plan.steps};
    if (isVector)
      shape.append({plan.vectors, registers.lanes});
    shared.push_back({value, allocate(b, shape), isVector});
  }
}

void RecurrenceEmitter::emitHeads(OpBuilder &b) {
  forEach(b, extentOf(b, RecurrenceOp::Head), 1, [&](OpBuilder &b1, Value headIndex) {
    head = headIndex;
    if (state)
      copyState(b1, /*toScratch=*/true);
    emitSteps(b1);
    if (state && !op.getStates().empty())
      copyState(b1, /*toScratch=*/false);
  });
}

void RecurrenceEmitter::emitSteps(OpBuilder &b) {
  forEach(b, stepCount, plan.steps, [&](OpBuilder &b1, Value first) {
    Value left = arith::SubIOp::create(b1, loc, stepCount, first);
    Value count = arith::MinSIOp::create(b1, loc, left, constant(b1, plan.steps));
    forEachColumns(b1, [&](OpBuilder &b2, const Columns &columns) { emitBlock(b2, columns, first, count); });
  });
}

void RecurrenceEmitter::forEachColumns(OpBuilder &b, function_ref<void(OpBuilder &, const Columns &)> body) {
  int64_t width = plan.vectors * registers.lanes;
  int64_t known = op.getStaticExtents()[RecurrenceOp::Value];
  Value whole = columnCount;
  if (ShapedType::isDynamic(known) || known % width != 0) {
    Value rest = arith::RemUIOp::create(b, loc, columnCount, constant(b, width));
    whole = arith::SubIOp::create(b, loc, columnCount, rest);
  }
  forEach(b, whole, width, [&](OpBuilder &b1, Value e) { body(b1, {e, plan.vectors, Value()}); });
  if (whole == columnCount)
    return;
  forEach(b, whole, columnCount, registers.lanes, [&](OpBuilder &b1, Value e) {
    Value left = arith::SubIOp::create(b1, loc, columnCount, e);
    auto type = VectorType::get({registers.lanes}, b1.getI1Type());
    body(b1, {e, 1, vector::CreateMaskOp::create(b1, loc, type, left)});
  });
}

Value RecurrenceEmitter::timeOf(OpBuilder &b, Value step) {
  if (!op.getReverse())
    return step;
  Value last = arith::SubIOp::create(b, loc, stepCount, constant(b, 1));
  return arith::SubIOp::create(b, loc, last, step);
}

void RecurrenceEmitter::emitBlock(OpBuilder &b, const Columns &columns, Value first, Value count) {
  if (plan.holdsWholeState())
    emitWholeState(b, columns, first, count);
  else if (op.getStepOp().getLowRank().empty())
    emitInBlocksOfRows(b, columns, first, count);
  else
    emitLowRank(b, columns, first, count);
}

//===----------------------------------------------------------------------===//
// All of S in registers
//===----------------------------------------------------------------------===//

void RecurrenceEmitter::emitWholeState(OpBuilder &b, const Columns &columns, Value first, Value count) {
  Values states;
  for (int64_t v = 0; v < columns.vectors; ++v)
    for (int64_t n = 0; n < plan.keys; ++n)
      llvm::append_range(states, loadState(b, constant(b, n), columns, v));
  auto loop = scf::ForOp::create(
      b, loc, constant(b, 0), count, constant(b, 1), states, [&](OpBuilder &i, Location, Value place, ValueRange held) {
        Value time = timeOf(i, add(i, first, place));
        Values before = afterReset(i, time, held), after;
        ValueRange rest(before);
        for (int64_t v = 0; v < columns.vectors; ++v) {
          prefetchNextBlock(i, first, place, columns, v);
          llvm::append_range(after, stepOfVector(i, time, columns, v, rest.take_front(parts * plan.keys)));
          rest = rest.drop_front(parts * plan.keys);
        }
        scf::YieldOp::create(i, loc, after);
      });
  ValueRange results = loop.getResults();
  for (int64_t v = 0; v < columns.vectors; ++v)
    for (int64_t n = 0; n < plan.keys; ++n) {
      storeState(b, constant(b, n), columns, v, results.take_front(parts));
      results = results.drop_front(parts);
    }
}

RecurrenceEmitter::Values RecurrenceEmitter::stepOfVector(OpBuilder &b, Value time, const Columns &columns, int64_t v,
                                                          ValueRange before) {
  Value lowRank;
  if (!op.getStepOp().getLowRank().empty())
    for (int64_t n = 0; n < plan.keys; ++n) {
      Numbers numbers = numbersAt(b, pointAt(b, time, constant(b, n), columns, v), Value(), v);
      Values sum = multiplyAdd(b, numbers.lowRank[0], before[n], lowRank ? ValueRange(lowRank) : ValueRange());
      lowRank = sum[0];
    }
  Values after;
  SmallVector<Values> partial(std::min(kPartialSums, plan.keys));
  for (int64_t n = 0; n < plan.keys; ++n) {
    Numbers numbers = numbersAt(b, pointAt(b, time, constant(b, n), columns, v), Value(), v);
    Values next = nextState(b, numbers, before.slice(n * parts, parts), lowRank);
    Values &sum = partial[n % partial.size()];
    sum = multiplyAdd(b, numbers.query, next, sum);
    llvm::append_range(after, next);
  }
  for (size_t i = 1; i < partial.size(); ++i)
    partial[0] = multiplyAdd(b, {}, partial[i], partial[0]);
  storeOutputs(b, pointAt(b, time, constant(b, 0), columns, v), partial[0]);
  return after;
}

//===----------------------------------------------------------------------===//
// Rows of S take turns
//===----------------------------------------------------------------------===//

void RecurrenceEmitter::emitInBlocksOfRows(OpBuilder &b, const Columns &columns, Value first, Value count) {
  emitShared(b, columns, first, count);
  int64_t whole = plan.keys / plan.rows * plan.rows;
  forEach(b, constant(b, whole), plan.rows,
          [&](OpBuilder &b1, Value row) { emitRows(b1, columns, first, count, row, plan.rows); });
  if (whole < plan.keys)
    emitRows(b, columns, first, count, constant(b, whole), plan.keys - whole);
  if (!op.getOutputs().empty())
    emitOutputs(b, columns, first, count);
}

void RecurrenceEmitter::emitRows(OpBuilder &b, const Columns &columns, Value first, Value count, Value row,
                                 int64_t rows) {
  Values states;
  for (int64_t v = 0; v < columns.vectors; ++v)
    for (int64_t r = 0; r < rows; ++r)
      llvm::append_range(states, loadState(b, add(b, row, r), columns, v));
  auto body = [&](OpBuilder &i, Location, Value place, ValueRange held) {
    Value time = timeOf(i, add(i, first, place));
    Values before = afterReset(i, time, held), after;
    for (int64_t v = 0; v < columns.vectors; ++v) {
      Values sum = loadSums(i, place, v);
      for (int64_t r = 0; r < rows; ++r) {
        Numbers numbers = numbersAt(i, pointAt(i, time, add(i, row, r), columns, v), place, v);
        Values next = nextState(i, numbers, ValueRange(before).slice((v * rows + r) * parts, parts), Value());
        sum = multiplyAdd(i, numbers.query, next, sum);
        llvm::append_range(after, next);
      }
      storeSums(i, place, v, sum);
    }
    scf::YieldOp::create(i, loc, after);
  };
  auto loop = scf::ForOp::create(b, loc, constant(b, 0), count, constant(b, 1), states, body);
  ValueRange results = loop.getResults();
  for (int64_t v = 0; v < columns.vectors; ++v)
    for (int64_t r = 0; r < rows; ++r) {
      storeState(b, add(b, row, r), columns, v, results.take_front(parts));
      results = results.drop_front(parts);
    }
}

/// Each step needs a sum over all rows of S before it changes one: two passes over S, which stays in a cache.
void RecurrenceEmitter::emitLowRank(OpBuilder &b, const Columns &columns, Value first, Value count) {
  emitShared(b, columns, first, count);
  forEach(b, count, 1, [&](OpBuilder &b1, Value place) {
    Value time = timeOf(b1, add(b1, first, place));
    resetRows(b1, time, columns);
    Values zero(columns.vectors, zeros(b1));
    auto recall = forRows(b1, zero, [&](OpBuilder &i, Value row, ValueRange held) {
      Values next;
      for (int64_t v = 0; v < columns.vectors; ++v) {
        Numbers numbers = numbersAt(i, pointAt(i, time, row, columns, v), place, v);
        next.push_back(multiplyAdd(i, numbers.lowRank[0], loadState(i, row, columns, v), held[v])[0]);
      }
      return next;
    });
    auto result = forRows(b1, zero, [&](OpBuilder &i, Value row, ValueRange held) {
      Values next;
      for (int64_t v = 0; v < columns.vectors; ++v) {
        Numbers numbers = numbersAt(i, pointAt(i, time, row, columns, v), place, v);
        Values after = nextState(i, numbers, loadState(i, row, columns, v), recall[v]);
        storeState(i, row, columns, v, after);
        next.push_back(multiplyAdd(i, numbers.query, after, held[v])[0]);
      }
      return next;
    });
    for (int64_t v = 0; v < columns.vectors; ++v)
      storeOutputs(b1, pointAt(b1, time, constant(b1, 0), columns, v), result[v]);
  });
}

RecurrenceEmitter::Values RecurrenceEmitter::forRows(OpBuilder &b, ValueRange start, RowBody body) {
  int64_t whole = plan.keys / plan.rows * plan.rows;
  auto loop = scf::ForOp::create(b, loc, constant(b, 0), constant(b, whole), constant(b, plan.rows), start,
                                 [&](OpBuilder &i, Location, Value row, ValueRange held) {
                                   Values values(held);
                                   for (int64_t r = 0; r < plan.rows; ++r)
                                     values = body(i, add(i, row, r), values);
                                   scf::YieldOp::create(i, loc, values);
                                 });
  Values values(loop.getResults());
  for (int64_t row = whole; row < plan.keys; ++row)
    values = body(b, constant(b, row), values);
  return values;
}

void RecurrenceEmitter::resetRows(OpBuilder &b, Value time, const Columns &columns) {
  if (!op.getReset())
    return;
  scf::IfOp::create(b, loc, isReset(b, time), [&](OpBuilder &i, Location) {
    forEach(i, constant(i, plan.keys), 1, [&](OpBuilder &r, Value row) {
      for (int64_t v = 0; v < columns.vectors; ++v)
        storeState(r, row, columns, v, Values(parts, zeros(r)));
    });
    scf::YieldOp::create(i, loc);
  });
}

void RecurrenceEmitter::emitOutputs(OpBuilder &b, const Columns &columns, Value first, Value count) {
  forEach(b, count, 1, [&](OpBuilder &i, Value place) {
    Value time = timeOf(i, add(i, first, place));
    for (int64_t v = 0; v < columns.vectors; ++v)
      storeOutputs(i, pointAt(i, time, constant(i, 0), columns, v), loadSums(i, place, v));
  });
}

// --- sizes ----------------------------------------------------------------------------------------------------------

Value RecurrenceEmitter::extentOf(OpBuilder &b, unsigned dim) {
  AffineExpr expr = b.getAffineDimExpr(dim);
  for (unsigned operand : llvm::seq(op->getNumOperands()))
    if (std::optional<unsigned> place = op.getIndexingMap(operand).getResultPosition(expr))
      return getValueOrCreateConstantIndexOp(b, loc, memref::getMixedSize(b, loc, op->getOperand(operand), *place));
  return constant(b, 1);
}

} // namespace weft
