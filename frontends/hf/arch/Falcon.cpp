// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Falcon (Almazrouei et al. 2023, arXiv:2311.16867): attention and MLP side by side, heads that share keys in groups or
// all of them, rotary positions or ALiBi whose numbers are rounded to bfloat16.
#include "frontends/hf/arch/Classic.h"

#include "llvm/ADT/APFloat.h"

namespace weft {
namespace {

/// Which heads share keys, and how the fused projection holds them.
void readGroups(Config &config, bool isNew, CausalAttention &attention) {
  int64_t keyHeads = config.size({"num_kv_heads"}, attention.heads);
  if (!isNew)
    keyHeads = config.flag("multi_query", true) ? 1 : attention.heads;
  if (attention.heads % keyHeads != 0)
    return config.refuse("W0207",
                         "num_attention_heads is " + std::to_string(attention.heads) + ", no multiple of the " +
                             std::to_string(keyHeads) + " heads of num_kv_heads",
                         "correct num_attention_heads or num_kv_heads");
  attention.keyHeads = attention.fusedGroups = keyHeads;
}

/// bfloat16, as the nearest; ties to even.
float toBfloat16(float x) {
  llvm::APFloat rounded(x);
  bool loses = false;
  rounded.convert(llvm::APFloat::BFloat(), llvm::APFloat::rmNearestTiesToEven, &loses);
  return rounded.convertToFloat();
}

void readPositions(Config &config, Decoder &decoder) {
  if (!config.flag("alibi", false))
    return readTurns(config, decoder);
  CausalAttention &attention = decoder.attention;
  attention.slopes = alibiSlopes(attention.heads);
  for (float &slope : attention.slopes)
    slope = toBfloat16(slope);
  attention.roundsSlopes = true;
}

/// One norm or two before attention and MLP that stand side by side, or norms of their own in turn.
DecoderNorms readNorms(Config &config, bool isNew, bool isParallel) {
  int64_t count = config.integer({"num_ln_in_parallel_attn"}, isNew ? 2 : 1, 1, 2);
  if (isNew && count == 2)
    return {"ln_attn", "", "ln_mlp", "", NormKind::Layer};
  return {"input_layernorm", "", isParallel ? "" : "post_attention_layernorm", "", NormKind::Layer};
}

} // namespace

CausalModel readFalcon(Config &config) {
  HybridSizes sizes{.vocabulary = 65024, .hidden = 4544, .intermediate = 0, .layers = 32, .heads = 71, .longest = 2048};
  Decoder decoder = readClassic(config, sizes, "activation", "gelu");
  CausalAttention &attention = decoder.attention;
  bool isNew = config.flag("new_decoder_architecture", false);
  readGroups(config, isNew, attention);
  readPositions(config, decoder);
  attention.name = "self_attention";
  attention.fused = "query_key_value";
  attention.out = "dense";
  attention.bias = attention.outBias = decoder.mlp.bias = config.flag("bias", false);
  decoder.mlp.up = "mlp.dense_h_to_4h";
  decoder.mlp.down = "mlp.dense_4h_to_h";
  decoder.isParallel = config.flag("parallel_attn", true) || isNew;
  decoder.norms = readNorms(config, isNew, decoder.isParallel);
  decoder.layers = "h";
  decoder.table = "word_embeddings";
  decoder.finalNorm = "ln_f";
  CausalModel described = describeDecoder(config, decoder, /*tiedByDefault=*/true);
  described.endToken = 11;
  return described;
}

} // namespace weft
