// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontends/hf/arch/Classic.h"

#include "frontends/hf/arch/PostNorm.h"

#include "llvm/Support/MathExtras.h"

#include <cmath>

namespace weft {

/// The heads' width; W0207 where they do not fill the hidden states.
static void divideHeads(Config &config, HybridSizes &sizes) {
  sizes.keyHeads = sizes.heads;
  sizes.width = sizes.hidden / sizes.heads;
  if (sizes.width > 0 && sizes.width * sizes.heads == sizes.hidden)
    return;
  config.refuse("W0207",
                "the hidden size is " + std::to_string(sizes.hidden) + ", no multiple of the " +
                    std::to_string(sizes.heads) + " heads",
                "correct the hidden size or the number of heads");
  sizes.heads = sizes.keyHeads = sizes.width = 1;
}

Decoder readClassic(Config &config, HybridSizes sizes, const char *activationField, const char *usualActivation) {
  sizes.vocabulary = config.size({"vocab_size"}, sizes.vocabulary);
  sizes.hidden = config.size({"n_embed", "n_embd", "d_model", "hidden_size"}, sizes.hidden);
  sizes.layers =
      config.integer({"n_layer", "n_layers", "num_layers", "num_hidden_layers"}, sizes.layers, 1, kMaxLayers);
  constexpr int64_t kMostHeads = 1 << 16; // no published model comes near
  sizes.heads = config.integer({"n_head", "n_heads", "num_heads", "num_attention_heads"}, sizes.heads, 1, kMostHeads);
  sizes.intermediate = config.size({"n_inner", "ffn_dim", "ffn_hidden_size", "intermediate_size"},
                                   sizes.intermediate ? sizes.intermediate : 4 * sizes.hidden);
  sizes.longest =
      config.integer({"n_positions", "max_seq_len", "max_position_embeddings"}, sizes.longest, 1, int64_t(1) << 24);
  sizes.epsilon = config.number({"layer_norm_epsilon", "layer_norm_eps"}, 1e-5);
  sizes.activation = activationField ? config.activation(activationField, usualActivation) : Activation::GeluErf;
  divideHeads(config, sizes);
  Decoder decoder;
  decoder.attention = attentionOf(sizes, "attn");
  decoder.attention.bias = decoder.attention.outBias = true;
  decoder.mlp = {"", "", "", sizes.intermediate, sizes.hidden, sizes.activation};
  decoder.mlp.bias = true;
  decoder.norms.kind = NormKind::Layer;
  decoder.sizes = sizes;
  return decoder;
}

void learnPositions(Decoder &decoder, const std::string &name, int64_t offset) {
  decoder.textsEnd = true;
  decoder.before.push_back(learnedPositionsPart(name, decoder.sizes.longest + offset, decoder.sizes.hidden, offset));
}

void readRotaryDim(Config &config, Decoder &decoder) {
  int64_t width = decoder.sizes.width;
  int64_t dims = config.size({"rotary_dim"}, 64);
  if (dims % 2 != 0 || dims > width) {
    config.refuse("W0207",
                  "the rotary positions turn " + std::to_string(dims) + " of the " + std::to_string(width) +
                      " elements of a head",
                  "correct rotary_dim: the count must be even");
    dims = 0;
  }
  decoder.attention.rotary = dims;
  decoder.attention.neighbours = true;
}

std::vector<float> alibiSlopes(int64_t heads) {
  int64_t lower = int64_t(1) << llvm::Log2_64(heads);
  std::vector<float> slopes;
  for (int64_t head = 0; head < heads; ++head) {
    double place = head < lower ? head + 1.0 : (head - lower) + 0.5;
    slopes.push_back(static_cast<float>(std::exp2(-8 * place / static_cast<double>(lower))));
  }
  return slopes;
}

} // namespace weft
