// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/IndexScan.h"

#include "runtime/include/weft/abi.h"

#include "gtest/gtest.h"

#include <limits>
#include <vector>

using namespace weft::runtime;

namespace {
template <class T> uint64_t firstBad(int32_t dtype, std::vector<T> values, int64_t limit) {
  return findOutOfRange(dtype, values.data(), values.size(), limit);
}
} // namespace

TEST(IndexScan, FindsTheFirstAnywhere) {
  for (size_t at : {0u, 1u, 1023u, 1024u, 2999u}) {
    std::vector<int64_t> values(3000, 9);
    values[at] = 10;
    values[2999] = -1;
    EXPECT_EQ(firstBad(WEFT_I64, values, 10), at);
  }
}

TEST(IndexScan, NegativeValuesAreOutOfRange) {
  EXPECT_EQ(firstBad<int64_t>(WEFT_I64, {0, -1}, INT64_MAX), 1u);
  EXPECT_EQ(firstBad<int32_t>(WEFT_I32, {0, INT32_MIN}, INT64_MAX), 1u);
  EXPECT_EQ(firstBad<int16_t>(WEFT_I16, {0, -5}, 70000), 1u);
  EXPECT_EQ(firstBad<int8_t>(WEFT_I8, {0, 127, -100}, 200), 2u);
}

TEST(IndexScan, LimitsAboveTheTypeAllowAllOfIt) {
  EXPECT_EQ(firstBad<uint8_t>(WEFT_U8, {0, 255}, 256), 2u);
  EXPECT_EQ(firstBad<uint8_t>(WEFT_U8, {0, 255}, 255), 1u);
  EXPECT_EQ(firstBad<int32_t>(WEFT_I32, {0, INT32_MAX}, INT64_C(1) << 40), 2u);
}

TEST(IndexScan, EmptyArrays) { EXPECT_EQ(findOutOfRange(WEFT_I64, nullptr, 0, 10), 0u); }

TEST(IndexScan, ValuesAndFills) {
  std::vector<float> floats(4);
  fillWith(WEFT_F32, floats.data(), 1, 3, -2);
  EXPECT_EQ(floats, (std::vector<float>{0, -2, -2, 0}));
  std::vector<int8_t> bytes(3);
  fillWith(WEFT_I8, bytes.data(), 0, 2, -1);
  EXPECT_EQ(valueAt(WEFT_I8, bytes.data(), 1), -1);
  EXPECT_EQ(valueAt(WEFT_U8, bytes.data(), 1), 255);
}
