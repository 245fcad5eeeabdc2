// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Qwen2 (Yang et al. 2024, arXiv:2407.10671), whose queries, keys and values have biases, and Qwen3 (Qwen team 2025,
// arXiv:2505.09388), whose queries and keys are normed.
#include "frontends/hf/arch/Decoder.h"
#include "frontends/hf/arch/Experts.h"

namespace weft {

namespace {

HybridSizes sizesOfClass() {
  HybridSizes sizes;
  sizes.vocabulary = 151936;
  sizes.intermediate = 22016;
  sizes.keyHeads = 0;
  sizes.longest = 32768;
  return sizes;
}

/// Layers from max_window_layers on see a window, where the file asks for one.
CausalModel describe(Config &config, Decoder decoder) {
  bool slides = config.flag("use_sliding_window", false);
  int64_t first = config.integer({"max_window_layers"}, 28, 0, int64_t(1) << 20);
  int64_t window = slides ? readWindow(config, 4096) : 0;
  std::vector<bool> sliding = readSlidingLayers(config, decoder.sizes.layers,
                                                [&](int64_t layer) { return slides && window > 0 && layer >= first; });
  decoder.own = [sliding, window](int64_t layer, CausalAttention &attention) {
    attention.window = sliding[layer] ? window : 0;
  };
  CausalModel described = describeDecoder(config, decoder);
  described.endToken = 151643; // <|endoftext|>
  return described;
}

} // namespace

CausalModel readQwen2(Config &config) {
  Decoder decoder = readDecoder(config, sizesOfClass());
  decoder.attention.bias = true;
  decoder.attention.outBias = decoder.mlp.bias = false;
  return describe(config, decoder);
}

CausalModel readQwen3(Config &config) {
  HybridSizes sizes = sizesOfClass();
  sizes.width = 128;
  Decoder decoder = readDecoder(config, sizes);
  decoder.mlp.bias = false;
  decoder.attention.queryNorm = "q_norm";
  decoder.attention.keyNorm = "k_norm";
  return describe(config, decoder);
}

} // namespace weft
