// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.causal_conv on memrefs → for each batch and panel of channels, the first steps, then blocks of steps
// (CausalConvEmitter.h):
//   scf.for %t … step 4 { scf.for %d … { 7 loads of %x; 4 × 4 multiply-adds; output region; 4 stores } }
// More than kUnrolledTaps taps are a loop (CausalConvManyTaps.cpp).
#include "lowering/vectorize/Passes.h"

#include "lowering/vectorize/CausalConvEmitter.h"
#include "lowering/vectorize/RegisterTile.h"
#include "lowering/vectorize/StoredNumbers.h"
#include "lowering/vectorize/VectorBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace weft {
#define GEN_PASS_DEF_VECTORIZECAUSALCONV
#include "lowering/vectorize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {

/// Channels whose steps are walked together: several streams of whole cache lines, and taps that fit the first-level
/// cache beside them.
static constexpr int64_t kPanelChannels = 512;

CausalConvEmitter::CausalConvEmitter(CausalConvOp op, const RegisterPlan &reg)
    : IndexLoops(op.getLoc()), op(op), reg(reg), taps(op.getTaps()) {}

Value CausalConvEmitter::zeros(OpBuilder &b) { return arith::ConstantOp::create(b, loc, b.getZeroAttr(floats(b))); }

Value CausalConvEmitter::extent(OpBuilder &b, Value memref, unsigned dim) {
  return getValueOrCreateConstantIndexOp(b, loc, memref::getMixedSize(b, loc, memref, dim));
}

Value CausalConvEmitter::minus(OpBuilder &b, Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }

IterationPoint CausalConvEmitter::pointAt(OpBuilder &, Value step) {
  return {{batch, step, channel}, CausalConvOp::Channel, reg.lanes, mask};
}

Value CausalConvEmitter::load(OpBuilder &b, Value memref, AffineMap map, const IterationPoint &point) {
  Value value = emitLoad(b, loc, memref, map, point);
  return widen(b, loc, emitToF32(b, loc, reg, value), reg.lanes);
}

Value CausalConvEmitter::outputStep(OpBuilder &b, Value i) {
  return op.getReverse() ? minus(b, add(b, steps, -1), i) : i;
}

Value CausalConvEmitter::inputStep(OpBuilder &b, Value i) {
  Value output = outputStep(b, i);
  return op.getFrom() ? add(b, output, from) : output;
}

Value CausalConvEmitter::startsAt(OpBuilder &b, Value position) {
  Value flag = memref::LoadOp::create(b, loc, op.getReset(), ValueRange{batch, position});
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(flag.getType()));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, flag, zero);
}

Value CausalConvEmitter::tapSum(OpBuilder &b, ArrayRef<Value> window) {
  Value sum = bias;
  for (auto [weight, x] : llvm::zip_equal(weights, window))
    sum = emitMultiplyAdd(b, loc, reg, weight, x, sum);
  return sum;
}

void CausalConvEmitter::emitOutput(OpBuilder &b, Value sum, Value output) {
  IterationPoint point = pointAt(b, output);
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

void CausalConvEmitter::forEachVector(OpBuilder &b, Value begin, Value end, function_ref<void(OpBuilder &)> body) {
  Value rest = arith::RemUIOp::create(b, loc, minus(b, end, begin), constant(b, reg.lanes));
  Value whole = minus(b, end, rest);
  forEach(b, begin, whole, reg.lanes, [&](OpBuilder &inner, Value first) {
    channel = first;
    body(inner);
  });
  // At most once: a loop that vanishes where nothing is left.
  forEach(b, whole, end, reg.lanes, [&](OpBuilder &inner, Value first) {
    channel = first;
    mask = vector::CreateMaskOp::create(inner, loc, VectorType::get({reg.lanes}, inner.getI1Type()), rest);
    body(inner);
    mask = nullptr;
  });
}

void CausalConvEmitter::emit(OpBuilder &b) {
  identity = b.getMultiDimIdentityMap(CausalConvOp::NumDims);
  channels = extent(b, op.getInit(), CausalConvOp::Channel);
  inputSteps = extent(b, op.getInput(), CausalConvOp::Time);
  steps = extent(b, op.getInit(), CausalConvOp::Time);
  from = op.getFrom() ? op.getFrom() : constant(b, 0);
  if (taps > kUnrolledTaps)
    return emitManyTaps(b);
  // As many as a step looks back, so that all later ones see the input only, and what does not fill a block.
  Value back = arith::MinUIOp::create(b, loc, steps, constant(b, taps - 1));
  firstSteps = add(b, back, arith::RemUIOp::create(b, loc, minus(b, steps, back), constant(b, kConvBlockSteps)));
  auto scratch = MemRefType::get({taps + 1, kPanelChannels}, b.getF32Type());
  tapScratch = memref::AllocaOp::create(b, loc, scratch, b.getI64IntegerAttr(64));
  forEach(b, extent(b, op.getInit(), CausalConvOp::Batch), 1, [&](OpBuilder &outer, Value item) {
    batch = item;
    forEach(outer, channels, kPanelChannels, [&](OpBuilder &body, Value first) {
      panel = first;
      panelEnd = arith::MinUIOp::create(body, loc, add(body, first, kPanelChannels), channels);
      emitFirstSteps(body);
      Value more = arith::CmpIOp::create(body, loc, arith::CmpIPredicate::ult, firstSteps, steps);
      scf::IfOp::create(body, loc, more, [&](OpBuilder &inner, Location) {
        emitBlocks(inner);
        if (op.getState())
          emitLastSeen(inner);
        scf::YieldOp::create(inner, loc);
      });
    });
  });
}

namespace {
struct VectorizeCausalConvPass : impl::VectorizeCausalConvBase<VectorizeCausalConvPass> {
  void runOnOperation() override {
    SmallVector<CausalConvOp> ops;
    getOperation()->walk([&](CausalConvOp op) { ops.push_back(op); });
    if (ops.empty())
      return;
    FailureOr<RegisterPlan> registers = registerPlanOf(getOperation());
    if (failed(registers))
      return signalPassFailure();
    for (CausalConvOp op : ops) {
      OpBuilder b(op);
      CausalConvEmitter(op, *registers).emit(b);
      op.erase();
    }
  }
};
} // namespace

} // namespace weft
