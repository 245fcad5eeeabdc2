// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontends/hf/RotaryScaling.h"

#include <algorithm>
#include <cmath>

namespace weft {

namespace {

/// No published head comes near.
constexpr int64_t kMostTurned = 65536;

double readFactor(Config &rope) {
  double factor = rope.number({"factor"}, 1);
  if (factor > 0)
    return factor;
  rope.refuse("W0203", "the factor of the rotary positions is 0", "correct factor");
  return 1;
}

void scaleLinearly(Config &rope, RotaryFields &fields) {
  double factor = readFactor(rope);
  for (float &frequency : fields.frequencies)
    frequency = static_cast<float>(frequency / factor);
}

void scaleAsLlama3(Config &rope, RotaryFields &fields) {
  double factor = readFactor(rope), low = rope.number({"low_freq_factor"}, 1),
         high = rope.number({"high_freq_factor"}, 4);
  double trained = rope.number({"original_max_position_embeddings"}, 8192);
  if (high <= low || trained < 1)
    return rope.refuse("W0203", "high_freq_factor is not above low_freq_factor, or the trained positions are none",
                       "correct them");
  for (float &frequency : fields.frequencies) {
    double turns = trained * frequency / (2 * M_PI); // over the trained positions
    double kept = std::clamp((turns - low) / (high - low), 0.0, 1.0);
    frequency = static_cast<float>(frequency * (kept + (1 - kept) / factor));
  }
}

/// The factors of short texts.
void scaleEach(Config &config, Config &rope, RotaryFields &fields) {
  double longest = config.number({"max_position_embeddings"}, 131072);
  double trained =
      config.number({"original_max_position_embeddings"}, rope.number({"original_max_position_embeddings"}, longest));
  std::vector<double> factors = rope.numbers("short_factor", std::vector<double>(fields.frequencies.size(), 1));
  double stretch = longest / std::max(trained, 1.0);
  double byDefault = stretch <= 1 || trained <= 1 ? 1 : std::sqrt(1 + std::log(stretch) / std::log(trained));
  fields.turnScale = rope.number({"attention_factor"}, byDefault);
  fields.longest = static_cast<int64_t>(trained);
  if (!rope.has("short_factor"))
    rope.refuse("W0207", "short_factor is missing", "positions of the type longrope need it");
  if (std::find(factors.begin(), factors.end(), 0.0) != factors.end() || trained < 1)
    return rope.refuse("W0203", "a factor of the rotary positions is 0", "correct short_factor");
  for (size_t pair = 0; pair < factors.size(); ++pair)
    fields.frequencies[pair] = static_cast<float>(fields.frequencies[pair] / factors[pair]);
}

} // namespace

bool isScaledRotation(const std::string &type) {
  return type == "linear" || type == "llama3" || type == "dynamic" || type == "longrope" || type == "su";
}

void scaleRotation(Config &config, Config &rope, const std::string &type, RotaryFields &fields) {
  if (fields.dims > kMostTurned || fields.theta < 1)
    return config.refuse("W0203", "the rotary positions cannot be scaled",
                         "heads of up to " + std::to_string(kMostTurned) + " and a rope_theta of at least 1 can");
  fields.frequencies = rotaryFrequencies(fields.theta, fields.dims);
  if (type == "linear")
    scaleLinearly(rope, fields);
  else if (type == "llama3")
    scaleAsLlama3(rope, fields);
  else if (type != "dynamic")
    scaleEach(config, rope, fields);
}

} // namespace weft
