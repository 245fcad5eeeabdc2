// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Granite 4 hybrids (IBM 2025): layers of Mamba-2 or of attention, with or without rotary positions, an MLP, with or
// without a mixture of experts beside it, and factors of embeddings, scores, residuals and logits.
#include "frontends/hf/arch/Experts.h"

using namespace mlir;

namespace weft {
namespace {

/// Which layers attend; the names of both kinds changed with release 5 of the library.
std::vector<bool> readAttended(Config &config, int64_t layers) {
  std::vector<bool> attended(layers);
  std::optional<std::vector<std::string>> types = config.layerTypes(layers, "layers_block_type");
  if (!types)
    return attended;
  for (int64_t layer = 0; layer < layers && !config.failed(); ++layer) {
    const std::string &type = (*types)[layer];
    attended[layer] = type == "attention" || type == "full_attention";
    if (!attended[layer] && type != "mamba" && type != "linear_attention")
      config.refuse("W0206", "layer_types holds \"" + type + "\"",
                    "the known ones are linear_attention and full_attention");
  }
  return attended;
}

/// An MLP `name` whose gates and ups share a product.
Part halvesPart(const HybridSizes &sizes, int64_t width, const std::string &name) {
  return {[=](GraphBuilder &graph, Value x, const HybridInputs &) {
    Value wide = graph.linear(x, name + ".input_linear", 2 * width, /*hasBias=*/false);
    return graph.linear(graph.gated(wide, sizes.activation), name + ".output_linear", sizes.hidden, /*hasBias=*/false);
  }};
}

} // namespace

CausalModel readGraniteHybrid(Config &config) {
  HybridSizes sizes;
  sizes.longest = 2048;
  sizes.keyHeads = 0;
  readHybridSizes(config, sizes);
  bool hasExperts = config.integer({"num_local_experts"}, 8, 0, kMaxExperts) > 0;
  ExpertCounts counts{0, 0};
  if (hasExperts)
    counts = readExpertCounts(config, {"num_local_experts"}, {"num_experts_per_tok"}, {8, 2});
  Mamba2Sizes defaults;
  defaults.state = 256;
  defaults.groups = 1;
  Mamba2Sizes mamba = readMamba2Sizes(config, sizes, defaults);
  checkMamba2(config, mamba, {"mamba_n_heads", "mamba_d_head", "mamba_n_groups", "mamba_expand · hidden_size"});
  CausalAttention attention = attentionOf(sizes, "");
  if (config.text("position_embedding_type", "nope") == "rope")
    readRotation(config, attention);
  attention.bias = attention.outBias = config.flag("attention_bias", false);
  attention.scale = config.number({"attention_multiplier"}, 1);
  double factor = config.number({"residual_multiplier"}, 1);
  int64_t width = config.size({"shared_intermediate_size"}, 1024);
  std::vector<bool> attended = readAttended(config, sizes.layers);
  HybridModel model;
  model.finalNorm = "norm";
  model.embeddingFactor = config.number({"embedding_multiplier"}, 1);
  for (int64_t index = 0; index < sizes.layers; ++index) {
    std::string layer = "layers." + std::to_string(index);
    attention.name = layer + ".self_attn";
    Part mixer = attended[index] ? attentionPart(attention) : mamba2Part(mamba, layer + ".mamba");
    Part feedForward = hasExperts ? expertsPart(graniteMixtureOf(sizes, counts, layer, width))
                                  : halvesPart(sizes, width, layer + ".shared_mlp");
    model.layers.push_back(inTurn({residual(layer + ".input_layernorm", sizes.epsilon, mixer, factor),
                                   residual(layer + ".post_attention_layernorm", sizes.epsilon, feedForward, factor)}));
  }
  CausalModel described = describeHybrid(sizes, std::move(model));
  described.tied = config.flag("tie_word_embeddings", false);
  described.scoreFactor = 1 / std::max(1e-30, config.number({"logits_scaling"}, 1));
  return described;
}

} // namespace weft
