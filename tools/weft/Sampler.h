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
#include <vector>

namespace weft::cli {

/// How a token is chosen, in this order: scores of tokens that the text holds are lowered; of the rest by temperature
/// the likeliest stay; one of these is drawn.
struct SamplingOptions {
  double temperature = 0;       ///< 0: the token of highest score, the first of several
  double repetitionPenalty = 1; ///< divides scores above 0 of tokens that the text holds, multiplies others (Keskar et
                                ///< al. 2019, arXiv:1909.05858)
  int64_t topK = 0;             ///< only so many of the likeliest; 0: all
  double topP = 1; ///< only the likeliest that together have this probability (Holtzman et al. 2019, arXiv:1904.09751)
  double minP = 0; ///< only those with this share of the likeliest's probability (Nguyen et al. 2024, arXiv:2407.01082)

  bool isFiltered() const { return topK > 0 || topP < 1 || minP > 0; }
};

/// One text's choices: the same for the same scores, text and seed, whatever else is generated beside it.
class Sampler {
public:
  Sampler(const SamplingOptions &options, uint64_t seed) : options(options), random(seed) {}

  /// After the tokens of `text`. Nothing where a score is no number, or all are −∞.
  std::optional<int64_t> pick(std::span<const float> scores, std::span<const int64_t> text = {});

private:
  struct Candidate {
    int64_t token;
    double weight; ///< of the likeliest: 1
  };
  double uniform();
  std::span<const float> penalized(std::span<const float> scores, std::span<const int64_t> text);
  int64_t drawAny(std::span<const float> scores, int64_t best);
  int64_t drawFiltered(std::span<const float> scores, float best);

  SamplingOptions options;
  std::mt19937_64 random; ///< its numbers are the same on every system
  std::vector<float> lowered;
  std::vector<Candidate> candidates;
};

} // namespace weft::cli

#endif // WEFT_TOOLS_WEFT_SAMPLER_H
