// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks of steps of a convolution over time, all channels of a panel in turn: a vector of channels loads the input's
// steps that the block sees, and computes and stores as many results as the block has steps.
#include "lowering/vectorize/CausalConvEmitter.h"

#include "lowering/vectorize/VectorBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

/// Taps and bias of the panel's channels, each contiguous.
void CausalConvEmitter::storeTaps(OpBuilder &b) {
  forEachVector(b, panel, panelEnd, [&](OpBuilder &body) {
    loadTaps(body);
    Value place = minus(body, channel, panel);
    for (auto [i, tap] : llvm::enumerate(weights))
      vector::StoreOp::create(body, loc, tap, tapScratch, ValueRange{constant(body, i), place});
    vector::StoreOp::create(body, loc, bias, tapScratch, ValueRange{constant(body, taps), place});
  });
}

void CausalConvEmitter::emitBlocks(OpBuilder &b) {
  storeTaps(b);
  forEach(b, firstSteps, steps, kConvBlockSteps, [&](OpBuilder &body, Value first) { emitBlock(body, first); });
}

/// The block that begins with the step `first` in the order of time.
void CausalConvEmitter::emitBlock(OpBuilder &b, Value first) {
  Vectors positions, outputs, quiet;
  for (int64_t i = 1 - taps; i < kConvBlockSteps; ++i)
    positions.push_back(inputStep(b, add(b, first, i)));
  for (int64_t i = 0; i < kConvBlockSteps; ++i)
    outputs.push_back(outputStep(b, add(b, first, i)));
  if (!op.getReset())
    return emitBlockOfChannels(b, positions, outputs, {});
  // At the oldest step that is seen a start hides nothing.
  Value any;
  for (Value position : ArrayRef(positions).drop_front()) {
    Value starts = startsAt(b, position);
    any = any ? arith::OrIOp::create(b, loc, any, starts).getResult() : starts;
    Value one = arith::ConstantIntOp::create(b, loc, 1, 1);
    quiet.push_back(arith::XOrIOp::create(b, loc, starts, one));
  }
  scf::IfOp::create(
      b, loc, any,
      [&](OpBuilder &body, Location) {
        emitBlockOfChannels(body, positions, outputs, quiet);
        scf::YieldOp::create(body, loc);
      },
      [&](OpBuilder &body, Location) {
        emitBlockOfChannels(body, positions, outputs, {});
        scf::YieldOp::create(body, loc);
      });
}

/// `positions` are the input's steps that the block sees, `quiet` says of all but the first of them whether no sequence
/// starts there; empty: none does.
void CausalConvEmitter::emitBlockOfChannels(OpBuilder &b, ArrayRef<Value> positions, ArrayRef<Value> outputs,
                                            ArrayRef<Value> quiet) {
  forEachVector(b, panel, panelEnd, [&](OpBuilder &body) {
    Value place = minus(body, channel, panel);
    auto tap = [&](int64_t i) -> Value {
      return vector::LoadOp::create(body, loc, floats(body), tapScratch, ValueRange{constant(body, i), place});
    };
    weights.clear();
    for (int64_t i = 0; i < taps; ++i)
      weights.push_back(tap(i));
    bias = tap(taps);
    Vectors seen, sums;
    for (Value position : positions)
      seen.push_back(load(body, op.getInput(), identity, pointAt(body, position)));
    for (int64_t i = 0; i < kConvBlockSteps; ++i) {
      Vectors window(ArrayRef(seen).slice(i, taps));
      // From the present step back: what a start hides stays hidden from there on.
      Value visible;
      for (int64_t age = 1; age < taps && !quiet.empty(); ++age) {
        Value here = quiet[i + taps - 1 - age];
        visible = visible ? arith::AndIOp::create(body, loc, visible, here).getResult() : here;
        Value &x = window[taps - 1 - age];
        x = arith::SelectOp::create(body, loc, widen(body, loc, visible, reg.lanes), x, zeros(body));
      }
      sums.push_back(tapSum(body, window));
    }
    for (auto [sum, output] : llvm::zip_equal(sums, outputs))
      emitOutput(body, sum, output);
  });
}

} // namespace weft
