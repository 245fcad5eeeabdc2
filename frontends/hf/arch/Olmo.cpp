// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// OLMo (Groeneveld et al. 2024, arXiv:2402.00838), whose norms have no weights, and OLMo 2 (OLMo team 2025,
// arXiv:2501.00656), which norms what attention and MLP add, and all queries and keys of a token together.
#include "frontends/hf/arch/Decoder.h"
#include "frontends/hf/arch/Experts.h"

namespace weft {

static HybridSizes sizesOfClass() {
  HybridSizes sizes;
  sizes.vocabulary = 50304;
  sizes.intermediate = 11008;
  sizes.keyHeads = 0;
  sizes.longest = 2048;
  sizes.epsilon = 1e-5;
  return sizes;
}

CausalModel readOlmo(Config &config) {
  HybridSizes sizes = sizesOfClass();
  Decoder decoder = readDecoder(config, sizes);
  decoder.sizes.epsilon = 1e-5; // no field says another
  decoder.mlp.bias = false;
  decoder.attention.clip = readClip(config);
  decoder.norms.kind = NormKind::LayerWithoutWeight;
  CausalModel described = describeDecoder(config, decoder);
  described.endToken = 50279;
  return described;
}

CausalModel readOlmo2(Config &config) {
  Decoder decoder = readDecoder(config, sizesOfClass());
  decoder.mlp.bias = false;
  decoder.attention.queryNorm = "q_norm";
  decoder.attention.keyNorm = "k_norm";
  decoder.attention.normsAllHeads = true;
  decoder.norms = {"", "post_attention_layernorm", "", "post_feedforward_layernorm", NormKind::Rms};
  CausalModel described = describeDecoder(config, decoder);
  described.endToken = 50279;
  return described;
}

} // namespace weft
