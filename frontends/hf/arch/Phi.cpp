// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Phi-1, 1.5 and 2 (Gunasekar et al. 2023, arXiv:2306.11644): attention and MLP side by side, with biases; Phi-3 and 4
// (Abdin et al. 2024, arXiv:2404.14219): Llama with fused projections.
#include "frontends/hf/arch/Decoder.h"
#include "frontends/hf/arch/Experts.h"

namespace weft {

CausalModel readPhi(Config &config) {
  HybridSizes sizes;
  sizes.vocabulary = 51200;
  sizes.hidden = 2048;
  sizes.intermediate = 8192;
  sizes.layers = 24;
  sizes.keyHeads = 0;
  sizes.longest = 2048;
  sizes.epsilon = 1e-5;
  sizes.epsilonField = "layer_norm_eps";
  sizes.usualActivation = "gelu_new";
  Decoder decoder = readDecoder(config, sizes, /*theta=*/10000, /*share=*/0.5);
  if (config.flag("qk_layernorm", false))
    config.refuse("W0206", "qk_layernorm is set", "layer norms of queries and keys are not supported");
  decoder.attention.bias = decoder.attention.outBias = decoder.mlp.bias = true;
  decoder.attention.out = "dense";
  decoder.mlp.gate = "";
  decoder.mlp.up = "mlp.fc1";
  decoder.mlp.down = "mlp.fc2";
  decoder.isParallel = true;
  decoder.norms = {"input_layernorm", "", "", "", NormKind::Layer};
  decoder.finalNorm = "final_layernorm";
  CausalModel described = describeDecoder(config, decoder);
  described.headBias = "lm_head.bias";
  return described;
}

CausalModel readPhi3(Config &config) {
  HybridSizes sizes;
  sizes.vocabulary = 32064;
  sizes.hidden = 3072;
  sizes.intermediate = 8192;
  sizes.keyHeads = 0;
  sizes.longest = 4096;
  sizes.epsilon = 1e-5;
  Decoder decoder = readDecoder(config, sizes);
  decoder.attention.bias = decoder.attention.outBias = decoder.mlp.bias = false;
  decoder.attention.fused = "qkv_proj";
  decoder.attention.window = readWindow(config);
  decoder.mlp.gate = decoder.mlp.up = "";
  decoder.mlp.gateUp = "mlp.gate_up_proj";
  CausalModel described = describeDecoder(config, decoder);
  described.endToken = 32000;
  return described;
}

} // namespace weft
