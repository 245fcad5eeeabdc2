// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RWKV-4 (Peng et al. 2023, arXiv:2305.13048): a mean of all earlier values, weighted by e^key and by a decay for each
// channel, with a weight of its own for the present one; tokens are mixed with the one before.
#include "frontends/builder/Scalars.h"
#include "frontends/hf/arch/PostNorm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;

namespace weft {
namespace {

struct RwkvSizes {
  int64_t vocabulary, hidden, layers, attention, intermediate;
  double epsilon;
  int64_t rescaleEvery; ///< layers after which hidden states are halved; 0: never
};

std::string blockName(int64_t layer) { return "blocks." + std::to_string(layer); }

/// m · x + (1 − m) · before over [batch, sequence, n], m the parameter [1, 1, n].
Value mixWithBefore(GraphBuilder &graph, Value x, Value before, const std::string &name) {
  int64_t width = cast<RankedTensorType>(x.getType()).getDimSize(2);
  Value share = graph.mergeLeading(graph.mergeLeading(graph.parameter(name, {1, 1, width})));
  AffineMap all = graph.dimsMap(3, {0, 1, 2});
  Value mixed = graph.map(graph.sizes(x), graph.ops().getF32Type(), {x, before, share},
                          {all, all, graph.dimsMap(3, {2})}, [](OpBuilder &b, Location l, ValueRange v) {
                            Scalars s{b, l};
                            return s.add(s.mul(v[0], v[2]), s.mul(v[1], s.sub(s.constant(1), v[2])));
                          });
  return graph.mergeLeading(mixed);
}

/// The weighted sums of a set of tokens: Σ e^(key − top) · value, Σ e^(key − top) and top, the highest key, keys being
/// decayed by what lies behind them in the set; and the decay over the whole set, as a logarithm.
struct Sums {
  Value decay, top, weights, values;
};

/// The sums of all tokens before each one: [batch, sequence, n]. Where there are none, the sums are 0.
Sums sumsBefore(GraphBuilder &graph, const std::string &name, Value key, Value value, Value starts) {
  auto before = [&](Value x, const char *state) { return graph.shifted(x, name + state, starts); };
  Value ones = graph.map({graph.sizes(key)[0], graph.sizes(key)[1], graph.ops().getIndexAttr(1)},
                         graph.ops().getF32Type(), {}, {}, [](OpBuilder &b, Location l, ValueRange) -> Value {
                           return arith::ConstantOp::create(b, l, b.getF32FloatAttr(1.0f));
                         });
  Value exists = before(ones, ".exists_state");
  auto spread = [&](Value x, AffineMap map, GraphBuilder::Body body) {
    return graph.map(graph.sizes(key), graph.ops().getF32Type(), {x}, {map}, body);
  };
  int64_t width = cast<RankedTensorType>(key.getType()).getDimSize(2);
  Value decay = spread(graph.parameter(name + ".time_decay", {width}), graph.dimsMap(3, {2}),
                       [](OpBuilder &b, Location l, ValueRange v) -> Value {
                         return arith::NegFOp::create(b, l, math::ExpOp::create(b, l, v[0]));
                       });
  Value weights = spread(graph.column(exists, 0), graph.dimsMap(3, {0, 1}),
                         [](OpBuilder &, Location, ValueRange v) { return v[0]; });
  ScanSpec spec;
  spec.name = name;
  spec.inputs = {decay, before(key, ".key_state"), weights, before(value, ".value_state")};
  spec.states = {name + ".decay_state", name + ".max_state", name + ".den_state", name + ".num_state"};
  spec.reset = starts;
  // A set without a token has weights of 0, and its highest key says nothing.
  spec.associative = true;
  spec.combine = [](OpBuilder &b, Location l, ValueRange v) -> llvm::SmallVector<Value> {
    Scalars s{b, l};
    Value decayed = s.add(v[1], v[4]);
    Value early = s.ifZero(v[2], v[5], decayed), late = s.ifZero(v[6], early, v[5]);
    Value top = s.max(early, late), e0 = s.exp(s.sub(early, top)), e1 = s.exp(s.sub(late, top));
    return {s.add(v[0], v[4]), top, s.add(s.mul(v[2], e0), s.mul(v[6], e1)), s.add(s.mul(v[3], e0), s.mul(v[7], e1))};
  };
  llvm::SmallVector<Value> sums = graph.scan(spec);
  return {sums[0], sums[1], sums[2], sums[3]};
}

/// sigmoid(receptance) · the weighted mean of the values up to each token: [tokens, attention].
Value attend(GraphBuilder &graph, const RwkvSizes &sizes, const std::string &name, Value key, Value value,
             Value receptance, Value starts) {
  key = graph.splitTokens(key), value = graph.splitTokens(value);
  Sums sums = sumsBefore(graph, name, key, value, starts);
  Value bonus = graph.parameter(name + ".time_first", {sizes.attention});
  AffineMap all = graph.dimsMap(3, {0, 1, 2});
  Value out =
      graph.map(graph.sizes(key), graph.ops().getF32Type(),
                {key, value, graph.splitTokens(receptance), sums.top, sums.weights, sums.values, bonus},
                {all, all, all, all, all, all, graph.dimsMap(3, {2})}, [](OpBuilder &b, Location l, ValueRange v) {
                  Scalars s{b, l};
                  Value own = s.add(v[0], v[6]), before = s.ifZero(v[4], own, v[3]);
                  Value top = s.max(own, before), e0 = s.exp(s.sub(before, top)), e1 = s.exp(s.sub(own, top));
                  Value numerator = s.add(s.mul(e0, v[5]), s.mul(e1, v[1])), denominator = s.add(s.mul(e0, v[4]), e1);
                  return s.mul(s.sigmoid(v[2]), s.div(numerator, denominator));
                });
  return graph.mergeLeading(out);
}

/// x + scale · part.
Value addScaled(GraphBuilder &graph, Value x, Value part, double scale) {
  return graph.map({x, part}, [&](OpBuilder &b, Location l, ValueRange v) {
    Scalars s{b, l};
    return s.add(v[0], scale == 1.0 ? v[1] : s.mul(v[1], s.constant(scale)));
  });
}

Value mixTokens(GraphBuilder &graph, const RwkvSizes &sizes, const std::string &name, Value x, Value starts) {
  GraphBuilder::Scope scope(graph, name);
  x = graph.splitTokens(x);
  Value before = graph.shifted(x, name + ".shift_state", starts);
  auto project = [&](const std::string &part) {
    return graph.linear(mixWithBefore(graph, x, before, name + ".time_mix_" + part), name + "." + part, sizes.attention,
                        /*hasBias=*/false);
  };
  Value key = project("key"), value = project("value"), receptance = project("receptance");
  Value mean = attend(graph, sizes, name, key, value, receptance, starts);
  return graph.linear(mean, name + ".output", sizes.hidden, /*hasBias=*/false);
}

Value mixChannels(GraphBuilder &graph, const RwkvSizes &sizes, const std::string &name, Value x, Value starts) {
  GraphBuilder::Scope scope(graph, name);
  x = graph.splitTokens(x);
  Value before = graph.shifted(x, name + ".shift_state", starts);
  Value key = graph.linear(mixWithBefore(graph, x, before, name + ".time_mix_key"), name + ".key", sizes.intermediate,
                           /*hasBias=*/false);
  key = graph.map({key}, [](OpBuilder &b, Location l, ValueRange v) {
    Scalars s{b, l};
    Value positive = s.max(v[0], s.constant(0));
    return s.mul(positive, positive);
  });
  Value receptance = graph.linear(mixWithBefore(graph, x, before, name + ".time_mix_receptance"), name + ".receptance",
                                  sizes.hidden, /*hasBias=*/false);
  Value value = graph.linear(key, name + ".value", sizes.hidden, /*hasBias=*/false);
  return graph.map({receptance, value}, [](OpBuilder &b, Location l, ValueRange v) {
    Scalars s{b, l};
    return s.mul(s.sigmoid(v[0]), v[1]);
  });
}

Value run(GraphBuilder &graph, const RwkvSizes &sizes, Value starts) {
  Value x = graph.embedding(graph.tokenIds("input_ids"),
                            graph.parameter("embeddings.weight", {sizes.vocabulary, sizes.hidden}));
  for (int64_t layer = 0; layer < sizes.layers && !graph.failed(); ++layer) {
    std::string name = blockName(layer);
    GraphBuilder::Scope scope(graph, name);
    auto norm = [&](const char *part) { return graph.layerNorm(x, name + part, sizes.epsilon); };
    if (layer == 0)
      x = norm(".pre_ln");
    // Halved every few layers, so that f16 would not overflow; what is added is scaled to match.
    int64_t halvings = sizes.rescaleEvery ? layer / sizes.rescaleEvery : 0;
    double scale = std::exp2(-static_cast<double>(halvings));
    x = addScaled(graph, x, mixTokens(graph, sizes, name + ".attention", norm(".ln1"), starts), scale);
    x = addScaled(graph, x, mixChannels(graph, sizes, name + ".feed_forward", norm(".ln2"), starts), scale);
    if (sizes.rescaleEvery && (layer + 1) % sizes.rescaleEvery == 0)
      x = graph.map({x}, [](OpBuilder &b, Location l, ValueRange v) {
        Scalars s{b, l};
        return s.mul(v[0], s.constant(0.5));
      });
  }
  return graph.layerNorm(x, "ln_out", 1e-5);
}

std::vector<StateSpec> statesOf(const RwkvSizes &sizes) {
  std::vector<StateSpec> states;
  for (int64_t layer = 0; layer < sizes.layers; ++layer) {
    std::string attention = blockName(layer) + ".attention", feed = blockName(layer) + ".feed_forward";
    auto last = [&](const std::string &name, int64_t width) {
      states.push_back({name, {"batch", "", ""}, {0, 1, width}});
    };
    last(attention + ".shift_state", sizes.hidden);
    last(attention + ".exists_state", 1);
    last(attention + ".key_state", sizes.attention);
    last(attention + ".value_state", sizes.attention);
    for (const char *part : {".decay_state", ".max_state", ".den_state", ".num_state"})
      states.push_back({attention + part, {"batch", ""}, {0, sizes.attention}});
    last(feed + ".shift_state", sizes.hidden);
  }
  return states;
}

} // namespace

CausalModel readRwkv(Config &config) {
  RwkvSizes sizes;
  sizes.vocabulary = config.size({"vocab_size"}, 50277);
  sizes.hidden = config.size({"hidden_size"}, 4096);
  sizes.layers = config.integer({"num_hidden_layers"}, 32, 1, kMaxLayers);
  sizes.attention = config.size({"attention_hidden_size"}, sizes.hidden);
  sizes.intermediate = config.size({"intermediate_size"}, 4 * sizes.hidden);
  sizes.epsilon = config.number({"layer_norm_epsilon", "layer_norm_eps"}, 1e-5);
  sizes.rescaleEvery = config.integer({"rescale_every"}, 6, 0, Config::kMaxSize);
  CausalModel model;
  model.vocabulary = sizes.vocabulary;
  model.hidden = sizes.hidden;
  model.states = statesOf(sizes);
  model.run = [=](GraphBuilder &graph, Value starts) { return run(graph, sizes, starts); };
  model.wordEmbeddings = "embeddings.weight";
  model.head = "head.weight";
  model.tied = config.flag("tie_word_embeddings", false);
  return model;
}

} // namespace weft
