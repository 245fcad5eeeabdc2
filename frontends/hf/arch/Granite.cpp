// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Granite 3 (IBM 2024): Llama with factors of embeddings, scores, residuals and logits.
#include "frontends/hf/arch/Decoder.h"

namespace weft {

CausalModel readGranite(Config &config) {
  HybridSizes sizes;
  sizes.intermediate = 11008;
  sizes.keyHeads = 0;
  sizes.longest = 2048;
  Decoder decoder = readDecoder(config, sizes);
  decoder.attention.scale = config.number({"attention_multiplier"}, 1);
  decoder.residualFactor = config.number({"residual_multiplier"}, 1);
  decoder.embeddingFactor = config.number({"embedding_multiplier"}, 1);
  CausalModel described = describeDecoder(config, decoder);
  described.scoreFactor = 1 / std::max(1e-30, config.number({"logits_scaling"}, 1));
  return described;
}

} // namespace weft
