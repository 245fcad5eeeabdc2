// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GPT-NeoX (Black et al. 2022, arXiv:2204.06745) and Pythia: a quarter of each head turns, attention and MLP side by
// side after norms of their own, one projection of each head's query, key and value.
#include "frontends/hf/arch/Classic.h"

namespace weft {

CausalModel readGptNeoX(Config &config) {
  HybridSizes sizes{
      .vocabulary = 50432, .hidden = 6144, .intermediate = 24576, .layers = 44, .heads = 64, .longest = 2048};
  Decoder decoder = readClassic(config, sizes, "hidden_act", "gelu");
  CausalAttention &attention = decoder.attention;
  // Releases before 5 have names of their own for the share and the base.
  double base = config.number({"rotary_emb_base"}, 10000), share = config.number({"rotary_pct"}, 0.25);
  readTurns(config, decoder, base, share);
  attention.name = "attention";
  attention.fused = "query_key_value";
  attention.fusedGroups = attention.heads;
  attention.out = "dense";
  attention.bias = attention.outBias = config.flag("attention_bias", true);
  decoder.mlp.up = "mlp.dense_h_to_4h";
  decoder.mlp.down = "mlp.dense_4h_to_h";
  decoder.isParallel = config.flag("use_parallel_residual", true);
  decoder.table = "embed_in";
  decoder.finalNorm = "final_layer_norm";
  CausalModel described = describeDecoder(config, decoder);
  described.head = "embed_out.weight";
  return described;
}

} // namespace weft
