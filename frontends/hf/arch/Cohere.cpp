// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Command R (Cohere 2024) and Command R7B: attention and MLP side by side after one norm without a bias, neighbours
// that turn against each other; in the second three of four layers see a window, and only these have positions.
#include "frontends/hf/arch/Decoder.h"
#include "frontends/hf/arch/Experts.h"

namespace weft {

static HybridSizes sizesOfClass() {
  HybridSizes sizes;
  sizes.vocabulary = 256000;
  sizes.hidden = 8192;
  sizes.intermediate = 22528;
  sizes.layers = 40;
  sizes.heads = 64;
  sizes.keyHeads = 0;
  sizes.longest = 8192;
  sizes.epsilon = 1e-5;
  sizes.epsilonField = "layer_norm_eps";
  return sizes;
}

static Decoder readCommand(Config &config, double theta) {
  Decoder decoder = readDecoder(config, sizesOfClass(), theta);
  if (config.flag("use_qk_norm", false))
    config.refuse("W0206", "use_qk_norm is set", "layer norms of queries and keys are not supported");
  decoder.mlp.bias = false;
  decoder.attention.neighbours = true;
  decoder.isParallel = true;
  decoder.norms = {"input_layernorm", "", "", "", NormKind::LayerWithoutBias};
  return decoder;
}

static CausalModel finish(Config &config, const Decoder &decoder) {
  CausalModel described = describeDecoder(config, decoder, /*tiedByDefault=*/true);
  described.scoreFactor = config.number({"logit_scale"}, 0.0625);
  described.endToken = 255001;
  return described;
}

CausalModel readCohere(Config &config) { return finish(config, readCommand(config, /*theta=*/500000)); }

CausalModel readCohere2(Config &config) {
  Decoder decoder = readCommand(config, /*theta=*/10000);
  int64_t window = readWindow(config, 4096), every = config.integer({"sliding_window_pattern"}, 4, 1, 1 << 20);
  std::vector<bool> slides =
      readSlidingLayers(config, decoder.sizes.layers, [&](int64_t layer) { return (layer + 1) % every != 0; });
  decoder.own = [=](int64_t layer, CausalAttention &attention) {
    attention.window = slides[layer] ? window : 0;
    if (!slides[layer])
      attention.rotary = 0;
  };
  return finish(config, decoder);
}

} // namespace weft
