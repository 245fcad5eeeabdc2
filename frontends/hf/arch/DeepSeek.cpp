// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// DeepSeek-V2 (2024, arXiv:2405.04434) and V3 (2024, arXiv:2412.19437): latent attention, MLPs in the first layers, and
// in the others many narrow experts beside some that every token shares. V2 chooses by a softmax, by groups of experts
// or not; V3 by sigmoids, always by groups, with a bias that chooses and does not weigh.
#include "frontends/builder/LatentAttention.h"
#include "frontends/hf/RotaryFields.h"
#include "frontends/hf/arch/Experts.h"

#include <cmath>

using namespace mlir;

namespace weft {
namespace {

enum class Generation { V2, V3 };

/// How many times as many channels values may have as what does not turn of queries.
constexpr int64_t kMostValues = 15;

struct DeepSeekSizes : HybridSizes {
  ExpertCounts counts{64, 6};
  int64_t expertWidth = 1407, shared = 2; ///< experts that all tokens share, as wide together as one that wide
  int64_t denseLayers = 0;                ///< first ones without experts
  bool mlpBias = false;
};

LatentAttention readAttention(Config &config, const DeepSeekSizes &sizes) {
  LatentAttention attention;
  attention.hidden = sizes.hidden;
  attention.heads = sizes.heads;
  attention.queryRank = config.isNull("q_lora_rank") ? 0 : config.size({"q_lora_rank"}, 1536);
  attention.latent = config.size({"kv_lora_rank"}, 512);
  attention.plain = config.size({"qk_nope_head_dim"}, 128);
  attention.turned = config.size({"qk_rope_head_dim"}, 64);
  attention.values = config.size({"v_head_dim"}, 128);
  attention.bias = config.flag("attention_bias", false);
  if (attention.values > kMostValues * attention.plain) {
    config.refuse("W0206", "v_head_dim is more than " + std::to_string(kMostValues) + " times qk_nope_head_dim",
                  "published models have equal ones: correct either");
    attention.values = attention.plain;
  }
  RotaryFields fields =
      readRotaryFields(config, attention.turned, {.takesYarn = true, .widthFields = " or qk_rope_head_dim"});
  if (fields.dims && fields.dims != attention.turned)
    config.refuse("W0206", "only " + std::to_string(fields.dims) + " of the elements of qk_rope_head_dim turn",
                  "remove partial_rotary_factor: latent attention has other elements that do not");
  attention.theta = fields.theta;
  attention.frequencies = std::move(fields.frequencies);
  attention.turnScale = fields.turnScale;
  attention.scale = fields.scoreFactor / std::sqrt(static_cast<double>(attention.plain + attention.turned));
  return attention;
}

/// How experts are chosen, but for the names of weights.
RouteSpec readRoute(Config &config, const ExpertCounts &counts, Generation generation) {
  RouteSpec route;
  bool isV3 = generation == Generation::V3;
  std::string method = config.text("topk_method", isV3 ? "noaux_tc" : "greedy");
  std::string scoring = config.text("scoring_func", isV3 ? "sigmoid" : "softmax");
  if (scoring != (isV3 ? "sigmoid" : "softmax"))
    config.refuse("W0206", "scoring_func is \"" + scoring + "\"",
                  "the supported one is that of the architecture's class");
  if (isV3 ? method != "noaux_tc" : method != "greedy" && method != "group_limited_greedy")
    config.refuse("W0206", "topk_method is \"" + method + "\"",
                  isV3 ? "the supported one is noaux_tc" : "the supported ones are greedy and group_limited_greedy");
  route.scoring = isV3 ? Scoring::Sigmoid : Scoring::Softmax;
  route.scale = config.number({"routed_scaling_factor"}, isV3 ? 2.5 : 1.0);
  bool isNormalized = config.flag("norm_topk_prob", isV3);
  if (isNormalized && !isV3)
    config.refuse("W0206", "norm_topk_prob is true, which the library passes over in DeepSeek-V2",
                  "published models have false: correct the field");
  route.norm = isNormalized ? WeightNorm::Sum : WeightNorm::None;
  if (!isV3 && method == "greedy")
    return route;
  route.groups = config.integer({"n_group"}, 8, 1, kMaxExperts);
  route.topGroups = config.integer({"topk_group"}, std::min<int64_t>(4, route.groups), 1, kMaxExperts);
  route.groupRank = isV3 ? 2 : 1;
  int64_t size = counts.experts / route.groups;
  if (counts.experts % route.groups != 0 || route.topGroups > route.groups || size < route.groupRank ||
      counts.top > size * route.topGroups)
    config.refuse("W0207",
                  std::to_string(counts.top) + " of " + std::to_string(counts.experts) +
                      " experts cannot be chosen from " + std::to_string(route.topGroups) + " of " +
                      std::to_string(route.groups) + " groups",
                  "correct n_routed_experts, num_experts_per_tok, n_group or topk_group");
  return route;
}

void readSizes(Config &config, DeepSeekSizes &sizes) {
  sizes.keyHeads = 0;
  readHybridSizes(config, sizes);
  sizes.counts = readExpertCounts(config, {"n_routed_experts", "num_experts", "num_local_experts"},
                                  {"num_experts_per_tok"}, sizes.counts);
  sizes.expertWidth = config.size({"moe_intermediate_size"}, sizes.expertWidth);
  sizes.shared = config.integer({"n_shared_experts"}, sizes.shared, 1, kMaxExperts);
  sizes.denseLayers = config.integer({"first_k_dense_replace"}, sizes.denseLayers, 0, Config::kMaxSize);
  config.integer({"moe_layer_freq"}, 1, 1, 1);
}

Part mlpOf(const DeepSeekSizes &sizes, const std::string &name, int64_t width) {
  MlpSpec spec{name + ".gate_proj", name + ".up_proj", name + ".down_proj", width, sizes.hidden, sizes.activation};
  spec.bias = sizes.mlpBias;
  return mlpPart(spec);
}

/// The experts `name`, and those that every token shares.
Part expertsOf(const DeepSeekSizes &sizes, const RouteSpec &route, const std::string &name) {
  MixtureOfExperts mixture = mixtureOf(sizes, sizes.counts, sizes.expertWidth, name);
  RouteSpec own = mixture.route;
  mixture.route = route;
  mixture.route.weight = own.weight, mixture.route.experts = own.experts, mixture.route.top = own.top;
  if (route.scoring == Scoring::Sigmoid)
    mixture.route.correction = name + ".gate.e_score_correction_bias";
  std::string shared = name + ".shared_experts";
  int64_t width = sizes.shared * sizes.expertWidth;
  if (sizes.mlpBias)
    return sumOf({mlpOf(sizes, shared, width), expertsPart(mixture)});
  mixture.shared.gate = shared + ".gate_proj";
  mixture.shared.up = shared + ".up_proj";
  mixture.shared.down = shared + ".down_proj";
  mixture.shared.width = width;
  return expertsPart(mixture);
}

CausalModel describe(Config &config, const DeepSeekSizes &sizes, LatentAttention attention, Generation generation) {
  RouteSpec route;
  if (sizes.denseLayers < sizes.layers)
    route = readRoute(config, sizes.counts, generation);
  HybridModel model;
  model.finalNorm = "norm";
  for (int64_t index = 0; index < sizes.layers; ++index) {
    std::string layer = "layers." + std::to_string(index), mlp = layer + ".mlp";
    attention.name = layer + ".self_attn";
    Part mixer{[attention](GraphBuilder &graph, Value x, const HybridInputs &in) {
                 return attention.build(graph, x, in.positions);
               },
               attention.states()};
    Part feedForward = index < sizes.denseLayers ? mlpOf(sizes, mlp, sizes.intermediate) : expertsOf(sizes, route, mlp);
    model.layers.push_back(decoderPart(layer, sizes, {mixer, feedForward}));
  }
  CausalModel described = describeHybrid(sizes, std::move(model));
  described.tied = config.flag("tie_word_embeddings", false);
  return described;
}

} // namespace

CausalModel readDeepSeekV2(Config &config) {
  DeepSeekSizes sizes;
  sizes.vocabulary = 102400;
  sizes.intermediate = 11008;
  sizes.longest = 2048;
  readSizes(config, sizes);
  sizes.mlpBias = config.flag("mlp_bias", false);
  return describe(config, sizes, readAttention(config, sizes), Generation::V2);
}

CausalModel readDeepSeekV3(Config &config) {
  DeepSeekSizes sizes;
  sizes.vocabulary = 129280;
  sizes.hidden = 7168;
  sizes.intermediate = 18432;
  sizes.layers = 61;
  sizes.heads = 128;
  sizes.longest = 4096;
  sizes.counts = {256, 8};
  sizes.expertWidth = 2048;
  sizes.shared = 1;
  sizes.denseLayers = 3;
  readSizes(config, sizes);
  LatentAttention attention = readAttention(config, sizes);
  attention.neighbours = config.flag("rope_interleave", true);
  CausalModel described = describe(config, sizes, attention, Generation::V3);
  described.endToken = 1;
  return described;
}

} // namespace weft
