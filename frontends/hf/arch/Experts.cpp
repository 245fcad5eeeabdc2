// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontends/hf/arch/Experts.h"

using namespace mlir;

namespace weft {

Part expertsPart(const MixtureOfExperts &mixture) {
  return {[=](GraphBuilder &graph, Value x, const HybridInputs &) { return mixture.build(graph, x); }};
}

ExpertCounts readExpertCounts(Config &config, Config::Keys experts, Config::Keys top, ExpertCounts byDefault) {
  ExpertCounts counts{config.integer(experts, byDefault.experts, 1, kMaxExperts),
                      config.integer(top, byDefault.top, 1, kMaxExperts)};
  if (counts.top <= counts.experts)
    return counts;
  config.refuse("W0207",
                std::string(*top.begin()) + " is " + std::to_string(counts.top) + ", more than the " +
                    std::to_string(counts.experts) + " experts of " + *experts.begin(),
                std::string("correct ") + *top.begin() + " or " + *experts.begin());
  return {counts.experts, 1};
}

MixtureOfExperts mixtureOf(const HybridSizes &sizes, const ExpertCounts &counts, int64_t width, const std::string &name,
                           const char *gate, const char *up, const char *down) {
  MixtureOfExperts mixture;
  mixture.route.weight = name + ".gate.weight";
  mixture.route.experts = mixture.experts.experts = counts.experts;
  mixture.route.top = counts.top;
  mixture.experts.name = name + ".experts";
  mixture.experts.hidden = sizes.hidden;
  mixture.experts.width = width;
  mixture.experts.activation = sizes.activation;
  auto stacked = [&](const char *part) {
    return StackedWeight{expertNames(name + ".experts.", counts.experts, std::string(".") + part + ".weight")};
  };
  mixture.experts.gate = stacked(gate);
  mixture.experts.up = stacked(up);
  mixture.experts.down = stacked(down);
  return mixture;
}

double readClip(Config &config) {
  double clip = config.number({"clip_qkv"}, 0);
  if (config.has("clip_qkv") && clip == 0)
    config.refuse("W0203", "clip_qkv is 0, which leaves nothing of queries, keys and values",
                  "correct clip_qkv, or leave it out where they are not clipped");
  return clip;
}

int64_t readWindow(Config &config, int64_t byDefault) {
  return config.integer({"sliding_window"}, byDefault, 1, Config::kMaxSize);
}

Part decoderPart(const std::string &layer, const HybridSizes &sizes, const DecoderLayer &parts) {
  return inTurn(
      {residual(layer + ".input_layernorm", sizes.epsilon, parts.attention, parts.factor, parts.norm),
       residual(layer + ".post_attention_layernorm", sizes.epsilon, parts.feedForward, parts.factor, parts.norm)});
}

} // namespace weft
