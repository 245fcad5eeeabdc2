// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ptxsim/race/SharedShadow.h"

#include <gtest/gtest.h>

namespace weft::ptxsim {
namespace {

/// Two warps, and their accesses.
struct Race : testing::Test {
  Ordering order{2};
  SharedShadow shadow{1024, order};

  SharedAccess by(int warp, int lane, uint32_t address, uint32_t bytes = 4) {
    return {address, bytes, warp, warp, lane, order.now(warp), uint32_t(100 + warp)};
  }
  void barrier() {
    SyncPoint point;
    order.release(0, point);
    order.release(1, point);
    order.acquire(0, point);
    order.acquire(1, point);
  }
};

TEST_F(Race, IsAReadOfWhatAnotherWarpWroteWithoutABarrier) {
  EXPECT_FALSE(shadow.write(by(0, 0, 16)));
  std::optional<Conflict> conflict = shadow.read(by(1, 0, 16));
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->kind, Conflict::Race);
  EXPECT_TRUE(conflict->otherWrote);
  EXPECT_EQ(conflict->otherLine, 100u);
  EXPECT_EQ(conflict->address, 16u);
  barrier();
  EXPECT_FALSE(shadow.read(by(1, 0, 16)));
}

TEST_F(Race, IsAWriteOverWhatAnotherWarpReads) {
  EXPECT_FALSE(shadow.read(by(0, 3, 16)));
  EXPECT_FALSE(shadow.read(by(1, 3, 16)));
  std::optional<Conflict> conflict = shadow.write(by(1, 3, 16));
  ASSERT_TRUE(conflict);
  EXPECT_FALSE(conflict->otherWrote);
  EXPECT_EQ(conflict->otherAgent, 0);
  barrier();
  EXPECT_FALSE(shadow.write(by(1, 3, 16)));
}

TEST_F(Race, IsBetweenLanesOfAWarpUntilTheySync) {
  EXPECT_FALSE(shadow.write(by(0, 0, 16)));
  EXPECT_FALSE(shadow.read(by(0, 0, 16)));
  EXPECT_TRUE(shadow.read(by(0, 1, 16)));
  order.syncLanes(0);
  EXPECT_FALSE(shadow.read(by(0, 1, 16)));
}

TEST_F(Race, IsNotBetweenDifferentBytes) {
  EXPECT_FALSE(shadow.write(by(0, 0, 16, 2)));
  EXPECT_FALSE(shadow.write(by(1, 0, 18, 2)));
  EXPECT_FALSE(shadow.read(by(1, 0, 18, 2)));
}

TEST_F(Race, IsNotBetweenStoresOfTheSameValue) {
  EXPECT_FALSE(shadow.write(by(0, 0, 16)));
  EXPECT_FALSE(shadow.write(by(1, 0, 16), true));
  barrier();
  EXPECT_FALSE(shadow.write(by(0, 0, 16)));
  EXPECT_TRUE(shadow.write(by(1, 0, 16)));
}

TEST_F(Race, EndsAtABarrierOfWhichOnlyOneSideKnows) {
  SyncPoint full;
  EXPECT_FALSE(shadow.write(by(0, 0, 16)));
  order.release(0, full);
  EXPECT_FALSE(shadow.write(by(0, 0, 32))); // after the release: not part of it
  order.acquire(1, full);
  EXPECT_FALSE(shadow.read(by(1, 0, 16)));
  EXPECT_TRUE(shadow.read(by(1, 0, 32)));
}

TEST_F(Race, IsAReadOfACopyBeforeItsWait) {
  int copies = order.addAgent(true);
  SharedAccess copy = by(0, 0, 64, 16);
  copy.agent = copies, copy.clock = 1;
  EXPECT_FALSE(shadow.write(copy));
  EXPECT_TRUE(shadow.read(by(0, 0, 64)));
  order.learn(0, copies, 1);
  EXPECT_FALSE(shadow.read(by(0, 0, 64)));
  EXPECT_TRUE(shadow.read(by(1, 0, 64)));
  barrier();
  EXPECT_FALSE(shadow.read(by(1, 0, 64)));
}

TEST_F(Race, IsAnAsynchronousReadWithoutAProxyFence) {
  int products = order.addAgent(false);
  EXPECT_FALSE(shadow.write(by(0, 0, 16)));
  barrier();
  SharedAccess operand = by(1, SharedAccess::kAllLanes, 16);
  operand.agent = products, operand.clock = 1;
  std::optional<Conflict> conflict = shadow.read(operand);
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->kind, Conflict::MissingFence);
  order.fenceProxy(0); // too late for warp 1: no barrier after it
  EXPECT_TRUE(shadow.read(operand));
  barrier();
  EXPECT_FALSE(shadow.read(operand));
  EXPECT_TRUE(shadow.write(by(1, 0, 16))); // the operand is in flight
  order.learn(1, products, 1);
  EXPECT_FALSE(shadow.write(by(1, 0, 16)));
}

TEST_F(Race, ForgetsWhatIsNotChecked) {
  EXPECT_FALSE(shadow.write(by(0, 0, 16)));
  shadow.forget(16, 4);
  EXPECT_FALSE(shadow.write(by(1, 0, 16)));
}

} // namespace
} // namespace weft::ptxsim
