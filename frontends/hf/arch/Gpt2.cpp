// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GPT-2 (Radford et al. 2019): learned positions, weights as [in, out].
#include "frontends/hf/arch/Classic.h"

#include <cmath>

namespace weft {

CausalModel readGpt2(Config &config) {
  HybridSizes sizes{.vocabulary = 50257, .hidden = 768, .intermediate = 0, .layers = 12, .heads = 12, .longest = 1024};
  Decoder decoder = readClassic(config, sizes);
  if (config.flag("add_cross_attention", false))
    config.refuse("W0206", "add_cross_attention is set", "decoders of encoder-decoders are not supported");
  CausalAttention &attention = decoder.attention;
  attention.fused = "c_attn";
  attention.out = "c_proj";
  attention.inByOut = decoder.mlp.inByOut = true;
  decoder.mlp.up = "mlp.c_fc";
  decoder.mlp.down = "mlp.c_proj";
  decoder.norms.beforeAttention = "ln_1";
  decoder.norms.beforeMlp = "ln_2";
  decoder.layers = "h";
  decoder.table = "wte";
  decoder.finalNorm = "ln_f";
  learnPositions(decoder, "wpe");
  bool byLayer = config.flag("scale_attn_by_inverse_layer_idx", false);
  double scale = config.flag("scale_attn_weights", true) ? 1 / std::sqrt(static_cast<double>(attention.width)) : 1;
  decoder.own = [=](int64_t layer, CausalAttention &own) {
    own.scale = byLayer ? scale / static_cast<double>(layer + 1) : scale;
  };
  CausalModel described = describeDecoder(config, decoder, /*tiedByDefault=*/true);
  described.endToken = 50256;
  return described;
}

} // namespace weft
