// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The float64 attention against values computed by hand.
#include "test/reference/attention.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cmath>
#include <limits>

using namespace weft::reference;
using testing::DoubleEq;
using testing::DoubleNear;
using testing::ElementsAre;

// One query against keys whose scores are log 1 and log 3: the weights are 1/4 and 3/4.
TEST(ReferenceAttention, WeightsAreSoftmaxOfScores) {
  AttentionShape shape{1, 1, 1, 1, 2, 1, 2};
  AttentionResult result = attention(shape, {1}, {0, std::log(3.0)}, {4, 0, 0, 8}, 1.0);
  EXPECT_THAT(result.output, ElementsAre(DoubleNear(1, 1e-15), DoubleNear(6, 1e-15)));
  EXPECT_THAT(result.lse, ElementsAre(DoubleNear(std::log(4.0), 1e-15)));
}

TEST(ReferenceAttention, ScaleMultipliesScores) {
  AttentionShape shape{1, 1, 1, 1, 2, 2, 1};
  // dot products 0 and 2 · log 3, halved by the scale
  AttentionResult result = attention(shape, {1, 1}, {0, 0, std::log(3.0), std::log(3.0)}, {0, 4}, 0.5);
  EXPECT_THAT(result.output, ElementsAre(DoubleNear(3, 1e-15)));
}

TEST(ReferenceAttention, ScoreRegionChangesScores) {
  AttentionShape shape{1, 1, 1, 1, 2, 1, 1};
  auto score = [](double s, int64_t, int64_t, int64_t, int64_t j) { return s + (j == 1 ? std::log(3.0) : 0); };
  EXPECT_THAT(attention(shape, {0}, {5, 7}, {0, 4}, 1.0, score).output, ElementsAre(DoubleNear(3, 1e-15)));
}

TEST(ReferenceAttention, InvisibleKeysAreNotRead) {
  double nan = std::nan("");
  AttentionShape shape{1, 1, 1, 2, 2, 1, 1};
  auto causal = [](int64_t, int64_t, int64_t i, int64_t j) { return j <= i; };
  AttentionResult first = attention(shape, {1, 0}, {1, nan}, {2, nan}, 1.0, {}, causal);
  EXPECT_THAT(first.output[0], DoubleEq(2));
  EXPECT_TRUE(std::isnan(first.output[1]));
}

TEST(ReferenceAttention, RowWithoutVisibleKeyIsZero) {
  AttentionShape shape{1, 1, 1, 1, 2, 1, 2};
  auto none = [](int64_t, int64_t, int64_t, int64_t) { return false; };
  AttentionResult result = attention(shape, {1}, {1, 2}, {1, 2, 3, 4}, 1.0, {}, none);
  EXPECT_THAT(result.output, ElementsAre(0, 0));
  EXPECT_THAT(result.lse, ElementsAre(-std::numeric_limits<double>::infinity()));
}

TEST(ReferenceAttention, LargeScoresDoNotOverflow) {
  AttentionShape shape{1, 1, 1, 1, 2, 1, 1};
  AttentionResult result = attention(shape, {1}, {5000, 5000}, {1, 3}, 1.0);
  EXPECT_THAT(result.output, ElementsAre(DoubleEq(2)));
  EXPECT_THAT(result.lse, ElementsAre(DoubleNear(5000 + std::log(2.0), 1e-12)));
}

// Four heads of queries over two of keys: heads 0 and 1 see the first, 2 and 3 the second.
TEST(ReferenceAttention, HeadsShareGroups) {
  AttentionShape shape{1, 4, 2, 1, 1, 1, 1};
  EXPECT_THAT(attention(shape, {1, 2, 3, 4}, {1, 1}, {10, 20}, 1.0).output, ElementsAre(10, 10, 20, 20));
}

TEST(ReferenceAttention, BatchesAreSeparate) {
  AttentionShape shape{2, 1, 1, 1, 1, 1, 1};
  auto mask = [](int64_t b, int64_t, int64_t, int64_t) { return b == 1; };
  EXPECT_THAT(attention(shape, {1, 1}, {1, 1}, {10, 20}, 1.0, {}, mask).output, ElementsAre(0, 20));
}
