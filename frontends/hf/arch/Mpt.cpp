// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MPT (MosaicML 2023): ALiBi, no biases at all, queries, keys and values that may be clipped.
#include "frontends/hf/arch/Classic.h"
#include "frontends/hf/arch/Experts.h"

namespace weft {

/// What the published files may ask for and the library's class does not compute.
static void refuseOptions(Config &config, Config &fields) {
  if (!fields.flag("alibi", true))
    fields.refuse("W0206", "alibi is false", "learned positions of this architecture are not supported");
  for (const char *option : {"qk_ln", "prefix_lm", "attn_uses_sequence_id"})
    if (fields.flag(option, false))
      fields.refuse("W0206", std::string(option) + " is set", "the option is not supported");
  if (fields.text("attn_type", "multihead_attention") != "multihead_attention")
    fields.refuse("W0206", "attn_type is not multihead_attention", "heads that share their keys are not supported");
  if (!config.flag("no_bias", true))
    config.refuse("W0206", "no_bias is false", "biases of this architecture are not supported");
  if (config.has("logit_scale"))
    config.refuse("W0206", "logit_scale is set", "logits of this architecture that are scaled are not supported");
}

CausalModel readMpt(Config &config) {
  HybridSizes sizes{.vocabulary = 50368, .hidden = 2048, .intermediate = 0, .layers = 24, .heads = 16, .longest = 2048};
  Decoder decoder = readClassic(config, sizes, /*activationField=*/nullptr);
  if (config.integer({"expansion_ratio"}, 4, 1, 1024) != 4)
    config.refuse("W0206", "expansion_ratio is not 4", "the MLP of this architecture is four times as wide as d_model");
  Config fields = config.child("attn_config");
  refuseOptions(config, fields);
  CausalAttention &attention = decoder.attention;
  attention.clip = readClip(fields);
  attention.scale = fields.number({"softmax_scale"}, 0);
  if (fields.number({"alibi_bias_max"}, 8) != 8)
    fields.refuse("W0206", "alibi_bias_max is not 8", "the library computes with 8 whatever it says: correct it");
  attention.slopes = alibiSlopes(attention.heads);
  if (fields.failed())
    config.fail(fields.takeError());
  attention.fused = "Wqkv";
  attention.out = "out_proj";
  attention.bias = attention.outBias = decoder.mlp.bias = false;
  decoder.mlp.up = "ffn.up_proj";
  decoder.mlp.down = "ffn.down_proj";
  decoder.norms = {"norm_1", "", "norm_2", "", NormKind::LayerWithoutBias};
  decoder.layers = "blocks";
  decoder.table = "wte";
  decoder.finalNorm = "norm_f";
  CausalModel described = describeDecoder(config, decoder, /*tiedByDefault=*/true);
  described.endToken = 0;
  return described;
}

} // namespace weft
