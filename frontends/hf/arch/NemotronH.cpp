// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nemotron-H (NVIDIA 2025, arXiv:2504.03624) without experts: each layer is one part, Mamba-2, attention without
// positions, or an MLP whose activation is squared.
#include "frontends/hf/arch/Hybrid.h"
#include "frontends/hf/arch/PostNorm.h"

using namespace mlir;

namespace weft {
namespace {

enum class Kind { Mamba, Attention, Mlp };

/// By `layers_block_type`, whose names changed with release 5 of the library, or a letter for each layer.
std::vector<Kind> readKinds(Config &config) {
  std::vector<std::string> types = config.texts("layers_block_type").value_or(std::vector<std::string>{});
  for (char letter : config.text("hybrid_override_pattern", ""))
    types.emplace_back(1, letter);
  std::vector<Kind> kinds;
  for (const std::string &type : types) {
    if (type == "linear_attention" || type == "mamba" || type == "M")
      kinds.push_back(Kind::Mamba);
    else if (type == "full_attention" || type == "attention" || type == "*")
      kinds.push_back(Kind::Attention);
    else if (type == "mlp" || type == "-")
      kinds.push_back(Kind::Mlp);
    else
      config.refuse("W0206", "a layer is of the type \"" + type + "\"",
                    "the supported ones are linear_attention, full_attention and mlp; experts are not supported yet");
  }
  if (kinds.empty() || static_cast<int64_t>(kinds.size()) > kMaxLayers)
    config.refuse("W0207", "layers_block_type names " + std::to_string(kinds.size()) + " layers",
                  "name at least one and at most " + std::to_string(kMaxLayers));
  return kinds;
}

Mamba2Sizes readMixer(Config &config, const HybridSizes &sizes) {
  Mamba2Sizes mamba;
  mamba.hidden = sizes.hidden;
  mamba.epsilon = sizes.epsilon;
  mamba.activation = config.activation("mamba_hidden_act", "silu");
  mamba.state = config.size({"ssm_state_size"}, 128);
  mamba.taps = config.integer({"conv_kernel", "mamba_d_conv"}, 4, 1, 1024);
  mamba.heads = config.size({"mamba_num_heads"}, 128);
  mamba.headDim = config.size({"mamba_head_dim"}, 64);
  mamba.groups = config.size({"n_groups", "mamba_n_groups"}, 8);
  mamba.inner = mamba.heads * mamba.headDim;
  mamba.bias = config.flag("mamba_proj_bias", false);
  mamba.outBias = config.flag("use_bias", false);
  mamba.convBias = config.flag("use_conv_bias", true);
  mamba.leastStep = config.number({"time_step_min", "mamba_dt_min"}, 0.001);
  checkMamba2(config, mamba, {"mamba_num_heads", "mamba_head_dim", "n_groups", "their product"});
  return mamba;
}

MlpSpec readMlp(Config &config, const HybridSizes &sizes) {
  MlpSpec mlp{"", "", "", sizes.intermediate, sizes.hidden};
  mlp.squared = config.text("mlp_hidden_act", "relu2") == "relu2";
  mlp.activation = mlp.squared ? Activation::Relu : config.activation("mlp_hidden_act", "relu");
  mlp.bias = config.flag("mlp_bias", false);
  return mlp;
}

} // namespace

CausalModel readNemotronH(Config &config) {
  HybridSizes sizes;
  sizes.vocabulary = 131072;
  sizes.intermediate = 21504;
  sizes.width = 128;
  sizes.longest = 4096;
  readHybridSizes(config, sizes);
  sizes.epsilon = config.number({"layer_norm_epsilon"}, 1e-5);
  Mamba2Sizes mamba = readMixer(config, sizes);
  MlpSpec mlp = readMlp(config, sizes);
  HybridModel model;
  model.table = "embeddings";
  model.finalNorm = "norm_f";
  for (auto [index, kind] : llvm::enumerate(readKinds(config))) {
    std::string layer = "layers." + std::to_string(index), mixer = layer + ".mixer";
    mlp.up = mixer + ".up_proj", mlp.down = mixer + ".down_proj";
    Part part = kind == Kind::Mamba       ? mamba2Part(mamba, mixer)
                : kind == Kind::Attention ? attentionPart(attentionOf(sizes, mixer))
                                          : mlpPart(mlp);
    model.layers.push_back(residual(layer + ".norm", sizes.epsilon, part));
  }
  CausalModel described = describeHybrid(sizes, std::move(model));
  described.tied = config.flag("tie_word_embeddings", false);
  return described;
}

} // namespace weft
