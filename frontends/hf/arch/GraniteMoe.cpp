// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Granite mixtures of experts (IBM 2024), with and without an MLP that all tokens share: factors of embeddings, scores,
// residuals and logits.
#include "frontends/hf/arch/Experts.h"

namespace weft {

MixtureOfExperts graniteMixtureOf(const HybridSizes &sizes, const ExpertCounts &counts, const std::string &layer,
                                  int64_t sharedWidth) {
  std::string name = layer + ".block_sparse_moe", shared = layer + ".shared_mlp";
  MixtureOfExperts mixture = mixtureOf(sizes, counts, sizes.intermediate, name);
  mixture.route.weight = name + ".router.layer.weight";
  mixture.route.scoring = Scoring::None;
  mixture.route.norm = WeightNorm::Softmax;
  mixture.experts.gate = mixture.experts.up = {};
  mixture.experts.gateUp.sources = {name + ".input_linear.weight"};
  mixture.experts.down.sources = {name + ".output_linear.weight"};
  mixture.shared.gateUp = shared + ".input_linear";
  mixture.shared.down = shared + ".output_linear";
  mixture.shared.width = sharedWidth;
  return mixture;
}

static CausalModel read(Config &config, int64_t sharedWidth) {
  HybridSizes sizes;
  sizes.intermediate = 11008;
  sizes.keyHeads = 0;
  sizes.longest = 2048;
  readHybridSizes(config, sizes);
  ExpertCounts counts = readExpertCounts(config, {"num_local_experts"}, {"num_experts_per_tok"}, {8, 2});
  CausalAttention attention = attentionOf(sizes, "");
  readRotation(config, attention);
  attention.bias = attention.outBias = config.flag("attention_bias", false);
  attention.scale = config.number({"attention_multiplier"}, 1);
  double factor = config.number({"residual_multiplier"}, 1);
  HybridModel model;
  model.finalNorm = "norm";
  model.embeddingFactor = config.number({"embedding_multiplier"}, 1);
  for (int64_t index = 0; index < sizes.layers; ++index) {
    std::string layer = "layers." + std::to_string(index);
    attention.name = layer + ".self_attn";
    Part feedForward = expertsPart(graniteMixtureOf(sizes, counts, layer, sharedWidth));
    model.layers.push_back(decoderPart(layer, sizes, {attentionPart(attention), feedForward, factor}));
  }
  CausalModel described = describeHybrid(sizes, std::move(model));
  described.tied = config.flag("tie_word_embeddings", false);
  described.scoreFactor = 1 / std::max(1e-30, config.number({"logits_scaling"}, 1));
  return described;
}

CausalModel readGraniteMoe(Config &config) { return read(config, /*sharedWidth=*/0); }

CausalModel readGraniteMoeShared(Config &config) {
  return read(config, config.integer({"shared_intermediate_size"}, 0, 0, Config::kMaxSize));
}

} // namespace weft
