// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The float64 layer ops against values computed by hand.
#include "test/reference/layer.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace weft::reference;
using testing::DoubleNear;
using testing::ElementsAre;

// Row 1, 3: mean 2, variance 1.
TEST(ReferenceLayerNorm, NormalisesEachRow) {
  EXPECT_THAT(layerNorm(2, {1, 3, -5, -5}, {1, 1}, {}, 1e-300), ElementsAre(-1, 1, 0, 0));
}

TEST(ReferenceLayerNorm, ScalesAndShifts) {
  EXPECT_THAT(layerNorm(2, {1, 3}, {10, 100}, {0.5, 0.25}, 0.0), ElementsAre(-9.5, 100.25));
}

TEST(ReferenceLayerNorm, EpsilonIsAddedToTheVariance) {
  EXPECT_THAT(layerNorm(2, {1, 3}, {1, 1}, {}, 3.0), ElementsAre(-0.5, 0.5));
}

TEST(ReferenceLayerNorm, LargeMeanLosesNothing) {
  EXPECT_THAT(layerNorm(2, {1e8 + 1, 1e8 + 3}, {1, 1}, {}, 0.0), ElementsAre(-1, 1));
}

TEST(ReferenceEmbedding, TakesRows) {
  EXPECT_THAT(embedding(2, {2, 0, 2}, {1, 2, 3, 4, 5, 6}), ElementsAre(5, 6, 1, 2, 5, 6));
}

// [[1, 2, 3], [4, 5, 6]] in panels of two columns.
TEST(ReferencePack, FillsTheLastPanelWithZeros) {
  EXPECT_THAT(pack(2, 3, 2, {1, 2, 3, 4, 5, 6}), ElementsAre(1, 2, 4, 5, 3, 0, 6, 0));
}

TEST(ReferencePackedMatmul, MultipliesAndAddsTheBias) {
  std::vector<double> packed = pack(2, 3, 2, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(packedMatmul(2, 3, 2, 2, {1, 10, 0, 1}, packed, {0.5, 0, 0}), ElementsAre(41.5, 52, 63, 4.5, 5, 6));
  EXPECT_THAT(packedMatmul(1, 3, 2, 2, {1, 0}, packed, {}), ElementsAre(1, 2, 3));
}

TEST(ReferenceRelativeRms, IsTheErrorInUnitsOfTheExpected) {
  EXPECT_THAT(relativeRms(std::vector<double>{3, 4.5}, {3, 4}), DoubleNear(0.1, 1e-15));
  EXPECT_EQ(relativeRms(std::vector<float>{1, 2}, {1, 2}), 0);
  EXPECT_EQ(relativeRms(std::vector<double>{0}, {0}), 0);
}

TEST(ReferenceRelativeRms, NanAndWrongLengthsAreInfinitelyWrong) {
  EXPECT_TRUE(std::isinf(relativeRms(std::vector<double>{std::nan("")}, {1})));
  EXPECT_TRUE(std::isinf(relativeRms(std::vector<double>{1, 2}, {1})));
  EXPECT_TRUE(std::isinf(relativeRms(std::vector<double>{1e-3}, {0})));
  EXPECT_EQ(relativeRms(std::vector<double>{-INFINITY, 1}, {-INFINITY, 1}), 0);
}
