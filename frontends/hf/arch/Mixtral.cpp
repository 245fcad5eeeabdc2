// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mixtral (Jiang et al. 2024, arXiv:2401.04088): a decoder with a mixture of experts in every layer, whose weights are
// the softmax of the chosen scores.
#include "frontends/hf/arch/Experts.h"

namespace weft {

CausalModel readMixtral(Config &config) {
  HybridSizes sizes;
  sizes.longest = 131072;
  sizes.epsilon = 1e-5;
  readHybridSizes(config, sizes);
  ExpertCounts counts = readExpertCounts(config, {"num_local_experts", "num_experts"}, {"num_experts_per_tok"}, {8, 2});
  CausalAttention attention = attentionOf(sizes, "");
  readRotation(config, attention, /*share=*/1, /*theta=*/1000000.0);
  attention.window = readWindow(config);
  HybridModel model;
  model.finalNorm = "norm";
  for (int64_t index = 0; index < sizes.layers; ++index) {
    std::string layer = "layers." + std::to_string(index);
    attention.name = layer + ".self_attn";
    MixtureOfExperts mixture =
        mixtureOf(sizes, counts, sizes.intermediate, layer + ".block_sparse_moe", "w1", "w3", "w2");
    mixture.route.norm = WeightNorm::Sum;
    model.layers.push_back(decoderPart(layer, sizes, {attentionPart(attention), expertsPart(mixture)}));
  }
  CausalModel described = describeHybrid(sizes, std::move(model));
  described.tied = config.flag("tie_word_embeddings", false);
  return described;
}

} // namespace weft
