// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linear attentions that differ in their decay: one number a head (RetNet), one a key channel (GLA), none
// (TransNormer).
#include "frontends/builder/Mixers.h"
#include "frontends/builder/Scalars.h"

#include <cmath>

using namespace mlir;

namespace weft {

static std::string stateName(const std::string &layer) { return layer + ".state"; }
static std::string imaginaryStateName(const std::string &layer) { return layer + ".imaginary_state"; }

/// x · weightᵀ of `module` as [batch, sequence, heads, d].
static Value projectHeads(GraphBuilder &graph, Value x, const std::string &module, int64_t heads, int64_t d) {
  Value all = graph.linear(x, module, heads * d, /*hasBias=*/false);
  return graph.splitLast(graph.splitTokens(all), heads);
}

/// o · silu(gate), [tokens, heads · d] both.
static Value gateBySilu(GraphBuilder &graph, Value o, Value gate) {
  return graph.map({o, gate}, [](OpBuilder &b, Location l, ValueRange v) -> Value {
    return Scalars{b, l}.mul(v[0], buildActivation(b, l, Activation::Silu, v[1]));
  });
}

//===----------------------------------------------------------------------===//
// RetNet
//===----------------------------------------------------------------------===//

std::vector<StateSpec> Retention::states() const {
  std::vector<std::string> dims{"batch", "", "", ""};
  if (!rotary)
    return {{stateName(name), dims, {0, heads, keys, values}}};
  return {{stateName(name), dims, {0, heads, keys / 2, values}},
          {imaginaryStateName(name), dims, {0, heads, keys / 2, values}}};
}

static Value buildDecays(GraphBuilder &graph, int64_t heads) {
  std::vector<float> decays;
  decays.reserve(heads);
  for (int64_t head = 0; head < heads; ++head)
    decays.push_back(static_cast<float>(1.0 - std::exp2(-5.0 - static_cast<double>(head))));
  return graph.constant(decays);
}

/// e^(iθ) for each pair of channels, times what it forgets: real and imaginary parts, [pairs].
static std::pair<Value, Value> buildTurns(GraphBuilder &graph, int64_t pairs, double scaleBase) {
  std::vector<float> cosines, sines;
  for (int64_t pair = 0; pair < pairs; ++pair) {
    double share = pairs > 1 ? static_cast<double>(pair) / static_cast<double>(pairs - 1) : 0.0;
    double angle = std::pow(10000.0, -share), kept = 1.0;
    // A query's scale ζ^(t / base) and a key's ζ^(−s / base) make a decay of the distance.
    if (scaleBase > 0)
      kept = std::pow((static_cast<double>(pair) / static_cast<double>(pairs) + 0.4) / 1.4, 1.0 / scaleBase);
    cosines.push_back(static_cast<float>(kept * std::cos(angle)));
    sines.push_back(static_cast<float>(kept * std::sin(angle)));
  }
  Value cosine = graph.constant(cosines);
  return {cosine, graph.constant(sines)};
}

/// The pairs of a query and a key as complex numbers: Re(q · e^(iθ(t − s)) · k̄) is the product of both turned.
static void addRotation(GraphBuilder &graph, RecurrenceSpec &spec, Value query, Value key, int64_t pairs,
                        double scaleBase) {
  auto [cosine, sine] = buildTurns(graph, pairs, scaleBase);
  auto half = [&](Value x, int64_t index) { return graph.lastSlice(x, index * pairs, pairs); };
  spec.inputs.insert(spec.inputs.end(), {{half(query, 0), "bthn"},
                                         {half(query, 1), "bthn"},
                                         {half(key, 0), "bthn"},
                                         {half(key, 1), "bthn"},
                                         {cosine, "n"},
                                         {sine, "n"}});
  spec.step = [](OpBuilder &b, Location l, ValueRange in) {
    Scalars s{b, l};
    RecurrenceStep step{in[2], in[4], in[0], s.mul(in[1], in[6])};
    step.imaginary = {in[3], s.neg(in[5]), {}, s.mul(in[1], in[7])};
    return step;
  };
}

Value Retention::build(GraphBuilder &graph, Value x, Value reset) const {
  assert((!rotary || keys % 2 == 0) && "channels turn in pairs");
  assert((rotary || scaleBase == 0) && "pairs that do not turn have no scale");
  GraphBuilder::Scope scope(graph, name);
  Value query = projectHeads(graph, x, name + ".q_proj", heads, keys);
  Value key = projectHeads(graph, x, name + ".k_proj", heads, keys);
  RecurrenceSpec spec;
  spec.name = name;
  spec.inputs = {{projectHeads(graph, x, name + ".v_proj", heads, values), "bthe"}, {buildDecays(graph, heads), "h"}};
  if (rotary) {
    addRotation(graph, spec, query, key, keys / 2, scaleBase);
    spec.imaginaryState = imaginaryStateName(name);
  } else {
    spec.inputs.insert(spec.inputs.end(), {{query, "bthn"}, {key, "bthn"}});
    spec.step = [](OpBuilder &, Location, ValueRange in) { return RecurrenceStep{in[2], in[3], in[0], in[1]}; };
  }
  spec.state = stateName(name);
  spec.reset = reset;
  double scale = 1.0 / std::sqrt(static_cast<double>(keys));
  // The scale of the keys has no effect but on the norm's epsilon: there it is.
  Value normed = graph.rmsNorm(graph.recurrence(spec), "", epsilon / (scale * scale));
  Value gate = graph.linear(x, name + ".g_proj", heads * values, /*hasBias=*/false);
  Value gated = gateBySilu(graph, graph.mergeHeads(normed), gate);
  return graph.linear(gated, name + ".out_proj", hidden, /*hasBias=*/false);
}

//===----------------------------------------------------------------------===//
// GLA
//===----------------------------------------------------------------------===//

std::vector<StateSpec> GatedLinearAttention::states() const {
  return {{stateName(name), {"batch", "", "", ""}, {0, heads, keys, values}}};
}

Value GatedLinearAttention::build(GraphBuilder &graph, Value x, Value reset) const {
  GraphBuilder::Scope scope(graph, name);
  Value low = graph.linear(x, name + ".gk_proj.0", rank, /*hasBias=*/false);
  Value gates = graph.linear(low, name + ".gk_proj.1", heads * keys);
  RecurrenceSpec spec;
  spec.name = name;
  spec.inputs = {{projectHeads(graph, x, name + ".v_proj", heads, values), "bthe"},
                 {projectHeads(graph, x, name + ".q_proj", heads, keys), "bthn"},
                 {projectHeads(graph, x, name + ".k_proj", heads, keys), "bthn"},
                 {graph.splitLast(graph.splitTokens(gates), heads), "bthn"}};
  double scale = 1.0 / std::sqrt(static_cast<double>(keys)), share = 1.0 / temper;
  spec.step = [=](OpBuilder &b, Location l, ValueRange in) {
    Scalars s{b, l};
    // σ(x)^(1 / temper) = exp(−softplus(−x) / temper)
    Value forgets = buildActivation(b, l, Activation::Softplus, s.neg(in[3]));
    return RecurrenceStep{s.mul(in[1], s.constant(scale)), in[2], in[0], s.exp(s.mul(forgets, s.constant(-share)))};
  };
  spec.state = stateName(name);
  spec.reset = reset;
  Value normed = graph.rmsNorm(graph.recurrence(spec), name + ".g_norm", epsilon);
  Value gate = graph.linear(x, name + ".g_proj", heads * values, /*hasBias=*/false);
  Value gated = gateBySilu(graph, graph.mergeHeads(normed), gate);
  return graph.linear(gated, name + ".o_proj", hidden, /*hasBias=*/false);
}

//===----------------------------------------------------------------------===//
// TransNormer
//===----------------------------------------------------------------------===//

std::vector<StateSpec> NormAttention::states() const {
  return {{stateName(name), {"batch", "", "", ""}, {0, heads, hidden / heads, hidden / heads}}};
}

Value NormAttention::build(GraphBuilder &graph, Value x, Value reset) const {
  GraphBuilder::Scope scope(graph, name);
  auto part = [&](const char *module) { return projectHeads(graph, x, name + module, heads, hidden / heads); };
  RecurrenceSpec spec;
  spec.name = name;
  spec.inputs = {{part(".v_proj"), "bthe"}, {part(".q_proj"), "bthn"}, {part(".k_proj"), "bthn"}};
  spec.step = [kind = feature](OpBuilder &b, Location l, ValueRange in) {
    return RecurrenceStep{buildActivation(b, l, kind, in[1]), buildActivation(b, l, kind, in[2]), in[0]};
  };
  spec.state = stateName(name);
  spec.reset = reset;
  Value normed = graph.rmsNorm(graph.mergeHeads(graph.recurrence(spec)), name + ".norm", epsilon);
  return graph.linear(normed, name + ".out_proj", hidden, /*hasBias=*/false);
}

} // namespace weft
