// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// xLSTM of mLSTM blocks (Beck et al. 2024, arXiv:2405.04517; the large models, Beck et al. 2025, arXiv:2503.13427): a
// matrix for each head that forgets by a sigmoid and takes in by an exponential, and a vector that counts what it took.
#include "frontends/hf/arch/PostNorm.h"
#include "frontends/hf/arch/StateSpace.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;

namespace weft {
namespace {

struct XLstmSizes {
  int64_t vocabulary, hidden, layers, heads, keys, values, feed; ///< keys and values of all heads
  double epsilon, normEpsilon, gateCap;
};

std::string blockName(int64_t layer) { return "blocks." + std::to_string(layer); }

Value constantOf(OpBuilder &b, Location l, double value) {
  return arith::ConstantOp::create(b, l, b.getF32FloatAttr(static_cast<float>(value)));
}

/// cap · tanh(x / cap): [tokens, heads] → [batch, sequence, heads].
Value buildGate(GraphBuilder &graph, const XLstmSizes &sizes, const std::string &name, Value x, bool isForget) {
  Value gate = graph.map({graph.linear(x, name, sizes.heads)}, [&](OpBuilder &b, Location l, ValueRange v) -> Value {
    Value capped = buildSoftCap(b, l, v[0], sizes.gateCap);
    if (!isForget)
      return capped;
    // ln σ(x) = −softplus(−x)
    Value softplus = buildActivation(b, l, Activation::Softplus, arith::NegFOp::create(b, l, capped));
    return arith::NegFOp::create(b, l, softplus);
  });
  return graph.splitTokens(gate);
}

/// What a head takes in and forgets at each step, as logarithms, and the top m that both are scaled by, so that no
/// exponential is above 1: m = max(forget + m before, input), 0 before a text. All [batch, sequence, heads].
struct Gates {
  Value input, forget, top, topBefore;
};

Gates buildGates(GraphBuilder &graph, const XLstmSizes &sizes, const std::string &name, Value x, Value starts) {
  Gates gates;
  gates.input = buildGate(graph, sizes, name + ".igate_preact", x, /*isForget=*/false);
  gates.forget = buildGate(graph, sizes, name + ".fgate_preact", x, /*isForget=*/true);
  AffineMap all = graph.dimsMap(3, {0, 1, 2});
  // A scan begins with its first element alone; that of a text has the 0 before it in itself.
  Value first = gates.input;
  if (starts)
    first = graph.map(graph.sizes(first), graph.ops().getF32Type(), {gates.input, gates.forget, starts},
                      {all, all, graph.dimsMap(3, {0, 1})}, [](OpBuilder &b, Location l, ValueRange v) -> Value {
                        Value zero = arith::ConstantOp::create(b, l, b.getIntegerAttr(v[2].getType(), 0));
                        Value isStart = arith::CmpIOp::create(b, l, arith::CmpIPredicate::ne, v[2], zero);
                        Value top = arith::MaximumFOp::create(b, l, v[0], v[1]);
                        return arith::SelectOp::create(b, l, isStart, top, v[0]);
                      });
  ScanSpec spec;
  spec.name = name;
  spec.inputs = {gates.forget, first};
  spec.states = {name + ".forget_state", name + ".top_state"};
  spec.fromZero = true;
  spec.reset = starts;
  spec.combine = [](OpBuilder &b, Location l, ValueRange v) -> llvm::SmallVector<Value> {
    Value decayed = arith::AddFOp::create(b, l, v[1], v[2]);
    return {arith::AddFOp::create(b, l, v[0], v[2]), arith::MaximumFOp::create(b, l, decayed, v[3])};
  };
  gates.top = graph.scan(spec)[1];
  gates.topBefore = graph.shifted(gates.top, name + ".top_before_state", starts);
  return gates;
}

/// S = forget · S + input · key · value, o = query · S; without a value, of the keys alone.
Value remember(GraphBuilder &graph, const XLstmSizes &sizes, const std::string &name, const Gates &gates, Value query,
               Value key, Value value, Value starts) {
  RecurrenceSpec spec;
  spec.name = name;
  spec.inputs = {{query, "bthn"},       {key, "bthn"},      {gates.input, "bth"},
                 {gates.forget, "bth"}, {gates.top, "bth"}, {gates.topBefore, "bth"}};
  if (value)
    spec.inputs.push_back({value, "bthe"});
  spec.outputDims = value ? "bthe" : "bth";
  int64_t headDim = sizes.keys / sizes.heads;
  double scale = 1.0 / std::sqrt(static_cast<double>(headDim));
  spec.step = [=](OpBuilder &b, Location l, ValueRange v) {
    RecurrenceStep step;
    Value kept = arith::SubFOp::create(b, l, arith::AddFOp::create(b, l, v[3], v[5]), v[4]);
    step.decay = math::ExpOp::create(b, l, kept);
    step.value = math::ExpOp::create(b, l, arith::SubFOp::create(b, l, v[2], v[4]));
    if (v.size() > 6)
      step.value = arith::MulFOp::create(b, l, step.value, v[6]);
    step.key = v[1];
    step.query = arith::MulFOp::create(b, l, v[0], constantOf(b, l, scale));
    return step;
  };
  spec.state = name + (value ? ".c_state" : ".n_state");
  spec.reset = starts;
  return graph.recurrence(spec);
}

/// o / (max(|count|, e^−top) + epsilon): [batch, sequence, heads, d].
Value divideByCount(GraphBuilder &graph, const XLstmSizes &sizes, Value o, Value count, Value top) {
  AffineMap all = graph.dimsMap(4, {0, 1, 2, 3}), head = graph.dimsMap(4, {0, 1, 2});
  return graph.map(graph.sizes(o), graph.ops().getF32Type(), {o, count, top}, {all, head, head},
                   [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                     Value least = math::ExpOp::create(b, l, arith::NegFOp::create(b, l, v[2]));
                     Value size = math::AbsFOp::create(b, l, v[1]);
                     Value divisor = arith::AddFOp::create(b, l, arith::MaximumFOp::create(b, l, size, least),
                                                           constantOf(b, l, sizes.epsilon));
                     return arith::DivFOp::create(b, l, v[0], divisor);
                   });
}

Value mixTokens(GraphBuilder &graph, const XLstmSizes &sizes, const std::string &name, Value x, Value starts) {
  GraphBuilder::Scope scope(graph, name);
  auto heads = [&](const std::string &part, int64_t width) {
    Value projected = graph.linear(x, name + part, width, /*hasBias=*/false);
    return graph.splitLast(graph.splitTokens(projected), sizes.heads);
  };
  Value query = heads(".q", sizes.keys), key = heads(".k", sizes.keys), value = heads(".v", sizes.values);
  Gates gates = buildGates(graph, sizes, name, x, starts);
  Value o = remember(graph, sizes, name, gates, query, key, value, starts);
  Value count = remember(graph, sizes, name, gates, query, key, Value(), starts);
  Value h = graph.layerNorm(divideByCount(graph, sizes, o, count, gates.top), "", sizes.normEpsilon);
  Value gate = graph.linear(x, name + ".ogate_preact", sizes.values, /*hasBias=*/false);
  Value scale = graph.parameter(name + ".multihead_norm.weight", {sizes.values});
  AffineMap all = graph.dimsMap(2, {0, 1});
  Value gated = graph.map(graph.sizes(gate), graph.ops().getF32Type(), {gate, graph.mergeHeads(h), scale},
                          {all, all, graph.dimsMap(2, {1})}, [](OpBuilder &b, Location l, ValueRange v) -> Value {
                            Value open = buildActivation(b, l, Activation::Sigmoid, v[0]);
                            return arith::MulFOp::create(b, l, open, arith::MulFOp::create(b, l, v[1], v[2]));
                          });
  return graph.linear(gated, name + ".out_proj", sizes.hidden, /*hasBias=*/false);
}

Value feedForward(GraphBuilder &graph, const XLstmSizes &sizes, const std::string &name, Value x) {
  GraphBuilder::Scope scope(graph, name);
  Value gate = graph.linear(x, name + ".proj_up_gate", sizes.feed, /*hasBias=*/false);
  Value up = graph.linear(x, name + ".proj_up", sizes.feed, /*hasBias=*/false);
  Value gated = graph.map({gate, up}, [](OpBuilder &b, Location l, ValueRange v) -> Value {
    return arith::MulFOp::create(b, l, buildActivation(b, l, Activation::Silu, v[0]), v[1]);
  });
  return graph.linear(gated, name + ".proj_down", sizes.hidden, /*hasBias=*/false);
}

Value run(GraphBuilder &graph, const XLstmSizes &sizes, Value starts) {
  Value x = graph.embedding(graph.tokenIds("input_ids"),
                            graph.parameter("embeddings.weight", {sizes.vocabulary, sizes.hidden}));
  for (int64_t layer = 0; layer < sizes.layers && !graph.failed(); ++layer) {
    std::string name = blockName(layer);
    GraphBuilder::Scope scope(graph, name);
    auto norm = [&](const char *part) { return graph.rmsNorm(x, name + part, sizes.normEpsilon); };
    x = graph.add(x, mixTokens(graph, sizes, name + ".mlstm_layer", norm(".norm_mlstm"), starts));
    x = graph.add(x, feedForward(graph, sizes, name + ".ffn", norm(".norm_ffn")));
  }
  return graph.rmsNorm(x, "out_norm", sizes.normEpsilon);
}

std::vector<StateSpec> statesOf(const XLstmSizes &sizes) {
  std::vector<StateSpec> states;
  int64_t keys = sizes.keys / sizes.heads, values = sizes.values / sizes.heads;
  for (int64_t layer = 0; layer < sizes.layers; ++layer) {
    std::string name = blockName(layer) + ".mlstm_layer";
    states.push_back({name + ".c_state", {"batch", "", "", ""}, {0, sizes.heads, keys, values}});
    states.push_back({name + ".n_state", {"batch", "", ""}, {0, sizes.heads, keys}});
    states.push_back({name + ".forget_state", {"batch", ""}, {0, sizes.heads}});
    states.push_back({name + ".top_state", {"batch", ""}, {0, sizes.heads}});
    states.push_back({name + ".top_before_state", {"batch", "", ""}, {0, 1, sizes.heads}});
  }
  return states;
}

/// A width that is a factor of the hidden size.
int64_t scaledWidth(Config &config, const char *key, double byDefault, int64_t hidden) {
  double width = config.number({key}, byDefault) * static_cast<double>(hidden);
  if (width >= 1.0 && width <= static_cast<double>(Config::kMaxSize))
    return static_cast<int64_t>(width);
  config.refuse("W0203", std::string(key) + " makes a width of " + std::to_string(width),
                std::string("correct ") + key + " or hidden_size");
  return hidden;
}

XLstmSizes readSizes(Config &config) {
  XLstmSizes sizes;
  sizes.vocabulary = config.size({"vocab_size"}, 50304);
  sizes.hidden = config.size({"hidden_size", "embedding_dim"}, 4096);
  sizes.layers = config.integer({"num_hidden_layers", "num_blocks"}, 32, 1, kMaxLayers);
  sizes.heads = config.size({"num_heads"}, 8);
  sizes.keys = scaledWidth(config, "qk_dim_factor", 0.5, sizes.hidden);
  sizes.values = scaledWidth(config, "v_dim_factor", 1.0, sizes.hidden);
  int64_t multiple = config.size({"ffn_round_up_to_multiple_of"}, 64);
  int64_t feed = scaledWidth(config, "ffn_proj_factor", 2.667, sizes.hidden); // what is left of a point does not count
  sizes.feed = (feed + multiple - 1) / multiple * multiple;
  sizes.epsilon = config.number({"eps"}, 1e-6);
  sizes.normEpsilon = config.number({"norm_eps"}, 1e-6);
  sizes.gateCap = config.number({"gate_soft_cap"}, 15.0);
  if (sizes.keys % sizes.heads != 0 || sizes.values % sizes.heads != 0)
    config.refuse("W0207",
                  "the keys' width " + std::to_string(sizes.keys) + " or the values' width " +
                      std::to_string(sizes.values) + " is no multiple of the " + std::to_string(sizes.heads) + " heads",
                  "correct num_heads, qk_dim_factor, v_dim_factor or hidden_size");
  if (config.flag("use_bias", false))
    config.refuse("W0206", "use_bias is true", "xLSTM's projections and norms are supported without biases");
  if (config.text("weight_mode", "single") != "single")
    config.refuse("W0206", "weight_mode is " + config.text("weight_mode", ""), "the supported one is single");
  return sizes;
}

} // namespace

CausalModel readXLstm(Config &config) {
  XLstmSizes sizes = readSizes(config);
  CausalModel model;
  model.vocabulary = sizes.vocabulary;
  model.hidden = sizes.hidden;
  model.states = statesOf(sizes);
  model.run = [=](GraphBuilder &graph, Value starts) { return run(graph, sizes, starts); };
  model.wordEmbeddings = "embeddings.weight";
  model.tied = config.flag("tie_word_embeddings", false);
  model.scoreCap = config.number({"output_logit_soft_cap"}, 30.0);
  model.endToken = 2;
  return model;
}

} // namespace weft
