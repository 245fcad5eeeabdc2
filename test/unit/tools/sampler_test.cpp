// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/weft/Sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace weft::cli {
namespace {

const float kInfinity = std::numeric_limits<float>::infinity();

TEST(Sampler, TakesTheFirstOfTheHighestScoresAtTemperatureZero) {
  Sampler sampler(0, 1);
  EXPECT_EQ(sampler.pick(std::vector<float>{-3, 2, 5, 5, -kInfinity}), 2);
}

TEST(Sampler, DrawsByTheSoftmaxOfTheScores) {
  const std::vector<float> scores = {1, -kInfinity, 0.5f, -1, 2};
  for (double temperature : {0.5, 1.0, 3.0}) {
    Sampler sampler(temperature, 42);
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
  Sampler one(1, 7), same(1, 7), other(1, 8);
  int differences = 0;
  for (int draw = 0; draw < 50; ++draw) {
    std::optional<int64_t> token = one.pick(scores);
    EXPECT_EQ(token, same.pick(scores));
    differences += token != other.pick(scores);
  }
  EXPECT_GT(differences, 25);
}

TEST(Sampler, IsTheLikeliestNearTemperatureZeroWithoutOverflow) {
  Sampler sampler(1e-300, 3);
  EXPECT_EQ(sampler.pick(std::vector<float>{3e38f, -3e38f, 0}), 0);
}

TEST(Sampler, HasNoChoiceAmongScoresThatAreNoNumbers) {
  for (double temperature : {0.0, 1.0}) {
    Sampler sampler(temperature, 1);
    EXPECT_FALSE(sampler.pick(std::vector<float>{1, std::nanf(""), 2}));
    EXPECT_FALSE(sampler.pick(std::vector<float>{1, kInfinity, 2}));
    EXPECT_FALSE(sampler.pick(std::vector<float>{-kInfinity, -kInfinity}));
    EXPECT_FALSE(sampler.pick({}));
  }
}

} // namespace
} // namespace weft::cli
