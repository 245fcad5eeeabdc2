// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// BLOOM (BigScience 2022, arXiv:2211.05100): ALiBi, embeddings that are normed, one projection of each head's query,
// key and value.
#include "frontends/hf/arch/Classic.h"

namespace weft {

CausalModel readBloom(Config &config) {
  HybridSizes sizes{
      .vocabulary = 250880, .hidden = 64, .intermediate = 0, .layers = 2, .heads = 8, .longest = int64_t(1) << 24};
  Decoder decoder = readClassic(config, sizes);
  if (config.flag("apply_residual_connection_post_layernorm", false))
    config.refuse("W0206", "apply_residual_connection_post_layernorm is set",
                  "residuals of what the norms give are not supported");
  CausalAttention &attention = decoder.attention;
  attention.name = "self_attention";
  attention.fused = "query_key_value";
  attention.fusedGroups = attention.heads;
  attention.out = "dense";
  attention.slopes = alibiSlopes(attention.heads);
  decoder.mlp.up = "mlp.dense_h_to_4h";
  decoder.mlp.down = "mlp.dense_4h_to_h";
  decoder.layers = "h";
  decoder.table = "word_embeddings";
  decoder.before.push_back(normPart("word_embeddings_layernorm", decoder.sizes.epsilon, NormKind::Layer));
  decoder.finalNorm = "ln_f";
  return describeDecoder(config, decoder, /*tiedByDefault=*/true);
}

} // namespace weft
