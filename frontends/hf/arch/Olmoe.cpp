// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// OLMoE (Muennighoff et al. 2024, arXiv:2409.02060): queries and keys normed over all heads together and clipped, and
// many experts in every layer.
#include "frontends/hf/arch/Experts.h"

namespace weft {

CausalModel readOlmoe(Config &config) {
  HybridSizes sizes;
  sizes.vocabulary = 50304;
  sizes.hidden = sizes.intermediate = 2048;
  sizes.layers = sizes.heads = 16;
  sizes.keyHeads = 0;
  sizes.longest = 4096;
  sizes.epsilon = 1e-5;
  readHybridSizes(config, sizes);
  ExpertCounts counts =
      readExpertCounts(config, {"num_experts", "num_local_experts"}, {"num_experts_per_tok"}, {64, 8});
  CausalAttention attention = attentionOf(sizes, "");
  readRotation(config, attention);
  attention.bias = attention.outBias = config.flag("attention_bias", false);
  attention.queryNorm = "q_norm";
  attention.keyNorm = "k_norm";
  attention.normsAllHeads = true;
  attention.clip = readClip(config);
  bool isNormalized = config.flag("norm_topk_prob", false);
  HybridModel model;
  model.finalNorm = "norm";
  for (int64_t index = 0; index < sizes.layers; ++index) {
    std::string layer = "layers." + std::to_string(index);
    attention.name = layer + ".self_attn";
    MixtureOfExperts mixture = mixtureOf(sizes, counts, sizes.intermediate, layer + ".mlp");
    mixture.route.norm = isNormalized ? WeightNorm::Sum : WeightNorm::None;
    model.layers.push_back(decoderPart(layer, sizes, {attentionPart(attention), expertsPart(mixture)}));
  }
  CausalModel described = describeHybrid(sizes, std::move(model));
  described.tied = config.flag("tie_word_embeddings", false);
  described.endToken = 50279;
  return described;
}

} // namespace weft
