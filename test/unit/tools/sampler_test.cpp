// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/weft/Sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <vector>

namespace weft::cli {
namespace {

const float kInfinity = std::numeric_limits<float>::infinity();

TEST(Sampler, TakesTheFirstOfTheHighestScoresAtTemperatureZero) {
  Sampler sampler({.temperature = 0}, 1);
  EXPECT_EQ(sampler.pick(std::vector<float>{-3, 2, 5, 5, -kInfinity}), 2);
}

TEST(Sampler, DrawsByTheSoftmaxOfTheScores) {
  const std::vector<float> scores = {1, -kInfinity, 0.5f, -1, 2};
  for (double temperature : {0.5, 1.0, 3.0}) {
    Sampler sampler({.temperature = temperature}, 42);
    constexpr int kDraws = 200000;
    std::vector<double> counts(scores.size()), weights;
    for (int draw = 0; draw < kDraws; ++draw)
      ++counts[*sampler.pick(scores)];
    double total = 0;
    for (float score : scores)
      total += weights.emplace_back(std::exp(score / temperature));
    for (size_t token = 0; token < scores.size(); ++token) {
      double share = weights[token] / total, deviation = std::sqrt(share * (1 - share) / kDraws);
      EXPECT_NEAR(counts[token] / kDraws, share, 5 * deviation) << "temperature " << temperature << ", token " << token;
    }
  }
}

TEST(Sampler, DependsOnTheSeedAlone) {
  const std::vector<float> scores(100, 0.0f);
  Sampler one({.temperature = 1}, 7), same({.temperature = 1}, 7), other({.temperature = 1}, 8);
  int differences = 0;
  for (int draw = 0; draw < 50; ++draw) {
    std::optional<int64_t> token = one.pick(scores);
    EXPECT_EQ(token, same.pick(scores));
    differences += token != other.pick(scores);
  }
  EXPECT_GT(differences, 25);
}

TEST(Sampler, IsTheLikeliestNearTemperatureZeroWithoutOverflow) {
  Sampler sampler({.temperature = 1e-300}, 3);
  EXPECT_EQ(sampler.pick(std::vector<float>{3e38f, -3e38f, 0}), 0);
}

TEST(Sampler, HasNoChoiceAmongScoresThatAreNoNumbers) {
  for (double temperature : {0.0, 1.0}) {
    Sampler sampler({.temperature = temperature}, 1);
    EXPECT_FALSE(sampler.pick(std::vector<float>{1, std::nanf(""), 2}));
    EXPECT_FALSE(sampler.pick(std::vector<float>{1, kInfinity, 2}));
    EXPECT_FALSE(sampler.pick(std::vector<float>{-kInfinity, -kInfinity}));
    EXPECT_FALSE(sampler.pick({}));
  }
}

/// The tokens that are drawn in many draws.
std::vector<int64_t> drawn(const SamplingOptions &options, const std::vector<float> &scores,
                           const std::vector<int64_t> &text = {}) {
  Sampler sampler(options, 5);
  std::set<int64_t> tokens;
  for (int draw = 0; draw < 4000; ++draw)
    tokens.insert(*sampler.pick(scores, text));
  return {tokens.begin(), tokens.end()};
}

using Tokens = std::vector<int64_t>;

TEST(Sampler, DrawsOfTheLikeliestOnly) {
  // Probabilities 0.4, 0.1, 0.3, 0.2.
  const std::vector<float> scores = {std::log(0.4f), std::log(0.1f), std::log(0.3f), std::log(0.2f)};
  EXPECT_EQ(drawn({.temperature = 1}, scores), (Tokens{0, 1, 2, 3}));
  EXPECT_EQ(drawn({.temperature = 1, .topK = 2}, scores), (Tokens{0, 2}));
  EXPECT_EQ(drawn({.temperature = 1, .topK = 9}, scores), (Tokens{0, 1, 2, 3}));
  EXPECT_EQ(drawn({.temperature = 1, .topP = 0.65}, scores), (Tokens{0, 2}));
  EXPECT_EQ(drawn({.temperature = 1, .topP = 0.75}, scores), (Tokens{0, 2, 3}));
  EXPECT_EQ(drawn({.temperature = 1, .topP = 0}, scores), (Tokens{0}));
  EXPECT_EQ(drawn({.temperature = 1, .minP = 0.45}, scores), (Tokens{0, 2, 3}));
  EXPECT_EQ(drawn({.temperature = 1, .minP = 1}, scores), (Tokens{0}));
  EXPECT_EQ(drawn({.temperature = 1, .topK = 3, .topP = 0.99, .minP = 0.6}, scores), (Tokens{0, 2}));
}

TEST(Sampler, KeepsTheSharesOfThoseThatStay) {
  const std::vector<float> scores = {std::log(0.4f), std::log(0.1f), std::log(0.3f), std::log(0.2f)};
  Sampler sampler({.temperature = 1, .topK = 2}, 9);
  int first = 0;
  constexpr int kDraws = 100000;
  for (int draw = 0; draw < kDraws; ++draw)
    first += *sampler.pick(scores) == 0;
  EXPECT_NEAR(first / double(kDraws), 4.0 / 7, 0.01);
}

TEST(Sampler, TakesTheFirstOfEquallyLikelyTokens) {
  EXPECT_EQ(drawn({.temperature = 1, .topK = 2}, {0, 0, 0, 0}), (Tokens{0, 1}));
}

TEST(Sampler, LowersTheScoresOfTokensThatTheTextHolds) {
  Sampler sampler({.repetitionPenalty = 2}, 1);
  EXPECT_EQ(sampler.pick(std::vector<float>{1.5f, 2, 1}, Tokens{1}), 0);
  EXPECT_EQ(sampler.pick(std::vector<float>{1.5f, 2, 1}, Tokens{1, 1, 1}), 0); // once, however often
  EXPECT_EQ(sampler.pick(std::vector<float>{-1.5f, -1, -3}, Tokens{1}), 0);
  EXPECT_EQ(sampler.pick(std::vector<float>{1.5f, 2, 1}, Tokens{-1, 3, 99}), 1); // none of the vocabulary
}

} // namespace
} // namespace weft::cli
