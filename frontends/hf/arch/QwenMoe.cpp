// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Qwen's mixtures of experts (Yang et al. 2024, arXiv:2407.10671; Qwen team 2025, arXiv:2505.09388): many narrow
// experts, in Qwen2-MoE beside one that every token shares; some layers may have an MLP in their place.
#include "frontends/hf/arch/Experts.h"
#include "frontends/hf/arch/PostNorm.h"

using namespace mlir;

namespace weft {
namespace {

/// What both generations have.
struct QwenSizes : HybridSizes {
  ExpertCounts counts;
  int64_t width;                    ///< of an expert
  int64_t step;                     ///< every so many layers there are experts
  std::vector<int64_t> withoutThem; ///< layers
  bool isNormalized;

  bool hasExperts(int64_t layer) const { return !llvm::is_contained(withoutThem, layer) && (layer + 1) % step == 0; }
};

void readQwenSizes(Config &config, QwenSizes &sizes) {
  readHybridSizes(config, sizes);
  sizes.counts = readExpertCounts(config, {"num_experts", "num_local_experts"}, {"num_experts_per_tok"}, sizes.counts);
  sizes.width = config.size({"moe_intermediate_size"}, sizes.width);
  sizes.step = config.size({"decoder_sparse_step"}, 1);
  sizes.withoutThem = config.integers("mlp_only_layers").value_or(std::vector<int64_t>{});
  sizes.isNormalized = config.flag("norm_topk_prob", false);
}

MixtureOfExperts mixtureOf(const QwenSizes &sizes, const std::string &name) {
  MixtureOfExperts mixture = mixtureOf(sizes, sizes.counts, sizes.width, name);
  mixture.route.norm = sizes.isNormalized ? WeightNorm::Sum : WeightNorm::None;
  return mixture;
}

/// A decoder of layers whose attention and mixture are given by number.
CausalModel describe(Config &config, const QwenSizes &sizes,
                     llvm::function_ref<CausalAttention(int64_t layer)> attentionIn,
                     llvm::function_ref<MixtureOfExperts(const std::string &name)> mixtureIn) {
  HybridModel model;
  model.finalNorm = "norm";
  for (int64_t index = 0; index < sizes.layers; ++index) {
    std::string layer = "layers." + std::to_string(index), mlp = layer + ".mlp";
    CausalAttention attention = attentionIn(index);
    attention.name = layer + ".self_attn";
    Part feedForward = sizes.hasExperts(index) ? expertsPart(mixtureIn(mlp))
                                               : mlpPart({mlp + ".gate_proj", mlp + ".up_proj", mlp + ".down_proj",
                                                          sizes.intermediate, sizes.hidden, sizes.activation});
    model.layers.push_back(decoderPart(layer, sizes, {attentionPart(attention), feedForward}));
  }
  CausalModel described = describeHybrid(sizes, std::move(model));
  described.tied = config.flag("tie_word_embeddings", false);
  described.endToken = 151643; // <|endoftext|>
  return described;
}

/// The window of each layer, 0 where it sees all tokens.
std::vector<int64_t> readWindows(Config &config, int64_t layers) {
  bool slides = config.flag("use_sliding_window", false);
  int64_t window = slides ? readWindow(config, 4096) : 0,
          slidingLayers = config.integer({"max_window_layers"}, 28, 0, kMaxLayers);
  std::optional<std::vector<std::string>> types = config.layerTypes(layers);
  std::vector<int64_t> windows(layers);
  for (int64_t layer = 0; layer < layers && !config.failed(); ++layer) {
    bool isSliding = types ? (*types)[layer] == "sliding_attention" : slides && layer % 2 == 0 && layer < slidingLayers;
    if (types && !isSliding && (*types)[layer] != "full_attention")
      config.refuse("W0206", "layer_types holds \"" + (*types)[layer] + "\"",
                    "the known ones are full_attention and sliding_attention");
    if (isSliding && !slides)
      config.refuse("W0207", "layer_types has sliding_attention, but use_sliding_window is false",
                    "correct layer_types or use_sliding_window");
    windows[layer] = isSliding ? window : 0;
  }
  return windows;
}

} // namespace

CausalModel readQwen2Moe(Config &config) {
  QwenSizes sizes;
  sizes.vocabulary = 151936;
  sizes.hidden = 2048;
  sizes.intermediate = 5632;
  sizes.layers = 24;
  sizes.heads = sizes.keyHeads = 16;
  sizes.longest = 32768;
  sizes.counts = {60, 4};
  sizes.width = 1408;
  readQwenSizes(config, sizes);
  CausalAttention attention = attentionOf(sizes, "");
  readRotation(config, attention);
  attention.bias = config.flag("qkv_bias", true);
  std::vector<int64_t> windows = readWindows(config, sizes.layers);
  int64_t sharedWidth = config.size({"shared_expert_intermediate_size"}, 5632);
  auto attentionIn = [&](int64_t layer) {
    CausalAttention own = attention;
    own.window = windows[layer];
    return own;
  };
  return describe(config, sizes, attentionIn, [&](const std::string &name) {
    MixtureOfExperts mixture = mixtureOf(sizes, name);
    std::string shared = name + ".shared_expert";
    mixture.shared = {shared + ".gate_proj", shared + ".up_proj", shared + ".down_proj",
                      /*gateUp=*/"",         sharedWidth,         /*share=*/shared + "_gate"};
    return mixture;
  });
}

CausalModel readQwen3Moe(Config &config) {
  QwenSizes sizes;
  sizes.vocabulary = 151936;
  sizes.hidden = 2048;
  sizes.intermediate = 6144;
  sizes.layers = 24;
  sizes.keyHeads = 4;
  sizes.longest = 32768;
  sizes.counts = {128, 8};
  sizes.width = 768;
  readQwenSizes(config, sizes);
  CausalAttention attention = attentionOf(sizes, "");
  readRotation(config, attention);
  attention.bias = attention.outBias = config.flag("attention_bias", false);
  attention.queryNorm = "q_norm";
  attention.keyNorm = "k_norm";
  if (config.flag("use_sliding_window", false))
    attention.window = readWindow(config, 4096);
  return describe(
      config, sizes, [&](int64_t) { return attention; },
      [&](const std::string &name) { return mixtureOf(sizes, name); });
}

} // namespace weft
