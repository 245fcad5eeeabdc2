// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GLM-4 (GLM team 2024, arXiv:2406.12793) and its release of 2025, which also norms what attention and MLP add:
// neighbours of half of each head turn against each other, gate and up are one projection.
#include "frontends/hf/arch/Decoder.h"

namespace weft {

static Decoder readGlmDecoder(Config &config) {
  HybridSizes sizes;
  sizes.vocabulary = 151552;
  sizes.intermediate = 13696;
  sizes.layers = 40;
  sizes.keyHeads = 2;
  sizes.width = 128;
  sizes.longest = 131072;
  sizes.epsilon = 1.5625e-07;
  Decoder decoder = readDecoder(config, sizes, /*theta=*/10000, /*share=*/0.5);
  decoder.attention.bias = config.flag("attention_bias", true);
  decoder.attention.outBias = decoder.mlp.bias = false;
  decoder.attention.neighbours = true;
  decoder.mlp.gate = decoder.mlp.up = "";
  decoder.mlp.gateUp = "mlp.gate_up_proj";
  return decoder;
}

static CausalModel finish(Config &config, const Decoder &decoder) {
  CausalModel described = describeDecoder(config, decoder);
  described.endToken = 151329;
  return described;
}

CausalModel readGlm(Config &config) { return finish(config, readGlmDecoder(config)); }

CausalModel readGlm4(Config &config) {
  Decoder decoder = readGlmDecoder(config);
  decoder.norms.afterAttention = "post_self_attn_layernorm";
  decoder.norms.afterMlp = "post_mlp_layernorm";
  return finish(config, decoder);
}

} // namespace weft
