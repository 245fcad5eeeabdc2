// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ptxsim/async/Mbarrier.h"
#include "tools/ptxsim/async/TensorMap.h"

#include <gtest/gtest.h>

#include <vector>

namespace weft::ptxsim {
namespace {

/// A bf16 matrix of 10 rows of 24 at address 0x1000, in tiles of 4 rows of 16.
TensorMap matrix() {
  TensorMap map = {};
  map.address = 0x1000;
  map.rankMinusOne = 1;
  map.element = TensorElement::BF16;
  map.sizes[0] = 24, map.sizes[1] = 10;
  map.strides[0] = 48;
  map.box[0] = 16, map.box[1] = 4;
  map.elementStrides[0] = map.elementStrides[1] = 1;
  return map;
}

std::vector<TensorRun> runs(const TensorMap &map, std::vector<int32_t> at) {
  std::vector<TensorRun> list;
  forEachRun(map, at.data(), [&](const TensorRun &run) { list.push_back(run); });
  return list;
}

TEST(TensorMap, CountsTheBytesOfATile) {
  TensorMap map = matrix();
  EXPECT_EQ(map.problem(), "");
  EXPECT_EQ(map.tileBytes(), 16u * 4 * 2);
  map.elementStrides[1] = 3; // rows 0 and 3
  EXPECT_EQ(map.tileBytes(), 16u * 2 * 2);
}

TEST(TensorMap, WalksRowsInBounds) {
  std::vector<TensorRun> list = runs(matrix(), {8, 5});
  ASSERT_EQ(list.size(), 4u);
  for (uint32_t row = 0; row < 4; ++row) {
    EXPECT_TRUE(list[row].inside);
    EXPECT_EQ(list[row].global, 0x1000u + (5 + row) * 48 + 16);
    EXPECT_EQ(list[row].offset, row * 32);
    EXPECT_EQ(list[row].bytes, 32u);
  }
}

TEST(TensorMap, SplitsRowsAtTheEndsOfTheTensor) {
  std::vector<TensorRun> list = runs(matrix(), {-4, 8}); // 4 columns before, then 12; rows 8, 9, and two beyond
  ASSERT_EQ(list.size(), 6u);
  EXPECT_FALSE(list[0].inside);
  EXPECT_EQ(list[0].bytes, 8u);
  EXPECT_TRUE(list[1].inside);
  EXPECT_EQ(list[1].global, 0x1000u + 8 * 48);
  EXPECT_EQ(list[1].offset, 8u);
  EXPECT_EQ(list[1].bytes, 24u);
  EXPECT_FALSE(list[4].inside);
  EXPECT_EQ(list[4].bytes, 32u);
  list = runs(matrix(), {16, 0});
  EXPECT_EQ(list[0].bytes, 16u);
  EXPECT_FALSE(list[1].inside);
}

TEST(TensorMap, WalksFiveDimensionsWithStrides) {
  TensorMap map = {};
  map.address = 0x10000;
  map.rankMinusOne = 4;
  map.element = TensorElement::F32;
  for (int dimension = 0; dimension < 5; ++dimension) {
    map.sizes[dimension] = 8;
    map.box[dimension] = uint16_t(dimension == 0 ? 4 : 2);
    map.elementStrides[dimension] = 1;
  }
  map.box[4] = 3, map.elementStrides[4] = 2; // places 0 and 2
  for (int dimension = 0; dimension < 4; ++dimension)
    map.strides[dimension] = 32u << (3 * dimension);
  std::vector<TensorRun> list = runs(map, {1, 2, 3, 4, 5});
  ASSERT_EQ(list.size(), 16u);
  uint64_t first = 0x10000 + 4 + 2 * 32 + 3 * 256 + 4 * 2048 + uint64_t(5) * 16384;
  EXPECT_EQ(list[0].global, first);
  EXPECT_EQ(list[1].global, first + 32);
  EXPECT_EQ(list[2].global, first + 256);
  EXPECT_EQ(list[8].global, first + 2 * 16384);
  EXPECT_EQ(list[8].offset, 8u * 16);
}

TEST(TensorMap, IsFilledFieldByField) {
  TensorMap map = {};
  EXPECT_NE(map.problem(), "");
  EXPECT_TRUE(map.replace("global_address", 0, 0x2000));
  EXPECT_TRUE(map.replace("rank", 0, 1));
  EXPECT_TRUE(map.replace("elemtype", 0, 0xa));
  EXPECT_TRUE(map.replace("swizzle_mode", 0, 3));
  EXPECT_TRUE(map.replace("global_stride", 0, 128));
  for (int ordinal : {0, 1}) {
    EXPECT_TRUE(map.replace("box_dim", ordinal, 64));
    EXPECT_TRUE(map.replace("global_dim", ordinal, 64));
    EXPECT_TRUE(map.replace("element_stride", ordinal, 1));
  }
  EXPECT_EQ(map.problem(), "");
  EXPECT_EQ(map.element, TensorElement::BF16);
  EXPECT_EQ(map.swizzleSpan(), 128);
  EXPECT_FALSE(map.replace("global_stride", 4, 16));
  EXPECT_FALSE(map.replace("colour", 0, 1));
}

TEST(TensorMap, SaysWhatIsWrong) {
  TensorMap map = matrix();
  map.swizzle = TensorSwizzle::Bytes32;
  EXPECT_EQ(map.problem(), "");
  map.box[0] = 24;
  EXPECT_EQ(map.problem(), "a row of the box has 48 bytes, more than the swizzle's 32");
  map = matrix();
  map.strides[0] = 50;
  EXPECT_EQ(map.problem(), "stride of dimension 1 is 50 bytes, not a multiple of 16 below 2^40");
  map = matrix();
  map.address += 8;
  EXPECT_EQ(map.problem(), "global address is null or not a multiple of 16");
}

TEST(TensorMap, NumbersElementsAsTheDriverDoes) {
  EXPECT_EQ(tensorElementOfDriver(9), int(TensorElement::BF16));
  EXPECT_EQ(tensorElementOfDriver(8), int(TensorElement::F64));
  EXPECT_EQ(tensorElementOfDriver(11), int(TensorElement::TF32));
  EXPECT_EQ(tensorElementOfDriver(13), -1);
}

TEST(Mbarrier, CompletesAPhaseWhenAllArrivedAndAllBytesCame) {
  Mbarrier barrier = Mbarrier::init(2);
  EXPECT_EQ(barrier.expectBytes(100), "");
  EXPECT_EQ(barrier.arrive(1), "");
  EXPECT_EQ(barrier.arrive(1), "");
  EXPECT_FALSE(barrier.isComplete(0)); // the bytes are missing
  EXPECT_EQ(barrier.completeBytes(60), "");
  EXPECT_FALSE(barrier.isComplete(0));
  EXPECT_EQ(barrier.completeBytes(40), "");
  EXPECT_TRUE(barrier.isComplete(0));
  EXPECT_FALSE(barrier.isComplete(1));
  EXPECT_EQ(barrier.pending, 2u);
}

TEST(Mbarrier, TakesBytesBeforeTheyAreExpected) {
  Mbarrier barrier = Mbarrier::init(1);
  EXPECT_EQ(barrier.completeBytes(64), "");
  EXPECT_EQ(barrier.bytes, -64);
  EXPECT_EQ(barrier.expectBytes(64), "");
  EXPECT_EQ(barrier.arrive(1), "");
  EXPECT_TRUE(barrier.isComplete(0));
}

TEST(Mbarrier, KeepsItsStateInAWord) {
  Mbarrier barrier{1, 77, Mbarrier::kMaxCount, -12345};
  std::optional<Mbarrier> back = Mbarrier::decode(barrier.encode());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->phase, 1u);
  EXPECT_EQ(back->pending, 77u);
  EXPECT_EQ(back->expected, Mbarrier::kMaxCount);
  EXPECT_EQ(back->bytes, -12345);
  EXPECT_FALSE(Mbarrier::decode(0));
  EXPECT_FALSE(Mbarrier::decode(0x3f8000003f800000));
}

TEST(Mbarrier, LeavesTheFollowingPhases) {
  Mbarrier barrier = Mbarrier::init(3);
  EXPECT_EQ(barrier.arriveDrop(1), "");
  EXPECT_EQ(barrier.arrive(2), "");
  EXPECT_TRUE(barrier.isComplete(0));
  EXPECT_EQ(barrier.pending, 2u);
}

TEST(Mbarrier, RefusesOneArrivalTooMany) {
  Mbarrier barrier = Mbarrier::init(1);
  EXPECT_EQ(barrier.arrive(2), "arrival of 2 at an mbarrier whose phase waits for 1 more");
  EXPECT_EQ(barrier.arrive(1, false), "arrive.noComplete would complete the phase");
  EXPECT_EQ(barrier.expectBytes(Mbarrier::kMaxCount + 1), "expect_tx makes the tx-count 1048576, above 1048575");
}

} // namespace
} // namespace weft::ptxsim
