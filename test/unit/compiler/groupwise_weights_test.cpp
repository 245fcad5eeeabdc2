// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/GroupwiseWeights.h"

#include "runtime/include/weft/abi.h"

#include "gtest/gtest.h"

#include <limits>

namespace weft {
namespace {

ParameterDescription parameterOf(const std::string &form, std::vector<int64_t> shape, bool outByIn = true) {
  return {"p", {"w"}, PanelsDescription{16, outByIn, false, form}, WEFT_I8, std::move(shape)};
}

TensorView view(const std::string &name, std::vector<int64_t> shape, const std::vector<float> &values) {
  return {name, DType::F32, std::move(shape), std::as_bytes(std::span(values))};
}

Result<std::vector<uint8_t>> fill(const ParameterDescription &parameter,
                                  const std::vector<const TensorView *> &sources) {
  std::vector<uint8_t> out(parameter.elements(), 55);
  Result<void> filled = fillGroupwise(parameter, sources, "model.safetensors", std::as_writable_bytes(std::span(out)));
  if (!filled)
    return filled.takeError();
  return out;
}

/// Two outputs over 34 inputs: the first is 8, 7, … -23 and then 1, 0; the second 0 but for its last value.
std::vector<float> values() {
  std::vector<float> all(68, 0);
  for (int k = 0; k < 32; ++k)
    all[k] = static_cast<float>(8 - k);
  all[32] = 1;
  all[67] = -127;
  return all;
}

TEST(GroupwiseWeightsTest, FourBits) {
  std::vector<float> stored = values();
  TensorView weight = view("w", {2, 34}, stored);
  std::vector<uint8_t> bytes = *fill(parameterOf("int4", {1, 2, 288}), {&weight});
  // -23 is -8 times 2.875 (0x41c0 in f16): 8 is 2.78 of it, 7 is 2.43, …
  EXPECT_EQ(bytes[256] | bytes[257] << 8, 0x41c0);
  EXPECT_EQ(bytes[0], 0x23);      // 8, 7 -> 3, 2
  EXPECT_EQ(bytes[1], 0x22);      // 6, 5 -> 2, 2
  EXPECT_EQ(bytes[3], 0x01);      // 2, 1 -> 1, 0
  EXPECT_EQ(bytes[64 + 1], 0xff); // -2, -3: byte 1 of word 1 -> -1, -1
  EXPECT_EQ(bytes[4], 0);
  EXPECT_EQ(bytes[258] | bytes[259] << 8, 0); // a group of zeros
  // The second group: 1 and 0, then 0 and -127, which is -8 times 15.875 (0x4bf0).
  EXPECT_EQ(bytes[288 + 256] | bytes[288 + 257] << 8, 0xb000); // -1/8: 1 is -8 times it
  EXPECT_EQ(bytes[288], 0x08);
  EXPECT_EQ(bytes[288 + 258] | bytes[288 + 259] << 8, 0x4bf0);
  EXPECT_EQ(bytes[288 + 4], 0x80);
}

TEST(GroupwiseWeightsTest, EachBlockIsAWeightOfItsOwn) {
  std::vector<float> stored = values(), doubled = values();
  for (float &value : doubled)
    value *= 2;
  TensorView first = view("w0", {2, 34}, stored), second = view("w1", {2, 34}, doubled);
  std::vector<uint8_t> expected = *fill(parameterOf("int4", {1, 2, 288}), {&first});
  std::vector<uint8_t> other = *fill(parameterOf("int4", {1, 2, 288}), {&second});
  expected.insert(expected.end(), other.begin(), other.end());
  EXPECT_EQ(*fill(parameterOf("int4", {2, 1, 2, 288}), {&first, &second}), expected);
  EXPECT_EQ(fill(parameterOf("int4", {3, 1, 2, 288}), {&first, &second}).error().code, "W0607");
}

TEST(GroupwiseWeightsTest, EightBits) {
  std::vector<float> stored = values();
  TensorView weight = view("w", {2, 34}, stored);
  std::vector<uint8_t> bytes = *fill(parameterOf("q8_0", {1, 2, 544}), {&weight});
  EXPECT_EQ(bytes[512] | bytes[513] << 8, 0x31cc); // 23 / 127 in f16: 0.18115
  EXPECT_EQ(static_cast<int8_t>(bytes[0]), 44);
  EXPECT_EQ(static_cast<int8_t>(bytes[7 * 64 + 3]), -127);
  EXPECT_EQ(bytes[544 + 514] | bytes[544 + 515] << 8, 0x3c00);
  EXPECT_EQ(static_cast<int8_t>(bytes[544 + 5]), -127);
}

TEST(GroupwiseWeightsTest, BothOrdersOfTheAxesGiveTheSame) {
  std::vector<float> stored = values(), turned(68);
  for (int n = 0; n < 2; ++n)
    for (int k = 0; k < 34; ++k)
      turned[k * 2 + n] = stored[n * 34 + k];
  TensorView weight = view("w", {2, 34}, stored), other = view("w", {34, 2}, turned);
  EXPECT_EQ(*fill(parameterOf("int4", {1, 2, 288}), {&weight}),
            *fill(parameterOf("int4", {1, 2, 288}, false), {&other}));
}

TEST(GroupwiseWeightsTest, PanelsGoOnAcrossSources) {
  std::vector<float> stored = values(), first(stored.begin(), stored.begin() + 34),
                     rest(stored.begin() + 34, stored.end());
  TensorView weight = view("w", {2, 34}, stored), q = view("q", {1, 34}, first), k = view("k", {1, 34}, rest);
  EXPECT_EQ(*fill(parameterOf("q8_0", {1, 2, 544}), {&weight}), *fill(parameterOf("q8_0", {1, 2, 544}), {&q, &k}));
}

TEST(GroupwiseWeightsTest, ValuesWithoutAFormAreRefusedByName) {
  struct Case {
    float value;
    const char *code;
  };
  for (Case bad : {Case{std::numeric_limits<float>::quiet_NaN(), "W0616"},
                   Case{-std::numeric_limits<float>::infinity(), "W0616"}, Case{1e9f, "W0619"}}) {
    std::vector<float> stored = values();
    stored[40] = bad.value;
    TensorView weight = view("layer.3.weight", {2, 34}, stored);
    Result<std::vector<uint8_t>> bytes = fill(parameterOf("int4", {1, 2, 288}), {&weight});
    ASSERT_FALSE(bytes);
    EXPECT_EQ(bytes.error().code, bad.code);
    EXPECT_NE(bytes.error().message.find("layer.3.weight"), std::string::npos);
  }
}

TEST(GroupwiseWeightsTest, OtherShapesAreRefused) {
  std::vector<float> stored = values();
  TensorView weight = view("w", {2, 34}, stored), flat = view("w", {68}, stored);
  ParameterDescription misfits[] = {parameterOf("int4", {1, 3, 288}), parameterOf("int4", {2, 2, 288}),
                                    parameterOf("int4", {1, 2, 544}), parameterOf("int4", {1, 576}),
                                    parameterOf("int5", {1, 2, 288})};
  for (const ParameterDescription &parameter : misfits) {
    Result<std::vector<uint8_t>> filled = fill(parameter, {&weight});
    ASSERT_FALSE(filled);
    EXPECT_EQ(filled.error().code, "W0607");
  }
  EXPECT_FALSE(fill(parameterOf("int4", {1, 2, 288}), {&flat}));
}

} // namespace
} // namespace weft
