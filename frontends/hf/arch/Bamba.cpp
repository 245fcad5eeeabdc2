// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bamba (IBM, Princeton, CMU and UIUC 2024): layers of Mamba-2, in some of which attention with rotary positions takes
// the place, and an MLP in each.
#include "frontends/hf/arch/Hybrid.h"

using namespace mlir;

namespace weft {

CausalModel readBamba(Config &config) {
  HybridSizes sizes;
  sizes.vocabulary = 128000;
  sizes.epsilon = 1e-5;
  readHybridSizes(config, sizes);
  Mamba2Sizes defaults;
  defaults.state = 256;
  defaults.groups = 1;
  Mamba2Sizes mamba = readMamba2Sizes(config, sizes, defaults);
  checkMamba2(config, mamba, {"mamba_n_heads", "mamba_d_head", "mamba_n_groups", "mamba_expand · hidden_size"});
  CausalAttention attention = attentionOf(sizes, "");
  readRotation(config, attention, /*share=*/0.5);
  attention.bias = attention.outBias = config.flag("attention_bias", false);
  bool mlpBias = config.flag("mlp_bias", false);
  std::vector<int64_t> attended = config.integers("attn_layer_indices").value_or(std::vector<int64_t>{});
  HybridModel model;
  for (int64_t index = 0; index < sizes.layers; ++index) {
    std::string layer = "layers." + std::to_string(index), mlp = layer + ".feed_forward";
    attention.name = layer + ".self_attn";
    Part mixer = llvm::is_contained(attended, index) ? attentionPart(attention) : mamba2Part(mamba, layer + ".mamba");
    Part feedForward = mlpPart({mlp + ".gate_proj", mlp + ".up_proj", mlp + ".down_proj", sizes.intermediate,
                                sizes.hidden, sizes.activation, /*squared=*/false, mlpBias});
    model.layers.push_back(inTurn({residual(layer + ".input_layernorm", sizes.epsilon, mixer),
                                   residual(layer + ".pre_ff_layernorm", sizes.epsilon, feedForward)}));
  }
  CausalModel described = describeHybrid(sizes, std::move(model));
  described.tied = config.flag("tie_word_embeddings", false);
  return described;
}

} // namespace weft
