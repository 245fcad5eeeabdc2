// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// OPT (Zhang et al. 2022, arXiv:2205.01068): learned positions two rows into their table, embeddings of a width of
// their own, norms before attention and MLP or of the sums.
#include "frontends/hf/arch/Classic.h"

namespace weft {

/// Embeddings of another width than the layers' go through products at both ends.
static void readWidths(Config &config, Decoder &decoder) {
  int64_t hidden = decoder.sizes.hidden, width = config.size({"word_embed_proj_dim"}, hidden);
  if (width == hidden)
    return;
  decoder.tableWidth = decoder.outWidth = width;
  decoder.before.push_back(linearPart("decoder.project_in", hidden));
  decoder.after.push_back(linearPart("decoder.project_out", width));
}

CausalModel readOpt(Config &config) {
  HybridSizes sizes{
      .vocabulary = 50272, .hidden = 768, .intermediate = 3072, .layers = 12, .heads = 12, .longest = 2048};
  Decoder decoder = readClassic(config, sizes, "activation_function", "relu");
  decoder.sizes.epsilon = 1e-5; // the file has no field for it
  CausalAttention &attention = decoder.attention;
  attention.name = "self_attn";
  attention.out = "out_proj";
  attention.bias = attention.outBias = decoder.mlp.bias = config.flag("enable_bias", true);
  decoder.mlp.up = "fc1";
  decoder.mlp.down = "fc2";
  bool isBefore = config.flag("do_layer_norm_before", true);
  decoder.norms.kind =
      config.flag("layer_norm_elementwise_affine", true) ? NormKind::Layer : NormKind::LayerWithoutWeight;
  decoder.norms.ofSums = !isBefore;
  (isBefore ? decoder.norms.beforeAttention : decoder.norms.afterAttention) = "self_attn_layer_norm";
  (isBefore ? decoder.norms.beforeMlp : decoder.norms.afterMlp) = "final_layer_norm";
  decoder.layers = "decoder.layers";
  decoder.table = "decoder.embed_tokens";
  bool hasLast = isBefore && !config.flag("_remove_final_layer_norm", false);
  decoder.finalNorm = hasLast ? "decoder.final_layer_norm" : "";
  readWidths(config, decoder);
  learnPositions(decoder, "decoder.embed_positions", /*offset=*/2);
  return describeDecoder(config, decoder, /*tiedByDefault=*/true);
}

} // namespace weft
