// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The body of a walk: load a step, combine, store, one step after the other.
#include "lowering/vectorize/ScanWalk.h"

#include "lowering/vectorize/StoredNumbers.h"
#include "lowering/vectorize/VectorBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

/// How far ahead of a step what it loads is asked for.
static constexpr int64_t kStepsAhead = 16;

int64_t scanLaneDim(ScanOp op) {
  auto fits = [&](Value memref, AffineMap map, int64_t dim) {
    AccessKind kind = classifyAccess(memref, map, dim);
    return kind == AccessKind::Uniform || kind == AccessKind::Contiguous;
  };
  for (int64_t dim = int64_t(op.getNumLoops()) - 1; dim >= 0; --dim) {
    if (dim == int64_t(op.getDimension()))
      continue;
    // A reset decides for all lanes at once.
    if (op.getReset() && op.getMap(op.getNumAccumulators()).isFunctionOfDim(dim))
      continue;
    bool all = true;
    for (unsigned i : llvm::seq(op.getNumAccumulators())) {
      all &= fits(op.getInputs()[i], op.getMap(i), dim) && fits(op.getOutputs()[i], op.getMap(i), dim);
      all &= op.getStates().empty() || fits(op.getStates()[i], op.getStateMap(i), dim);
    }
    if (all)
      return dim;
  }
  return -1;
}

int64_t scanVectors(ScanOp op, TargetAttr target) {
  int64_t lane = scanLaneDim(op), inLanes = 0;
  for (unsigned i : llvm::seq(op.getNumAccumulators()))
    inLanes += lane >= 0 && op.getMap(i).isFunctionOfDim(lane);
  return 8 * inLanes + 6 <= target.getRegisters() ? 8 : 4;
}

ScanWalk::ScanWalk(ScanOp op, const RegisterPlan &reg)
    : IndexLoops(op.getLoc()), laneDim(scanLaneDim(op)), op(op), reg(reg), count(op.getNumAccumulators()) {}

bool ScanWalk::isShared(unsigned accumulator) const {
  return laneDim < 0 || !const_cast<ScanOp &>(op).getMap(accumulator).isFunctionOfDim(laneDim);
}

SmallVector<Value> ScanWalk::flat(const Accumulators &values) {
  SmallVector<Value> all;
  for (ArrayRef<Value> vectors : values)
    llvm::append_range(all, vectors);
  return all;
}

ScanWalk::Accumulators ScanWalk::shaped(ValueRange values, int64_t vectors) const {
  Accumulators result;
  for (unsigned i = 0; i < count; ++i) {
    int64_t own = isShared(i) ? 1 : vectors;
    result.emplace_back(values.take_front(own));
    values = values.drop_front(own);
  }
  return result;
}

IterationPoint ScanWalk::pointAt(OpBuilder &b, const ScanPanel &panel, Value step, int64_t vector) {
  IterationPoint point;
  point.dims = panel.dims;
  point.dims[op.getDimension()] = step;
  if (laneDim < 0)
    return point;
  point.dims[laneDim] = add(b, panel.dims[laneDim], vector * reg.lanes);
  point.vectorDim = laneDim;
  point.lanes = reg.lanes;
  point.mask = panel.mask;
  return point;
}

Value ScanWalk::positionOf(OpBuilder &b, Value step) {
  if (!op.getReverse())
    return step;
  auto [input, place] = op.getOperandWith(op.getDimension());
  Value steps = getValueOrCreateConstantIndexOp(b, loc, memref::getMixedSize(b, loc, input, place));
  return arith::SubIOp::create(b, loc, add(b, steps, -1), step);
}

ScanWalk::Accumulators ScanWalk::loadStep(OpBuilder &b, const ScanPanel &panel, Value position) {
  Accumulators result(count);
  for (unsigned i = 0; i < count; ++i)
    for (int64_t v = 0; v < (isShared(i) ? 1 : panel.vectors); ++v) {
      Value value = emitLoad(b, loc, op.getInputs()[i], op.getMap(i), pointAt(b, panel, position, v));
      result[i].push_back(emitToF32(b, loc, reg, value));
    }
  return result;
}

void ScanWalk::storeStep(OpBuilder &b, const ScanPanel &panel, Value position, const Accumulators &values) {
  for (unsigned i = 0; i < count; ++i)
    for (auto [v, value] : llvm::enumerate(values[i])) {
      Value output = op.getOutputs()[i];
      Value stored = emitFromF32(b, loc, reg, value, getElementTypeOrSelf(output.getType()));
      emitStore(b, loc, stored, output, op.getMap(i), pointAt(b, panel, position, v));
    }
}

ScanWalk::Accumulators ScanWalk::loadShared(OpBuilder &b, const ScanPanel &panel) {
  Accumulators result(count);
  for (unsigned i = 0; i < count && !op.getStates().empty(); ++i)
    if (isShared(i))
      result[i].push_back(emitLoad(b, loc, op.getStates()[i], op.getStateMap(i), pointAt(b, panel, constant(b, 0), 0)));
  return result;
}

ScanWalk::Accumulators ScanWalk::loadStates(OpBuilder &b, const ScanPanel &panel, const Accumulators &shared) {
  Accumulators result = shared;
  for (unsigned i = 0; i < count && !op.getStates().empty(); ++i)
    for (int64_t v = 0; v < panel.vectors && !isShared(i); ++v)
      result[i].push_back(emitLoad(b, loc, op.getStates()[i], op.getStateMap(i), pointAt(b, panel, constant(b, 0), v)));
  return result;
}

void ScanWalk::storeStates(OpBuilder &b, const ScanPanel &panel, const Accumulators &values) {
  for (unsigned i = 0; i < count && !op.getStates().empty(); ++i)
    for (auto [v, value] : llvm::enumerate(values[i]))
      emitStore(b, loc, value, op.getStates()[i], op.getStateMap(i), pointAt(b, panel, constant(b, 0), v));
}

ScanWalk::Accumulators ScanWalk::combined(OpBuilder &b, const Accumulators &before, const Accumulators &now) {
  Block &body = op.getCombine().front();
  size_t vectors = 1;
  for (ArrayRef<Value> values : now)
    vectors = std::max(vectors, values.size());
  Accumulators result(count);
  for (size_t v = 0; v < vectors; ++v) {
    // What only shared accumulators decide is a scalar, the same for each vector.
    IRMapping mapping;
    for (unsigned i = 0; i < count; ++i) {
      mapping.map(body.getArgument(i), before[i][isShared(i) ? 0 : v]);
      mapping.map(body.getArgument(count + i), now[i][isShared(i) ? 0 : v]);
    }
    SmallVector<Value> values = emitVectorBody(b, body, mapping, reg.lanes);
    for (unsigned i = 0; i < count; ++i)
      if (!isShared(i))
        result[i].push_back(widen(b, loc, values[i], reg.lanes));
      else if (v == 0)
        result[i].push_back(values[i]);
  }
  return result;
}

ScanWalk::Accumulators ScanWalk::selected(OpBuilder &b, Value condition, const Accumulators &yes,
                                          const Accumulators &no) {
  Accumulators result(count);
  for (unsigned i = 0; i < count; ++i)
    for (auto [x, y] : llvm::zip_equal(yes[i], no[i])) {
      Value lanes = isa<VectorType>(x.getType()) ? widen(b, loc, condition, reg.lanes) : condition;
      result[i].push_back(arith::SelectOp::create(b, loc, lanes, x, y));
    }
  return result;
}

Value ScanWalk::startsAt(OpBuilder &b, const ScanPanel &panel, Value position) {
  IterationPoint point = pointAt(b, panel, position, 0);
  point.vectorDim = -1;
  Value flag = emitLoad(b, loc, op.getReset(), op.getMap(count), point);
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(flag.getType()));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, flag, zero);
}

/// Asks for what a later step loads: rows may be pages apart, where no prefetcher of the processor follows.
void ScanWalk::prefetch(OpBuilder &b, const ScanPanel &panel, Value i) {
  Value position = positionOf(b, i);
  for (unsigned j = 0; j < count; ++j)
    for (int64_t v = 0; v < panel.vectors && !isShared(j); ++v)
      emitPrefetch(b, loc, op.getInputs()[j], op.getMap(j), pointAt(b, panel, position, v));
}

/// One step: the accumulators after it. `carried` null: nothing comes before.
ScanWalk::Accumulators ScanWalk::step(OpBuilder &b, const ScanPanel &panel, Value i, const Accumulators *carried,
                                      Value fresh, bool stores) {
  Value position = positionOf(b, i);
  Accumulators x = loadStep(b, panel, position), next = x;
  if (carried)
    next = combined(b, *carried, x);
  if (carried && fresh)
    next = selected(b, fresh, x, next);
  if (carried && op.getReset())
    next = selected(b, startsAt(b, panel, position), x, next);
  if (stores)
    storeStep(b, panel, position, next);
  return next;
}

ScanWalk::Accumulators ScanWalk::emit(OpBuilder &b, const ScanPanel &panel, Value begin, Value end,
                                      const Accumulators *before, Value fresh, bool stores) {
  SmallVector<Value> first = flat(step(b, panel, begin, before, fresh, stores));
  auto loop = scf::ForOp::create(b, loc, add(b, begin, 1), end, constant(b, 1), first,
                                 [&](OpBuilder &body, Location, Value i, ValueRange values) {
                                   Accumulators now = shaped(values, panel.vectors);
                                   prefetch(body, panel, add(body, i, kStepsAhead));
                                   Accumulators next = step(body, panel, i, &now, Value(), stores);
                                   scf::YieldOp::create(body, loc, flat(next));
                                 });
  return shaped(loop.getResults(), panel.vectors);
}

} // namespace weft
