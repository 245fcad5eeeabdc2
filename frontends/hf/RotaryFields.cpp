// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "frontends/hf/RotaryFields.h"

#include "frontends/hf/RotaryScaling.h"

#include <algorithm>
#include <cmath>

namespace weft {

namespace {

/// No published head comes near.
constexpr int64_t kMostStretched = 65536;

/// By how much YaRN lengthens what turned, for positions stretched so far.
double magnitudeOf(double stretch, double share = 1) {
  return stretch <= 1 ? 1.0 : 0.1 * share * std::log(stretch) + 1;
}

/// YaRN's numbers in `rope`; `config` is around it.
YarnFields readYarn(Config &config, Config &rope) {
  double longest = config.number({"max_position_embeddings"}, 4096);
  double trained = rope.number({"original_max_position_embeddings"}, longest);
  YarnSpec yarn;
  yarn.trained = config.number({"original_max_position_embeddings"}, trained);
  if (yarn.trained < 1)
    config.refuse("W0203", "YaRN's original_max_position_embeddings is below 1", "correct it");
  yarn.stretch = rope.number({"factor"}, longest / std::max(yarn.trained, 1.0));
  yarn.fast = rope.number({"beta_fast"}, 32);
  yarn.slow = rope.number({"beta_slow"}, 1);
  yarn.whole = rope.flag("truncate", true);
  double share = rope.number({"mscale"}, 0), shareOfAll = rope.number({"mscale_all_dim"}, 0);
  double byDefault = share > 0 && shareOfAll > 0
                         ? magnitudeOf(yarn.stretch, share) / magnitudeOf(yarn.stretch, shareOfAll)
                         : magnitudeOf(yarn.stretch);
  double turnScale = rope.number({"attention_factor"}, byDefault);
  if (yarn.stretch <= 0 || yarn.fast <= 0 || yarn.slow <= 0)
    config.refuse("W0203", "YaRN's factor, beta_fast and beta_slow must be above 0", "correct " + rope.where());
  return {yarn, turnScale};
}

/// How positions are scaled, by rope_type; nothing: not.
std::optional<YarnFields> readScaling(Config &config, Config &rope, bool isThere, const RotaryRules &rules) {
  if (!isThere)
    return rules.yarn;
  std::string type = rope.text("rope_type", rope.text("type", "default"));
  if (type == "yarn" && rules.takesYarn)
    return readYarn(config, rope);
  if (rules.takesScaling && isScaledRotation(type))
    return std::nullopt; // scaleRotation does
  if (type != "default")
    config.refuse("W0206", "the rotary positions are scaled by \"" + type + "\"",
                  std::string("the supported rope_type is default") +
                      (rules.takesScaling ? ", linear, dynamic, llama3, longrope" : "") +
                      (rules.takesYarn ? " or yarn" : ""));
  return std::nullopt;
}

/// How many elements of a head turn; 0: refused.
int64_t countOf(Config &config, int64_t width, double share, const RotaryRules &rules) {
  auto dims = static_cast<int64_t>(static_cast<double>(width) * std::min(share, 2.0));
  if (dims >= 2 && dims % 2 == 0 && dims <= width)
    return dims;
  config.refuse("W0207",
                "the rotary positions turn " + std::to_string(dims) + " of the " + std::to_string(width) +
                    " elements of a head",
                "correct partial_rotary_factor" + rules.widthFields + ": the count must be even");
  return 0;
}

} // namespace

RotaryFields readRotaryFields(Config &config, int64_t width, const RotaryRules &rules) {
  bool isOld = config.has("rope_scaling") && !rules.takesOldScaling;
  Config rope = config.child(isOld ? "rope_scaling" : "rope_parameters");
  if (rules.layerType && rope.has(rules.layerType))
    rope = rope.child(rules.layerType);
  double share = rope.number({"partial_rotary_factor"}, config.number({"partial_rotary_factor"}, rules.share));
  double theta = rope.number({"rope_theta"}, config.number({"rope_theta"}, rules.theta));
  std::optional<YarnFields> yarn = readScaling(config, rope, isOld || config.has("rope_parameters"), rules);
  double shareOfAll = yarn ? rope.number({"mscale_all_dim"}, 0) : 0;
  std::string type = rope.text("rope_type", rope.text("type", "default"));
  if (rope.failed())
    config.fail(rope.takeError());
  if (theta < 1.0 || (yarn && theta == 1.0))
    config.refuse("W0203", "the base of the rotary positions is below 1, or 1 with YaRN", "correct rope_theta");
  RotaryFields fields{theta, countOf(config, width, share, rules)};
  if (rules.takesScaling && isScaledRotation(type) && !config.failed()) {
    scaleRotation(config, rope, type, fields);
    if (rope.failed())
      config.fail(rope.takeError());
  }
  if (!yarn || config.failed())
    return fields;
  if (fields.dims > kMostStretched)
    config.refuse("W0203", "YaRN stretches " + std::to_string(fields.dims) + " elements of a head",
                  "heads of up to " + std::to_string(kMostStretched) + " are supported");
  else
    fields.frequencies = yarnFrequencies(theta, fields.dims, yarn->spec);
  fields.turnScale = yarn->turnScale;
  double magnitude = shareOfAll > 0 ? magnitudeOf(yarn->spec.stretch, shareOfAll) : 1;
  fields.scoreFactor = magnitude * magnitude;
  return fields;
}

} // namespace weft
