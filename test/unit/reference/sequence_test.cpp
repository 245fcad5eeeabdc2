// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The float64 convolution over time against values computed by hand.
#include "test/reference/sequence.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace weft::reference;
using testing::ElementsAre;

// Taps 100, 10, 1 of one channel: a sum reads like the three digits that a step sees.
TEST(ReferenceCausalConv, TheLastTapIsThePresentStep) {
  ConvResult result = causalConv({1, 4, 1, 3}, {1, 2, 3, 4}, {100, 10, 1}, {}, {}, {});
  EXPECT_THAT(result.sums, ElementsAre(1, 12, 123, 234));
  EXPECT_THAT(result.state, ElementsAre(3, 4));
}

TEST(ReferenceCausalConv, StartsWithTheStateAndTheBias) {
  ConvResult result = causalConv({1, 1, 1, 3}, {3}, {100, 10, 1}, {0.5}, {}, {1, 2});
  EXPECT_THAT(result.sums, ElementsAre(123.5));
  EXPECT_THAT(result.state, ElementsAre(2, 3));
}

TEST(ReferenceCausalConv, ResetHidesWhatLiesBefore) {
  ConvResult result = causalConv({1, 4, 1, 3}, {3, 4, 5, 6}, {100, 10, 1}, {}, {0, 7, 0, 1}, {1, 2});
  EXPECT_THAT(result.sums, ElementsAre(123, 4, 45, 6));
  EXPECT_THAT(result.state, ElementsAre(0, 6));
}

TEST(ReferenceCausalConv, InReverseTheFirstStepIsTheLast) {
  ConvResult result = causalConv({1, 4, 1, 3, true}, {6, 5, 4, 3}, {100, 10, 1}, {}, {0, 0, 1, 0}, {1, 2});
  EXPECT_THAT(result.sums, ElementsAre(456, 45, 4, 123));
  EXPECT_THAT(result.state, ElementsAre(5, 6));
}

TEST(ReferenceCausalConv, BatchesAndChannelsStandAlone) {
  ConvResult result = causalConv({2, 1, 2, 2}, {1, 2, 3, 4}, {10, 1, 20, 2}, {}, {}, {5, 6, 7, 8});
  EXPECT_THAT(result.sums, ElementsAre(51, 124, 73, 168));
}

namespace {
Accumulators linear(const Accumulators &a, const Accumulators &b) { return {a[0] * b[0], b[0] * a[1] + b[1]}; }
} // namespace

TEST(ReferenceScan, CarriesAllAccumulators) {
  ScanResult result = scan({1, 3, 1}, linear, {{2, 3, 5}, {1, 1, 1}}, {}, {});
  EXPECT_THAT(result.prefixes, ElementsAre(ElementsAre(2, 6, 30), ElementsAre(1, 4, 21)));
  EXPECT_THAT(result.states, ElementsAre(ElementsAre(30), ElementsAre(21)));
}

TEST(ReferenceScan, BeginsWithTheStateAndAtResets) {
  ScanResult result = scan({1, 3, 1}, linear, {{2, 3, 5}, {1, 1, 1}}, {0, 9, 0}, {{7}, {10}});
  EXPECT_THAT(result.prefixes, ElementsAre(ElementsAre(14, 3, 15), ElementsAre(21, 1, 6)));
}

TEST(ReferenceScan, InReverseTheFirstStepIsTheLast) {
  EXPECT_THAT(scan({1, 3, 1, true}, linear, {{5, 3, 2}, {1, 1, 1}}, {}, {}).prefixes[1], ElementsAre(21, 4, 1));
}

TEST(ReferenceScan, SharedAccumulatorsHaveNoLanes) {
  ScanResult result = scan({1, 2, 2}, linear, {{2, 3}, {1, 10, 2, 20}}, {}, {});
  EXPECT_THAT(result.prefixes, ElementsAre(ElementsAre(2, 6), ElementsAre(1, 10, 5, 50)));
  EXPECT_THAT(result.states, ElementsAre(ElementsAre(6), ElementsAre(5, 50)));
}
