// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What decoders with mixtures of experts have in common.
#ifndef WEFT_FRONTENDS_HF_ARCH_EXPERTS_H
#define WEFT_FRONTENDS_HF_ARCH_EXPERTS_H

#include "frontends/builder/MixtureOfExperts.h"
#include "frontends/hf/arch/Hybrid.h"

namespace weft {

/// No published model comes near.
constexpr int64_t kMaxExperts = 1 << 16;

Part expertsPart(const MixtureOfExperts &mixture);

/// How many experts there are, and how many a token goes to. W0207: more than there are.
struct ExpertCounts {
  int64_t experts, top;
};
ExpertCounts readExpertCounts(Config &config, Config::Keys experts, Config::Keys top, ExpertCounts byDefault);

/// Mixture `name` of experts with the weights `name`.experts.N.{gate,up,down}.weight, by those names, and the router
/// `name`.gate.weight.
MixtureOfExperts mixtureOf(const HybridSizes &sizes, const ExpertCounts &counts, int64_t width, const std::string &name,
                           const char *gate = "gate_proj", const char *up = "up_proj", const char *down = "down_proj");

/// The mixture of `layer` in Granite's models, beside an MLP of `sharedWidth` that all tokens go through; 0: none.
MixtureOfExperts graniteMixtureOf(const HybridSizes &sizes, const ExpertCounts &counts, const std::string &layer,
                                  int64_t sharedWidth);

/// A number above 0 that bounds queries, keys and values; 0 where the file has none. W0203: it is 0.
double readClip(Config &config);

/// The last so many tokens that attention sees; 0: all.
int64_t readWindow(Config &config, int64_t byDefault = 0);

/// A decoder's layers: x + factor · attention(norm(x)), then x + factor · feed-forward(norm(x)), with the norms
/// layers.N.input_layernorm and layers.N.post_attention_layernorm.
struct DecoderLayer {
  Part attention, feedForward;
  double factor = 1;
  NormKind norm = NormKind::Rms;
};
Part decoderPart(const std::string &layer, const HybridSizes &sizes, const DecoderLayer &parts);

} // namespace weft

#endif // WEFT_FRONTENDS_HF_ARCH_EXPERTS_H
