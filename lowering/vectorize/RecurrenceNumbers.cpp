// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a step of a recurrence computes with: the regions on vectors of the value dimension, numbers of one or two
// parts, and rows of S in the scratch or in the state operands.
#include "lowering/vectorize/RecurrenceEmitter.h"

#include "lowering/vectorize/RegisterTile.h"
#include "lowering/vectorize/StoredNumbers.h"
#include "lowering/vectorize/VectorBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

/// How far ahead of a step its inputs are asked for: a row of another page costs some hundred cycles.
static constexpr int64_t kPrefetchSteps = 8;

IterationPoint RecurrenceEmitter::pointAt(OpBuilder &b, Value time, Value row, const Columns &columns, int64_t v) {
  IterationPoint point;
  point.dims = {batch, head, time, row, add(b, columns.e, v * registers.lanes)};
  point.vectorDim = RecurrenceOp::Value;
  point.lanes = registers.lanes;
  point.mask = columns.mask;
  return point;
}

//===----------------------------------------------------------------------===//
// Numbers of a step
//===----------------------------------------------------------------------===//

IRMapping RecurrenceEmitter::elementsAt(OpBuilder &b, const IterationPoint &point) {
  IRMapping elements;
  for (auto [index, argument] : llvm::enumerate(op.getStep().getArguments()))
    elements.map(argument, emitLoad(b, loc, op.getInputs()[index], op.getIndexingMap(index), point));
  return elements;
}

RecurrenceEmitter::Numbers RecurrenceEmitter::numbersAt(OpBuilder &b, const IterationPoint &point, Value place,
                                                        int64_t v) {
  IRMapping mapping = elementsAt(b, point);
  if (place)
    for (const Shared &stored : shared) {
      Values index = {place};
      if (stored.isVector)
        index.append({constant(b, v), constant(b, 0)});
      mapping.map(stored.value, stored.isVector ? loadScratch(b, stored.scratch, index)
                                                : memref::LoadOp::create(b, loc, stored.scratch, index));
    }
  Values all = emitVectorBody(b, op.getStep().front(), mapping, registers.lanes);
  ValueRange rest(all);
  auto take = [&](size_t count) {
    Values taken;
    for (Value value : rest.take_front(count))
      taken.push_back(widen(b, loc, value, registers.lanes));
    rest = rest.drop_front(count);
    return taken;
  };
  StepOp step = op.getStepOp();
  Numbers numbers;
  numbers.query = take(step.getQuery().size());
  numbers.key = take(step.getKey().size());
  numbers.value = take(step.getValue().size());
  numbers.decay = take(step.getDecay().size());
  numbers.lowRank = take(step.getLowRank().size());
  return numbers;
}

void RecurrenceEmitter::emitShared(OpBuilder &b, const Columns &columns, Value first, Value count) {
  forEach(b, count, 1, [&](OpBuilder &i, Value place) {
    Value time = timeOf(i, add(i, first, place));
    for (int64_t v = 0; v < columns.vectors; ++v) {
      IterationPoint point = pointAt(i, time, constant(i, 0), columns, v);
      prefetchNextBlock(i, first, place, columns, v);
      IRMapping mapping = elementsAt(i, point);
      emitVectorBody(i, op.getStep().front(), mapping, registers.lanes);
      for (const Shared &stored : shared) {
        Value value = mapping.lookup(stored.value);
        if (stored.isVector)
          storeScratch(i, value, stored.scratch, {place, constant(i, v), constant(i, 0)});
        else if (v == 0)
          memref::StoreOp::create(i, loc, value, stored.scratch, ValueRange{place});
      }
      storeSums(i, place, v, Values(parts, zeros(i)));
    }
  });
}

RecurrenceEmitter::Values RecurrenceEmitter::multiplyAdd(OpBuilder &b, ValueRange x, ValueRange y, ValueRange z) {
  if (x.empty() && z.empty())
    return Values(y);
  Values sum(z);
  auto addProduct = [&](unsigned part, Value l, Value r, bool negate) {
    if (sum.size() <= part)
      sum.resize(part + 1);
    if (negate)
      l = arith::NegFOp::create(b, loc, l);
    if (!sum[part])
      sum[part] = arith::MulFOp::create(b, loc, l, r);
    else
      sum[part] = emitMultiplyAdd(b, loc, registers, l, r, sum[part]);
  };
  for (auto [j, r] : llvm::enumerate(y)) {
    if (x.empty()) {
      sum.resize(std::max(sum.size(), j + 1));
      sum[j] = sum[j] ? Value(arith::AddFOp::create(b, loc, sum[j], r)) : r;
      continue;
    }
    for (auto [i, l] : llvm::enumerate(x))
      addProduct((i + j) % 2, l, r, /*negate=*/i + j == 2);
  }
  return sum;
}

RecurrenceEmitter::Values RecurrenceEmitter::nextState(OpBuilder &b, const Numbers &numbers, ValueRange before,
                                                       Value lowRank) {
  Values next = multiplyAdd(b, numbers.decay, before, {});
  if (lowRank)
    next = multiplyAdd(b, numbers.lowRank[1], lowRank, next);
  return multiplyAdd(b, numbers.key, numbers.value, next);
}

Value RecurrenceEmitter::isReset(OpBuilder &b, Value time) {
  IterationPoint point{{batch, head, time, constant(b, 0), constant(b, 0)}, -1, 1, Value()};
  Value mark = emitLoad(b, loc, op.getReset(), op.getIndexingMap(op.getResetNumber()), point);
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(mark.getType()));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, mark, zero);
}

/// A selection, not a product with 0, which would keep a NaN.
RecurrenceEmitter::Values RecurrenceEmitter::afterReset(OpBuilder &b, Value time, ValueRange states) {
  if (!op.getReset())
    return Values(states);
  Value reset = isReset(b, time), zero = zeros(b);
  return llvm::map_to_vector(states,
                             [&](Value held) -> Value { return arith::SelectOp::create(b, loc, reset, zero, held); });
}

void RecurrenceEmitter::storeOutputs(OpBuilder &b, const IterationPoint &point, ValueRange o) {
  if (op.getOutputs().empty())
    return;
  Values results(o.take_front(1));
  if (op.getOutput().empty()) {
    results[0] = emitFromF32(b, loc, registers, o[0], getElementTypeOrSelf(op.getOutputs()[0].getType()));
  } else {
    Block &body = op.getOutput().front();
    IRMapping mapping;
    mapping.map(body.getArguments().take_front(parts), o);
    for (auto [index, argument] : llvm::enumerate(body.getArguments().drop_front(parts)))
      if (!argument.use_empty())
        mapping.map(argument, emitLoad(b, loc, op.getInputs()[index], op.getIndexingMap(index), point));
    results = emitVectorBody(b, body, mapping, registers.lanes);
  }
  for (auto [index, output] : llvm::enumerate(op.getOutputs()))
    storeAt(b, results[index], output, op.getIndexingMap(op.getFirstOutput() + index), point);
}

void RecurrenceEmitter::prefetch(OpBuilder &b, const IterationPoint &point) {
  IterationPoint ahead = point;
  ahead.dims[RecurrenceOp::Time] =
      add(b, point.dims[RecurrenceOp::Time], op.getReverse() ? -kPrefetchSteps : kPrefetchSteps);
  prefetchAt(b, ahead, op.getFirstState());
}

void RecurrenceEmitter::prefetchNextBlock(OpBuilder &b, Value first, Value place, const Columns &columns, int64_t v) {
  // This block's vectors and steps are as many as the next one's rows and lines.
  Value vector = add(b, arith::DivUIOp::create(b, loc, columns.e, constant(b, registers.lanes)), v);
  Value passed = arith::AddIOp::create(b, loc, arith::MulIOp::create(b, loc, vector, constant(b, plan.steps)), place);
  Value inRow = constant(b, vectorsOfHead());
  Value row = arith::DivUIOp::create(b, loc, passed, inRow), line = arith::RemUIOp::create(b, loc, passed, inRow);
  Value time = timeOf(b, add(b, arith::AddIOp::create(b, loc, first, row), plan.steps));
  IterationPoint ahead = pointAt(b, time, constant(b, 0), columns, v);
  ahead.dims[RecurrenceOp::Value] = arith::MulIOp::create(b, loc, line, constant(b, registers.lanes));
  prefetchAt(b, ahead, op.getFirstState());
}

/// Those of the first operands whose rows lie along the point's vectors.
void RecurrenceEmitter::prefetchAt(OpBuilder &b, const IterationPoint &ahead, unsigned operands) {
  for (unsigned operand : llvm::seq(operands)) {
    AffineMap map = op.getIndexingMap(operand);
    if (map.isFunctionOfDim(RecurrenceOp::Time) && map.isFunctionOfDim(ahead.vectorDim))
      emitPrefetch(b, loc, op->getOperand(operand), map, ahead);
  }
}

//===----------------------------------------------------------------------===//
// Rows of S, and o
//===----------------------------------------------------------------------===//

RecurrenceEmitter::Values RecurrenceEmitter::scratchIndex(OpBuilder &b, Value row, const Columns &columns, int64_t v,
                                                          int64_t part) {
  Value vector = arith::DivUIOp::create(b, loc, columns.e, constant(b, registers.lanes));
  if (stateHead)
    vector = add(b, vector, arith::MulIOp::create(b, loc, stateHead, constant(b, vectorsOfHead())));
  return {add(b, vector, v), add(b, row, part * plan.keys), constant(b, 0)};
}

RecurrenceEmitter::Values RecurrenceEmitter::loadState(OpBuilder &b, Value row, const Columns &columns, int64_t v) {
  Values loaded;
  for (int64_t part = 0; part < parts; ++part)
    loaded.push_back(state ? loadScratch(b, state, scratchIndex(b, row, columns, v, part))
                           : emitLoad(b, loc, op.getStates()[part], op.getIndexingMap(op.getFirstState() + part),
                                      pointAt(b, constant(b, 0), row, columns, v)));
  // An operand that is not indexed by e has one column.
  for (Value &value : loaded)
    value = widen(b, loc, value, registers.lanes);
  return loaded;
}

void RecurrenceEmitter::storeState(OpBuilder &b, Value row, const Columns &columns, int64_t v, ValueRange values) {
  for (auto [part, value] : llvm::enumerate(values))
    if (state)
      storeScratch(b, value, state, scratchIndex(b, row, columns, v, part));
    else
      storeAt(b, value, op.getStates()[part], op.getIndexingMap(op.getFirstState() + part),
              pointAt(b, constant(b, 0), row, columns, v));
}

/// A vector into an operand that may have one column only.
void RecurrenceEmitter::storeAt(OpBuilder &b, Value value, Value operand, AffineMap map, const IterationPoint &point) {
  if (classifyAccess(operand, map, point.vectorDim) == AccessKind::Uniform && isa<VectorType>(value.getType()))
    value = vector::ExtractOp::create(b, loc, value, ArrayRef<int64_t>{0});
  emitStore(b, loc, value, operand, map, point);
}

void RecurrenceEmitter::copyState(OpBuilder &b, bool toScratch) {
  Value scratch = state;
  forEachColumns(b, [&](OpBuilder &b1, const Columns &columns) {
    forEach(b1, constant(b1, plan.keys), 1, [&](OpBuilder &b2, Value row) {
      for (int64_t v = 0; v < columns.vectors; ++v) {
        bool isEmpty = toScratch && op.getStates().empty();
        state = toScratch ? Value() : scratch;
        Values rows = isEmpty ? Values(parts, zeros(b2)) : loadState(b2, row, columns, v);
        state = toScratch ? scratch : Value();
        storeState(b2, row, columns, v, rows);
      }
    });
  });
  state = scratch;
}

RecurrenceEmitter::Values RecurrenceEmitter::loadSums(OpBuilder &b, Value place, int64_t v) {
  Values loaded;
  if (!sums)
    return loaded;
  for (int64_t part = 0; part < parts; ++part)
    loaded.push_back(loadScratch(b, sums, {constant(b, part), place, constant(b, v), constant(b, 0)}));
  return loaded;
}

void RecurrenceEmitter::storeSums(OpBuilder &b, Value place, int64_t v, ValueRange values) {
  if (!sums)
    return;
  for (auto [part, value] : llvm::enumerate(values))
    storeScratch(b, value, sums, {constant(b, part), place, constant(b, v), constant(b, 0)});
}

Value RecurrenceEmitter::allocate(OpBuilder &b, ArrayRef<int64_t> shape) {
  return memref::AllocaOp::create(b, loc, MemRefType::get(shape, b.getF32Type()), b.getI64IntegerAttr(64));
}

Value RecurrenceEmitter::zeros(OpBuilder &b) { return arith::ConstantOp::create(b, loc, b.getZeroAttr(lane)); }

Value RecurrenceEmitter::loadScratch(OpBuilder &b, Value scratch, ArrayRef<Value> index) {
  return vector::LoadOp::create(b, loc, lane, scratch, index);
}

void RecurrenceEmitter::storeScratch(OpBuilder &b, Value value, Value scratch, ArrayRef<Value> index) {
  vector::StoreOp::create(b, loc, value, scratch, index);
}

} // namespace weft
