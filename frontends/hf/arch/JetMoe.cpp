// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// JetMoE (Shen et al. 2024, arXiv:2404.07413): mixtures of attention heads and of MLPs in every layer, whose weights
// are the softmax of the chosen scores.
#include "frontends/builder/MixtureOfAttention.h"
#include "frontends/hf/arch/Experts.h"
#include "frontends/hf/arch/PostNorm.h"

using namespace mlir;

namespace weft {
namespace {

/// The layers' norms have the class's epsilon, whatever the file says of the last one.
constexpr double kLayerEpsilon = 1e-6;

RouteSpec routeOf(const ExpertCounts &counts, const std::string &name) {
  RouteSpec route;
  route.weight = name + ".router.layer.weight";
  route.experts = counts.experts;
  route.top = counts.top;
  route.scoring = Scoring::None;
  route.norm = WeightNorm::Softmax;
  return route;
}

Part attentionOf(const CausalAttention &attention, const ExpertCounts &counts) {
  std::string experts = attention.name + ".experts";
  MixtureOfAttention layer{attention,
                           routeOf(counts, experts),
                           {{experts + ".input_linear.weight"}},
                           {{experts + ".output_linear.weight"}},
                           experts + ".bias"};
  return {[layer](GraphBuilder &graph, Value x, const HybridInputs &in) { return layer.build(graph, x, in.positions); },
          attention.states()};
}

Part mlpOf(const HybridSizes &sizes, const ExpertCounts &counts, const std::string &name) {
  MixtureOfExperts mixture;
  mixture.route = routeOf(counts, name);
  mixture.experts.name = name;
  mixture.experts.experts = counts.experts;
  mixture.experts.hidden = sizes.hidden;
  mixture.experts.width = sizes.intermediate;
  mixture.experts.activation = sizes.activation;
  mixture.experts.gateUp.sources = {name + ".input_linear.weight"};
  mixture.experts.down.sources = {name + ".output_linear.weight"};
  return {[=](GraphBuilder &graph, Value x, const HybridInputs &) {
    return graph.addRow(mixture.build(graph, x), graph.parameter(name + ".bias", {sizes.hidden}));
  }};
}

} // namespace

CausalModel readJetMoe(Config &config) {
  HybridSizes sizes;
  sizes.vocabulary = config.size({"vocab_size"}, 32000);
  sizes.hidden = config.size({"hidden_size"}, 2048);
  sizes.intermediate = config.size({"intermediate_size", "ffn_hidden_size"}, 5632);
  sizes.layers = config.integer({"num_hidden_layers"}, 12, 1, kMaxLayers);
  sizes.keyHeads = config.size({"num_key_value_heads"}, 16);
  sizes.width = config.size({"kv_channels", "head_dim"}, 128);
  sizes.longest = config.integer({"max_position_embeddings"}, 4096, 1, int64_t(1) << 24);
  sizes.epsilon = config.number({"rms_norm_eps"}, 1e-6);
  sizes.activation = config.activation("activation_function", "silu");
  ExpertCounts counts = readExpertCounts(config, {"num_local_experts"}, {"num_experts_per_tok"}, {8, 2});
  sizes.heads = sizes.keyHeads * counts.top;
  CausalAttention attention = attentionOf(sizes, "");
  readRotation(config, attention);
  HybridModel model;
  model.finalNorm = "norm";
  for (int64_t index = 0; index < sizes.layers; ++index) {
    std::string layer = "layers." + std::to_string(index);
    attention.name = layer + ".self_attention";
    HybridSizes inside = sizes;
    inside.epsilon = kLayerEpsilon;
    model.layers.push_back(
        decoderPart(layer, inside, {attentionOf(attention, counts), mlpOf(sizes, counts, layer + ".mlp")}));
  }
  CausalModel described = describeHybrid(sizes, std::move(model));
  described.tied = config.flag("tie_word_embeddings", true);
  return described;
}

} // namespace weft
