// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Qwen3-Next (Qwen team 2025): three layers of Gated DeltaNet to one of gated attention, of whose heads a quarter
// turns, and in each many narrow experts beside one that every token shares by a gate. Norms hold their distance
// from 1.
#include "frontends/hf/arch/Experts.h"

using namespace mlir;

namespace weft {
namespace {

struct Qwen3NextSizes : HybridSizes {
  ExpertCounts counts{512, 10};
  int64_t expertWidth = 512, sharedWidth = 512;
  int64_t step = 1;                 ///< every so many layers there are experts
  std::vector<int64_t> withoutThem; ///< layers
  bool hasAny = true, isNormalized = true;

  bool hasExperts(int64_t layer) const {
    return hasAny && !llvm::is_contained(withoutThem, layer) && (layer + 1) % step == 0;
  }
};

void readExperts(Config &config, Qwen3NextSizes &sizes) {
  sizes.hasAny = config.integer({"num_experts", "num_local_experts"}, sizes.counts.experts, 0, kMaxExperts) > 0;
  if (!sizes.hasAny)
    return;
  sizes.counts = readExpertCounts(config, {"num_experts", "num_local_experts"}, {"num_experts_per_tok"}, sizes.counts);
  sizes.expertWidth = config.size({"moe_intermediate_size"}, sizes.expertWidth);
  sizes.sharedWidth = config.size({"shared_expert_intermediate_size"}, sizes.sharedWidth);
  sizes.step = config.size({"decoder_sparse_step"}, 1);
  sizes.withoutThem = config.integers("mlp_only_layers").value_or(std::vector<int64_t>{});
  sizes.isNormalized = config.flag("norm_topk_prob", true);
}

GatedDeltaNet readDeltaNet(Config &config, const Qwen3NextSizes &sizes) {
  GatedDeltaNet layer;
  layer.hidden = sizes.hidden;
  layer.keyHeads = config.size({"linear_num_key_heads"}, 16);
  layer.valueHeads = config.size({"linear_num_value_heads"}, 32);
  layer.keys = config.size({"linear_key_head_dim"}, 128);
  layer.values = config.size({"linear_value_head_dim"}, 128);
  layer.taps = config.integer({"linear_conv_kernel_dim"}, 4, 2, 1024);
  layer.epsilon = sizes.epsilon;
  layer.fused = true;
  if (layer.valueHeads % layer.keyHeads != 0)
    config.refuse("W0207",
                  "linear_num_value_heads is " + std::to_string(layer.valueHeads) + ", no multiple of the " +
                      std::to_string(layer.keyHeads) + " heads of linear_num_key_heads",
                  "correct linear_num_value_heads or linear_num_key_heads");
  if (sizes.activation != Activation::Silu)
    config.refuse("W0206", "hidden_act is not silu, which the convolutions of linear attention need",
                  "published models have silu: correct hidden_act");
  return layer;
}

CausalAttention readAttention(Config &config, const Qwen3NextSizes &sizes) {
  CausalAttention attention = attentionOf(sizes, "");
  readRotation(config, attention, /*share=*/0.25);
  attention.bias = attention.outBias = config.flag("attention_bias", false);
  attention.queryNorm = "q_norm";
  attention.keyNorm = "k_norm";
  attention.normsFromOne = attention.gated = true;
  return attention;
}

/// Which layers attend: by `layer_types`, or every fourth.
std::vector<bool> readAttended(Config &config, int64_t layers) {
  std::vector<bool> attended(layers);
  std::optional<std::vector<std::string>> types = config.layerTypes(layers);
  int64_t interval = config.size({"full_attention_interval"}, 4);
  for (int64_t layer = 0; layer < layers && !config.failed(); ++layer) {
    attended[layer] = types ? (*types)[layer] == "full_attention" : (layer + 1) % interval == 0;
    if (types && !attended[layer] && (*types)[layer] != "linear_attention")
      config.refuse("W0206", "layer_types holds \"" + (*types)[layer] + "\"",
                    "the known ones are linear_attention and full_attention");
  }
  return attended;
}

Part feedForwardOf(const Qwen3NextSizes &sizes, int64_t layer, const std::string &name) {
  if (!sizes.hasExperts(layer))
    return mlpPart({name + ".gate_proj", name + ".up_proj", name + ".down_proj", sizes.intermediate, sizes.hidden,
                    sizes.activation});
  MixtureOfExperts mixture = mixtureOf(sizes, sizes.counts, sizes.expertWidth, name);
  mixture.route.norm = sizes.isNormalized ? WeightNorm::Sum : WeightNorm::None;
  std::string shared = name + ".shared_expert";
  mixture.shared.gate = shared + ".gate_proj";
  mixture.shared.up = shared + ".up_proj";
  mixture.shared.down = shared + ".down_proj";
  mixture.shared.width = sizes.sharedWidth;
  mixture.shared.share = shared + "_gate";
  return expertsPart(mixture);
}

Part deltaPart(const GatedDeltaNet &layer) {
  return {[=](GraphBuilder &graph, Value x, const HybridInputs &in) { return layer.build(graph, x, in.starts); },
          layer.states()};
}

} // namespace

CausalModel readQwen3Next(Config &config) {
  Qwen3NextSizes sizes;
  sizes.vocabulary = 151936;
  sizes.hidden = 2048;
  sizes.intermediate = 5632;
  sizes.layers = 48;
  sizes.heads = 16;
  sizes.keyHeads = 2;
  sizes.width = 256;
  sizes.longest = 32768;
  readHybridSizes(config, sizes);
  readExperts(config, sizes);
  GatedDeltaNet delta = readDeltaNet(config, sizes);
  CausalAttention attention = readAttention(config, sizes);
  std::vector<bool> attended = readAttended(config, sizes.layers);
  HybridModel model;
  model.finalNorm = "norm";
  model.finalNormKind = NormKind::RmsFromOne;
  for (int64_t index = 0; index < sizes.layers; ++index) {
    std::string layer = "layers." + std::to_string(index);
    attention.name = layer + ".self_attn", delta.name = layer + ".linear_attn";
    DecoderLayer parts{attended[index] ? attentionPart(attention) : deltaPart(delta),
                       feedForwardOf(sizes, index, layer + ".mlp")};
    parts.norm = NormKind::RmsFromOne;
    model.layers.push_back(decoderPart(layer, sizes, parts));
  }
  CausalModel described = describeHybrid(sizes, std::move(model));
  described.tied = config.flag("tie_word_embeddings", false);
  described.endToken = 151645; // <|im_end|>
  return described;
}

} // namespace weft
