// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/QuantizedWeights.h"

#include "runtime/include/weft/abi.h"

#include "gtest/gtest.h"

#include <limits>

namespace weft {
namespace {

const PanelsDescription kRows{2, true, true};     // [outputs, inputs]
const PanelsDescription kColumns{2, false, true}; // [inputs, outputs]

TensorView view(const std::string &name, std::vector<int64_t> shape, const std::vector<float> &values) {
  return {name, DType::F32, std::move(shape), std::as_bytes(std::span(values))};
}

template <class T>
Result<std::vector<T>> fill(const ParameterDescription &parameter, const std::vector<const TensorView *> &sources) {
  std::vector<T> out(parameter.elements(), T(55));
  Result<void> filled = fillQuantized(parameter, sources, "model.safetensors", std::as_writable_bytes(std::span(out)));
  if (!filled)
    return filled.takeError();
  return out;
}

// Three outputs over five inputs: the largest magnitudes are 127, 254 and 0.
const std::vector<float> kValues = {127, -1, 0.5f, 1.5f, 2.5f, 254, -254, 2, 1, 3, 0, 0, 0, 0, 0};
const std::vector<int8_t> kPanels = {127, -1, 0, 2, 127, -127, 1, 0, 2, 0, 0, 0, 2, 0, 0, 0,
                                     0,   0,  0, 0, 0,   0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

TEST(QuantizedWeightsTest, EachOutputHasItsScale) {
  TensorView weight = view("w", {3, 5}, kValues);
  EXPECT_EQ(*fill<int8_t>({"p", {"w"}, kRows, WEFT_I8, {2, 2, 8}}, {&weight}), kPanels);
  EXPECT_EQ(*fill<float>({"s", {"w"}, kRows, WEFT_F32, {3}}, {&weight}), (std::vector<float>{1, 2, 0}));
}

TEST(QuantizedWeightsTest, BothOrdersOfTheAxesGiveTheSame) {
  std::vector<float> turned(15);
  for (int n = 0; n < 3; ++n)
    for (int k = 0; k < 5; ++k)
      turned[k * 3 + n] = kValues[n * 5 + k];
  TensorView weight = view("w", {5, 3}, turned);
  EXPECT_EQ(*fill<int8_t>({"p", {"w"}, kColumns, WEFT_I8, {2, 2, 8}}, {&weight}), kPanels);
  EXPECT_EQ(*fill<float>({"s", {"w"}, kColumns, WEFT_F32, {3}}, {&weight}), (std::vector<float>{1, 2, 0}));
}

TEST(QuantizedWeightsTest, PanelsGoOnAcrossSources) {
  std::vector<float> first(kValues.begin(), kValues.begin() + 5), rest(kValues.begin() + 5, kValues.end());
  TensorView q = view("q", {1, 5}, first), k = view("k", {2, 5}, rest);
  EXPECT_EQ(*fill<int8_t>({"p", {"q", "k"}, kRows, WEFT_I8, {2, 2, 8}}, {&q, &k}), kPanels);
  EXPECT_EQ(*fill<float>({"s", {"q", "k"}, kRows, WEFT_F32, {3}}, {&q, &k}), (std::vector<float>{1, 2, 0}));
}

TEST(QuantizedWeightsTest, TheSmallestColumnsAreZeros) {
  std::vector<float> values = {0x1p-101f, 0, 0x1p-100f, 0};
  TensorView weight = view("w", {2, 2}, values);
  EXPECT_EQ(*fill<float>({"s", {"w"}, kRows, WEFT_F32, {2}}, {&weight}), (std::vector<float>{0, 0x1p-100f / 127}));
}

TEST(QuantizedWeightsTest, ValuesThatAreNotFiniteAreRefusedByName) {
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    std::vector<float> values = kValues;
    values[7] = bad;
    TensorView weight = view("layer.3.weight", {3, 5}, values);
    Result<std::vector<int8_t>> panels = fill<int8_t>({"p", {"w"}, kRows, WEFT_I8, {2, 2, 8}}, {&weight});
    ASSERT_FALSE(panels);
    EXPECT_EQ(panels.error().code, "W0616");
    EXPECT_NE(panels.error().message.find("layer.3.weight"), std::string::npos);
    EXPECT_FALSE(fill<float>({"s", {"w"}, kRows, WEFT_F32, {3}}, {&weight}));
  }
}

TEST(QuantizedWeightsTest, OtherShapesAreRefused) {
  TensorView weight = view("w", {3, 5}, kValues), flat = view("w", {15}, kValues);
  const ParameterDescription misfits[] = {
      {"p", {"w"}, kRows, WEFT_I8, {2, 3, 8}},  {"p", {"w"}, kRows, WEFT_I8, {1, 2, 8}},
      {"p", {"w"}, kRows, WEFT_I8, {2, 2, 4}},  {"p", {"w"}, kRows, WEFT_F32, {4}},
      {"p", {"w"}, kRows, WEFT_F32, {2, 2, 8}},
  };
  for (const ParameterDescription &parameter : misfits) {
    std::vector<std::byte> out(parameter.bytes());
    Result<void> filled = fillQuantized(parameter, {&weight}, "", out);
    ASSERT_FALSE(filled);
    EXPECT_EQ(filled.error().code, "W0607");
  }
  std::vector<std::byte> out(32);
  EXPECT_FALSE(fillQuantized({"p", {"w"}, kRows, WEFT_I8, {2, 2, 8}}, {&flat}, "", out));
}

} // namespace
} // namespace weft
