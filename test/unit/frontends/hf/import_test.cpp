// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the importer says to folders that are wrong: a fixture with one change, and the diagnostic that it must give.
#include "frontends/hf/HuggingFace.h"
#include "test/unit/frontends/weights/TemporaryFiles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>

namespace weft {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

const fs::path kFixtures = fs::path(WEFT_TEST_SOURCE_DIR) / "fixtures";

json readJson(const fs::path &file) { return json::parse(std::ifstream(file)); }

void writeText(const fs::path &file, const std::string &text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

/// A copy of a fixture in a folder of its own, gone with the test.
class Folder {
public:
  explicit Folder(const std::string &fixture) : path(fs::path(testing::TempDir()) / unique()) {
    fs::remove_all(path);
    fs::copy(kFixtures / fixture, path, fs::copy_options::recursive);
  }
  ~Folder() { fs::remove_all(path); }

  /// Sets keys of a JSON file; null removes the key.
  void patch(const std::string &file, const json &changes) {
    json object = readJson(path / file);
    object.merge_patch(changes);
    writeText(path / file, object.dump());
  }

  Diagnostic import(const ImportOptions &options = {}) const {
    mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
    auto module = importHuggingFace(context, path, options);
    return module ? Diagnostic{"", "imported", "", ""} : module.takeError();
  }

  const fs::path path;

private:
  static std::string unique() {
    const testing::TestInfo *test = testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string("weft-") + test->test_suite_name() + "-" + test->name();
    std::replace(name.begin(), name.end(), '/', '-');
    return name;
  }
};

//===----------------------------------------------------------------------===//
// One change of config.json
//===----------------------------------------------------------------------===//

struct WrongConfig {
  const char *name;
  const char *fixture;
  const char *changes;
  const char *code;
  const char *text; ///< in the message, the place or the help
};

const WrongConfig kWrongConfigs[] = {
    {"SizeIsText", "bert-base", R"({"hidden_size": "48"})", "W0202", "hidden_size is \"48\", but must be an integer"},
    {"SizeIsFraction", "bert-base", R"({"hidden_size": 48.5})", "W0202", "an integer"},
    {"SizeIsBeyondIntegers", "bert-base", R"({"hidden_size": 1e30})", "W0202", "an integer"},
    {"SizeIsObject", "bert-base", R"({"vocab_size": {"a": [1]}})", "W0202", "vocab_size"},
    {"SizeIsNegative", "bert-base", R"({"hidden_size": -48})", "W0203", "hidden_size is -48"},
    {"SizeIsZero", "bert-base", R"({"vocab_size": 0})", "W0203", "between 1 and"},
    {"SizeIsHuge", "bert-base", R"({"intermediate_size": 4611686018427387904})", "W0203", "intermediate_size"},
    {"SizeIsBeyond63Bits", "bert-base", R"({"vocab_size": 18446744073709551615})", "W0203", "vocab_size"},
    {"LayersAreEndless", "bert-base", R"({"num_hidden_layers": 1000000000})", "W0203", "num_hidden_layers"},
    {"HeadsDoNotDivide", "bert-base", R"({"num_attention_heads": 5})", "W0207", "no multiple of the 5"},
    {"EpsilonIsNegative", "bert-base", R"({"layer_norm_eps": -1})", "W0203", "layer_norm_eps"},
    {"EpsilonIsText", "bert-base", R"({"layer_norm_eps": "1e-12"})", "W0202", "a number"},
    {"TypeIsMissing", "bert-base", R"({"model_type": null})", "W0201", "model_type is missing"},
    {"TypeIsNumber", "bert-base", R"({"model_type": 7})", "W0202", "a string"},
    {"TypeIsUnknown", "bert-base", R"({"model_type": "abacus"})", "W0204", "albert, bamba, bert, bloom, camembert, "},
    {"ClassIsUnknown", "bert-base", R"({"architectures": ["BertForMultipleChoice"]})", "W0205", "BertForMaskedLM"},
    {"ClassIsOfAnother", "bert-base", R"({"architectures": ["RobertaModel"]})", "W0205", "RobertaModel"},
    {"PretrainingHasTwoHeads", "bert-base", R"({"architectures": ["BertForPreTraining"]})", "W0205", "BertModel"},
    {"ClassesAreText", "bert-base", R"({"architectures": "BertModel"})", "W0202", "an array of strings"},
    {"ClassesAreNumbers", "bert-base", R"({"architectures": [1]})", "W0202", "an array of strings"},
    {"Decoder", "bert-base", R"({"is_decoder": true})", "W0206", "is_decoder"},
    {"DecoderIsNumber", "bert-base", R"({"is_decoder": 1})", "W0202", "true or false"},
    {"CrossAttention", "electra-base", R"({"add_cross_attention": true})", "W0206", "add_cross_attention"},
    {"RelativePositions", "bert-base", R"({"position_embedding_type": "relative_key"})", "W0206", "relative_key"},
    {"ActivationIsUnknown", "bert-base", R"({"hidden_act": "snake"})", "W0206", "gelu_new"},
    {"MoreLayersThanStored", "bert-base", R"({"num_hidden_layers": 3})", "W0210", "encoder.layer.2.attention"},
    {"OtherWidth", "bert-base", R"({"intermediate_size": 81})", "W0211", "[80, 48], but config.json asks for [81, 48]"},
    {"DefaultIsNotStored", "bert-base", R"({"vocab_size": null})", "W0211", "[30522, 48]"},
    {"UntiedDecoderIsMissing", "bert-masked-lm", R"({"tie_word_embeddings": false})", "W0210", "decoder.weight"},
    {"LabelsAreList", "bert-sequence-classification", R"({"id2label": ["a"]})", "W0202", "id2label"},
    {"OtherLabels", "bert-token-classification", R"({"id2label": {"7": "a"}})", "W0211", "classifier.weight"},
    {"PadIsNegative", "roberta-base", R"({"pad_token_id": -1})", "W0203", "pad_token_id"},
    {"PadLeavesNoPosition", "roberta-base", R"({"pad_token_id": 60, "max_position_embeddings": 40})", "W0207",
     "positions count from"},
    {"OtherBuckets", "mpnet-base", R"({"relative_attention_num_buckets": 16})", "W0203", "between 32 and 32"},
    {"NoGroups", "albert-base", R"({"num_hidden_groups": 0})", "W0203", "num_hidden_groups"},
    {"OtherEmbeddingWidth", "electra-base", R"({"embedding_size": 7})", "W0211", "word_embeddings"},
    {"TooFewLayerTypes", "modernbert-base", R"({"layer_types": ["full_attention"]})", "W0207", "4 layers"},
    {"LayerTypeIsUnknown", "modernbert-base",
     R"({"layer_types": ["full_attention", "chunked", "full_attention", "full_attention"]})", "W0206", "chunked"},
    {"RotationIsScaled", "modernbert-base", R"({"rope_parameters": {"full_attention": {"rope_type": "yarn"}}})",
     "W0206", "scaled"},
    {"RotationIsList", "modernbert-base", R"({"rope_parameters": [1]})", "W0202", "rope_parameters"},
    {"RotationBaseIsText", "modernbert-base", R"({"rope_parameters": {"full_attention": {"rope_theta": "1e4"}}})",
     "W0202", "full_attention"},
    {"RotationBaseIsZero", "modernbert-base", R"({"rope_parameters": {"sliding_attention": {"rope_theta": 0}}})",
     "W0203", "base"},
    {"HeadIsOdd", "modernbert-base", R"({"num_attention_heads": 16})", "W0207", "even width"},
    {"CausalClassIsUnknown", "mamba-causal-lm", R"({"architectures": ["MambaForSequenceClassification"]})", "W0205",
     "MambaModel, MambaForCausalLM"},
    {"MaskedClassOfACausalModel", "mamba-causal-lm", R"({"architectures": ["MambaForMaskedLM"]})", "W0205",
     "MambaForCausalLM"},
    {"CausalClassOfAnEncoder", "bert-base", R"({"architectures": ["BertForCausalLM"]})", "W0205", "BertForMaskedLM"},
    {"StateIsZero", "mamba-base", R"({"state_size": 0})", "W0203", "state_size"},
    {"OtherState", "mamba-base", R"({"state_size": 8})", "W0211", "x_proj.weight"},
    {"NoTaps", "mamba-base", R"({"conv_kernel": 0})", "W0203", "conv_kernel"},
    {"OtherTaps", "mamba-base", R"({"conv_kernel": 3})", "W0211", "[96, 1, 4], but config.json asks for [96, 1, 3]"},
    {"ExpandIsTiny", "mamba-base", R"({"expand": 0.001})", "W0203", "expand"},
    {"RankIsWord", "mamba-base", R"({"time_step_rank": "most"})", "W0202", "time_step_rank"},
    {"ConvolutionLacksBias", "mamba-biases", R"({"use_conv_bias": true})", "W0210", "conv1d.bias"},
    {"UntiedHeadIsMissing", "mamba-causal-lm", R"({"tie_word_embeddings": false})", "W0210", "lm_head.weight"},
    {"InnerActivationIsUnknown", "mamba-base", R"({"hidden_act": "snake"})", "W0206", "silu"},
    {"InnerEpsilonIsText", "falcon-mamba-base", R"({"mixer_rms_eps": "1"})", "W0202", "mixer_rms_eps"},
    {"HeadsDoNotFillTheWidth", "mamba2-base", R"({"num_heads": 7})", "W0207", "num_heads · head_dim is 112"},
    {"GroupsDoNotDivide", "mamba2-base", R"({"n_groups": 4})", "W0207", "no multiple of the 4 groups"},
    {"StepLimitIsNumber", "mamba2-base", R"({"time_step_limit": 0.5})", "W0202", "array of 2 numbers"},
    {"StepLimitIsNegative", "mamba2-base", R"({"time_step_limit": [-1, 2]})", "W0202", "time_step_limit"},
    {"RescaleIsNegative", "rwkv-base", R"({"rescale_every": -1})", "W0203", "rescale_every"},
    {"OtherAttentionWidth", "rwkv-base", R"({"attention_hidden_size": 41})", "W0211", "attention.key.weight"},
    {"OtherFeedForward", "rwkv-base", R"({"intermediate_size": null})", "W0211", "feed_forward.key.weight"},
    {"KeysDoNotFillTheHeads", "xlstm-base", R"({"qk_dim_factor": 0.53})", "W0207", "the keys' width 25"},
    {"ValuesHaveNoWidth", "xlstm-base", R"({"v_dim_factor": 0})", "W0203", "v_dim_factor"},
    {"WeightsAreFused", "xlstm-base", R"({"weight_mode": "fused"})", "W0206", "weight_mode is fused"},
    {"BiasesOfXLstm", "xlstm-base", R"({"use_bias": true})", "W0206", "use_bias"},
    {"LayersOfExperts", "jamba-base", R"({"num_experts": 4})", "W0210", "feed_forward.router.weight"},
    {"MoreChosenThanExperts", "jamba-experts", R"({"num_experts_per_tok": 9})", "W0207", "more than the 5 experts"},
    {"NoExpertsPerToken", "gpt-oss-causal-lm", R"({"num_experts_per_tok": 0})", "W0203", "num_experts_per_tok"},
    {"OtherSinks", "gpt-oss-causal-lm", R"({"num_attention_heads": 2, "head_dim": 16, "num_key_value_heads": 1})",
     "W0211", "self_attn.sinks"},
    {"SlidingTypeIsUnknown", "gpt-oss-causal-lm", R"({"layer_types": ["full_attention", "chunked_attention"]})",
     "W0206", "chunked_attention"},
    {"OtherScaling", "gpt-oss-causal-lm", R"({"rope_parameters": {"rope_type": "linear", "factor": 2}})", "W0206",
     "the supported rope_type is default or yarn"},
    {"StretchedByNothing", "gpt-oss-causal-lm", R"({"rope_parameters": {"factor": 0}})", "W0203", "factor"},
    {"TrainedWithNothing", "gpt-oss-causal-lm", R"({"rope_parameters": {"original_max_position_embeddings": 0}})",
     "W0203", "original_max_position_embeddings"},
    {"FourBitsOfOtherWidth", "gpt-oss-four-bits", R"({"intermediate_size": 64})", "W0211", "gate_up_proj"},
    {"OtherLatent", "deepseek-v3-causal-lm", R"({"kv_lora_rank": 11})", "W0211", "kv_a_proj_with_mqa"},
    {"LatentQueriesAreMissing", "deepseek-v3-causal-lm", R"({"qk_nope_head_dim": 9})", "W0211", "q_b_proj"},
    {"TurnedCountIsOdd", "deepseek-v3-causal-lm", R"({"qk_rope_head_dim": 7})", "W0207", "qk_rope_head_dim"},
    {"GroupsOfExpertsDoNotDivide", "deepseek-v3-causal-lm", R"({"n_group": 4})", "W0207",
     "2 of 6 experts cannot be chosen"},
    {"GroupsHaveTooFew", "deepseek-v3-causal-lm", R"({"topk_group": 1, "num_experts_per_tok": 3})", "W0207",
     "from 1 of 3 groups"},
    {"MoreGroupsThanThereAre", "deepseek-v2-groups", R"({"topk_group": 4})", "W0207", "4 of 3 groups"},
    {"MethodIsUnknown", "deepseek-v2-groups", R"({"topk_method": "noaux_tc"})", "W0206", "greedy"},
    {"ScoringIsUnknown", "deepseek-v3-causal-lm", R"({"scoring_func": "softmax"})", "W0206", "scoring_func"},
    {"NormedInV2", "deepseek-v2-groups", R"({"norm_topk_prob": true})", "W0206", "norm_topk_prob"},
    {"ExpertsInSomeLayers", "deepseek-v3-causal-lm", R"({"moe_layer_freq": 2})", "W0203", "moe_layer_freq"},
    {"ValueHeadsDoNotDivide", "qwen3-next-dense", R"({"linear_num_value_heads": 6})", "W0207", "linear_num_key_heads"},
    {"ConvolutionsOfGelu", "qwen3-next-dense", R"({"hidden_act": "gelu"})", "W0206", "hidden_act is not silu"},
    {"DeltaTypeIsUnknown", "qwen3-next-dense", R"({"layer_types": ["mamba", "full_attention"]})", "W0206", "mamba"},
    {"OtherHeadsOfExperts", "jetmoe-causal-lm", R"({"kv_channels": 10})", "W0211", "kv_proj"},
    {"MoreHeadsThanExperts", "jetmoe-causal-lm", R"({"num_experts_per_tok": 6})", "W0207", "more than the 5 experts"},
    {"BucketsOfNoDistance", "switch-base", R"({"relative_attention_max_distance": 8})", "W0207", "32 buckets"},
    {"BucketsDoNotDivide", "switch-base", R"({"relative_attention_num_buckets": 30})", "W0207", "a multiple of 4"},
    {"NoCapacity", "switch-base", R"({"expert_capacity": 0})", "W0203", "expert_capacity"},
    {"MoreSparseLayersThanLayers", "switch-base", R"({"num_sparse_encoder_layers": 5})", "W0207", "num_layers"},
    {"RouterInHalves", "switch-base", R"({"router_dtype": "bfloat16"})", "W0206", "router_dtype"},
    {"GatedSwitch", "switch-base", R"({"dense_act_fn": "gated-gelu"})", "W0206", "dense_act_fn"},
    {"EncoderAndDecoder", "switch-base", R"({"architectures": ["SwitchTransformersForConditionalGeneration"]})",
     "W0205", "SwitchTransformersEncoderModel"},
    {"ExpertsAreMissing", "granite-hybrid-causal-lm", R"({"num_local_experts": 8})", "W0210", "router.layer.weight"},
    {"MoreExpertsThanThereAre", "mixtral-causal-lm", R"({"num_experts_per_tok": 6})", "W0207",
     "num_experts_per_tok is 6, more than the 5 experts of num_local_experts"},
    {"NoExpertIsChosen", "olmoe-causal-lm", R"({"num_experts_per_tok": 0})", "W0203", "num_experts_per_tok"},
    {"NoExperts", "mixtral-causal-lm", R"({"num_local_experts": 0})", "W0203", "num_local_experts"},
    {"OtherExperts", "mixtral-causal-lm", R"({"num_local_experts": 4})", "W0211", "gate.weight"},
    {"MoreExperts", "mixtral-causal-lm", R"({"num_local_experts": 6})", "W0211", "asks for [6, 24]"},
    {"OtherWidthOfExperts", "qwen3-moe-causal-lm", R"({"moe_intermediate_size": 15})", "W0211", "asks for [15, 24]"},
    {"ExpertsInAnotherLayer", "qwen2-moe-causal-lm", R"({"mlp_only_layers": [0]})", "W0210", "layers.0.mlp.gate_proj"},
    {"OtherSharedExpert", "qwen2-moe-causal-lm", R"({"shared_expert_intermediate_size": 22})", "W0211",
     "shared_expert.gate_proj"},
    {"ExpertsLieOtherwise", "granite-moe-causal-lm", R"({"intermediate_size": 19})", "W0211",
     "[5, 36, 24], but config.json asks for [5, 38, 24]"},
    {"LlamaScalingIsUnknown", "llama-causal-lm", R"({"rope_parameters": {"rope_type": "proportional"}})", "W0206",
     "the supported rope_type is default, linear, dynamic, llama3, longrope or yarn"},
    {"LlamaScaledByNothing", "llama-biases", R"({"rope_parameters": {"rope_type": "linear", "factor": 0}})", "W0203",
     "factor of the rotary positions is 0"},
    {"LlamaFrequenciesCross", "llama-causal-lm",
     R"({"rope_parameters": {"rope_type": "llama3", "low_freq_factor": 4, "high_freq_factor": 1}})", "W0203",
     "high_freq_factor"},
    {"OtherLlamaHeads", "llama-base", R"({"head_dim": 6})", "W0211", "self_attn.q_proj"},
    {"LlamaHasNoBiases", "llama-base", R"({"attention_bias": true})", "W0210", "q_proj.bias"},
    {"FactorsOfShortTexts", "phi3-longrope", R"({"rope_parameters": {"short_factor": null}})", "W0207",
     "short_factor is missing"},
    {"FactorsOfOtherHeads", "phi3-longrope",
     R"({"rope_parameters": {"rope_type": "longrope", "short_factor": [1, 1]}})", "W0202", "array of 4 numbers"},
    {"FactorIsZero", "phi3-longrope", R"({"rope_parameters": {"rope_type": "longrope", "short_factor": [1, 0, 1, 1]}})",
     "W0203", "short_factor"},
    {"NormsOfHeadsOfPhi", "phi-causal-lm", R"({"qk_layernorm": true})", "W0206", "qk_layernorm"},
    {"NormsOfHeadsOfStableLm", "stablelm-causal-lm", R"({"qk_layernorm": true})", "W0206", "qk_layernorm"},
    {"NormsOfHeadsOfCohere", "cohere-causal-lm", R"({"use_qk_norm": true})", "W0206", "use_qk_norm"},
    {"GemmaSeesAll", "gemma3-causal-lm", R"({"use_bidirectional_attention": true})", "W0206", "tokens so far"},
    {"GemmaScoresOverNothing", "gemma2-causal-lm", R"({"query_pre_attn_scalar": 0})", "W0203", "query_pre_attn_scalar"},
    {"GemmaTypeIsUnknown", "gemma3-causal-lm",
     R"({"layer_types": ["sliding_attention", "full_attention", "chunked_attention"]})", "W0206", "chunked_attention"},
    {"LayersWithoutPositions", "smollm3-causal-lm", R"({"no_rope_layers": [1]})", "W0207",
     "no_rope_layers has 1 entries for 3 layers"},
    {"MistralSeesNothing", "mistral-causal-lm", R"({"sliding_window": 0})", "W0203", "sliding_window"},
    {"WindowWithoutSliding", "qwen2-moe-steps", R"({"use_sliding_window": false})", "W0207", "use_sliding_window"},
    {"WindowTypeIsUnknown", "qwen2-moe-steps", R"({"layer_types": ["full_attention", "full_attention", "conv"]})",
     "W0206", "\"conv\""},
    {"WindowOfNothing", "mixtral-window", R"({"sliding_window": 0})", "W0203", "sliding_window"},
    {"ClippedToNothing", "olmoe-causal-lm", R"({"clip_qkv": 0})", "W0203", "clip_qkv is 0"},
    {"SparseMixerOfThree", "phimoe-causal-lm", R"({"num_experts_per_tok": 3})", "W0206", "chooses two experts"},
    {"LongRopeLacksFactors", "phimoe-causal-lm", R"({"rope_parameters": {"rope_type": "longrope"}})", "W0207",
     "short_factor is missing"},
    {"LongRopeOfOtherWidth", "phimoe-causal-lm",
     R"({"rope_parameters": {"rope_type": "longrope", "short_factor": [1, 1], "short_mscale": 1}})", "W0202",
     "array of 4 numbers"},
    {"LongRopeStandsStill", "phimoe-causal-lm",
     R"({"rope_parameters": {"rope_type": "longrope", "short_factor": [1, 0, 1, 1], "short_mscale": 1}})", "W0203",
     "not finite"},
    {"PhimoeIsScaledOtherwise", "phimoe-causal-lm", R"({"rope_parameters": {"rope_type": "linear"}})", "W0206",
     "linear"},
    {"WeightsByTwoNorms", "dbrx-causal-lm",
     R"({"ffn_config": {"moe_normalize_expert_weights": 2.0, "ffn_hidden_size": 18, "moe_num_experts": 5}})", "W0206",
     "moe_normalize_expert_weights"},
    {"HeadsDoNotShareDbrx", "dbrx-causal-lm", R"({"n_heads": 5})", "W0207", "d_model is 24, n_heads 5"},
    {"OtherDbrxExperts", "dbrx-causal-lm", R"({"ffn_config": {"ffn_hidden_size": 17, "moe_num_experts": 5}})", "W0211",
     "[90, 24], but config.json asks for [85, 24]"},
    {"DbrxActivationIsUnknown", "dbrx-causal-lm", R"({"ffn_config": {"ffn_act_fn": {"name": "snake"}}})", "W0206",
     "snake"},
    {"DbrxAttentionIsNoObject", "dbrx-causal-lm", R"({"attn_config": 3})", "W0202", "attn_config"},
    {"LayersOfExpertsByType", "nemotron-h-causal-lm", R"({"layers_block_type": ["moe"]})", "W0206", "experts are not"},
    {"KeyHeadsDoNotDivide", "jamba-base", R"({"num_key_value_heads": 3})", "W0207", "no multiple of the 3 heads"},
    {"OtherKeyHeads", "jamba-base", R"({"num_key_value_heads": 4})", "W0211", "k_proj.weight"},
    {"HybridHeadsDoNotFill", "bamba-causal-lm", R"({"mamba_d_head": 8})", "W0207",
     "mamba_n_heads · mamba_d_head is 48"},
    {"HybridRotationIsScaled", "bamba-causal-lm", R"({"rope_parameters": {"rope_type": "yarn"}})", "W0206", "scaled"},
    {"RotationIsOdd", "bamba-causal-lm", R"({"rope_parameters": {"partial_rotary_factor": 0.25}})", "W0207",
     "turn 3 of the 12"},
    {"FactorsAreTwo", "falcon-h1-causal-lm", R"({"mlp_multipliers": [1]})", "W0202", "array of 2 numbers"},
    {"LayersAreNotNamed", "zamba2-causal-lm", R"({"layers_block_type": ["hybrid"]})", "W0207",
     "does not name 3 layers"},
    {"HybridTypeIsUnknown", "granite-hybrid-causal-lm", R"({"layer_types": ["mamba", "attention", "convolution"]})",
     "W0206", "convolution"},
    {"LongContext", "zamba2-causal-lm", R"({"use_long_context": true})", "W0206", "use_long_context"},
    {"BlockTypeIsUnknown", "recurrent-gemma-base", R"({"block_types": ["recurrent", "mamba"]})", "W0206", "mamba"},
    {"BlockTypesAreEmpty", "recurrent-gemma-base", R"({"block_types": []})", "W0203", "block_types is empty"},
    {"OtherBlockTypes", "recurrent-gemma-base", R"({"block_types": ["attention"]})", "W0210", "q_proj.weight"},
    {"HeadsDoNotShareTheRecurrence", "recurrent-gemma-base", R"({"lru_width": 61})", "W0207", "61 is no multiple of 4"},
    {"HeadsDoNotShareKeys", "recurrent-gemma-base", R"({"num_key_value_heads": 3})", "W0207", "4 is no multiple of 3"},
    {"OddRotation", "recurrent-gemma-base", R"({"rope_parameters": {"partial_rotary_factor": 0.25}})", "W0207",
     "turn 3 of the 12"},
    {"MoreThanAHeadTurns", "recurrent-gemma-old-config", R"({"partial_rotary_factor": 1.5})", "W0207",
     "turn 12 of the 8"},
    {"ScaledRotation", "recurrent-gemma-base", R"({"rope_parameters": {"rope_type": "linear"}})", "W0206", "scaled"},
    {"WindowIsZero", "recurrent-gemma-base", R"({"attention_window_size": 0})", "W0203", "attention_window_size"},
    {"OtherWindowOfTaps", "recurrent-gemma-base", R"({"conv1d_width": 3})", "W0211", "[60, 1, 4]"},
    {"CrossAttentionOfGpt2", "gpt2-causal-lm", R"({"add_cross_attention": true})", "W0206", "encoder-decoders"},
    {"HeadsDoNotFillGpt2", "gpt2-causal-lm", R"({"n_head": 5})", "W0207", "24, no multiple of the 5 heads"},
    {"OtherPositions", "gpt2-causal-lm", R"({"n_positions": 47})", "W0211",
     "[48, 24], but config.json asks for [47, 24]"},
    {"OtherInnerWidth", "gpt2-causal-lm", R"({"n_inner": null})", "W0211",
     "[24, 38], but config.json asks for [24, 96]"},
    {"ClassOfGpt2", "gpt2-causal-lm", R"({"architectures": ["GPT2ForCausalLM"]})", "W0205",
     "GPT2Model, GPT2LMHeadModel"},
    {"LayersOfGptNeo", "gpt-neo-causal-lm", R"({"attention_types": [[["global"], 2]]})", "W0207", "2 layers is given"},
    {"AttentionOfGptNeo", "gpt-neo-causal-lm", R"({"attention_types": [[["global", "far", "local"], 1]]})", "W0206",
     "\"far\""},
    {"TypesOfGptNeo", "gpt-neo-causal-lm", R"({"attention_types": [["global", 3]]})", "W0202", "pairs"},
    {"WindowOfGptNeo", "gpt-neo-causal-lm", R"({"window_size": 0})", "W0203", "window_size"},
    {"TurnsAreOdd", "gptj-causal-lm", R"({"rotary_dim": 3})", "W0207", "turn 3 of the 8"},
    {"TurnsAreMany", "gptj-causal-lm", R"({"rotary_dim": null})", "W0207", "turn 64 of the 8"},
    {"PartsOfCodeGen", "codegen-causal-lm", R"({"n_head": 6})", "W0207", "no multiple of 4"},
    {"HeadIsMissing", "gpt-neox-base", R"({"architectures": ["GPTNeoXForCausalLM"]})", "W0210", "embed_out.weight"},
    {"OtherEmbeddings", "opt-norms-after", R"({"word_embed_proj_dim": 15})", "W0211", "embed_tokens"},
    {"ResidualsOfBloom", "bloom-causal-lm", R"({"apply_residual_connection_post_layernorm": true})", "W0206",
     "post_layernorm"},
    {"LearnedMpt", "mpt-causal-lm", R"({"attn_config": {"alibi": false}})", "W0206", "alibi is false"},
    {"NormedMpt", "mpt-causal-lm", R"({"attn_config": {"qk_ln": true}})", "W0206", "qk_ln"},
    {"SharedMpt", "mpt-causal-lm", R"({"attn_config": {"attn_type": "multiquery_attention"}})", "W0206", "share"},
    {"SlopesOfMpt", "mpt-causal-lm", R"({"attn_config": {"alibi_bias_max": 4}})", "W0206", "alibi_bias_max"},
    {"BiasesOfMpt", "mpt-causal-lm", R"({"no_bias": false})", "W0206", "no_bias"},
    {"LogitsOfMpt", "mpt-causal-lm", R"({"logit_scale": 0.5})", "W0206", "logit_scale"},
    {"WidthOfMpt", "mpt-causal-lm", R"({"expansion_ratio": 2})", "W0206", "expansion_ratio"},
    {"GroupsOfFalcon", "falcon-new-decoder", R"({"num_kv_heads": 4})", "W0207", "no multiple of the 4 heads"},
    {"NormsOfFalcon", "falcon-new-decoder", R"({"num_ln_in_parallel_attn": 3})", "W0203", "num_ln_in_parallel_attn"},
    {"PoolingIsUnknown", "modernbert-base", R"({"classifier_pooling": "max"})", "W0206", "cls and mean"},
};

class RefusesConfig : public testing::TestWithParam<WrongConfig> {};

TEST_P(RefusesConfig, WithDiagnostic) {
  Folder folder(GetParam().fixture);
  folder.patch("config.json", json::parse(GetParam().changes));
  Diagnostic error = folder.import();
  EXPECT_EQ(error.code, GetParam().code) << error.format();
  EXPECT_THAT(error.format(), HasSubstr(GetParam().text));
  EXPECT_THAT(error.place, HasSubstr(folder.path.string()));
  EXPECT_FALSE(error.help.empty());
}

INSTANTIATE_TEST_SUITE_P(Table, RefusesConfig, testing::ValuesIn(kWrongConfigs),
                         [](const auto &info) { return std::string(info.param.name); });

//===----------------------------------------------------------------------===//
// Any change of any key
//===----------------------------------------------------------------------===//

class AnyConfig : public testing::TestWithParam<const char *> {};

/// Whatever stands at a key: the folder is imported, or there is a diagnostic. Nothing crashes or runs for long.
TEST_P(AnyConfig, IsImportedOrRefused) {
  const json values[] = {nullptr,
                         true,
                         0,
                         1,
                         -1,
                         7,
                         1 << 28,
                         (1 << 28) + 1,
                         int64_t(1) << 62,
                         0.5,
                         1e300,
                         "",
                         "x",
                         json::array(),
                         {1, "a"},
                         json::object(),
                         {{"full_attention", 3}}};
  Folder folder(GetParam());
  json original = readJson(folder.path / "config.json");
  std::vector<std::string> keys = {"id2label", "embedding_size", "position_embedding_type", "rope_scaling"};
  for (const auto &[key, value] : original.items())
    keys.push_back(key);
  for (const std::string &key : keys)
    for (const json &value : values) {
      json changed = original;
      changed[key] = value;
      writeText(folder.path / "config.json", changed.dump());
      Diagnostic result = folder.import();
      EXPECT_TRUE(result.message == "imported" || result.code.starts_with("W02")) << result.format();
      EXPECT_NE(result.code, "W0290") << key << ": " << value << "\n" << result.format();
    }
}

INSTANTIATE_TEST_SUITE_P(
    Fixtures, AnyConfig,
    testing::Values("albert-inner-groups", "bamba-causal-lm", "bert-masked-lm", "distilbert-masked-lm",
                    "electra-pre-training", "falcon-h1-causal-lm", "falcon-mamba-causal-lm", "granite-hybrid-rotary",
                    "jamba-causal-lm", "lfm2-causal-lm", "mamba2-step-limits", "nemotron-h-causal-lm",
                    "zamba2-adapters", "mamba-causal-lm", "modernbert-sequence-classification", "mpnet-base",
                    "mixtral-window", "qwen2-moe-steps", "qwen3-moe-biases", "olmoe-causal-lm", "granite-moe-shared",
                    "phimoe-longrope", "dbrx-causal-lm", "recurrent-gemma-causal-lm", "roberta-token-classification",
                    "rwkv-causal-lm", "xlstm-causal-lm", "deepseek-v2-groups", "deepseek-v3-old-config",
                    "gpt-oss-causal-lm", "qwen3-next-causal-lm", "jetmoe-causal-lm", "jamba-experts", "switch-base",
                    "gpt2-causal-lm", "gpt-neo-causal-lm", "gpt-neox-causal-lm", "codegen-causal-lm", "opt-norms-after",
                    "bloom-causal-lm", "mpt-clipped", "falcon-new-decoder", "falcon-alibi"),
    [](const auto &info) {
      std::string name = info.param;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

TEST(RefusesFiles, ConfigThatIsMissing) {
  Folder folder("bert-base");
  fs::remove(folder.path / "config.json");
  EXPECT_EQ(folder.import().code, "W0101");
}

TEST(RefusesFiles, ConfigThatIsNoObject) {
  Folder folder("bert-base");
  writeText(folder.path / "config.json", "[1, 2]");
  EXPECT_EQ(folder.import().code, "W0202");
}

TEST(RefusesFiles, ConfigThatIsCutShort) {
  Folder folder("bert-base");
  writeText(folder.path / "config.json", R"({"model_type": "bert", "hidden)");
  EXPECT_EQ(folder.import().code, "W0110");
}

TEST(RefusesFiles, ConfigWithTwoValuesForOneKey) {
  Folder folder("bert-base");
  writeText(folder.path / "config.json", R"({"model_type": "bert", "model_type": "roberta"})");
  EXPECT_EQ(folder.import().code, "W0112");
}

TEST(RefusesFiles, ConfigWhoseEndIsText) {
  Folder folder("mamba-causal-lm");
  fs::remove(folder.path / "generation_config.json");
  folder.patch("config.json", {{"eos_token_id", "</s>"}});
  Diagnostic error = folder.import();
  EXPECT_EQ(error.code, "W0202");
  EXPECT_THAT(error.message, HasSubstr("eos_token_id"));
}

TEST(RefusesFiles, GenerationConfigWithEndsOfText) {
  Folder folder("mamba-causal-lm");
  writeText(folder.path / "generation_config.json", R"({"eos_token_id": ["</s>"]})");
  Diagnostic error = folder.import();
  EXPECT_EQ(error.code, "W0202");
  EXPECT_THAT(error.place, HasSubstr("generation_config.json"));
}

TEST(RefusesFiles, WeightsOfIntegers) {
  Folder folder("bert-base");
  std::string header =
      R"({"embeddings.word_embeddings.weight": {"dtype": "I8", "shape": [97, 48], "data_offsets": [0, 4656]}})";
  writeText(folder.path / "model.safetensors", test::safetensorsBytes(header, std::string(97 * 48, '\0')));
  Diagnostic error = folder.import();
  EXPECT_EQ(error.code, "W0212") << error.format();
  EXPECT_THAT(error.place, HasSubstr("embeddings.word_embeddings.weight"));
}

//===----------------------------------------------------------------------===//
// SentenceTransformers
//===----------------------------------------------------------------------===//

struct WrongPipeline {
  const char *name;
  const char *file;
  const char *content;
  const char *code;
  const char *text;
};

const WrongPipeline kWrongPipelines[] = {
    {"NoArray", "modules.json", R"({"type": "a.Transformer"})", "W0202", "array"},
    {"NoObjects", "modules.json", "[1]", "W0202", "array"},
    {"EncoderElsewhere", "modules.json", R"([{"type": "a.Transformer", "path": "0_Transformer"}])", "W0220", "first"},
    {"EncoderMissing", "modules.json", R"([{"type": "a.WordEmbeddings", "path": ""}])", "W0220", "first"},
    {"Dense", "modules.json",
     R"([{"type": "a.Transformer", "path": ""}, {"type": "sentence_transformers.models.Dense", "path": "2_Dense"}])",
     "W0220", "module Dense"},
    {"PathOutside", "modules.json",
     R"([{"type": "a.Transformer", "path": ""}, {"type": "a.Pooling", "path": "../1_Pooling"}])", "W0220", "leads out"},
    {"PoolingMissing", "modules.json",
     R"([{"type": "a.Transformer", "path": ""}, {"type": "a.Pooling", "path": "nowhere"}])", "W0101", "nowhere"},
    {"LastToken", "1_Pooling/config.json", R"({"pooling_mode_lasttoken": true})", "W0221", "lasttoken"},
    {"TwoFlags", "1_Pooling/config.json", R"({"pooling_mode_cls_token": true, "pooling_mode_max_tokens": true})",
     "W0221", "joins 2 modes"},
    {"TwoNames", "1_Pooling/config.json", R"({"pooling_mode": ["mean", "max"]})", "W0221", "joins 2 modes"},
    {"UnknownName", "1_Pooling/config.json", R"({"pooling_mode": "median"})", "W0221", "median"},
    {"NameIsNumber", "1_Pooling/config.json", R"({"pooling_mode": 3})", "W0202", "pooling_mode"},
    {"OtherWidth", "1_Pooling/config.json", R"({"word_embedding_dimension": 25})", "W0203", "24 and 24"},
};

class RefusesPipeline : public testing::TestWithParam<WrongPipeline> {};

TEST_P(RefusesPipeline, WithDiagnostic) {
  Folder folder("bert-sentence-mean");
  writeText(folder.path / GetParam().file, GetParam().content);
  Diagnostic error = folder.import();
  EXPECT_EQ(error.code, GetParam().code) << error.format();
  EXPECT_THAT(error.format(), HasSubstr(GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(Table, RefusesPipeline, testing::ValuesIn(kWrongPipelines),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(Pipeline, NamesItsModeInEitherForm) {
  Folder folder("bert-sentence-mean");
  for (const char *content : {R"({"pooling_mode": "cls"})", R"({"pooling_mode": ["max"]})", "{}",
                              R"({"pooling_mode_mean_sqrt_len_tokens": true})"}) {
    writeText(folder.path / "1_Pooling/config.json", content);
    EXPECT_EQ(folder.import().message, "imported") << content;
  }
}

TEST(Pipeline, IsBuiltOnTheBareEncoderWhateverTheClass) {
  Folder folder("bert-sentence-mean");
  folder.patch("config.json", {{"architectures", {"BertForMultipleChoice"}}});
  EXPECT_EQ(folder.import().message, "imported");
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

TEST(Bounds, NarrowTheModel) {
  EXPECT_EQ(Folder("bert-base").import({{{"batch", {1, 1}}, {"sequence", {8, 40}}}}).message, "imported");
}

TEST(Bounds, EndAtThePositions) {
  Diagnostic error = Folder("bert-base").import({{{"sequence", {1, 41}}}});
  EXPECT_EQ(error.code, "W0208");
  EXPECT_THAT(error.help, HasSubstr("1..40"));
}

TEST(Bounds, CountPositionsAfterThePadToken) {
  // 46 positions, of which 0 and 1 are never a token's.
  EXPECT_EQ(Folder("mpnet-base").import({{{"sequence", {1, 45}}}}).code, "W0208");
}

TEST(Bounds, EndAtLearnedPositions) {
  Diagnostic error = Folder("gpt2-causal-lm").import({{{"sequence", {1, 49}}}});
  EXPECT_EQ(error.code, "W0208");
  EXPECT_THAT(error.help, HasSubstr("1..48"));
}

TEST(Bounds, AreOrderedAndPositive) {
  Folder folder("bert-base");
  EXPECT_EQ(folder.import({{{"batch", {0, 4}}}}).code, "W0208");
  EXPECT_EQ(folder.import({{{"batch", {4, 2}}}}).code, "W0208");
  EXPECT_EQ(folder.import({{{"batch", {1, int64_t(1) << 40}}}}).code, "W0208");
}

TEST(Bounds, NameDimensionsOfTheModel) {
  Diagnostic error = Folder("bert-base").import({{{"channels", {1, 3}}}});
  EXPECT_EQ(error.code, "W0208");
  EXPECT_THAT(error.message, HasSubstr("channels"));
}

} // namespace
} // namespace weft
