// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SmolLM3 (Hugging Face 2025): Llama whose every fourth layer has no positions (Yang et al. 2025, arXiv:2501.18795).
#include "frontends/hf/arch/Decoder.h"
#include "frontends/hf/arch/Experts.h"

namespace weft {

CausalModel readSmolLm3(Config &config) {
  HybridSizes sizes;
  sizes.vocabulary = 128256;
  sizes.hidden = 2048;
  sizes.intermediate = 11008;
  sizes.layers = 36;
  sizes.heads = 16;
  sizes.keyHeads = 4;
  sizes.longest = 32768;
  Decoder decoder = readDecoder(config, sizes, /*theta=*/2000000);
  int64_t layers = decoder.sizes.layers, every = config.size({"no_rope_layer_interval"}, 4);
  std::vector<int64_t> turns;
  for (int64_t layer = 0; layer < layers; ++layer)
    turns.push_back((layer + 1) % every != 0);
  if (std::optional<std::vector<int64_t>> given = config.integers("no_rope_layers")) {
    if (static_cast<int64_t>(given->size()) == layers)
      turns = *given;
    else
      config.refuse("W0207",
                    "no_rope_layers has " + std::to_string(given->size()) + " entries for " + std::to_string(layers) +
                        " layers",
                    "give one for each layer: 1 where positions turn it");
  }
  int64_t window = config.flag("use_sliding_window", false) ? readWindow(config) : 0;
  std::vector<bool> slides =
      readSlidingLayers(config, layers, [&](int64_t layer) { return window > 0 && !turns[layer]; });
  decoder.own = [=](int64_t layer, CausalAttention &attention) {
    attention.window = slides[layer] ? window : 0;
    if (!turns[layer])
      attention.rotary = 0;
  };
  CausalModel described = describeDecoder(config, decoder, /*tiedByDefault=*/true);
  described.endToken = 128001;
  return described;
}

} // namespace weft
