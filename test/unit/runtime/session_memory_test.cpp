// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The memory of sessions: little is reserved where bounds say little, larger calls make it grow, and what no machine
// has is refused.
#include "runtime/core/Reservation.h"
#include "test/unit/runtime/Artifact.h"
#include "test/unit/runtime/UnboundedModel.h"

#include <memory>

using namespace weft::test;
using weft::runtime::Reservation;

namespace {
constexpr int64_t kGigabyte = int64_t(1) << 30;
constexpr int64_t kRows = kGigabyte / 64; // of one column: a gigabyte of scratch

weft_session_info describe(weft_session *session) {
  weft_session_info info = {};
  EXPECT_EQ(weft_session_describe(session, &info), WEFT_OK);
  return info;
}
} // namespace

TEST(SessionMemory, ManySessionsWithoutBounds) {
  UnboundedModel unbounded;
  std::vector<std::unique_ptr<OpenSession>> sessions;
  for (int i = 0; i < 64; ++i)
    sessions.push_back(std::make_unique<OpenSession>(unbounded.model, 1));
  for (auto &open : sessions) {
    ASSERT_EQ(UnboundedModel::run(open->session, 3, 5), WEFT_OK) << weft_last_error();
    EXPECT_LE(describe(open->session).reserved_bytes, uint64_t(kGigabyte));
  }
}

TEST(SessionMemory, GrowsForALargerCall) {
  UnboundedModel unbounded;
  OpenSession s(unbounded.model, 1);
  uint64_t first = describe(s.session).reserved_bytes;
  ASSERT_EQ(UnboundedModel::run(s.session, kRows, 2), WEFT_OK) << weft_last_error();
  uint64_t grown = describe(s.session).reserved_bytes;
  EXPECT_GE(grown, 2u * kGigabyte);
  EXPECT_LT(first, grown);
  ASSERT_EQ(UnboundedModel::run(s.session, 1, 1), WEFT_OK) << weft_last_error();
  EXPECT_EQ(describe(s.session).reserved_bytes, grown);
}

TEST(SessionMemory, WhatNoMachineHasIsRefused) {
  UnboundedModel unbounded;
  OpenSession s(unbounded.model, 1);
  EXPECT_EQ(UnboundedModel::run(s.session, int64_t(1) << 22, int64_t(1) << 22), WEFT_ERROR_MEMORY);
  std::string text = weft_last_error();
  EXPECT_NE(text.find("W0418"), std::string::npos) << text;
  EXPECT_NE(text.find("entry \"f\""), std::string::npos) << text;
  EXPECT_NE(text.find("needs 1.1 PB of scratch memory, the process may have"), std::string::npos) << text;
  EXPECT_NE(text.find("pass less at a time"), std::string::npos) << text;
  EXPECT_EQ(UnboundedModel::run(s.session, 2, 2), WEFT_OK) << weft_last_error();
}

TEST(SessionMemory, WhatCannotBeCountedIsRefused) {
  UnboundedModel unbounded(INT64_MAX);
  OpenSession s(unbounded.model, 1);
  EXPECT_EQ(describe(s.session).arena_bytes, UINT64_MAX);
  // The arena's size overflows; then the output's does, too.
  EXPECT_EQ(UnboundedModel::run(s.session, int64_t(1) << 31, int64_t(1) << 31), WEFT_ERROR_MEMORY);
  EXPECT_EQ(UnboundedModel::run(s.session, int64_t(1) << 40, int64_t(1) << 40), WEFT_ERROR_MEMORY);
  EXPECT_NE(std::string(weft_last_error()).find("more bytes than there are addresses"), std::string::npos);
  weft_tensor inputs[] = {{"x", nullptr, 0, WEFT_I8, 1, {int64_t(1) << 40}},
                          {"w", nullptr, 0, WEFT_I8, 1, {int64_t(1) << 40}}};
  weft_tensor output = {"y", nullptr, 0, WEFT_I8, 0, {}};
  EXPECT_EQ(weft_output_shape(s.session, nullptr, inputs, 2, &output), WEFT_ERROR_MEMORY);
  EXPECT_EQ(UnboundedModel::run(s.session, 2, 2), WEFT_OK) << weft_last_error();
}

TEST(SessionMemory, LimitsBoundWhatIsReserved) {
  UnboundedModel unbounded;
  weft_dim_limit limits[] = {{"n", 8}, {"m", 8}};
  weft_session_options options = {};
  options.size = sizeof(options);
  options.threads = 1;
  options.dim_limits = limits;
  options.dim_limit_count = 2;
  weft_session *session;
  ASSERT_EQ(weft_session_new(unbounded.model, &options, &session), WEFT_OK);
  EXPECT_EQ(describe(session).arena_bytes, 8u * 8 * 64);
  EXPECT_EQ(describe(session).reserved_bytes, 8192u);
  weft_session_free(session);
}

TEST(Reservation, KeepsItsContentsWhenItGrows) {
  Reservation memory = {};
  ASSERT_TRUE(memory.grow(10));
  EXPECT_EQ(memory.bytes, 4096u);
  memory.begin[0] = 7;
  ASSERT_TRUE(memory.grow(int64_t(64) << 20));
  EXPECT_EQ(memory.begin[0], 7);
  memory.begin[memory.bytes - 1] = 8;
  char *before = memory.begin;
  ASSERT_TRUE(memory.grow(memory.bytes - 1));
  EXPECT_EQ(memory.begin, before);
  memory.clear();
  EXPECT_EQ(memory.begin[0], 0);
  EXPECT_EQ(memory.begin[memory.bytes - 1], 0);
  memory.release();
  EXPECT_EQ(memory.begin, nullptr);
}

TEST(Reservation, ARefusalChangesNothing) {
  Reservation memory = {};
  ASSERT_TRUE(memory.grow(1));
  memory.begin[0] = 7;
  for (uint64_t tooMany : {uint64_t(1) << 60, UINT64_MAX})
    EXPECT_FALSE(memory.grow(tooMany));
  EXPECT_EQ(memory.begin[0], 7);
  EXPECT_EQ(memory.bytes, 4096u);
  memory.release();
}
