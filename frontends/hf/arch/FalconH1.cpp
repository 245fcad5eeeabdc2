// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Falcon-H1 (Zuo et al. 2025, arXiv:2507.22448): Mamba-2 and attention side by side in every layer, their sum added,
// and factors at every projection.
#include "frontends/hf/arch/Hybrid.h"

using namespace mlir;

namespace weft {
namespace {

Mamba2Sizes readMixer(Config &config, const HybridSizes &sizes) {
  Mamba2Sizes defaults;
  defaults.state = 256;
  defaults.groups = 1;
  Mamba2Sizes mamba = readMamba2Sizes(config, sizes, defaults);
  mamba.inner = config.size({"mamba_d_ssm"}, 1024);
  int64_t share = std::max<int64_t>(1, mamba.inner / mamba.heads);
  bool isAutomatic = config.isText("mamba_d_head");
  mamba.headDim = isAutomatic ? share : config.size({"mamba_d_head"}, share);
  mamba.outBias = config.flag("projectors_bias", false);
  bool isNormed = config.flag("mamba_rms_norm", false), gatesLast = config.flag("mamba_norm_before_gate", true);
  mamba.gate = !isNormed ? ScanGate::NoNorm : gatesLast ? ScanGate::AfterNorm : ScanGate::BeforeNorm;
  mamba.inFactor = config.number({"ssm_in_multiplier"}, 1);
  mamba.partFactors = config.numbers("ssm_multipliers", {1, 1, 1, 1, 1});
  checkMamba2(config, mamba, {"mamba_n_heads", "mamba_d_head", "mamba_n_groups", "mamba_d_ssm"});
  return mamba;
}

/// What comes in and goes out of the attention is scaled.
Part scaledAttention(const CausalAttention &attention, double in, double out) {
  Part inner = attentionPart(attention);
  Part scaledIn{[=](GraphBuilder &graph, Value x, const HybridInputs &inputs) {
                  Part same{[](GraphBuilder &, Value y, const HybridInputs &) { return y; }};
                  return inner.build(graph, scaledBy(in, same).build(graph, x, inputs), inputs);
                },
                inner.states};
  return scaledBy(out, scaledIn);
}

} // namespace

CausalModel readFalconH1(Config &config) {
  HybridSizes sizes;
  sizes.vocabulary = 128000;
  sizes.epsilon = 1e-5;
  sizes.longest = 8192;
  readHybridSizes(config, sizes);
  Mamba2Sizes mamba = readMixer(config, sizes);
  CausalAttention attention = attentionOf(sizes, "");
  readRotation(config, attention);
  attention.bias = attention.outBias = config.flag("attention_bias", false);
  attention.keyFactor = config.number({"key_multiplier"}, 1);
  double in = config.number({"attention_in_multiplier"}, 1), out = config.number({"attention_out_multiplier"}, 1);
  double scanOut = config.number({"ssm_out_multiplier"}, 1);
  std::vector<double> mlpFactors = config.numbers("mlp_multipliers", {1, 1});
  MlpSpec feedForward{"", "", "", sizes.intermediate, sizes.hidden, sizes.activation};
  feedForward.bias = config.flag("mlp_bias", false);
  feedForward.gateFactor = mlpFactors[0];
  HybridModel model;
  model.embeddingFactor = config.number({"embedding_multiplier"}, 1);
  for (int64_t index = 0; index < sizes.layers; ++index) {
    std::string layer = "layers." + std::to_string(index), mlp = layer + ".feed_forward";
    attention.name = layer + ".self_attn";
    feedForward.gate = mlp + ".gate_proj", feedForward.up = mlp + ".up_proj", feedForward.down = mlp + ".down_proj";
    Part mixers = sumOf({scaledBy(scanOut, mamba2Part(mamba, layer + ".mamba")), scaledAttention(attention, in, out)});
    model.layers.push_back(
        inTurn({residual(layer + ".input_layernorm", sizes.epsilon, mixers),
                residual(layer + ".pre_ff_layernorm", sizes.epsilon, mlpPart(feedForward), mlpFactors[1])}));
  }
  CausalModel described = describeHybrid(sizes, std::move(model));
  described.tied = config.flag("tie_word_embeddings", false);
  described.scoreFactor = config.number({"lm_head_multiplier"}, 1);
  return described;
}

} // namespace weft
