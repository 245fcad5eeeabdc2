// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Jamba (Lieber et al. 2024, arXiv:2403.19887): layers of Mamba, whose B, C and time step are normed, with attention
// without positions in every eighth, and an MLP in each, or experts in every second.
#include "frontends/hf/arch/Experts.h"

using namespace mlir;

namespace weft {
namespace {

MambaSizes readMambaSizes(Config &config, const HybridSizes &sizes) {
  MambaSizes mamba;
  mamba.hidden = sizes.hidden;
  mamba.inner = config.integer({"mamba_expand"}, 2, 1, 1024) * sizes.hidden;
  mamba.state = config.size({"mamba_d_state"}, 16);
  mamba.taps = config.integer({"mamba_d_conv"}, 4, 1, 1024);
  mamba.bias = config.flag("mamba_proj_bias", false);
  mamba.convBias = config.flag("mamba_conv_bias", true);
  mamba.activation = sizes.activation;
  mamba.innerEpsilon = sizes.epsilon;
  mamba.innerScales = true;
  int64_t rank = (sizes.hidden + 15) / 16;
  bool isAutomatic = config.isText("mamba_dt_rank") && config.text("mamba_dt_rank", "") == "auto";
  mamba.rank = isAutomatic ? rank : config.size({"mamba_dt_rank"}, rank);
  return mamba;
}

/// Every `period`-th layer from `offset` on.
struct Every {
  int64_t period, offset;
  bool holds(int64_t layer) const { return layer % period == offset; }
};

Every readEvery(Config &config, const char *period, const char *offset, Every byDefault) {
  return {config.size({period}, byDefault.period), config.integer({offset}, byDefault.offset, 0, Config::kMaxSize)};
}

/// Which layers have experts, and how many.
struct JambaExperts {
  Every every;
  ExpertCounts counts;
  bool holds(int64_t layer) const { return counts.experts > 1 && every.holds(layer); }
};

JambaExperts readExperts(Config &config) {
  Every every = readEvery(config, "expert_layer_period", "expert_layer_offset", {2, 1});
  int64_t experts = config.integer({"num_experts", "num_local_experts"}, 16, 1, kMaxExperts);
  if (experts == 1) // an MLP, whatever else the file says
    return {every, {1, 1}};
  return {every, readExpertCounts(config, {"num_experts", "num_local_experts"}, {"num_experts_per_tok"}, {16, 2})};
}

Part expertsOf(const HybridSizes &sizes, const ExpertCounts &counts, const std::string &name) {
  MixtureOfExperts mixture = mixtureOf(sizes, counts, sizes.intermediate, name);
  mixture.route.weight = name + ".router.weight";
  return expertsPart(mixture);
}

} // namespace

CausalModel readJamba(Config &config) {
  HybridSizes sizes;
  sizes.vocabulary = 65536;
  readHybridSizes(config, sizes);
  JambaExperts experts = readExperts(config);
  MambaSizes mamba = readMambaSizes(config, sizes);
  Every attention = readEvery(config, "attn_layer_period", "attn_layer_offset", {8, 4});
  HybridModel model;
  for (int64_t index = 0; index < sizes.layers; ++index) {
    std::string layer = "layers." + std::to_string(index), mlp = layer + ".feed_forward";
    Part mixer = attention.holds(index) ? attentionPart(attentionOf(sizes, layer + ".self_attn"))
                                        : mambaPart(mamba, layer + ".mamba");
    Part feedForward = experts.holds(index) ? expertsOf(sizes, experts.counts, mlp)
                                            : mlpPart({mlp + ".gate_proj", mlp + ".up_proj", mlp + ".down_proj",
                                                       sizes.intermediate, sizes.hidden, sizes.activation});
    model.layers.push_back(inTurn({residual(layer + ".input_layernorm", sizes.epsilon, mixer),
                                   residual(layer + ".pre_ff_layernorm", sizes.epsilon, feedForward)}));
  }
  CausalModel described = describeHybrid(sizes, std::move(model));
  described.tied = config.flag("tie_word_embeddings", false);
  return described;
}

} // namespace weft
