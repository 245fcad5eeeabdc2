// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vision Mamba's block: what is before a token and what is after it, each by a convolution and a selective scan.
#include "frontends/builder/Mixers.h"
#include "frontends/builder/Scalars.h"

using namespace mlir;

namespace weft {
namespace {

struct Direction {
  bool reverse;
  std::string suffix() const { return reverse ? "_b" : ""; }
};

/// −e^x, transposed: [inner, state] → [state, inner].
Value buildRates(GraphBuilder &graph, Value logarithms) {
  llvm::SmallVector<OpFoldResult> sizes(llvm::reverse(graph.sizes(logarithms)));
  return graph.map(sizes, graph.ops().getF32Type(), {logarithms}, {graph.dimsMap(2, {1, 0})},
                   [](OpBuilder &b, Location l, ValueRange v) -> Value {
                     Scalars s{b, l};
                     return s.neg(s.exp(v[0]));
                   });
}

/// S = exp(Δ · A) · S + Δ · B · x;  y = (C · S + D · x) · silu(z). x and gate are [batch, sequence, inner].
Value scan(GraphBuilder &graph, const BidirectionalMamba &layer, Direction direction, Value x, Value gate) {
  std::string suffix = direction.suffix(), prefix = layer.name + ".";
  Value all = graph.linear(graph.mergeLeading(x), prefix + "x_proj" + suffix, layer.rank + 2 * layer.state,
                           /*hasBias=*/false);
  Value step = graph.linear(graph.lastSlice(all, 0, layer.rank), prefix + "dt_proj" + suffix, layer.inner);
  auto selection = [&](int64_t index) {
    return graph.splitTokens(graph.lastSlice(all, layer.rank + index * layer.state, layer.state));
  };
  RecurrenceSpec spec;
  spec.name = layer.name;
  Value logarithms = graph.parameter(prefix + "A" + suffix + "_log", {layer.inner, layer.state});
  spec.inputs = {{x, "bte"},
                 {graph.splitTokens(graph.activate(step, Activation::Softplus)), "bte"},
                 {buildRates(graph, logarithms), "ne"},
                 {selection(0), "btn"},
                 {selection(1), "btn"},
                 {graph.parameter(prefix + "D" + suffix, {layer.inner}), "e"},
                 {gate, "bte"}};
  spec.outputDims = "bte";
  spec.reverse = direction.reverse;
  spec.step = [](OpBuilder &b, Location l, ValueRange in) {
    Scalars s{b, l};
    return RecurrenceStep{in[4], in[3], s.mul(in[1], in[0]), s.exp(s.mul(in[1], in[2]))};
  };
  spec.output = [](OpBuilder &b, Location l, ValueRange in) -> Value {
    Scalars s{b, l};
    Value y = s.add(in[0], s.mul(in[6], in[1]));
    return s.mul(y, buildActivation(b, l, Activation::Silu, in[7]));
  };
  return graph.recurrence(spec);
}

} // namespace

Value BidirectionalMamba::build(GraphBuilder &graph, Value x) const {
  GraphBuilder::Scope scope(graph, name);
  Value both = graph.splitTokens(graph.linear(x, name + ".in_proj", 2 * inner, /*hasBias=*/false));
  Value mixed = graph.lastSlice(both, 0, inner), gate = graph.lastSlice(both, inner, inner);
  auto look = [&](Direction direction) {
    CausalConvSpec conv;
    conv.name = name + ".conv1d" + direction.suffix();
    conv.x = mixed;
    conv.taps = taps;
    conv.activation = Activation::Silu;
    conv.reverse = direction.reverse;
    return scan(graph, *this, direction, graph.causalConv(conv), gate);
  };
  Value y = graph.add(look({false}), look({true}));
  return graph.linear(graph.mergeLeading(y), name + ".out_proj", hidden, /*hasBias=*/false);
}

} // namespace weft
