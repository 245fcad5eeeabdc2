// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GPT-OSS (OpenAI 2025, arXiv:2508.10925): attention with sinks, in every second layer to a window, and experts with a
// gate that is clamped. Published files hold the experts in four bits (frontends/weights).
#include "frontends/builder/Scalars.h"
#include "frontends/hf/RotaryFields.h"
#include "frontends/hf/arch/Experts.h"

using namespace mlir;

namespace weft {
namespace {

/// gate' · σ(alpha · gate') · (up' + 1), with gate' at most `limit` and up' within ± `limit`.
struct ClampedGate {
  double alpha, limit;

  Value operator()(OpBuilder &b, Location l, Value gate, Value up) const {
    Scalars s{b, l};
    Value most = s.constant(limit);
    gate = arith::MinimumFOp::create(b, l, gate, most);
    up = s.max(arith::MinimumFOp::create(b, l, up, most), s.constant(-limit));
    Value glu = s.mul(gate, s.sigmoid(s.mul(gate, s.constant(alpha))));
    return s.mul(s.add(up, s.constant(1.0)), glu);
  }
};

/// The experts `name`. Files of four bits hold their matrices as [out, in], others as [in, out].
Value buildExperts(GraphBuilder &graph, MixtureOfExperts mixture, const std::string &name, Value x) {
  bool inByOut = !graph.hasParameter(name + ".experts.gate_up_proj_blocks");
  auto stacked = [&](const char *part) {
    std::string tensor = name + ".experts." + part;
    return StackedWeight{{tensor}, {tensor + "_bias"}, inByOut};
  };
  mixture.experts.gateUp = stacked("gate_up_proj");
  mixture.experts.down = stacked("down_proj");
  return mixture.build(graph, x);
}

MixtureOfExperts readMixture(Config &config, const HybridSizes &sizes) {
  ExpertCounts counts =
      readExpertCounts(config, {"num_local_experts", "num_experts"}, {"num_experts_per_tok"}, {128, 4});
  MixtureOfExperts mixture;
  mixture.route.experts = mixture.experts.experts = counts.experts;
  mixture.route.top = counts.top;
  mixture.route.scoring = Scoring::None;
  mixture.route.norm = WeightNorm::Softmax;
  mixture.experts.hidden = sizes.hidden;
  mixture.experts.width = sizes.intermediate;
  mixture.experts.order = GateUp::Pairs;
  mixture.experts.combine = ClampedGate{config.number({"swiglu_alpha"}, 1.702), config.number({"swiglu_limit"}, 7.0)};
  return mixture;
}

/// Which layers attend to a window: by `layer_types`, or every second from the first on.
std::vector<bool> readSliding(Config &config, int64_t layers) {
  std::vector<bool> sliding(layers);
  std::optional<std::vector<std::string>> types = config.layerTypes(layers);
  for (int64_t layer = 0; layer < layers && !config.failed(); ++layer) {
    sliding[layer] = types ? (*types)[layer] == "sliding_attention" : layer % 2 == 0;
    if (types && !sliding[layer] && (*types)[layer] != "full_attention")
      config.refuse("W0206", "layer_types holds \"" + (*types)[layer] + "\"",
                    "the known ones are sliding_attention and full_attention");
  }
  return sliding;
}

CausalAttention readAttention(Config &config, const HybridSizes &sizes) {
  CausalAttention attention = attentionOf(sizes, "");
  YarnFields yarn{{.stretch = 32, .trained = 4096, .fast = 32, .slow = 1, .whole = false}, 0.1 * std::log(32.0) + 1};
  RotaryFields fields =
      readRotaryFields(config, sizes.width, {.theta = 150000, .takesYarn = true, .yarn = std::move(yarn)});
  attention.theta = fields.theta;
  attention.rotary = fields.dims;
  attention.frequencies = std::move(fields.frequencies);
  attention.turnScale = fields.turnScale;
  attention.bias = attention.outBias = config.flag("attention_bias", true);
  attention.sinks = "sinks";
  return attention;
}

} // namespace

CausalModel readGptOss(Config &config) {
  HybridSizes sizes;
  sizes.vocabulary = 201088;
  sizes.hidden = sizes.intermediate = 2880;
  sizes.layers = 36;
  sizes.heads = sizes.width = 64;
  sizes.longest = 131072;
  sizes.epsilon = 1e-5;
  readHybridSizes(config, sizes);
  MixtureOfExperts mixture = readMixture(config, sizes);
  CausalAttention attention = readAttention(config, sizes);
  int64_t window = readWindow(config, 128);
  std::vector<bool> sliding = readSliding(config, sizes.layers);
  HybridModel model;
  model.finalNorm = "norm";
  for (int64_t index = 0; index < sizes.layers; ++index) {
    std::string layer = "layers." + std::to_string(index), mlp = layer + ".mlp";
    attention.name = layer + ".self_attn";
    attention.window = sliding[index] ? window : 0;
    mixture.experts.name = mlp + ".experts";
    mixture.route.weight = mlp + ".router.weight";
    mixture.route.bias = mlp + ".router.bias";
    Part experts{[mixture, mlp](GraphBuilder &graph, Value x, const HybridInputs &) {
      return buildExperts(graph, mixture, mlp, x);
    }};
    model.layers.push_back(decoderPart(layer, sizes, {attentionPart(attention), experts}));
  }
  CausalModel described = describeHybrid(sizes, std::move(model));
  described.tied = config.flag("tie_word_embeddings", false);
  described.endToken = 200002; // <|return|>
  return described;
}

} // namespace weft
