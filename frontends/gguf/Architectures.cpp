// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tables. Keys and names of GGUF are those of llama.cpp (gguf-py/gguf/constants.py, src/llama-arch.cpp).
#include "frontends/gguf/Architectures.h"

namespace weft::gguf {
namespace {

using nlohmann::json;

constexpr ConfigField kSizes[] = {
    {"context_length", "max_position_embeddings"},
    {"embedding_length", "hidden_size"},
    {"block_count", "num_hidden_layers"},
    {"feed_forward_length", "intermediate_size"},
    {"vocab_size", nullptr},
};
constexpr ConfigField kAttention[] = {
    {"attention.head_count", "num_attention_heads"},
    {"attention.head_count_kv", "num_key_value_heads"},
    {"attention.key_length", "head_dim"},
    {"attention.value_length", nullptr},
    {"attention.layer_norm_rms_epsilon", "rms_norm_eps"},
    {"attention.sliding_window", "sliding_window"},
    {"attention.sliding_window_pattern", nullptr},
    {"attention.scale", nullptr},
    {"rope.freq_base", "rope_theta"},
    {"rope.dimension_count", nullptr},
    {"rope.scaling.type", nullptr},
    {"rope.scaling.factor", nullptr},
    {"rope.scaling.original_context_length", nullptr},
    {"rope.scaling.finetuned", nullptr},
};
constexpr ConfigField kExperts[] = {
    {"expert_count", "num_experts"},
    {"expert_used_count", "num_experts_per_tok"},
    {"expert_feed_forward_length", "moe_intermediate_size"},
    {"expert_shared_feed_forward_length", "shared_expert_intermediate_size"},
};
constexpr ConfigField kClip[] = {{"attention.clamp_kqv", "clip_qkv"}};
constexpr ConfigField kGemma[] = {
    {"attn_logit_softcapping", "attn_logit_softcapping"},
    {"final_logit_softcapping", "final_logit_softcapping"},
    {"rope.freq_base_swa", "rope_local_base_freq"},
};
constexpr ConfigField kGranite[] = {
    {"attention.scale", "attention_multiplier"},
    {"embedding_scale", "embedding_multiplier"},
    {"residual_scale", "residual_multiplier"},
    {"logit_scale", "logits_scaling"},
};
constexpr ConfigField kCohere[] = {{"attention.layer_norm_epsilon", "layer_norm_eps"}, {"logit_scale", "logit_scale"}};
constexpr ConfigField kNemotron[] = {{"attention.layer_norm_epsilon", "norm_eps"}};
constexpr ConfigField kStableLm[] = {{"attention.layer_norm_epsilon", "layer_norm_eps"},
                                     {"use_parallel_residual", "use_parallel_residual"}};
constexpr ConfigField kStarcoder[] = {{"attention.layer_norm_epsilon", "norm_epsilon"}};
constexpr ConfigField kStateSpace[] = {
    {"context_length", nullptr},
    {"embedding_length", "hidden_size"},
    {"block_count", "num_hidden_layers"},
    {"feed_forward_length", nullptr},
    {"vocab_size", nullptr},
    {"attention.head_count", nullptr},
    {"attention.layer_norm_rms_epsilon", "layer_norm_epsilon"},
    {"ssm.conv_kernel", "conv_kernel"},
    {"ssm.inner_size", nullptr},
    {"ssm.state_size", "state_size"},
    {"ssm.dt_b_c_rms", nullptr},
};
constexpr ConfigField kMamba[] = {{"ssm.time_step_rank", "time_step_rank"}};
constexpr ConfigField kMamba2[] = {{"ssm.time_step_rank", "num_heads"}, {"ssm.group_count", "n_groups"}};

constexpr TensorName kTable[] = {
    {"token_embd.weight", "embed_tokens.weight"},
    {"output_norm.weight", "norm.weight"},
    {"output.weight", "lm_head.weight"},
};
constexpr TensorName kNorms[] = {
    {"blk.#.attn_norm.weight", "layers.#.input_layernorm.weight"},
    {"blk.#.ffn_norm.weight", "layers.#.post_attention_layernorm.weight"},
};
constexpr TensorName kProjections[] = {
    {"blk.#.attn_q.weight", "layers.#.self_attn.q_proj.weight"},
    {"blk.#.attn_k.weight", "layers.#.self_attn.k_proj.weight"},
    {"blk.#.attn_v.weight", "layers.#.self_attn.v_proj.weight"},
    {"blk.#.attn_output.weight", "layers.#.self_attn.o_proj.weight"},
};
/// Models whose halves of a head turn against each other, converted for a rotation of neighbours.
constexpr TensorName kPairedProjections[] = {
    {"blk.#.attn_q.weight", "layers.#.self_attn.q_proj.weight", Change::QueryRows},
    {"blk.#.attn_k.weight", "layers.#.self_attn.k_proj.weight", Change::KeyRows},
    {"blk.#.attn_v.weight", "layers.#.self_attn.v_proj.weight"},
    {"blk.#.attn_output.weight", "layers.#.self_attn.o_proj.weight"},
};
constexpr TensorName kHeadNorms[] = {
    {"blk.#.attn_q_norm.weight", "layers.#.self_attn.q_norm.weight"},
    {"blk.#.attn_k_norm.weight", "layers.#.self_attn.k_norm.weight"},
};
constexpr TensorName kMlp[] = {
    {"blk.#.ffn_gate.weight", "layers.#.mlp.gate_proj.weight"},
    {"blk.#.ffn_up.weight", "layers.#.mlp.up_proj.weight"},
    {"blk.#.ffn_down.weight", "layers.#.mlp.down_proj.weight"},
};
constexpr TensorName kPlainMlp[] = {
    {"blk.#.ffn_up.weight", "layers.#.mlp.c_fc.weight"},
    {"blk.#.ffn_down.weight", "layers.#.mlp.c_proj.weight"},
};
constexpr TensorName kFused[] = {
    {"blk.#.attn_qkv.weight", "layers.#.self_attn.qkv_proj.weight"},
    {"blk.#.attn_output.weight", "layers.#.self_attn.o_proj.weight"},
    {"blk.#.ffn_up.weight", "layers.#.mlp.gate_up_proj.weight"},
    {"blk.#.ffn_down.weight", "layers.#.mlp.down_proj.weight"},
};
constexpr TensorName kNormsBehind[] = {
    {"blk.#.post_attention_norm.weight", "layers.#.post_attention_layernorm.weight"},
    {"blk.#.post_ffw_norm.weight", "layers.#.post_feedforward_layernorm.weight"},
};
constexpr TensorName kMixtralExperts[] = {
    {"blk.#.ffn_gate_inp.weight", "layers.#.block_sparse_moe.gate.weight"},
    {"blk.#.ffn_gate_exps.weight", "layers.#.block_sparse_moe.experts.*.w1.weight", Change::Experts},
    {"blk.#.ffn_up_exps.weight", "layers.#.block_sparse_moe.experts.*.w3.weight", Change::Experts},
    {"blk.#.ffn_down_exps.weight", "layers.#.block_sparse_moe.experts.*.w2.weight", Change::Experts},
};
constexpr TensorName kMlpExperts[] = {
    {"blk.#.ffn_gate_inp.weight", "layers.#.mlp.gate.weight"},
    {"blk.#.ffn_gate_exps.weight", "layers.#.mlp.experts.*.gate_proj.weight", Change::Experts},
    {"blk.#.ffn_up_exps.weight", "layers.#.mlp.experts.*.up_proj.weight", Change::Experts},
    {"blk.#.ffn_down_exps.weight", "layers.#.mlp.experts.*.down_proj.weight", Change::Experts},
};
constexpr TensorName kSharedExpert[] = {
    {"blk.#.ffn_gate_inp_shexp.weight", "layers.#.mlp.shared_expert_gate.weight", Change::LeadingOne},
    {"blk.#.ffn_gate_shexp.weight", "layers.#.mlp.shared_expert.gate_proj.weight"},
    {"blk.#.ffn_up_shexp.weight", "layers.#.mlp.shared_expert.up_proj.weight"},
    {"blk.#.ffn_down_shexp.weight", "layers.#.mlp.shared_expert.down_proj.weight"},
};
constexpr TensorName kGemmaTable[] = {
    {"token_embd.weight", "embed_tokens.weight"},
    {"output_norm.weight", "norm.weight", Change::PlusOne},
    {"output.weight", "lm_head.weight"},
};
constexpr TensorName kGemmaNorms[] = {
    {"blk.#.attn_norm.weight", "layers.#.input_layernorm.weight", Change::PlusOne},
    {"blk.#.ffn_norm.weight", "layers.#.post_attention_layernorm.weight", Change::PlusOne},
};
/// Since Gemma 2 there is a norm after each part too.
constexpr TensorName kGemmaDoubleNorms[] = {
    {"blk.#.attn_norm.weight", "layers.#.input_layernorm.weight", Change::PlusOne},
    {"blk.#.post_attention_norm.weight", "layers.#.post_attention_layernorm.weight", Change::PlusOne},
    {"blk.#.ffn_norm.weight", "layers.#.pre_feedforward_layernorm.weight", Change::PlusOne},
    {"blk.#.post_ffw_norm.weight", "layers.#.post_feedforward_layernorm.weight", Change::PlusOne},
};
constexpr TensorName kGemmaHeadNorms[] = {
    {"blk.#.attn_q_norm.weight", "layers.#.self_attn.q_norm.weight", Change::PlusOne},
    {"blk.#.attn_k_norm.weight", "layers.#.self_attn.k_norm.weight", Change::PlusOne},
};
constexpr TensorName kMambaNames[] = {
    {"token_embd.weight", "embeddings.weight"},
    {"output_norm.weight", "norm_f.weight"},
    {"output.weight", "lm_head.weight"},
    {"blk.#.attn_norm.weight", "layers.#.norm.weight"},
    {"blk.#.ssm_in.weight", "layers.#.mixer.in_proj.weight"},
    {"blk.#.ssm_conv1d.weight", "layers.#.mixer.conv1d.weight", Change::MiddleOne},
    {"blk.#.ssm_conv1d.bias", "layers.#.mixer.conv1d.bias"},
    {"blk.#.ssm_out.weight", "layers.#.mixer.out_proj.weight"},
};
constexpr TensorName kMamba1Names[] = {
    {"blk.#.ssm_x.weight", "layers.#.mixer.x_proj.weight"},
    {"blk.#.ssm_dt.weight", "layers.#.mixer.dt_proj.weight"},
    {"blk.#.ssm_a", "layers.#.mixer.A_log", Change::NegativeExp},
    {"blk.#.ssm_d", "layers.#.mixer.D"},
};
constexpr TensorName kMamba2Names[] = {
    {"blk.#.ssm_dt.bias", "layers.#.mixer.dt_bias"},
    {"blk.#.ssm_a", "layers.#.mixer.A_log", Change::NegativeExp},
    {"blk.#.ssm_d", "layers.#.mixer.D", Change::Flat},
    {"blk.#.ssm_norm.weight", "layers.#.mixer.norm.weight", Change::Flat},
};

/// A list of lists, with a place of its own.
template <class Row, const auto &...lists> constexpr std::span<const Row> kLists[] = {lists...};
template <const auto &...lists> constexpr std::span<const std::span<const ConfigField>> fields() {
  return kLists<ConfigField, lists...>;
}
template <const auto &...lists> constexpr std::span<const std::span<const TensorName>> names() {
  return kLists<TensorName, lists...>;
}

/// "llama" is Mixtral where it has experts, and Mistral where it has a window.
void finishLlama(json &config, const ModelFacts &facts) {
  if (facts.number("expert_count", 0) == 0) {
    if (facts.find("attention.sliding_window"))
      config["model_type"] = "mistral";
    return;
  }
  config["model_type"] = "mixtral";
  config["num_local_experts"] = config["num_experts"];
}

void finishQwenExperts(json &config, const ModelFacts &) {
  // llama.cpp divides by the sum for Qwen3-MoE, and never for Qwen2-MoE.
  config["norm_topk_prob"] = config["model_type"] == "qwen3_moe";
}

/// Qwen's folders give a window that is used only where use_sliding_window says so; a file has it only then.
void finishQwen(json &config, const ModelFacts &facts) {
  if (facts.find("attention.sliding_window"))
    config["use_sliding_window"] = true;
}

/// The folder has a name of its own for whether there are biases.
void finishStarcoder(json &config, const ModelFacts &) { config["use_bias"] = config["attention_bias"]; }
void finishStableLm(json &config, const ModelFacts &) { config["use_qkv_bias"] = config["attention_bias"]; }

void finishGemma(json &config, const ModelFacts &) { config["hidden_act"] = "gelu_pytorch_tanh"; }

/// Scores are divided by the root of a head's width, in the 27B models by that of their share of the hidden size.
void finishScaledGemma(json &config, const ModelFacts &facts, double layersOf27B) {
  config["hidden_activation"] = "gelu_pytorch_tanh";
  int64_t share = facts.count("embedding_length") / facts.count("attention.head_count");
  bool isSmaller = facts.number("block_count", 0) != layersOf27B && facts.find("attention.key_length");
  config["query_pre_attn_scalar"] = isSmaller ? facts.count("attention.key_length") : share;
  if (double scale = facts.number("attention.scale", 0); scale > 0)
    config["query_pre_attn_scalar"] = 1 / (scale * scale);
}
void finishGemma2(json &config, const ModelFacts &facts) {
  finishScaledGemma(config, facts, 46);
  // Files from before these keys have the values that every Gemma 2 has.
  config.emplace("attn_logit_softcapping", 50.0);
  config.emplace("final_logit_softcapping", 30.0);
  config.emplace("sliding_window", 4096);
}
void finishGemma3(json &config, const ModelFacts &facts) {
  finishScaledGemma(config, facts, 62);
  config.emplace("rope_theta", 1000000.0);
  config.emplace("rope_local_base_freq", 10000.0);
}

void finishMamba(json &config, const ModelFacts &facts) {
  int64_t inner = facts.count("ssm.inner_size");
  config["expand"] = static_cast<double>(inner) / static_cast<double>(facts.count("embedding_length"));
  config["intermediate_size"] = inner;
  if (const Value *normed = facts.find("ssm.dt_b_c_rms"); normed && normed->flag() == true)
    config["model_type"] = "falcon_mamba";
  if (config["model_type"] == "mamba2")
    config["head_dim"] = inner / facts.count("ssm.time_step_rank");
}

constexpr GgufArchitecture kArchitectures[] = {
    {"command-r", "cohere", fields<kSizes, kAttention, kCohere>(), names<kTable, kNorms, kProjections, kMlp>()},
    {"gemma", "gemma", fields<kSizes, kAttention>(), names<kGemmaTable, kGemmaNorms, kProjections, kMlp>(),
     finishGemma},
    {"gemma2", "gemma2", fields<kSizes, kAttention, kGemma>(),
     names<kGemmaTable, kGemmaDoubleNorms, kProjections, kMlp>(), finishGemma2},
    {"gemma3", "gemma3_text", fields<kSizes, kAttention, kGemma>(),
     names<kGemmaTable, kGemmaDoubleNorms, kGemmaHeadNorms, kProjections, kMlp>(), finishGemma3},
    {"granite", "granite", fields<kSizes, kAttention, kGranite>(), names<kTable, kNorms, kPairedProjections, kMlp>()},
    {"llama", "llama", fields<kSizes, kAttention, kExperts>(),
     names<kTable, kNorms, kPairedProjections, kMlp, kMixtralExperts>(), finishLlama},
    {"mamba", "mamba", fields<kStateSpace, kMamba>(), names<kMambaNames, kMamba1Names>(), finishMamba},
    {"mamba2", "mamba2", fields<kStateSpace, kMamba2>(), names<kMambaNames, kMamba2Names>(), finishMamba},
    {"nemotron", "nemotron", fields<kSizes, kAttention, kNemotron>(),
     names<kGemmaTable, kGemmaNorms, kProjections, kMlp>()},
    {"olmo2", "olmo2", fields<kSizes, kAttention>(), names<kTable, kNormsBehind, kProjections, kHeadNorms, kMlp>()},
    {"olmoe", "olmoe", fields<kSizes, kAttention, kExperts, kClip>(),
     names<kTable, kNorms, kProjections, kHeadNorms, kMlpExperts>()},
    {"phi3", "phi3", fields<kSizes, kAttention>(), names<kTable, kNorms, kFused>()},
    {"qwen2", "qwen2", fields<kSizes, kAttention>(), names<kTable, kNorms, kProjections, kMlp>(), finishQwen},
    {"qwen2moe", "qwen2_moe", fields<kSizes, kAttention, kExperts>(),
     names<kTable, kNorms, kProjections, kMlp, kMlpExperts, kSharedExpert>(), finishQwenExperts},
    {"qwen3", "qwen3", fields<kSizes, kAttention>(), names<kTable, kNorms, kProjections, kHeadNorms, kMlp>(),
     finishQwen},
    {"qwen3moe", "qwen3_moe", fields<kSizes, kAttention, kExperts>(),
     names<kTable, kNorms, kProjections, kHeadNorms, kMlp, kMlpExperts>(), finishQwenExperts},
    {"stablelm", "stablelm", fields<kSizes, kAttention, kStableLm>(), names<kTable, kNorms, kProjections, kMlp>(),
     finishStableLm},
    {"starcoder2", "starcoder2", fields<kSizes, kAttention, kStarcoder>(),
     names<kTable, kNorms, kProjections, kPlainMlp>(), finishStarcoder},
};

} // namespace

const Value *ModelFacts::find(std::string_view key) const {
  auto found = metadata.find(prefix + std::string(key));
  return found == metadata.end() ? nullptr : &found->second;
}

double ModelFacts::number(std::string_view key, double byDefault) const {
  const Value *value = find(key);
  if (!value)
    return byDefault;
  if (std::optional<std::vector<double>> list = value->numbers(); list && !list->empty())
    return list->front(); // of a list that differs, GgufModel refuses
  return value->number().value_or(byDefault);
}

int64_t ModelFacts::count(std::string_view key) const {
  double value = number(key, 1);
  return value >= 1 && value <= 1 << 28 ? static_cast<int64_t>(value) : 1;
}

std::span<const GgufArchitecture> ggufArchitectures() { return kArchitectures; }

} // namespace weft::gguf
