// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// StarCoder2 (Lozhkov et al. 2024, arXiv:2402.19173): layer norms, biases, an MLP without a gate.
#include "frontends/hf/arch/Decoder.h"
#include "frontends/hf/arch/Experts.h"

namespace weft {

CausalModel readStarcoder2(Config &config) {
  HybridSizes sizes;
  sizes.vocabulary = 49152;
  sizes.hidden = 3072;
  sizes.intermediate = 12288;
  sizes.layers = 30;
  sizes.heads = 24;
  sizes.keyHeads = 2;
  sizes.longest = 4096;
  sizes.epsilon = 1e-5;
  sizes.epsilonField = "norm_epsilon";
  sizes.usualActivation = "gelu_pytorch_tanh";
  Decoder decoder = readDecoder(config, sizes);
  decoder.attention.bias = decoder.attention.outBias = decoder.mlp.bias = config.flag("use_bias", true);
  decoder.attention.window = readWindow(config);
  decoder.mlp.gate = "";
  decoder.mlp.up = "mlp.c_fc";
  decoder.mlp.down = "mlp.c_proj";
  decoder.norms.kind = NormKind::Layer;
  CausalModel described = describeDecoder(config, decoder, /*tiedByDefault=*/true);
  described.endToken = 50256;
  return described;
}

} // namespace weft
