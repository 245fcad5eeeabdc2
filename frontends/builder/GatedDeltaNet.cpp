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
  StateSpec memory{name + ".state", {"batch", "", "", ""}, {0, valueHeads, keys, values}};
  return {past(".q_past", keyHeads * keys), past(".k_past", keyHeads * keys), past(".v_past", valueHeads * values),
          memory};
}

namespace {

/// What a token gives. Convolved queries, keys and values are [batch, sequence, heads, d].
struct DeltaParts {
  Value query, key, value;
  Value rate, step; ///< b and a: [batch, sequence, valueHeads]
  Value gate;       ///< [tokens, valueHeads · values], or that by key head
};

/// x [tokens, heads · d] convolved over time, with the weight [heads · d, taps] or, null, the part's own: [batch,
/// sequence, heads, d].
Value convolved(GraphBuilder &graph, const GatedDeltaNet &layer, const std::string &part, Value x, int64_t heads,
                Value reset, Value weight = {}) {
  CausalConvSpec conv;
  conv.name = layer.name + "." + part + "_conv1d";
  conv.x = graph.splitTokens(x);
  conv.taps = layer.taps;
  conv.hasBias = false;
  conv.activation = Activation::Silu;
  conv.state = layer.name + "." + part + "_past";
  conv.reset = reset;
  conv.weight = weight;
  return graph.splitLast(graph.causalConv(conv), heads);
}

DeltaParts buildParts(GraphBuilder &graph, const GatedDeltaNet &layer, Value x, Value reset) {
  auto plain = [&](const char *module, int64_t out) {
    return graph.linear(x, layer.name + module, out, /*hasBias=*/false);
  };
  int64_t allKeys = layer.keyHeads * layer.keys, all = layer.valueHeads * layer.values;
  return {convolved(graph, layer, "q", plain(".q_proj", allKeys), layer.keyHeads, reset),
          convolved(graph, layer, "k", plain(".k_proj", allKeys), layer.keyHeads, reset),
          convolved(graph, layer, "v", plain(".v_proj", all), layer.valueHeads, reset),
          graph.splitTokens(plain(".b_proj", layer.valueHeads)),
          graph.splitTokens(plain(".a_proj", layer.valueHeads)),
          plain(".g_proj", all)};
}

/// The same of two projections whose outputs lie by key head, and of one weight of all convolutions.
DeltaParts buildFusedParts(GraphBuilder &graph, const GatedDeltaNet &layer, Value x, Value reset) {
  int64_t shared = layer.valueHeads / layer.keyHeads; // value heads of a key head
  int64_t wide = shared * layer.values, allKeys = layer.keyHeads * layer.keys, all = layer.valueHeads * layer.values;
  auto byHead = [&](const char *module, int64_t out) {
    return graph.splitLast(graph.linear(x, layer.name + module, out, /*hasBias=*/false), layer.keyHeads);
  };
  Value both = byHead(".in_proj_qkvz", 2 * (allKeys + all)), small = byHead(".in_proj_ba", 2 * layer.valueHeads);
  Value weight = graph.mergeLast(graph.parameter(layer.name + ".conv1d.weight", {2 * allKeys + all, 1, layer.taps}));
  auto part = [&](Value of, int64_t from, int64_t count) { return graph.mergeLast(graph.lastSlice(of, from, count)); };
  return {convolved(graph, layer, "q", part(both, 0, layer.keys), layer.keyHeads, reset,
                    graph.firstSlice(weight, 0, allKeys)),
          convolved(graph, layer, "k", part(both, layer.keys, layer.keys), layer.keyHeads, reset,
                    graph.firstSlice(weight, allKeys, allKeys)),
          convolved(graph, layer, "v", part(both, 2 * layer.keys, wide), layer.valueHeads, reset,
                    graph.firstSlice(weight, 2 * allKeys, all)),
          graph.splitTokens(part(small, 0, shared)),
          graph.splitTokens(part(small, shared, shared)),
          graph.lastSlice(both, 2 * layer.keys + wide, wide)};
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
  DeltaParts parts = fused ? buildFusedParts(graph, *this, x, reset) : buildParts(graph, *this, x, reset);
  RecurrenceSpec spec;
  spec.name = name;
  spec.headsPerGroup = valueHeads / keyHeads;
  spec.inputs = {{graph.l2Norm(parts.query, 1e-6, scale), "btgn"},
                 {graph.l2Norm(parts.key, 1e-6), "btgn"},
                 {parts.value, "bthe"},
                 {parts.rate, "bth"},
                 {parts.step, "bth"},
                 {graph.parameter(name + ".A_log", {valueHeads}), "h"},
                 {graph.parameter(name + ".dt_bias", {valueHeads}), "h"}};
  spec.step = buildStep;
  spec.state = name + ".state";
  spec.reset = reset;
  std::string norm = name + (fused ? ".norm" : ".o_norm"), out = name + (fused ? ".out_proj" : ".o_proj");
  Value normed = graph.mergeHeads(graph.rmsNorm(graph.recurrence(spec), norm, epsilon));
  if (fused)
    normed = graph.splitLast(normed, keyHeads);
  Value gated = graph.map({normed, parts.gate}, [](OpBuilder &b, Location l, ValueRange v) -> Value {
    return Scalars{b, l}.mul(v[0], buildActivation(b, l, Activation::Silu, v[1]));
  });
  if (fused)
    gated = graph.mergeLast(gated);
  return graph.linear(gated, out, hidden, /*hasBias=*/false);
}

} // namespace weft
