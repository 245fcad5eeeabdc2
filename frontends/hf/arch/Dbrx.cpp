// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// DBRX (Databricks 2024): one projection for queries, keys and values, which are clipped, layer norms without biases,
// and experts of which one tensor holds all.
#include "frontends/hf/RotaryFields.h"
#include "frontends/hf/arch/Experts.h"
#include "frontends/hf/arch/PostNorm.h"

namespace weft {
namespace {

HybridSizes readSizes(Config &config, Config &attention, Config &experts) {
  HybridSizes sizes;
  sizes.vocabulary = config.size({"vocab_size"}, 32000);
  sizes.hidden = config.size({"d_model", "hidden_size"}, 2048);
  sizes.heads = config.size({"n_heads", "num_attention_heads"}, 16);
  sizes.layers = config.integer({"n_layers", "num_hidden_layers"}, 24, 1, kMaxLayers);
  sizes.longest = config.integer({"max_seq_len", "max_position_embeddings"}, 2048, 1, int64_t(1) << 24);
  sizes.keyHeads = attention.size({"kv_n_heads"}, 1);
  sizes.intermediate = experts.size({"ffn_hidden_size"}, 3584);
  Config activation = experts.child("ffn_act_fn");
  sizes.activation = activation.activation("name", "silu");
  if (activation.failed())
    experts.fail(activation.takeError());
  sizes.epsilon = 1e-5;
  sizes.width = sizes.hidden / sizes.heads;
  if (sizes.width > 0 && sizes.width * sizes.heads == sizes.hidden && sizes.heads % sizes.keyHeads == 0)
    return sizes;
  config.refuse("W0207",
                "d_model is " + std::to_string(sizes.hidden) + ", n_heads " + std::to_string(sizes.heads) +
                    " and kv_n_heads " + std::to_string(sizes.keyHeads),
                "each must be a multiple of the next: correct d_model, n_heads or kv_n_heads");
  sizes.heads = sizes.keyHeads = sizes.width = 1;
  return sizes;
}

/// By which number of a chosen score's norm the weights are divided.
WeightNorm readNorm(Config &experts) {
  if (experts.isNull("moe_normalize_expert_weights"))
    return WeightNorm::None;
  if (experts.number({"moe_normalize_expert_weights"}, 1) != 1)
    experts.refuse("W0206", "moe_normalize_expert_weights is not 1",
                   "weights are divided by their sum (1), or not (null)");
  return WeightNorm::Sum;
}

CausalAttention readAttention(Config &config, Config &fields, const HybridSizes &sizes) {
  CausalAttention attention = attentionOf(sizes, "");
  // Published files have the base among the attention's fields.
  readRotation(config, attention, /*share=*/1, /*theta=*/fields.number({"rope_theta"}, 10000));
  attention.fused = "Wqkv";
  attention.out = "out_proj";
  attention.clip = readClip(fields);
  return attention;
}

MixtureOfExperts mixtureIn(const HybridSizes &sizes, const ExpertCounts &counts, const std::string &name) {
  MixtureOfExperts mixture = mixtureOf(sizes, counts, sizes.intermediate, name);
  mixture.route.weight = name + ".router.layer.weight";
  mixture.experts.gate.sources = {name + ".experts.mlp.w1"};
  mixture.experts.up.sources = {name + ".experts.mlp.v1"};
  mixture.experts.down = {{name + ".experts.mlp.w2"}, {}, /*inByOut=*/true};
  return mixture;
}

} // namespace

CausalModel readDbrx(Config &config) {
  Config attentionFields = config.child("attn_config"), experts = config.child("ffn_config");
  HybridSizes sizes = readSizes(config, attentionFields, experts);
  ExpertCounts counts = readExpertCounts(experts, {"moe_num_experts"}, {"moe_top_k"}, {4, 1});
  CausalAttention attention = readAttention(config, attentionFields, sizes);
  WeightNorm norm = readNorm(experts);
  for (Config *fields : {&attentionFields, &experts})
    if (fields->failed())
      config.fail(fields->takeError());
  HybridModel model;
  model.table = "wte";
  model.finalNorm = "norm_f";
  model.finalNormKind = NormKind::LayerWithoutBias;
  for (int64_t index = 0; index < sizes.layers; ++index) {
    std::string block = "blocks." + std::to_string(index), first = block + ".norm_attn_norm";
    attention.name = first + ".attn";
    MixtureOfExperts mixture = mixtureIn(sizes, counts, block + ".ffn");
    mixture.route.norm = norm;
    model.layers.push_back(
        inTurn({residual(first + ".norm_1", sizes.epsilon, attentionPart(attention), 1, NormKind::LayerWithoutBias),
                residual(first + ".norm_2", sizes.epsilon, expertsPart(mixture), 1, NormKind::LayerWithoutBias)}));
  }
  CausalModel described = describeHybrid(sizes, std::move(model));
  described.tied = config.flag("tie_word_embeddings", false);
  described.endToken = 100257; // <|endoftext|>
  return described;
}

} // namespace weft
