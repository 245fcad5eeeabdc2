// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The skeleton of state-space models, and the arithmetic of their time steps.
#include "frontends/hf/arch/StateSpace.h"

#include "frontends/hf/arch/PostNorm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace weft {

StateSpaceSizes readStateSpaceSizes(Config &config, StateSpaceSizes defaults) {
  StateSpaceSizes sizes = defaults;
  sizes.vocabulary = config.size({"vocab_size"}, defaults.vocabulary);
  sizes.hidden = config.size({"hidden_size", "d_model"}, defaults.hidden);
  sizes.layers = config.integer({"num_hidden_layers", "n_layer"}, defaults.layers, 1, kMaxLayers);
  sizes.state = config.size({"state_size"}, defaults.state);
  sizes.taps = config.integer({"conv_kernel"}, defaults.taps, 1, 1024);
  sizes.epsilon = config.number({"layer_norm_epsilon"}, defaults.epsilon);
  sizes.bias = config.flag("use_bias", defaults.bias);
  sizes.convBias = config.flag("use_conv_bias", defaults.convBias);
  sizes.activation = config.activation("hidden_act", "silu");
  double expand = config.number({"expand"}, 2.0), inner = expand * static_cast<double>(sizes.hidden);
  if (inner < 1.0 || inner > static_cast<double>(Config::kMaxSize)) {
    config.refuse("W0203", "expand makes mixers of a width of " + std::to_string(inner),
                  "correct expand or hidden_size");
    inner = 1.0;
  }
  sizes.inner = static_cast<int64_t>(inner);
  return sizes;
}

CausalConvSpec StateSpaceSizes::convolution(const std::string &name, Value x, Value starts) const {
  CausalConvSpec spec;
  spec.name = name + ".conv1d";
  spec.x = x;
  spec.taps = taps;
  spec.hasBias = convBias;
  spec.activation = activation;
  spec.state = convState(name);
  spec.reset = starts;
  return spec;
}

static std::string mixerName(int64_t layer) { return "layers." + std::to_string(layer) + ".mixer"; }

static Value run(GraphBuilder &graph, const StateSpaceSizes &sizes, const std::string &table, const Mixer &mixer,
                 Value starts) {
  Value x = graph.embedding(graph.tokenIds("input_ids"), graph.parameter(table, {sizes.vocabulary, sizes.hidden}));
  for (int64_t index = 0; index < sizes.layers && !graph.failed(); ++index) {
    std::string layer = "layers." + std::to_string(index);
    GraphBuilder::Scope scope(graph, layer);
    x = graph.add(x, mixer(graph, mixerName(index), graph.rmsNorm(x, layer + ".norm", sizes.epsilon), starts));
  }
  return graph.rmsNorm(x, "norm_f", sizes.epsilon);
}

std::vector<StateSpec> stateSpaceStates(const StateSpaceSizes &sizes, const std::string &name, int64_t channels,
                                        std::vector<int64_t> scanShape) {
  std::vector<StateSpec> states;
  if (sizes.taps > 1)
    states.push_back({convState(name), {"batch", "", ""}, {0, sizes.taps - 1, channels}});
  scanShape.insert(scanShape.begin(), 0);
  std::vector<std::string> scanDims(scanShape.size());
  scanDims.front() = "batch";
  states.push_back({scanState(name), scanDims, std::move(scanShape)});
  return states;
}

CausalModel describeStateSpace(const StateSpaceSizes &sizes, int64_t channels, const std::vector<int64_t> &scanShape,
                               Mixer mixer) {
  CausalModel model;
  model.vocabulary = sizes.vocabulary;
  model.hidden = sizes.hidden;
  model.wordEmbeddings = "embeddings.weight";
  for (int64_t layer = 0; layer < sizes.layers; ++layer)
    llvm::append_range(model.states, stateSpaceStates(sizes, mixerName(layer), channels, scanShape));
  std::string table = model.wordEmbeddings;
  model.run = [sizes, table, mixer = std::move(mixer)](GraphBuilder &graph, Value starts) {
    return run(graph, sizes, table, mixer, starts);
  };
  return model;
}

void describeSelectiveScan(RecurrenceSpec &spec, bool gated) {
  spec.step = [](OpBuilder &b, Location l, ValueRange in) {
    Value decay = math::ExpOp::create(b, l, arith::MulFOp::create(b, l, in[1], in[2]));
    return RecurrenceStep{in[4], in[3], arith::MulFOp::create(b, l, in[1], in[0]), decay};
  };
  spec.output = [gated](OpBuilder &b, Location l, ValueRange in) -> Value {
    Value skip = arith::MulFOp::create(b, l, in[6], in[1]);
    Value y = arith::AddFOp::create(b, l, in[0], skip);
    if (!gated)
      return y;
    return arith::MulFOp::create(b, l, y, buildActivation(b, l, Activation::Silu, in[7]));
  };
}

Value buildRates(GraphBuilder &graph, Value logarithms) {
  llvm::SmallVector<OpFoldResult> sizes(llvm::reverse(graph.sizes(logarithms)));
  AffineMap map = sizes.size() == 1 ? graph.dimsMap(1, {0}) : graph.dimsMap(2, {1, 0});
  return graph.map(sizes, graph.ops().getF32Type(), {logarithms}, {map},
                   [](OpBuilder &b, Location l, ValueRange s) -> Value {
                     return arith::NegFOp::create(b, l, math::ExpOp::create(b, l, s[0]));
                   });
}

} // namespace weft
