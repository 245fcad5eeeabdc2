// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mamba-2 (Dao and Gu 2024, arXiv:2405.21060): heads of channels with one decay each, B and C shared by the heads of a
// group and convolved beside x, and a gated norm before the projection back.
#include "frontends/hf/arch/StateSpace.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;

namespace weft {
namespace {

struct Mamba2Sizes : StateSpaceSizes {
  int64_t heads = 128, headDim = 64, groups = 8;
  double leastStep = 0.0, greatestStep = std::numeric_limits<double>::infinity();

  /// Channels of B and of C, and of all that is convolved.
  int64_t selection() const { return groups * state; }
  int64_t convolved() const { return inner + 2 * selection(); }
};

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

/// The parts of the projection in: [batch, sequence, …].
struct Projected {
  Value gate, convolved, step;
};

Projected project(GraphBuilder &graph, const Mamba2Sizes &sizes, const std::string &name, Value hidden) {
  int64_t width = sizes.inner + sizes.convolved() + sizes.heads;
  Value all = graph.linear(hidden, name + ".in_proj", width, sizes.bias);
  Value dt = graph.lastSlice(all, sizes.inner + sizes.convolved(), sizes.heads);
  Value step = graph.splitTokens(buildTimeStep(graph, sizes, name, dt));
  all = graph.splitTokens(all);
  return {graph.lastSlice(all, 0, sizes.inner), graph.lastSlice(all, sizes.inner, sizes.convolved()), step};
}

/// S = exp(Δ · A) · S + B · (Δ · x);  y = (C · S + D · x) · silu(z): [batch, sequence, heads, head dimension].
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
                 {graph.parameter(name + ".D", {sizes.heads}), "h"},
                 {graph.splitLast(in.gate, sizes.heads), "bthe"}};
  describeSelectiveScan(spec);
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

Value mix(GraphBuilder &graph, const Mamba2Sizes &sizes, const std::string &name, Value hidden, Value starts) {
  Value y = scan(graph, sizes, name, project(graph, sizes, name, hidden), starts);
  Value normed = normalizeGroups(graph, sizes, name + ".norm", graph.mergeHeads(y));
  return graph.linear(normed, name + ".out_proj", sizes.hidden, sizes.bias);
}

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
  if (sizes.heads * sizes.headDim != sizes.inner)
    config.refuse("W0207",
                  "num_heads · head_dim is " + std::to_string(sizes.heads * sizes.headDim) +
                      ", expand · hidden_size is " + std::to_string(sizes.inner),
                  "correct num_heads, head_dim, expand or hidden_size");
  if (sizes.heads % sizes.groups != 0)
    config.refuse("W0207",
                  "num_heads is " + std::to_string(sizes.heads) + ", no multiple of the " +
                      std::to_string(sizes.groups) + " groups of n_groups",
                  "correct num_heads or n_groups");
  return sizes;
}

} // namespace

CausalModel readMamba2(Config &config) {
  Mamba2Sizes sizes = readSizes(config);
  CausalModel model = describeStateSpace(sizes, sizes.convolved(), {sizes.heads, sizes.state, sizes.headDim},
                                         [=](GraphBuilder &graph, const std::string &name, Value x, Value starts) {
                                           return mix(graph, sizes, name, x, starts);
                                         });
  model.endToken = 2;
  model.tied = config.flag("tie_word_embeddings", false);
  return model;
}

} // namespace weft
