// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Phi-3.5-MoE (Abdin et al. 2024, arXiv:2404.14219): layer norms, and two experts a token whose weights SparseMixer
// gives. Positions may be scaled by LongRoPE (Ding et al. 2024, arXiv:2402.13753).
#include "frontends/builder/Rotary.h"
#include "frontends/hf/arch/Experts.h"

namespace weft {
namespace {

/// What the file says about rotation, under its older name too.
Config rotationOf(Config &config) {
  return config.child(config.has("rope_parameters") || !config.has("rope_scaling") ? "rope_parameters"
                                                                                   : "rope_scaling");
}

/// The frequencies of short texts. Those of longer ones are others for all of their tokens, so that keys in a cache
/// would no longer fit: texts end where the frequencies change.
void readLongRope(Config &config, Config &rope, CausalAttention &attention, HybridSizes &sizes) {
  constexpr int64_t kMostPairs = 1 << 15; // no published head comes near
  attention.rotary = attention.width;
  int64_t pairs = std::min(attention.rotary / 2, kMostPairs);
  attention.theta = rope.number({"rope_theta"}, config.number({"rope_theta"}, 1000000.0));
  std::vector<double> factors = rope.numbers("short_factor", std::vector<double>(pairs, 1));
  attention.turnScale = rope.number({"short_mscale"}, 1);
  int64_t byDefault = config.integer({"original_max_position_embeddings"}, sizes.longest, 1, sizes.longest);
  sizes.longest = rope.integer({"original_max_position_embeddings"}, byDefault, 1, sizes.longest);
  for (const char *field : {"short_factor", "short_mscale"})
    if (!rope.has(field))
      rope.refuse("W0207", std::string(field) + " is missing", "positions of the type longrope need it");
  if (attention.width != 2 * pairs || attention.theta < 1 || llvm::is_contained(factors, 0.0))
    rope.refuse("W0203", "the frequencies of the rotary positions are not finite",
                "correct rope_theta, short_factor, or the width of heads, which must be even and at most " +
                    std::to_string(2 * kMostPairs));
  if (rope.failed()) {
    attention.rotary = 0;
    return config.fail(rope.takeError());
  }
  attention.frequencies = rotaryFrequencies(attention.theta, attention.rotary);
  for (int64_t pair = 0; pair < pairs; ++pair)
    attention.frequencies[pair] /= static_cast<float>(factors[pair]);
}

void readTurns(Config &config, CausalAttention &attention, HybridSizes &sizes) {
  Config rope = rotationOf(config);
  std::string type = rope.text("rope_type", rope.text("type", "default"));
  if (type == "longrope" && !rope.failed())
    return readLongRope(config, rope, attention, sizes);
  readRotation(config, attention, /*share=*/1, /*theta=*/1000000.0);
}

} // namespace

CausalModel readPhimoe(Config &config) {
  HybridSizes sizes;
  sizes.vocabulary = 32064;
  sizes.intermediate = 6400;
  sizes.longest = 131072;
  sizes.epsilon = 1e-5;
  readHybridSizes(config, sizes);
  ExpertCounts counts = readExpertCounts(config, {"num_local_experts"}, {"num_experts_per_tok"}, {16, 2});
  if (counts.top != 2)
    config.refuse("W0206", "num_experts_per_tok is " + std::to_string(counts.top),
                  "the router of this architecture chooses two experts, whatever the field says: correct it to 2");
  CausalAttention attention = attentionOf(sizes, "");
  readTurns(config, attention, sizes);
  attention.bias = attention.outBias = config.flag("attention_bias", false);
  attention.window = readWindow(config);
  double jitter = config.number({"router_jitter_noise"}, 0.01);
  HybridModel model;
  model.finalNorm = "norm";
  model.finalNormKind = NormKind::Layer;
  for (int64_t index = 0; index < sizes.layers; ++index) {
    std::string layer = "layers." + std::to_string(index);
    attention.name = layer + ".self_attn";
    MixtureOfExperts mixture =
        mixtureOf(sizes, counts, sizes.intermediate, layer + ".block_sparse_moe", "w1", "w3", "w2");
    mixture.route.scoring = Scoring::None;
    mixture.route.norm = WeightNorm::SparseMixer;
    mixture.route.jitter = jitter;
    model.layers.push_back(
        decoderPart(layer, sizes, {attentionPart(attention), expertsPart(mixture), 1, NormKind::Layer}));
  }
  CausalModel described = describeHybrid(sizes, std::move(model));
  described.tied = config.flag("tie_word_embeddings", false);
  if (config.flag("lm_head_bias", false))
    described.headBias = "lm_head.bias";
  return described;
}

} // namespace weft
