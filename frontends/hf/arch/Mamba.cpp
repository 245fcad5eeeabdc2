// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mamba (Gu and Dao 2023, arXiv:2312.00752) and FalconMamba (Zuo et al. 2024, arXiv:2410.05355): each channel has a
// state of its own, whose decay, input and output depend on the token. FalconMamba normalises B, C and the time step.
#include "frontends/hf/arch/MambaMixers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace weft {
namespace {

/// What depends on the token: [tokens, rank or state].
struct Selection {
  Value step, key, query;
};

Selection select(GraphBuilder &graph, const MambaSizes &sizes, const std::string &name, Value x) {
  Value all = graph.linear(x, name + ".x_proj", sizes.rank + 2 * sizes.state, /*hasBias=*/false);
  auto part = [&](const char *norm, int64_t from, int64_t count) {
    Value slice = graph.lastSlice(all, from, count);
    std::string scale = sizes.innerScales ? name + norm : "";
    return sizes.innerEpsilon ? graph.rmsNorm(slice, scale, *sizes.innerEpsilon) : slice;
  };
  return {part(".dt_layernorm", 0, sizes.rank), part(".b_layernorm", sizes.rank, sizes.state),
          part(".c_layernorm", sizes.rank + sizes.state, sizes.state)};
}

/// softplus(weight · step + bias) [tokens, inner].
Value buildTimeStep(GraphBuilder &graph, const MambaSizes &sizes, const std::string &name, Value step) {
  return graph.map({graph.linear(step, name + ".dt_proj", sizes.inner)}, [](OpBuilder &b, Location l, ValueRange s) {
    return buildActivation(b, l, Activation::Softplus, s[0]);
  });
}

/// S = exp(Δ · A) · S + Δ · B · x;  y = (C · S + D · x) · silu(z).
Value scan(GraphBuilder &graph, const MambaSizes &sizes, const std::string &name, Value x, Value gate, Value starts) {
  Selection selection = select(graph, sizes, name, graph.mergeLeading(x));
  RecurrenceSpec spec;
  spec.name = name;
  spec.inputs = {{x, "bte"},
                 {graph.splitTokens(buildTimeStep(graph, sizes, name, selection.step)), "bte"},
                 {buildRates(graph, graph.parameter(name + ".A_log", {sizes.inner, sizes.state})), "ne"},
                 {graph.splitTokens(selection.key), "btn"},
                 {graph.splitTokens(selection.query), "btn"},
                 {graph.parameter(name + ".D", {sizes.inner}), "e"},
                 {gate, "bte"}};
  spec.outputDims = "bte";
  describeSelectiveScan(spec);
  spec.state = scanState(name);
  spec.reset = starts;
  return graph.recurrence(spec);
}

} // namespace

Value buildMamba(GraphBuilder &graph, const MambaSizes &sizes, const std::string &name, Value hidden, Value starts) {
  Value both = graph.splitTokens(graph.linear(hidden, name + ".in_proj", 2 * sizes.inner, sizes.bias));
  Value x = graph.lastSlice(both, 0, sizes.inner), gate = graph.lastSlice(both, sizes.inner, sizes.inner);
  x = graph.causalConv(sizes.convolution(name, x, starts));
  Value y = scan(graph, sizes, name, x, gate, starts);
  return graph.linear(graph.mergeLeading(y), name + ".out_proj", sizes.hidden, sizes.bias);
}

std::vector<StateSpec> mambaStates(const MambaSizes &sizes, const std::string &name) {
  return stateSpaceStates(sizes, name, sizes.inner, {sizes.state, sizes.inner});
}

namespace {

MambaSizes readSizes(Config &config) {
  MambaSizes sizes{readStateSpaceSizes(config, {})};
  int64_t rank = (sizes.hidden + 15) / 16;
  bool isAutomatic = config.isText("time_step_rank") && config.text("time_step_rank", "") == "auto";
  sizes.rank = isAutomatic ? rank : config.size({"time_step_rank"}, rank);
  return sizes;
}

CausalModel describe(Config &config, const MambaSizes &sizes) {
  CausalModel model = describeStateSpace(sizes, sizes.inner, {sizes.state, sizes.inner},
                                         [=](GraphBuilder &graph, const std::string &name, Value x, Value starts) {
                                           return buildMamba(graph, sizes, name, x, starts);
                                         });
  model.tied = config.flag("tie_word_embeddings", true);
  return model;
}

} // namespace

CausalModel readMamba(Config &config) { return describe(config, readSizes(config)); }

CausalModel readFalconMamba(Config &config) {
  MambaSizes sizes = readSizes(config);
  sizes.innerEpsilon = config.number({"mixer_rms_eps"}, 1e-6);
  return describe(config, sizes);
}

} // namespace weft
