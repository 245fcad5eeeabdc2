// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A convolution over time of more taps than registers hold, a vector of channels at a time: its taps and what its steps
// see lie in scratches of whole vectors, and a loop over the taps keeps the sums of eight steps in registers:
//   %sums:8 = scf.for %i = 0 to taps { load %tap[%i]; 8 × multiply-add of %seen[%step + %i] }
#include "lowering/vectorize/CausalConvEmitter.h"

#include "lowering/vectorize/RegisterTile.h"
#include "lowering/vectorize/StoredNumbers.h"
#include "lowering/vectorize/VectorBody.h"
#include "lowering/vectorize/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace weft {

/// Steps whose inputs are in the scratch together, beside those that they look back to.
static constexpr int64_t kSegmentSteps = 128;
/// Sums beside each other: they hide a multiply-add's latency.
static constexpr int64_t kSums = 8;

static Value emitScratch(OpBuilder &b, Location loc, int64_t rows, int64_t lanes) {
  auto type = MemRefType::get({rows, lanes}, b.getF32Type());
  return memref::AllocaOp::create(b, loc, type, b.getI64IntegerAttr(64));
}

Value CausalConvEmitter::loadRow(OpBuilder &b, Value scratch, Value row) {
  return vector::LoadOp::create(b, loc, floats(b), scratch, ValueRange{row, constant(b, 0)});
}

void CausalConvEmitter::storeRow(OpBuilder &b, Value value, Value scratch, Value row) {
  vector::StoreOp::create(b, loc, value, scratch, ValueRange{row, constant(b, 0)});
}

void CausalConvEmitter::emitManyTaps(OpBuilder &b) {
  tapScratch = emitScratch(b, loc, llvm::alignTo(taps, reg.lanes), reg.lanes);
  seenScratch = emitScratch(b, loc, taps - 1 + kSegmentSteps, reg.lanes);
  forEach(b, extent(b, op.getInit(), CausalConvOp::Batch), 1, [&](OpBuilder &outer, Value item) {
    batch = item;
    forEachVector(outer, constant(outer, 0), channels, [&](OpBuilder &body) {
      fillTaps(body);
      fillSeen(body);
      emitSegments(body);
      if (op.getState())
        forEach(body, constant(body, taps - 1), 1, [&](OpBuilder &inner, Value row) {
          Type element = getElementTypeOrSelf(op.getState().getType());
          Value stored = emitFromF32(inner, loc, reg, loadRow(inner, seenScratch, row), element);
          emitStore(inner, loc, stored, op.getState(), identity, pointAt(inner, row));
        });
    });
  });
}

/// Tap i of the channels in row i. Where a channel's taps lie beside each other, as many of them as there are channels
/// are transposed at a time.
void CausalConvEmitter::fillTaps(OpBuilder &b) {
  auto type = cast<MemRefType>(op.getWeight().getType());
  AffineExpr tap = b.getAffineDimExpr(CausalConvOp::Time), d = b.getAffineDimExpr(CausalConvOp::Channel);
  AffineMap map = AffineMap::get(CausalConvOp::NumDims, 0, {d, tap}, b.getContext());
  bias = op.getBias() ? load(b, op.getBias(), AffineMap::get(3, 0, d), pointAt(b, constant(b, 0))) : zeros(b);
  if (classifyAccess(op.getWeight(), map, CausalConvOp::Channel) == AccessKind::Contiguous || type.getDimSize(0) == 1)
    return forEach(b, constant(b, taps), 1, [&](OpBuilder &body, Value row) {
      storeRow(body, load(body, op.getWeight(), map, pointAt(body, row)), tapScratch, row);
    });
  Value last = add(b, channels, -1);
  forEach(b, constant(b, taps), reg.lanes, [&](OpBuilder &body, Value first) {
    Value left = minus(body, constant(body, taps), first);
    Value some = vector::CreateMaskOp::create(body, loc, VectorType::get({reg.lanes}, body.getI1Type()), left);
    Vectors rows;
    for (int64_t lane = 0; lane < reg.lanes; ++lane) {
      Value row = arith::MinUIOp::create(body, loc, add(body, channel, lane), last);
      rows.push_back(load(body, op.getWeight(), map, {{batch, first, row}, CausalConvOp::Time, reg.lanes, some}));
    }
    for (auto [i, transposed] : llvm::enumerate(emitTranspose(body, loc, rows)))
      storeRow(body, transposed, tapScratch, add(body, first, i));
  });
}

/// What the first step looks back to, oldest first: the state, the input's steps before a part of the time, or zeros.
void CausalConvEmitter::fillSeen(OpBuilder &b) {
  Value count = constant(b, taps - 1);
  forEach(b, count, 1, [&](OpBuilder &body, Value row) {
    storeRow(body, op.getState() ? load(body, op.getState(), identity, pointAt(body, row)) : zeros(body), seenScratch,
             row);
  });
  if (!op.getFrom())
    return;
  Value end = add(b, from, steps), before = op.getReverse() ? minus(b, inputSteps, end) : from;
  Value walked = arith::MinUIOp::create(b, loc, before, count), skipped = minus(b, count, walked);
  forEach(b, walked, 1, [&](OpBuilder &body, Value i) {
    Value back = minus(body, walked, i);
    Value position = op.getReverse() ? add(body, add(body, end, back), -1) : minus(body, from, back);
    if (op.getReset())
      forgetAtStart(body, position);
    storeRow(body, load(body, op.getInput(), identity, pointAt(body, position)), seenScratch, add(body, skipped, i));
  });
}

/// A sequence that starts at the input's step sees nothing before it.
void CausalConvEmitter::forgetAtStart(OpBuilder &b, Value position) {
  scf::IfOp::create(b, loc, startsAt(b, position), [&](OpBuilder &body, Location) {
    forEach(body, constant(body, taps - 1), 1,
            [&](OpBuilder &inner, Value row) { storeRow(inner, zeros(inner), seenScratch, row); });
    scf::YieldOp::create(body, loc);
  });
}

/// Segments of time that end with the scratch, or where a sequence starts.
void CausalConvEmitter::emitSegments(OpBuilder &b) {
  scf::WhileOp::create(
      b, loc, TypeRange{b.getIndexType()}, ValueRange{constant(b, 0)},
      [&](OpBuilder &body, Location, ValueRange carried) {
        Value more = arith::CmpIOp::create(body, loc, arith::CmpIPredicate::ult, carried[0], steps);
        scf::ConditionOp::create(body, loc, more, carried);
      },
      [&](OpBuilder &body, Location, ValueRange carried) {
        Value first = carried[0], end = segmentEnd(body, first);
        if (op.getReset())
          forgetAtStart(body, inputStep(body, first));
        emitSegment(body, first, minus(body, end, first));
        scf::YieldOp::create(body, loc, end);
      });
}

Value CausalConvEmitter::segmentEnd(OpBuilder &b, Value first) {
  Value end = arith::MinUIOp::create(b, loc, steps, add(b, first, kSegmentSteps));
  if (!op.getReset())
    return end;
  auto loop = scf::ForOp::create(b, loc, add(b, first, 1), end, constant(b, 1), end,
                                 [&](OpBuilder &body, Location, Value i, ValueRange carried) {
                                   Value starts = startsAt(body, inputStep(body, i));
                                   Value earlier = arith::MinUIOp::create(body, loc, i, carried[0]);
                                   Value next = arith::SelectOp::create(body, loc, starts, earlier, carried[0]);
                                   scf::YieldOp::create(body, loc, next);
                                 });
  return loop.getResult(0);
}

/// `count` steps from `first` on; afterwards the scratch begins with what the step after them looks back to.
void CausalConvEmitter::emitSegment(OpBuilder &b, Value first, Value count) {
  Value before = constant(b, taps - 1);
  forEach(b, count, 1, [&](OpBuilder &body, Value i) {
    Value x = load(body, op.getInput(), identity, pointAt(body, inputStep(body, add(body, first, i))));
    storeRow(body, x, seenScratch, add(body, before, i));
  });
  Value whole = minus(b, count, arith::RemUIOp::create(b, loc, count, constant(b, kSums)));
  forEach(b, constant(b, 0), whole, kSums,
          [&](OpBuilder &body, Value i) { emitSums(body, add(body, first, i), i, kSums); });
  forEach(b, whole, count, 1, [&](OpBuilder &body, Value i) { emitSums(body, add(body, first, i), i, 1); });
  forEach(b, before, 1, [&](OpBuilder &body, Value row) {
    storeRow(body, loadRow(body, seenScratch, add(body, row, count)), seenScratch, row);
  });
}

/// Steps from `step` on, whose windows begin at the rows from `row` on.
void CausalConvEmitter::emitSums(OpBuilder &b, Value step, Value row, int64_t count) {
  // A vector that several taps of a turn see is loaded once, where there are registers for that.
  int64_t unroll = count > 1 && reg.rows >= 8 ? 4 : 1, rest = taps % unroll;
  auto addTaps = [&](OpBuilder &body, Value tap, int64_t turn, Vectors sums) {
    Vectors seen;
    for (int64_t i = 0; i < count + turn - 1; ++i)
      seen.push_back(loadRow(body, seenScratch, add(body, add(body, row, tap), i)));
    for (int64_t i = 0; i < turn; ++i) {
      Value weight = loadRow(body, tapScratch, add(body, tap, i));
      for (int64_t k = 0; k < count; ++k)
        sums[k] = emitMultiplyAdd(body, loc, reg, weight, seen[k + i], sums[k]);
    }
    return sums;
  };
  auto loop = scf::ForOp::create(b, loc, constant(b, 0), constant(b, taps - rest), constant(b, unroll),
                                 Vectors(count, bias), [&](OpBuilder &body, Location, Value tap, ValueRange carried) {
                                   scf::YieldOp::create(body, loc, addTaps(body, tap, unroll, Vectors(carried)));
                                 });
  Vectors sums(loop.getResults());
  if (rest)
    sums = addTaps(b, constant(b, taps - rest), rest, sums);
  for (int64_t k = 0; k < count; ++k)
    emitOutput(b, sums[k], outputStep(b, add(b, step, k)));
}

} // namespace weft
