// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontends/weights/FloatValues.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

namespace weft {
namespace {

template <class T> TensorView tensorOf(const std::vector<T> &values, DType dtype) {
  return {"t", dtype, {static_cast<int64_t>(values.size())}, std::as_bytes(std::span(values))};
}

TEST(FloatValuesTest, EveryF16IsExact) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float expected = static_cast<float>(std::bit_cast<_Float16>(static_cast<uint16_t>(bits)));
    float got = floatFromF16(static_cast<uint16_t>(bits));
    if (std::isnan(expected))
      EXPECT_TRUE(std::isnan(got)) << bits;
    else
      EXPECT_EQ(std::bit_cast<uint32_t>(got), std::bit_cast<uint32_t>(expected)) << bits;
  }
}

TEST(FloatValuesTest, EveryBF16IsTheUpperHalf) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float got = floatFromBF16(static_cast<uint16_t>(bits));
    EXPECT_EQ(std::bit_cast<uint32_t>(got), bits << 16);
  }
  EXPECT_EQ(floatFromBF16(0x3F80), 1.0f);
  EXPECT_EQ(floatFromBF16(0xC049), -3.140625f);
}

TEST(FloatValuesTest, ReadsEachTypeAtOddAddresses) {
  std::vector<float> out(2);
  std::vector<std::byte> bytes(17);
  auto place = [&](const auto &values) {
    std::memcpy(bytes.data() + 1, values.data(), sizeof(values));
    return std::span<const std::byte>(bytes).subspan(1, sizeof(values));
  };
  auto read = [&](DType dtype, std::span<const std::byte> data) {
    auto result = readF32({"t", dtype, {2}, data}, out);
    ASSERT_TRUE(result) << result.error().format();
    EXPECT_EQ(out, (std::vector<float>{1.5f, -2.0f})) << dtypeName(dtype);
    out.assign(2, 0.0f);
  };
  read(DType::F32, place(std::array<float, 2>{1.5f, -2.0f}));
  read(DType::F64, place(std::array<double, 2>{1.5, -2.0}));
  read(DType::F16, place(std::array<uint16_t, 2>{0x3E00, 0xC000}));
  read(DType::BF16, place(std::array<uint16_t, 2>{0x3FC0, 0xC000}));
}

TEST(FloatValuesTest, BlocksOfFourBitsHaveAPowerOfTwoEach) {
  std::vector<uint8_t> bytes(3 * kBlockOfF4 / 2), scales = {127, 125, 0};
  for (size_t index = 0; index < bytes.size(); ++index)
    bytes[index] = static_cast<uint8_t>(2 * index % 16 | (2 * index + 1) % 16 << 4); // all numbers, one after the other
  TensorView tensor{"t", DType::F4, {3, 32}, std::as_bytes(std::span(bytes)), std::as_bytes(std::span(scales))};
  const float numbers[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0f, -0.5, -1, -1.5, -2, -3, -4, -6};
  std::vector<float> out(tensor.elements());
  ASSERT_EQ(out.size(), 3 * kBlockOfF4);
  ASSERT_TRUE(readF32(tensor, out));
  for (size_t index = 0; index < out.size(); ++index) {
    float expected = std::ldexp(numbers[index % 16], scales[index / kBlockOfF4] - 127);
    EXPECT_EQ(std::bit_cast<uint32_t>(out[index]), std::bit_cast<uint32_t>(expected)) << index;
  }
  scales[1] = 255;
  ASSERT_TRUE(readF32(tensor, out));
  EXPECT_EQ(out[1], 0.5f);
  EXPECT_TRUE(std::isnan(out[kBlockOfF4 + 1]));
}

TEST(FloatValuesTest, FourBitsWithoutScalesAreNoNumbers) {
  std::vector<uint8_t> bytes(16);
  std::vector<float> out(32);
  auto read = readF32({"t", DType::F4, {32}, std::as_bytes(std::span(bytes))}, out);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, "W0135");
}

TEST(FloatValuesTest, F64IsRoundedToNearest) {
  std::vector<double> values = {0.1, 1.0 + 0x1p-25, -std::numeric_limits<double>::infinity(), 1e-60};
  std::vector<float> out(values.size());
  ASSERT_TRUE(readF32(tensorOf(values, DType::F64), out));
  EXPECT_EQ(out, (std::vector<float>{0.1f, 1.0f, -std::numeric_limits<float>::infinity(), 0.0f}));
}

TEST(FloatValuesTest, F64BeyondFloatIsRefused) {
  std::vector<double> values = {1.0, 1e39};
  std::vector<float> out(2);
  auto result = readF32(tensorOf(values, DType::F64), out);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "W0135");
}

TEST(FloatValuesTest, IntegersAreNoWeights) {
  std::vector<int64_t> values = {1};
  std::vector<float> out(1);
  auto result = readF32(tensorOf(values, DType::I64), out);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "W0135");
  EXPECT_NE(result.error().message.find("I64"), std::string::npos);
}

TEST(FloatValuesTest, AnEmptyTensor) {
  std::vector<float> none;
  EXPECT_TRUE(readF32(tensorOf(none, DType::F32), none));
}

TEST(FloatValues, EveryHalfComesBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    uint16_t half = static_cast<uint16_t>(bits);
    if ((bits & 0x7FFF) <= 0x7C00)
      EXPECT_EQ(f16FromFloat(floatFromF16(half)), half);
    else
      EXPECT_GT(f16FromFloat(floatFromF16(half)) & 0x7FFF, 0x7C00) << "a NaN stays one";
    if ((bits & 0x7FFF) <= 0x7F80)
      EXPECT_EQ(bf16FromFloat(floatFromBF16(half)), half);
    else
      EXPECT_GT(bf16FromFloat(floatFromBF16(half)) & 0x7FFF, 0x7F80) << "a NaN stays one";
  }
}

TEST(FloatValues, RoundingIsToNearestEven) {
  for (uint16_t bits = 0; bits < 0x7BFF; ++bits) { // between neighbours: the even one, and the nearer one beside it
    float middle = (floatFromF16(bits) + floatFromF16(bits + 1)) / 2;
    EXPECT_EQ(f16FromFloat(middle), bits + (bits & 1));
    EXPECT_EQ(f16FromFloat(std::nextafter(middle, 0.0f)), bits);
    EXPECT_EQ(f16FromFloat(-std::nextafter(middle, 1e9f)), (bits + 1) | 0x8000);
  }
  EXPECT_EQ(f16FromFloat(65519.0f), 0x7BFF);
  EXPECT_EQ(f16FromFloat(65520.0f), 0x7C00);
  EXPECT_EQ(bf16FromFloat(std::bit_cast<float>(0x3F808000u)), 0x3F80);
  EXPECT_EQ(bf16FromFloat(std::bit_cast<float>(0x3F818000u)), 0x3F82);
  EXPECT_EQ(bf16FromFloat(std::bit_cast<float>(0x3F808001u)), 0x3F81);
  EXPECT_EQ(bf16FromFloat(3.4028235e38f), 0x7F80);
}

} // namespace
} // namespace weft
