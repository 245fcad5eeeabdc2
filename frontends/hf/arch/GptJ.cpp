// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GPT-J (Wang and Komatsuzaki 2021) and CodeGen (Nijkamp et al. 2022, arXiv:2203.13474): neighbours that turn,
// attention and MLP side by side after one norm, a head with a bias.
#include "frontends/hf/arch/Classic.h"

namespace weft {

static Decoder readParallel(Config &config) {
  HybridSizes sizes{.vocabulary = 50400, .hidden = 4096, .intermediate = 0, .layers = 28, .heads = 16, .longest = 2048};
  Decoder decoder = readClassic(config, sizes);
  readRotaryDim(config, decoder);
  decoder.attention.bias = decoder.attention.outBias = false;
  decoder.attention.out = "out_proj";
  decoder.mlp.up = "mlp.fc_in";
  decoder.mlp.down = "mlp.fc_out";
  decoder.isParallel = true;
  decoder.norms.beforeAttention = "ln_1";
  decoder.norms.beforeMlp = "";
  decoder.layers = "h";
  decoder.table = "wte";
  decoder.finalNorm = "ln_f";
  return decoder;
}

static CausalModel finish(Config &config, const Decoder &decoder) {
  CausalModel described = describeDecoder(config, decoder);
  described.headBias = "lm_head.bias";
  described.endToken = 50256;
  return described;
}

CausalModel readGptJ(Config &config) { return finish(config, readParallel(config)); }

CausalModel readCodeGen(Config &config) {
  constexpr int64_t kParts = 4; // of the fused projection, whatever the heads
  Decoder decoder = readParallel(config);
  decoder.attention.fused = "qkv_proj";
  decoder.attention.fusedValuesFirst = true;
  if (decoder.sizes.heads % kParts == 0)
    decoder.attention.fusedGroups = kParts;
  else
    config.refuse("W0207", "n_head is " + std::to_string(decoder.sizes.heads) + ", no multiple of 4",
                  "this architecture holds its heads in four parts: correct n_head");
  return finish(config, decoder);
}

} // namespace weft
