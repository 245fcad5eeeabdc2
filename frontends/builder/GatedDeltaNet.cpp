// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Gated DeltaNet: what a key finds in the decayed state is replaced by the share β by its new value.
#include "frontends/builder/Mixers.h"
#include "frontends/builder/Scalars.h"

#include <cmath>

using namespace mlir;

namespace weft {

std::vector<StateSpec> GatedDeltaNet::states() const {
  auto past = [&](const char *part, int64_t channels) {
    return StateSpec{name + part, {"batch", "", ""}, {0, taps - 1, channels}};
  };
  return {past(".q_past", keyHeads * keys),
          past(".k_past", keyHeads * keys),
          past(".v_past", valueHeads * values),
          {name + ".state", {"batch", "", "", ""}, {0, valueHeads, keys, values}}};
}

namespace {

/// x · weightᵀ, convolved over time: [batch, sequence, heads, d].
Value projectConvolved(GraphBuilder &graph, const GatedDeltaNet &layer, const std::string &part, Value x, int64_t heads,
                       int64_t d, Value reset) {
  std::string name = layer.name + "." + part;
  CausalConvSpec conv;
  conv.name = name + "_conv1d";
  conv.x = graph.splitTokens(graph.linear(x, name + "_proj", heads * d, /*hasBias=*/false));
  conv.taps = layer.taps;
  conv.hasBias = false;
  conv.activation = Activation::Silu;
  conv.state = name + "_past";
  conv.reset = reset;
  return graph.splitLast(graph.causalConv(conv), heads);
}

/// S = decay · S + β · k · (v − kᵀ · decay · S), o = q · S.
RecurrenceStep buildStep(OpBuilder &b, Location l, ValueRange in) {
  Scalars s{b, l};
  Value query = in[0], key = in[1], value = in[2], rate = s.sigmoid(in[3]);
  Value softplus = buildActivation(b, l, Activation::Softplus, s.add(in[4], in[6]));
  Value decay = s.exp(s.neg(s.mul(s.exp(in[5]), softplus)));
  Value written = s.mul(key, rate);
  return {query, written, value, decay, {s.mul(key, decay), s.neg(written)}};
}

} // namespace

Value GatedDeltaNet::build(GraphBuilder &graph, Value x, Value reset) const {
  GraphBuilder::Scope scope(graph, name);
  double scale = 1.0 / std::sqrt(static_cast<double>(keys));
  Value query = projectConvolved(graph, *this, "q", x, keyHeads, keys, reset);
  Value key = projectConvolved(graph, *this, "k", x, keyHeads, keys, reset);
  auto byHead = [&](const char *module) {
    return graph.splitTokens(graph.linear(x, name + module, valueHeads, /*hasBias=*/false));
  };
  RecurrenceSpec spec;
  spec.name = name;
  spec.headsPerGroup = valueHeads / keyHeads;
  spec.inputs = {{graph.l2Norm(query, 1e-6, scale), "btgn"},
                 {graph.l2Norm(key, 1e-6), "btgn"},
                 {projectConvolved(graph, *this, "v", x, valueHeads, values, reset), "bthe"},
                 {byHead(".b_proj"), "bth"},
                 {byHead(".a_proj"), "bth"},
                 {graph.parameter(name + ".A_log", {valueHeads}), "h"},
                 {graph.parameter(name + ".dt_bias", {valueHeads}), "h"}};
  spec.step = buildStep;
  spec.state = name + ".state";
  spec.reset = reset;
  Value normed = graph.mergeHeads(graph.rmsNorm(graph.recurrence(spec), name + ".o_norm", epsilon));
  Value gate = graph.linear(x, name + ".g_proj", valueHeads * values, /*hasBias=*/false);
  Value gated = graph.map({normed, gate}, [](OpBuilder &b, Location l, ValueRange v) -> Value {
    return Scalars{b, l}.mul(v[0], buildActivation(b, l, Activation::Silu, v[1]));
  });
  return graph.linear(gated, name + ".o_proj", hidden, /*hasBias=*/false);
}

} // namespace weft
