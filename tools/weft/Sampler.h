// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The next token of a text from the scores of all tokens.
#ifndef WEFT_TOOLS_WEFT_SAMPLER_H
#define WEFT_TOOLS_WEFT_SAMPLER_H

#include <cstdint>
#include <optional>
#include <random>
#include <span>

namespace weft::cli {

/// One text's choices: the same for the same scores and seed, whatever else is generated beside it.
class Sampler {
public:
  /// `temperature` 0: the token of highest score, the first of several; otherwise each token with the probability
  /// softmax(scores / temperature).
  Sampler(double temperature, uint64_t seed) : temperature(temperature), random(seed) {}

  /// Nothing where a score is no number, or all are −∞.
  std::optional<int64_t> pick(std::span<const float> scores);

private:
  double temperature;
  std::mt19937_64 random; ///< its numbers are the same on every system
};

} // namespace weft::cli

#endif // WEFT_TOOLS_WEFT_SAMPLER_H
