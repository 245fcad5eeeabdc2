// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Gemma (arXiv:2403.08295), Gemma 2 (arXiv:2408.00118) and the text model of Gemma 3 (arXiv:2503.19786), Gemma team
// 2024 and 2025: norms of 1 + weight, scaled embeddings; then norms around every part, capped scores and layers that
// see a window; then normed queries and keys, and another base of the rotary positions where layers see a window.
#include "frontends/hf/RotaryFields.h"
#include "frontends/hf/arch/Decoder.h"
#include "frontends/hf/arch/Experts.h"

#include <cmath>

namespace weft {

namespace {

HybridSizes sizesOfClass() {
  HybridSizes sizes;
  sizes.vocabulary = 256000;
  sizes.hidden = 2304;
  sizes.intermediate = 9216;
  sizes.layers = 26;
  sizes.heads = 8;
  sizes.keyHeads = 4;
  sizes.width = 256;
  sizes.longest = 8192;
  sizes.activationField = "hidden_activation";
  sizes.usualActivation = "gelu_pytorch_tanh";
  return sizes;
}

Decoder readGemmaDecoder(Config &config, const HybridSizes &sizes) {
  if (config.flag("use_bidirectional_attention", false))
    config.refuse("W0206", "use_bidirectional_attention is set", "only attention to the tokens so far is supported");
  Decoder decoder = readDecoder(config, sizes);
  decoder.mlp.bias = false;
  decoder.norms.kind = NormKind::RmsFromOne;
  decoder.attention.normsFromOne = true;
  decoder.embeddingFactor = std::sqrt(static_cast<double>(decoder.sizes.hidden));
  return decoder;
}

/// What Gemma 2 and 3 have beyond the first.
void readAround(Config &config, Decoder &decoder) {
  decoder.norms = {"input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm",
                   "post_feedforward_layernorm", NormKind::RmsFromOne};
  double scalar = config.number({"query_pre_attn_scalar"}, 256);
  if (scalar <= 0)
    config.refuse("W0203", "query_pre_attn_scalar is 0", "correct it: scores are divided by its root");
  decoder.attention.scale = 1 / std::sqrt(std::max(scalar, 1e-30));
}

CausalModel finish(Config &config, const Decoder &decoder, double logitCap) {
  CausalModel described = describeDecoder(config, decoder, /*tiedByDefault=*/true);
  described.scoreCap =
      config.isNull("final_logit_softcapping") ? 0 : config.number({"final_logit_softcapping"}, logitCap);
  described.endToken = 1;
  return described;
}

} // namespace

CausalModel readGemma(Config &config) {
  HybridSizes sizes = sizesOfClass();
  sizes.hidden = 3072;
  sizes.intermediate = 24576;
  sizes.layers = 28;
  sizes.heads = 16;
  sizes.keyHeads = 0;
  sizes.activationField = "hidden_act";
  return finish(config, readGemmaDecoder(config, sizes), /*logitCap=*/0);
}

CausalModel readGemma2(Config &config) {
  Decoder decoder = readGemmaDecoder(config, sizesOfClass());
  readAround(config, decoder);
  decoder.attention.cap = config.isNull("attn_logit_softcapping") ? 0 : config.number({"attn_logit_softcapping"}, 50);
  int64_t window = readWindow(config, 4096);
  std::vector<bool> slides =
      readSlidingLayers(config, decoder.sizes.layers, [](int64_t layer) { return layer % 2 == 0; });
  decoder.own = [=](int64_t layer, CausalAttention &attention) { attention.window = slides[layer] ? window : 0; };
  return finish(config, decoder, /*logitCap=*/30);
}

CausalModel readGemma3(Config &config) {
  HybridSizes sizes = sizesOfClass();
  sizes.vocabulary = 262208;
  sizes.longest = 131072;
  Decoder decoder = readGemmaDecoder(config, sizes);
  readAround(config, decoder); // attn_logit_softcapping is a field that the library's class does not use
  decoder.attention.queryNorm = "q_norm";
  decoder.attention.keyNorm = "k_norm";
  int64_t window = readWindow(config, 4096), every = config.integer({"sliding_window_pattern"}, 6, 1, 1 << 20);
  std::vector<bool> slides =
      readSlidingLayers(config, decoder.sizes.layers, [&](int64_t layer) { return (layer + 1) % every != 0; });
  // Older files have one base beside another, and scale the positions of whole layers only.
  RotaryRules full{.theta = 1000000.0, .takesYarn = true, .takesScaling = true, .layerType = "full_attention"};
  RotaryRules local{.theta = config.number({"rope_local_base_freq"}, 10000), .layerType = "sliding_attention"};
  RotaryFields ofAll = readRotaryFields(config, decoder.sizes.width, full);
  RotaryFields ofWindow{local.theta, ofAll.dims};
  if (config.has("rope_parameters") && config.child("rope_parameters").has(local.layerType))
    ofWindow = readRotaryFields(config, decoder.sizes.width, local);
  decoder.own = [=](int64_t layer, CausalAttention &attention) {
    const RotaryFields &fields = slides[layer] ? ofWindow : ofAll;
    attention.window = slides[layer] ? window : 0;
    attention.theta = fields.theta;
    attention.rotary = fields.dims;
    attention.frequencies = fields.frequencies;
    attention.turnScale = fields.turnScale;
  };
  return finish(config, decoder, /*logitCap=*/0);
}

} // namespace weft
