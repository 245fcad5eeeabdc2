// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// StableLM 2 (Bellagente et al. 2024, arXiv:2402.17834): layer norms, of whose heads a quarter turns.
#include "frontends/hf/arch/Decoder.h"

namespace weft {

CausalModel readStableLm(Config &config) {
  HybridSizes sizes;
  sizes.vocabulary = 50304;
  sizes.hidden = 2560;
  sizes.intermediate = 6912;
  sizes.keyHeads = 0;
  sizes.longest = 4096;
  sizes.epsilon = 1e-5;
  sizes.epsilonField = "layer_norm_eps";
  Decoder decoder = readDecoder(config, sizes, /*theta=*/10000, /*share=*/0.25);
  if (config.flag("qk_layernorm", false))
    config.refuse("W0206", "qk_layernorm is set", "layer norms of queries and keys are not supported");
  decoder.attention.bias = config.flag("use_qkv_bias", false);
  decoder.attention.outBias = decoder.mlp.bias = false;
  decoder.norms.kind = NormKind::Layer;
  decoder.isParallel = config.flag("use_parallel_residual", false);
  if (decoder.isParallel)
    decoder.norms.beforeMlp = "";
  CausalModel described = describeDecoder(config, decoder);
  described.endToken = 0;
  return described;
}

} // namespace weft
