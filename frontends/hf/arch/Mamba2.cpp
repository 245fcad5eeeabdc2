// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mamba-2 (Dao and Gu 2024, arXiv:2405.21060): heads of channels with one decay each, B and C shared by the heads of a
// group and convolved beside x, and a gated norm before the projection back.
#include "frontends/builder/Scalars.h"
#include "frontends/hf/arch/MambaMixers.h"

using namespace mlir;

namespace weft {
namespace {

/// softplus(dt + bias) within the limits: dt [tokens, heads].
Value buildTimeStep(GraphBuilder &graph, const Mamba2Sizes &sizes, const std::string &name, Value step) {
  Value biased = graph.addRow(step, graph.parameter(name + ".dt_bias", {sizes.heads}));
  return graph.map({biased}, [&](OpBuilder &b, Location l, ValueRange s) -> Value {
    auto constant = [&](double value) -> Value {
      return arith::ConstantOp::create(b, l, b.getF32FloatAttr(static_cast<float>(value)));
    };
    Value dt = buildActivation(b, l, Activation::Softplus, s[0]);
    if (sizes.leastStep > 0)
      dt = arith::MaximumFOp::create(b, l, dt, constant(sizes.leastStep));
    if (std::isfinite(sizes.greatestStep))
      dt = arith::MinimumFOp::create(b, l, dt, constant(sizes.greatestStep));
    return dt;
  });
}

/// The parts of the projection in, [batch, sequence, …], and the gate as [tokens, inner] too.
struct Projected {
  Value gate, convolved, step, flatGate;
};

Value scaled(GraphBuilder &graph, Value x, double factor) {
  if (factor == 1)
    return x;
  return graph.map({x}, [&](OpBuilder &b, Location l, ValueRange s) {
    Scalars of{b, l};
    return of.mul(s[0], of.constant(factor));
  });
}

/// Each part of the projection [tokens, n] by its factor.
Value scaleParts(GraphBuilder &graph, const Mamba2Sizes &sizes, Value all) {
  bool isPlain = llvm::all_of(sizes.partFactors, [](double factor) { return factor == 1; });
  if (isPlain || graph.failed()) // no table of a width that no weight confirms
    return all;
  llvm::SmallVector<float> factors;
  const int64_t widths[] = {sizes.inner, sizes.inner, sizes.selection(), sizes.selection(), sizes.heads};
  for (auto [factor, width] : llvm::zip_equal(sizes.partFactors, widths))
    factors.append(width, static_cast<float>(factor));
  return graph.map(graph.sizes(all), graph.ops().getF32Type(), {all, graph.constant(factors)},
                   {graph.dimsMap(2, {0, 1}), graph.dimsMap(2, {1})},
                   [](OpBuilder &b, Location l, ValueRange s) { return Scalars{b, l}.mul(s[0], s[1]); });
}

Projected project(GraphBuilder &graph, const Mamba2Sizes &sizes, const std::string &name, Value hidden) {
  int64_t width = sizes.inner + sizes.convolved() + sizes.heads;
  Value all = graph.linear(scaled(graph, hidden, sizes.inFactor), name + ".in_proj", width, sizes.bias);
  all = scaleParts(graph, sizes, all);
  Value dt = graph.lastSlice(all, sizes.inner + sizes.convolved(), sizes.heads);
  Value step = graph.splitTokens(buildTimeStep(graph, sizes, name, dt));
  Value gate = graph.lastSlice(all, 0, sizes.inner);
  all = graph.splitTokens(all);
  return {graph.lastSlice(all, 0, sizes.inner), graph.lastSlice(all, sizes.inner, sizes.convolved()), step, gate};
}

/// S = exp(Δ · A) · S + B · (Δ · x);  y = (C · S + D · x) · silu(z): [batch, sequence, heads, head dimension]. The gate
/// silu(z) is left out where it follows the norm.
Value scan(GraphBuilder &graph, const Mamba2Sizes &sizes, const std::string &name, const Projected &in, Value starts) {
  Value all = graph.causalConv(sizes.convolution(name, in.convolved, starts));
  auto selection = [&](int64_t index) {
    Value slice = graph.lastSlice(all, sizes.inner + index * sizes.selection(), sizes.selection());
    return graph.splitLast(slice, sizes.groups);
  };
  RecurrenceSpec spec;
  spec.name = name;
  spec.headsPerGroup = sizes.heads / sizes.groups;
  spec.inputs = {{graph.splitLast(graph.lastSlice(all, 0, sizes.inner), sizes.heads), "bthe"},
                 {in.step, "bth"},
                 {buildRates(graph, graph.parameter(name + ".A_log", {sizes.heads})), "h"},
                 {selection(0), "btgn"},
                 {selection(1), "btgn"},
                 {graph.parameter(name + ".D", {sizes.heads}), "h"}};
  bool isGated = sizes.gate != ScanGate::AfterNorm;
  if (isGated)
    spec.inputs.push_back({graph.splitLast(in.gate, sizes.heads), "bthe"});
  describeSelectiveScan(spec, isGated);
  spec.state = scanState(name);
  spec.reset = starts;
  return graph.recurrence(spec);
}

/// Root mean square norm within each group of channels: y [tokens, inner].
Value normalizeGroups(GraphBuilder &graph, const Mamba2Sizes &sizes, const std::string &name, Value y) {
  if (sizes.groups == 1)
    return graph.rmsNorm(y, name, sizes.epsilon);
  Value normed = graph.mergeLast(graph.rmsNorm(graph.splitLast(y, sizes.groups), "", sizes.epsilon));
  return graph.map(
      graph.sizes(normed), graph.ops().getF32Type(), {normed, graph.parameter(name + ".weight", {sizes.inner})},
      {graph.dimsMap(2, {0, 1}), graph.dimsMap(2, {1})},
      [](OpBuilder &b, Location l, ValueRange s) -> Value { return arith::MulFOp::create(b, l, s[0], s[1]); });
}

/// y · silu(gate) [tokens, inner].
Value gateWith(GraphBuilder &graph, Value y, Value gate) {
  return graph.map({y, gate}, [](OpBuilder &b, Location l, ValueRange s) {
    return Scalars{b, l}.mul(s[0], buildActivation(b, l, Activation::Silu, s[1]));
  });
}

} // namespace

Value buildMamba2(GraphBuilder &graph, const Mamba2Sizes &sizes, const std::string &name, Value hidden, Value starts) {
  Projected in = project(graph, sizes, name, hidden);
  Value y = graph.mergeHeads(scan(graph, sizes, name, in, starts));
  if (sizes.gate != ScanGate::NoNorm)
    y = normalizeGroups(graph, sizes, name + ".norm", y);
  if (sizes.gate == ScanGate::AfterNorm)
    y = gateWith(graph, y, in.flatGate);
  return graph.linear(y, name + ".out_proj", sizes.hidden, sizes.outBias.value_or(sizes.bias));
}

std::vector<StateSpec> mamba2States(const Mamba2Sizes &sizes, const std::string &name) {
  return stateSpaceStates(sizes, name, sizes.convolved(), {sizes.heads, sizes.state, sizes.headDim});
}

void checkMamba2(Config &config, const Mamba2Sizes &sizes, const Mamba2Keys &keys) {
  auto name = [](const char *key) { return std::string(key); };
  if (sizes.heads * sizes.headDim != sizes.inner)
    config.refuse("W0207",
                  name(keys.heads) + " · " + keys.headDim + " is " + std::to_string(sizes.heads * sizes.headDim) +
                      ", " + keys.inner + " is " + std::to_string(sizes.inner),
                  "correct " + name(keys.heads) + ", " + keys.headDim + " or " + keys.inner);
  if (sizes.heads % sizes.groups != 0)
    config.refuse("W0207",
                  name(keys.heads) + " is " + std::to_string(sizes.heads) + ", no multiple of the " +
                      std::to_string(sizes.groups) + " groups of " + keys.groups,
                  "correct " + name(keys.heads) + " or " + keys.groups);
}

namespace {

Mamba2Sizes readSizes(Config &config) {
  StateSpaceSizes defaults;
  defaults.vocabulary = 32768;
  defaults.hidden = 4096;
  defaults.layers = 64;
  defaults.state = 128;
  Mamba2Sizes sizes{readStateSpaceSizes(config, defaults)};
  sizes.heads = config.size({"num_heads"}, 128);
  sizes.headDim = config.size({"head_dim"}, 64);
  sizes.groups = config.size({"n_groups"}, 8);
  std::vector<double> limits = config.numbers("time_step_limit", {0.0, sizes.greatestStep});
  sizes.leastStep = limits[0];
  sizes.greatestStep = limits[1];
  checkMamba2(config, sizes, {"num_heads", "head_dim", "n_groups", "expand · hidden_size"});
  return sizes;
}

} // namespace

CausalModel readMamba2(Config &config) {
  Mamba2Sizes sizes = readSizes(config);
  CausalModel model = describeStateSpace(sizes, sizes.convolved(), {sizes.heads, sizes.state, sizes.headDim},
                                         [=](GraphBuilder &graph, const std::string &name, Value x, Value starts) {
                                           return buildMamba2(graph, sizes, name, x, starts);
                                         });
  model.endToken = 2;
  model.tied = config.flag("tie_word_embeddings", false);
  return model;
}

} // namespace weft
