// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The first steps of a convolution over time, one by one:
//   %seen:3 = scf.for %t … iter_args(%x−3, %x−2, %x−1) { load %x; 4 multiply-adds; output region; store }
// and the last inputs, for the state.
#include "lowering/vectorize/CausalConvEmitter.h"

#include "lowering/vectorize/StoredNumbers.h"
#include "lowering/vectorize/VectorBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

void CausalConvEmitter::emitFirstSteps(OpBuilder &b) {
  forEachVector(b, panel, panelEnd, [&](OpBuilder &body) {
    loadTaps(body);
    Vectors seen = beginning(body);
    if (op.getFrom())
      seen = seenBefore(body, seen);
    auto loop = scf::ForOp::create(body, loc, constant(body, 0), firstSteps, constant(body, 1), seen,
                                   [&](OpBuilder &inner, Location, Value i, ValueRange carried) {
                                     Vectors now =
                                         step(inner, inputStep(inner, i), outputStep(inner, i), Vectors(carried));
                                     scf::YieldOp::create(inner, loc, now);
                                   });
    if (op.getState())
      storeSeen(body, Vectors(loop.getResults()));
  });
}

/// The state after steps that were not walked one by one.
void CausalConvEmitter::emitLastSeen(OpBuilder &b) {
  forEachVector(b, panel, panelEnd, [&](OpBuilder &body) {
    Vectors seen(taps - 1, zeros(body));
    for (int64_t i = taps - 1; i > 0; --i)
      seen = step(body, inputStep(body, add(body, steps, -i)), Value(), seen);
    storeSeen(body, seen);
  });
}

void CausalConvEmitter::storeSeen(OpBuilder &b, ArrayRef<Value> seen) {
  Type element = getElementTypeOrSelf(op.getState().getType());
  for (auto [i, value] : llvm::enumerate(seen))
    emitStore(b, loc, emitFromF32(b, loc, reg, value, element), op.getState(), identity, pointAt(b, constant(b, i)));
}

void CausalConvEmitter::loadTaps(OpBuilder &b) {
  auto type = cast<MemRefType>(op.getWeight().getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  bool together = succeeded(type.getStridesAndOffset(strides, offset)) && strides[1] == 1 && strides[0] == taps;
  IterationPoint point = pointAt(b, constant(b, 0));
  AffineExpr d = b.getAffineDimExpr(CausalConvOp::Channel);
  weights.clear();
  if (together)
    weights = gatherTaps(b);
  for (int64_t tap = 0; tap < taps && !together; ++tap) {
    AffineMap map = AffineMap::get(3, 0, {d, b.getAffineConstantExpr(tap)}, b.getContext());
    weights.push_back(load(b, op.getWeight(), map, point));
  }
  bias = op.getBias() ? load(b, op.getBias(), AffineMap::get(3, 0, d), point) : zeros(b);
}

/// Channel c's taps lie beside each other, at c · taps: as many vectors as taps hold those of a vector of channels, and
/// a tap is gathered from them by shuffles.
CausalConvEmitter::Vectors CausalConvEmitter::gatherTaps(OpBuilder &b) {
  Value flat = memref::CollapseShapeOp::create(b, loc, op.getWeight(), ArrayRef<ReassociationIndices>{{0, 1}});
  AffineMap alone = b.getMultiDimIdentityMap(1);
  Value begin = arith::MulIOp::create(b, loc, channel, constant(b, taps));
  Vectors loaded, result;
  for (int64_t i = 0; i < taps; ++i) {
    IterationPoint point{{add(b, begin, i * reg.lanes)}, 0, reg.lanes, Value()};
    if (mask) {
      Value left = minus(b, arith::MulIOp::create(b, loc, channels, constant(b, taps)), point.dims[0]);
      point.mask = vector::CreateMaskOp::create(b, loc, VectorType::get({reg.lanes}, b.getI1Type()), left);
    }
    loaded.push_back(load(b, flat, alone, point));
  }
  for (int64_t tap = 0; tap < taps; ++tap) {
    Value gathered = loaded[0];
    for (int64_t i = 1; i < taps; ++i) {
      // Lanes of the first i vectors are in their places from the second shuffle on.
      SmallVector<int64_t> places(reg.lanes, 0);
      for (int64_t lane = 0; lane < reg.lanes; ++lane) {
        int64_t place = lane * taps + tap;
        if (place / reg.lanes == i)
          places[lane] = reg.lanes + place % reg.lanes;
        else if (place / reg.lanes < i)
          places[lane] = i == 1 ? place : lane;
      }
      gathered = vector::ShuffleOp::create(b, loc, gathered, loaded[i], places);
    }
    result.push_back(gathered);
  }
  return result;
}

/// What lies before the first step, oldest first.
CausalConvEmitter::Vectors CausalConvEmitter::beginning(OpBuilder &b) {
  Vectors seen;
  for (int64_t i = 0; i < taps - 1; ++i)
    seen.push_back(op.getState() ? load(b, op.getState(), identity, pointAt(b, constant(b, i))) : zeros(b));
  return seen;
}

/// The input's steps before the first that is computed, as far as it looks back.
CausalConvEmitter::Vectors CausalConvEmitter::seenBefore(OpBuilder &b, Vectors seen) {
  Value end = add(b, from, steps);
  Value before = op.getReverse() ? minus(b, inputSteps, end) : from;
  Value walked = arith::MinUIOp::create(b, loc, before, constant(b, taps - 1));
  auto loop = scf::ForOp::create(b, loc, constant(b, 0), walked, constant(b, 1), seen,
                                 [&](OpBuilder &body, Location, Value i, ValueRange carried) {
                                   Value back = minus(body, walked, i);
                                   Value position =
                                       op.getReverse() ? add(body, add(body, end, back), -1) : minus(body, from, back);
                                   Vectors now = step(body, position, Value(), Vectors(carried));
                                   scf::YieldOp::create(body, loc, now);
                                 });
  return Vectors(loop.getResults());
}

/// One step of the input: what has been seen afterwards. Nothing is computed where `output` is null.
CausalConvEmitter::Vectors CausalConvEmitter::step(OpBuilder &b, Value position, Value output, Vectors seen) {
  if (op.getReset()) {
    Value starts = widen(b, loc, startsAt(b, position), reg.lanes);
    for (Value &value : seen)
      value = arith::SelectOp::create(b, loc, starts, zeros(b), value);
  }
  Vectors window = seen;
  window.push_back(load(b, op.getInput(), identity, pointAt(b, position)));
  if (output)
    emitOutput(b, tapSum(b, window), output);
  return Vectors(ArrayRef(window).drop_front());
}

} // namespace weft
