// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GPT-Neo (Black et al. 2021): learned positions, scores that are not scaled, layers with a window among others.
#include "frontends/hf/arch/Classic.h"

namespace weft {

/// For each layer whether it sees a window: by `attention_types`, which the library reads, by `attention_layers`, or in
/// turn.
static std::vector<bool> readLocalLayers(Config &config, int64_t layers) {
  std::vector<bool> local(layers);
  std::optional<std::vector<std::string>> names = config.repeatedTexts("attention_types");
  if (!names)
    names = config.texts("attention_layers");
  if (names && static_cast<int64_t>(names->size()) != layers) {
    config.refuse("W0207",
                  "the attention of " + std::to_string(names->size()) + " layers is given, and there are " +
                      std::to_string(layers),
                  "correct attention_layers, attention_types or num_layers");
    return local;
  }
  for (int64_t layer = 0; layer < layers; ++layer) {
    const std::string name = names ? (*names)[layer] : layer % 2 ? "local" : "global";
    local[layer] = name == "local";
    if (!local[layer] && name != "global")
      config.refuse("W0206", "attention_layers holds \"" + name + "\"", "the known ones are global and local");
  }
  return local;
}

CausalModel readGptNeo(Config &config) {
  HybridSizes sizes{.vocabulary = 50257, .hidden = 2048, .intermediate = 0, .layers = 24, .heads = 16, .longest = 2048};
  Decoder decoder = readClassic(config, sizes);
  int64_t window = config.size({"window_size"}, 256);
  std::vector<bool> local = readLocalLayers(config, decoder.sizes.layers);
  CausalAttention &attention = decoder.attention;
  attention.name = "attn.attention";
  attention.out = "out_proj";
  attention.bias = false;
  attention.scale = 1;
  decoder.own = [=](int64_t layer, CausalAttention &own) { own.window = local[layer] ? window : 0; };
  decoder.mlp.up = "mlp.c_fc";
  decoder.mlp.down = "mlp.c_proj";
  decoder.norms.beforeAttention = "ln_1";
  decoder.norms.beforeMlp = "ln_2";
  decoder.layers = "h";
  decoder.table = "wte";
  decoder.finalNorm = "ln_f";
  learnPositions(decoder, "wpe");
  CausalModel described = describeDecoder(config, decoder, /*tiedByDefault=*/true);
  described.endToken = 50256;
  return described;
}

} // namespace weft
