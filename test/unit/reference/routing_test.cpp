// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Float64 mixtures of experts against values computed by hand.
#include "test/reference/routing.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace weft::reference;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pointwise;

namespace {
const double kNan = std::nan("");
auto near(const std::vector<double> &values) { return Pointwise(testing::DoubleNear(1e-15), values); }
} // namespace

TEST(ReferenceRoute, TheLargestComeFirstAndOfEqualOnesTheFirst) {
  Routes routes = route({4, 3}, {1, 5, 5, 2, /**/ -0.0, 0, -1, 0});
  EXPECT_THAT(routes.experts, ElementsAre(1, 2, 3, /**/ 0, 1, 3));
  EXPECT_THAT(routes.weights, ElementsAre(5, 5, 2, 0, 0, 0));
}

TEST(ReferenceRoute, NanIsLargestAndStaysInItsRow) {
  Routes routes = route({3, 2, Scoring::Softmax}, {0, INFINITY, kNan, /**/ 0, 0, 0});
  EXPECT_THAT(routes.experts, ElementsAre(0, 1, 0, 1));
  EXPECT_TRUE(std::isnan(routes.weights[0]));
  EXPECT_THAT(routes.weights[3], DoubleNear(1 / 3.0, 1e-15));
  EXPECT_THAT(route({3, 2}, {0, INFINITY, kNan}).experts, ElementsAre(2, 1));
}

// Scores log 1, log 2, log 5: the softmax is 1/8, 2/8, 5/8.
TEST(ReferenceRoute, WeighsByScoringAndThenNormalizes) {
  std::vector<double> scores = {0, std::log(2.0), std::log(5.0)};
  EXPECT_THAT(route({3, 2, Scoring::Softmax}, scores).weights, near({0.625, 0.25}));
  EXPECT_THAT(route({3, 2, Scoring::Softmax, Normalize::Sum}, scores).weights, near({5 / 7.0, 2 / 7.0}));
  EXPECT_THAT(route({3, 2, Scoring::None, Normalize::Softmax}, scores).weights, near({5 / 7.0, 2 / 7.0}));
  EXPECT_THAT(route({3, 2, Scoring::Sigmoid, Normalize::None, 3}, scores).weights, near({2.5, 2}));
}

TEST(ReferenceRoute, TheBiasChoosesAndDoesNotWeigh) {
  Routes routes = route({3, 1, Scoring::Sigmoid}, {0, 2, 1}, {1, 0, 0});
  EXPECT_THAT(routes.experts, ElementsAre(0));
  EXPECT_THAT(routes.weights, ElementsAre(0.5));
}

// Groups {9, 0}, {5, 5}, {8, 1}: by their best number the first and the third, by two the second and, the first of two
// equals, the first.
TEST(ReferenceRoute, GroupsAreRankedBySums) {
  RouteSpec spec{.experts = 6, .top = 3, .groups = 3, .topGroups = 2};
  EXPECT_THAT(route(spec, {9, 0, 5, 5, 8, 1}).experts, ElementsAre(0, 4, 5));
  spec.groupRank = 2;
  EXPECT_THAT(route(spec, {9, 0, 5, 5, 8, 1}).experts, ElementsAre(0, 2, 3));
}

TEST(ReferenceRoute, SaysWhichDecisionsWereClose) {
  EXPECT_THAT(route({3, 1}, {1, 4, 3, /**/ 2, 2, 1, /**/ 2, kNan, 1}).margins, ElementsAre(0.25, INFINITY, INFINITY));
  EXPECT_THAT(route({3, 2}, {1, 4, 3.5}).margins, ElementsAre(0.125));
}

// Of 4 with a jitter of 0.2: below 2.4 is far from it, and below 1.8 is far from 3.
TEST(ReferenceRoute, SparsemixerWeighsAmongTheNear) {
  RouteSpec spec{.experts = 4, .top = 2, .normalize = Normalize::Sparsemixer, .jitter = 0.2};
  EXPECT_THAT(route(spec, {4, 3, 2, 1}).weights, near({1 / (1 + std::exp(-1)), 1 / (1 + std::exp(-1))}));
}

TEST(ReferenceDispatch, SortsStablyAndDropsWhatIsNoExpert) {
  Dispatched result = dispatch(3, 2, {2, 0, 0, 3, 2, -1}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(result.tokens, ElementsAre(0, 1, 0, 2, -1, -1));
  EXPECT_THAT(result.weights, ElementsAre(2, 3, 1, 5, 0, 0));
  EXPECT_THAT(result.offsets, ElementsAre(0, 2, 2, 4));
}

TEST(ReferenceDispatch, CapacityKeepsTheFirst) {
  Dispatched result = dispatch(2, 1, {1, 1, 0, 1}, {1, 2, 3, 4}, 2);
  EXPECT_THAT(result.tokens, ElementsAre(2, 0, 1, -1));
  EXPECT_THAT(result.offsets, ElementsAre(0, 1, 3));
  EXPECT_THAT(dispatch(2, 1, {1, 1, 0, 1}, {1, 2, 3, 4}, 0).offsets, ElementsAre(0, 0, 0));
}

// Two groups of weights (1, 10) and (100, 1000), one column; the last row is in no group.
TEST(ReferenceGroupedMatmul, MultipliesRowsWithTheirGroup) {
  std::vector<double> out =
      groupedMatmul({2, 1, 2}, {1, 2, 3, 4}, {1, 10, 100, 1000}, {0, 1, 3}, 4, {1, 0, 1, 0}, {0.5, 0.25});
  EXPECT_THAT(std::vector<double>(out.begin(), out.begin() + 3), ElementsAre(43.5, 2100.25, 4300.25));
  EXPECT_TRUE(std::isnan(out[3]));
}

TEST(ReferenceCombine, AddsToTheTokensThatThereAre) {
  EXPECT_THAT(combine(2, {1, 2, 3, 4, 5, 6, kNan, kNan}, {1, -1, 1, 2}, {10, 1, 100, 1}, {0, 0, 0.5, 0}),
              ElementsAre(0, 0, 510.5, 620));
}
