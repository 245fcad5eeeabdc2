// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LFM2 (Liquid AI 2025): layers of a short gated convolution, in some of which attention takes the place, with normed
// heads and rotary positions, and an MLP in each.
#include "frontends/hf/arch/Hybrid.h"

using namespace mlir;

namespace weft {
namespace {

struct ConvSizes {
  int64_t hidden, taps;
  bool bias;
};

/// c · conv(b · x), all three being projections: x [tokens, hidden].
Value buildShortConv(GraphBuilder &graph, const ConvSizes &sizes, const std::string &name, Value x, Value starts) {
  Value all = graph.splitTokens(graph.linear(x, name + ".in_proj", 3 * sizes.hidden, sizes.bias));
  auto part = [&](int64_t index) { return graph.lastSlice(all, index * sizes.hidden, sizes.hidden); };
  auto product = [](OpBuilder &b, Location l, ValueRange s) -> Value {
    return arith::MulFOp::create(b, l, s[0], s[1]);
  };
  CausalConvSpec spec;
  spec.name = name + ".conv";
  spec.x = graph.map({part(0), part(2)}, product);
  spec.taps = sizes.taps;
  spec.hasBias = sizes.bias;
  spec.state = convState(name);
  spec.reset = starts;
  Value y = graph.map({part(1), graph.causalConv(spec)}, product);
  return graph.linear(graph.mergeLeading(y), name + ".out_proj", sizes.hidden, sizes.bias);
}

Part convPart(const ConvSizes &sizes, const std::string &name) {
  Part part{[=](GraphBuilder &graph, Value x, const HybridInputs &in) {
    return buildShortConv(graph, sizes, name, x, in.starts);
  }};
  if (sizes.taps > 1)
    part.states.push_back({convState(name), {"batch", "", ""}, {0, sizes.taps - 1, sizes.hidden}});
  return part;
}

/// The width of the MLPs: two thirds of what the file says, made round.
int64_t readMlpWidth(Config &config) {
  int64_t width = config.size({"intermediate_size", "block_ff_dim"}, 12288);
  if (!config.flag("block_auto_adjust_ff_dim", true))
    return width;
  int64_t twoThirds = 2 * width / 3;
  double scaled = config.number({"block_ffn_dim_multiplier"}, 1) * static_cast<double>(twoThirds);
  int64_t multiple = config.size({"block_multiple_of"}, 256);
  return std::max<int64_t>(1, (static_cast<int64_t>(scaled) + multiple - 1) / multiple) * multiple;
}

/// Which layers attend: by `layer_types`, or by their numbers.
std::vector<bool> readAttended(Config &config, int64_t layers) {
  std::vector<bool> attended(layers, true);
  std::optional<std::vector<std::string>> types = config.layerTypes(layers);
  std::optional<std::vector<int64_t>> indices = config.integers("full_attn_idxs");
  for (int64_t layer = 0; layer < layers && !config.failed(); ++layer)
    if (types)
      attended[layer] = (*types)[layer] != "conv";
    else if (indices)
      attended[layer] = llvm::is_contained(*indices, layer);
  return attended;
}

} // namespace

CausalModel readLfm2(Config &config) {
  HybridSizes sizes;
  sizes.vocabulary = 65536;
  sizes.hidden = 2560;
  sizes.longest = 128000;
  readHybridSizes(config, sizes);
  sizes.epsilon = config.number({"norm_eps"}, 1e-5);
  ConvSizes conv{sizes.hidden, config.integer({"conv_L_cache"}, 3, 1, 1024), config.flag("conv_bias", false)};
  CausalAttention attention = attentionOf(sizes, "");
  readRotation(config, attention, /*share=*/1, /*theta=*/1000000.0);
  attention.out = "out_proj";
  attention.queryNorm = "q_layernorm";
  attention.keyNorm = "k_layernorm";
  int64_t width = readMlpWidth(config);
  std::vector<bool> attended = readAttended(config, sizes.layers);
  HybridModel model;
  model.finalNorm = "embedding_norm";
  for (int64_t index = 0; index < sizes.layers; ++index) {
    std::string layer = "layers." + std::to_string(index), mlp = layer + ".feed_forward";
    attention.name = layer + ".self_attn";
    Part mixer = attended[index] ? attentionPart(attention) : convPart(conv, layer + ".conv");
    Part feedForward = mlpPart({mlp + ".w1", mlp + ".w3", mlp + ".w2", width, sizes.hidden});
    model.layers.push_back(inTurn({residual(layer + ".operator_norm", sizes.epsilon, mixer),
                                   residual(layer + ".ffn_norm", sizes.epsilon, feedForward)}));
  }
  CausalModel described = describeHybrid(sizes, std::move(model));
  described.tied = config.flag("tie_embedding", config.flag("tie_word_embeddings", true));
  return described;
}

} // namespace weft
