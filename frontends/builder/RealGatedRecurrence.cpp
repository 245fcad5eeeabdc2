// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The real-gated linear recurrent unit between a convolution and a gate: a decay for each channel and step.
#include "frontends/builder/Mixers.h"
#include "frontends/builder/Scalars.h"

using namespace mlir;

namespace weft {

std::vector<StateSpec> RealGatedRecurrence::states() const {
  std::vector<StateSpec> states{{name + ".count", {"batch"}, {0}}, {name + ".state", {"batch", ""}, {0, width}}};
  if (taps > 1)
    states.push_back({name + ".past", {"batch", "", ""}, {0, taps - 1, width}});
  return states;
}

namespace {

/// x · blockdiag(weight) + bias as [batch, sequence, width], before its σ. x is [tokens, width].
Value buildGate(GraphBuilder &graph, const RealGatedRecurrence &layer, Value x, const std::string &gate) {
  GraphBuilder::Scope scope(graph, gate);
  int64_t blocks = layer.blocks, share = layer.width / blocks;
  Value product = graph.projectBlocks(x, graph.parameter(gate + "_weight", {blocks, share, share}));
  Value bias = graph.mergeLast(graph.parameter(gate + "_bias", {blocks, share}));
  return graph.splitTokens(graph.addRow(product, bias));
}

/// −8 · softplus(Λ), the logarithm of the decay where its gate is open: [width].
Value buildRates(GraphBuilder &graph, const RealGatedRecurrence &layer) {
  constexpr double kSharpness = 8.0; // c of the paper
  Value lambda = graph.parameter(layer.name + ".rg_lru.recurrent_param", {layer.width});
  return graph.map({lambda}, [&](OpBuilder &b, Location l, ValueRange v) -> Value {
    Scalars s{b, l};
    return s.mul(s.constant(-kSharpness), buildActivation(b, l, Activation::Softplus, v[0]));
  });
}

/// Of x, both gates, the rate and whether the step starts a text.
RecurrenceStep buildStep(OpBuilder &b, Location l, ValueRange in) {
  Scalars s{b, l};
  Value log = s.mul(in[3], s.sigmoid(in[2])), decay = s.exp(log);
  // 1 − a² of a near 1 would lose its digits; e^2x − 1 = tanh(x) · (e^2x + 1).
  Value rest = s.mul(s.tanh(s.neg(log)), s.add(s.mul(decay, decay), s.constant(1.0)));
  Value zero = arith::ConstantOp::create(b, l, b.getIntegerAttr(in[4].getType(), 0));
  Value isInside = arith::CmpIOp::create(b, l, arith::CmpIPredicate::eq, in[4], zero);
  Value scale = arith::SelectOp::create(b, l, isInside, s.sqrt(rest), s.constant(1.0));
  RecurrenceStep step;
  step.value = s.mul(s.mul(in[0], s.sigmoid(in[1])), scale);
  step.decay = decay;
  return step;
}

} // namespace

Value RealGatedRecurrence::startsOf(GraphBuilder &graph, Value positions) {
  AffineMap all = graph.dimsMap(2, {0, 1});
  return graph.map(graph.sizes(positions), graph.ops().getI8Type(), {positions}, {all},
                   [](OpBuilder &b, Location l, ValueRange v) -> Value {
                     Value zero = Scalars{b, l}.constant(0.0);
                     Value isFirst = arith::CmpFOp::create(b, l, arith::CmpFPredicate::OEQ, v[0], zero);
                     return arith::ExtUIOp::create(b, l, b.getI8Type(), isFirst);
                   });
}

Value RealGatedRecurrence::mix(GraphBuilder &graph, Value x, Value starts) const {
  GraphBuilder::Scope scope(graph, name);
  Value gate = graph.activate(graph.linear(x, name + ".linear_y", width), activation);
  CausalConvSpec conv{.name = name + ".conv_1d", .x = graph.splitTokens(graph.linear(x, name + ".linear_x", width))};
  conv.taps = taps;
  conv.state = name + ".past";
  conv.reset = starts;
  Value convolved = graph.causalConv(conv), rows = graph.mergeLeading(convolved);
  RecurrenceSpec spec;
  spec.name = name + ".rg_lru";
  spec.inputs = {{convolved, "bte"},
                 {buildGate(graph, *this, rows, name + ".rg_lru.input_gate"), "bte"},
                 {buildGate(graph, *this, rows, name + ".rg_lru.recurrent_gate"), "bte"},
                 {buildRates(graph, *this), "e"},
                 {starts, "bt"},
                 {graph.splitTokens(gate), "bte"}};
  spec.outputDims = "bte";
  spec.step = buildStep;
  spec.output = [](OpBuilder &b, Location l, ValueRange in) -> Value { return Scalars{b, l}.mul(in[0], in[6]); };
  spec.state = name + ".state";
  spec.reset = starts;
  return graph.linear(graph.mergeLeading(graph.recurrence(spec)), name + ".linear_out", hidden);
}

Value RealGatedRecurrence::build(GraphBuilder &graph, Value x, Value reset) const {
  Value like = graph.column(graph.splitTokens(x), 0);
  return mix(graph, x, startsOf(graph, graph.positions(like, name + ".count", reset)));
}

} // namespace weft
