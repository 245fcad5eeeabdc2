// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.causal_conv on memrefs → for each batch and block of channels: taps and what was seen last in registers, and
//   %seen:3 = scf.for %t … iter_args(%x−3, %x−2, %x−1) { load %x; 4 multiply-adds; output region; store }
// The steps of four turns stand one after the other, so that what was seen changes its name, not its register.
#include "lowering/cpu/Passes.h"

#include "dialects/weft/SequenceOps.h"
#include "lowering/analysis/RegisterPlan.h"
#include "lowering/cpu/IndexLoops.h"
#include "lowering/cpu/OperandAccess.h"
#include "lowering/cpu/RegisterTile.h"
#include "lowering/cpu/StoredNumbers.h"
#include "lowering/cpu/VectorBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace weft {
#define GEN_PASS_DEF_VECTORIZECAUSALCONV
#include "lowering/cpu/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Steps of a turn of the loop over time.
constexpr int64_t kUnroll = 4;

/// Vectors of channels that are walked along together: two where what they have seen leaves registers for the rest.
int64_t vectorsTogether(CausalConvOp op, TargetAttr target) {
  return 2 * (op.getTaps() + 1) <= target.getRegisters() ? 2 : 1;
}

class CausalConvEmitter : IndexLoops {
public:
  CausalConvEmitter(CausalConvOp op, const RegisterPlan &reg, int64_t vectors)
      : IndexLoops(op.getLoc()), op(op), reg(reg), vectors(vectors), taps(op.getTaps()) {}

  void emit(OpBuilder &b);

private:
  using Vectors = SmallVector<Value>;

  VectorType floats(OpBuilder &b) { return VectorType::get({reg.lanes}, b.getF32Type()); }
  Value zeros(OpBuilder &b) { return arith::ConstantOp::create(b, loc, b.getZeroAttr(floats(b))); }
  Value extent(OpBuilder &b, Value memref, unsigned dim) {
    return getValueOrCreateConstantIndexOp(b, loc, memref::getMixedSize(b, loc, memref, dim));
  }
  Value minus(OpBuilder &b, Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }

  /// The vector `v` of the block, at a batch and step.
  IterationPoint pointAt(OpBuilder &b, Value step, int64_t v) {
    IterationPoint point;
    point.dims = {batch, step, add(b, channel, v * reg.lanes)};
    point.vectorDim = CausalConvOp::Channel;
    point.lanes = reg.lanes;
    point.mask = mask;
    return point;
  }
  Value load(OpBuilder &b, Value memref, AffineMap map, const IterationPoint &point) {
    Value value = emitLoad(b, loc, memref, map, point);
    return widen(b, loc, emitToF32(b, loc, reg, value), reg.lanes);
  }

  void emitBlock(OpBuilder &b, Value first, int64_t count);
  void loadTaps(OpBuilder &b);
  Vectors loadTapsOf(OpBuilder &b, int64_t v);
  Vectors beginning(OpBuilder &b);
  Vectors seenBefore(OpBuilder &b, Vectors seen);
  Vectors walk(OpBuilder &b, Value first, Value end, int64_t turn, Vectors seen);
  Vectors step(OpBuilder &b, Value position, Value output, Vectors seen);
  void emitOutput(OpBuilder &b, Value sum, const IterationPoint &point);

  CausalConvOp op;
  RegisterPlan reg;
  int64_t vectors, taps;
  AffineMap identity;
  Value channels, inputSteps, steps, from; ///< extents, and the input's step that is the first of the destination
  Value batch, channel;                    ///< of the block
  Value mask;                              ///< channels that exist; null: all
  int64_t count = 0;                       ///< vectors of the block
  SmallVector<Vectors> weights;            ///< by vector and tap
  Vectors biases;                          ///< by vector
};

void CausalConvEmitter::emit(OpBuilder &b) {
  identity = b.getMultiDimIdentityMap(CausalConvOp::NumDims);
  channels = extent(b, op.getInit(), CausalConvOp::Channel);
  inputSteps = extent(b, op.getInput(), CausalConvOp::Time);
  steps = extent(b, op.getInit(), CausalConvOp::Time);
  from = op.getFrom() ? op.getFrom() : constant(b, 0);
  int64_t width = vectors * reg.lanes;
  Value wide = minus(b, channels, arith::RemUIOp::create(b, loc, channels, constant(b, width)));
  Value narrow = minus(b, channels, arith::RemUIOp::create(b, loc, channels, constant(b, reg.lanes)));
  forEach(b, extent(b, op.getInit(), CausalConvOp::Batch), 1, [&](OpBuilder &outer, Value item) {
    batch = item;
    forEach(outer, wide, width, [&](OpBuilder &body, Value first) { emitBlock(body, first, vectors); });
    if (vectors > 1)
      forEach(outer, wide, narrow, reg.lanes, [&](OpBuilder &body, Value first) { emitBlock(body, first, 1); });
    forEach(outer, narrow, channels, reg.lanes, [&](OpBuilder &body, Value first) {
      Value left = minus(body, channels, first);
      mask = vector::CreateMaskOp::create(body, loc, VectorType::get({reg.lanes}, body.getI1Type()), left);
      emitBlock(body, first, 1);
      mask = nullptr;
    });
  });
}

/// All steps of `count` vectors of channels.
void CausalConvEmitter::emitBlock(OpBuilder &b, Value first, int64_t vectorCount) {
  channel = first;
  count = vectorCount;
  loadTaps(b);
  Vectors seen = beginning(b);
  if (op.getFrom())
    seen = seenBefore(b, seen);
  Value rest = arith::RemUIOp::create(b, loc, steps, constant(b, kUnroll));
  Value main = minus(b, steps, rest);
  seen = walk(b, constant(b, 0), main, kUnroll, seen);
  seen = walk(b, main, steps, 1, seen);
  if (!op.getState())
    return;
  Type element = getElementTypeOrSelf(op.getState().getType());
  for (auto [i, value] : llvm::enumerate(seen)) {
    IterationPoint point = pointAt(b, constant(b, i % (taps - 1)), i / (taps - 1));
    emitStore(b, loc, emitFromF32(b, loc, reg, value, element), op.getState(), identity, point);
  }
}

void CausalConvEmitter::loadTaps(OpBuilder &b) {
  weights.clear();
  biases.clear();
  AffineMap onChannels = AffineMap::get(3, 0, b.getAffineDimExpr(CausalConvOp::Channel));
  for (int64_t v = 0; v < count; ++v) {
    weights.push_back(loadTapsOf(b, v));
    IterationPoint point = pointAt(b, constant(b, 0), v);
    biases.push_back(op.getBias() ? load(b, op.getBias(), onChannels, point) : zeros(b));
  }
}

/// Channel c's taps lie beside each other, at c · taps: as many vectors as taps hold those of a vector of channels, and
/// a tap is gathered from them by shuffles.
CausalConvEmitter::Vectors CausalConvEmitter::loadTapsOf(OpBuilder &b, int64_t v) {
  auto type = cast<MemRefType>(op.getWeight().getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  bool together = succeeded(type.getStridesAndOffset(strides, offset)) && strides[1] == 1 && strides[0] == taps;
  Vectors loaded, result;
  if (!together) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      AffineMap map = AffineMap::get(3, 0, {b.getAffineDimExpr(CausalConvOp::Channel), b.getAffineConstantExpr(tap)},
                                     b.getContext());
      result.push_back(load(b, op.getWeight(), map, pointAt(b, constant(b, 0), v)));
    }
    return result;
  }
  Value flat = memref::CollapseShapeOp::create(b, loc, op.getWeight(), ArrayRef<ReassociationIndices>{{0, 1}});
  AffineMap alone = b.getMultiDimIdentityMap(1);
  Value begin = arith::MulIOp::create(b, loc, add(b, channel, v * reg.lanes), constant(b, taps));
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
      SmallVector<int64_t> from(reg.lanes, 0);
      for (int64_t lane = 0; lane < reg.lanes; ++lane) {
        int64_t place = lane * taps + tap;
        if (place / reg.lanes == i)
          from[lane] = reg.lanes + place % reg.lanes;
        else if (place / reg.lanes < i)
          from[lane] = i == 1 ? place : lane;
      }
      gathered = vector::ShuffleOp::create(b, loc, gathered, loaded[i], from);
    }
    result.push_back(gathered);
  }
  return result;
}

/// What lies before the first step, oldest first, vector by vector.
CausalConvEmitter::Vectors CausalConvEmitter::beginning(OpBuilder &b) {
  Vectors seen;
  for (int64_t i = 0; i < count * (taps - 1); ++i) {
    IterationPoint point = pointAt(b, constant(b, i % (taps - 1)), i / (taps - 1));
    seen.push_back(op.getState() ? load(b, op.getState(), identity, point) : zeros(b));
  }
  return seen;
}

/// The input's steps before the first that is computed, as far as it looks back.
CausalConvEmitter::Vectors CausalConvEmitter::seenBefore(OpBuilder &b, Vectors seen) {
  Value end = arith::AddIOp::create(b, loc, from, steps);
  Value before = op.getReverse() ? minus(b, inputSteps, end) : from;
  Value walked = arith::MinUIOp::create(b, loc, before, constant(b, taps - 1));
  auto loop = scf::ForOp::create(b, loc, constant(b, 0), walked, constant(b, 1), seen,
                                 [&](OpBuilder &body, Location, Value i, ValueRange carried) {
                                   Value back = minus(body, walked, i);
                                   Value position = op.getReverse()
                                                        ? add(body, arith::AddIOp::create(body, loc, end, back), -1)
                                                        : minus(body, from, back);
                                   scf::YieldOp::create(body, loc, step(body, position, Value(), Vectors(carried)));
                                 });
  return Vectors(loop.getResults());
}

CausalConvEmitter::Vectors CausalConvEmitter::walk(OpBuilder &b, Value first, Value end, int64_t turn, Vectors seen) {
  auto loop = scf::ForOp::create(
      b, loc, first, end, constant(b, turn), seen, [&](OpBuilder &body, Location, Value begin, ValueRange carried) {
        Vectors now(carried);
        for (int64_t i = 0; i < turn; ++i) {
          Value output = add(body, begin, i);
          if (op.getReverse())
            output = minus(body, add(body, steps, -1), output);
          Value position = op.getFrom() ? arith::AddIOp::create(body, loc, output, from) : output;
          now = step(body, position, output, now);
        }
        scf::YieldOp::create(body, loc, now);
      });
  return Vectors(loop.getResults());
}

/// One step of the input: what has been seen afterwards. Nothing is computed where `output` is null.
CausalConvEmitter::Vectors CausalConvEmitter::step(OpBuilder &b, Value position, Value output, Vectors seen) {
  if (op.getReset()) {
    Value flag = memref::LoadOp::create(b, loc, op.getReset(), ValueRange{batch, position});
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(flag.getType()));
    Value starts = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, flag, zero);
    starts = widen(b, loc, starts, reg.lanes);
    for (Value &value : seen)
      value = arith::SelectOp::create(b, loc, starts, zeros(b), value);
  }
  Vectors after;
  for (int64_t v = 0; v < count; ++v) {
    ArrayRef<Value> before = ArrayRef(seen).slice(v * (taps - 1), taps - 1);
    Vectors window(before);
    window.push_back(load(b, op.getInput(), identity, pointAt(b, position, v)));
    llvm::append_range(after, ArrayRef(window).drop_front());
    if (!output)
      continue;
    Value sum = biases[v];
    for (int64_t tap = 0; tap < taps; ++tap)
      sum = emitMultiplyAdd(b, loc, reg, weights[v][tap], window[tap], sum);
    emitOutput(b, sum, pointAt(b, output, v));
  }
  return after;
}

void CausalConvEmitter::emitOutput(OpBuilder &b, Value sum, const IterationPoint &point) {
  Value result;
  if (op.getOutput().empty()) {
    result = emitFromF32(b, loc, reg, sum, getElementTypeOrSelf(op.getInit().getType()));
  } else {
    IRMapping mapping;
    Block &body = op.getOutput().front();
    mapping.map(body.getArgument(0), sum);
    for (auto [i, extra] : llvm::enumerate(op.getExtras()))
      mapping.map(body.getArgument(1 + i), emitLoad(b, loc, extra, op.getExtraMap(i), point));
    result = emitVectorBody(b, body, mapping, reg.lanes).front();
  }
  emitStore(b, loc, result, op.getInit(), identity, point);
}

struct VectorizeCausalConvPass : impl::VectorizeCausalConvBase<VectorizeCausalConvPass> {
  void runOnOperation() override {
    SmallVector<CausalConvOp> ops;
    getOperation()->walk([&](CausalConvOp op) { ops.push_back(op); });
    if (ops.empty())
      return;
    FailureOr<TargetAttr> target = targetOf(getOperation());
    if (failed(target))
      return signalPassFailure();
    for (CausalConvOp op : ops) {
      OpBuilder b(op);
      CausalConvEmitter(op, RegisterPlan::forTarget(*target), vectorsTogether(op, *target)).emit(b);
      op.erase();
    }
  }
};

} // namespace
} // namespace weft
