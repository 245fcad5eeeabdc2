// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers of experts compiled for each level against float64 and against themselves.
#include "test/conformance/ExpertCase.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cmath>

namespace weft::test {
namespace {

/// Tokens of the inputs, in this order.
Arrays chosen(const Arrays &in, const std::vector<int64_t> &tokens) {
  Arrays some = in;
  for (size_t i = 0; i < 2; ++i)
    some[i] = reordered(in[i], tokens);
  return some;
}

struct ExpertLayer : testing::Test {
  static void SetUpTestSuite() {
    Numbers numbers(120);
    std::vector<const Layer *> all;
    for (const Layer &l : layers()) {
      all.push_back(&l);
      weights.push_back(ExpertWeights::random(l, numbers));
    }
    module = compiled(all, weights);
  }
  static void TearDownTestSuite() {
    module.reset();
    weights.clear();
  }
  static const ExpertWeights &weightsOf(const Layer &l) { return weights[&l - layers().data()]; }

  static inline std::unique_ptr<CompiledModule> module;
  static inline std::vector<ExpertWeights> weights;
};

std::string nameOf(const std::string &variant, const Layer &l, int64_t tokens) {
  return variant + " " + l.entry() + ", tokens " + std::to_string(tokens);
}

/// Hidden states of bf16 products are rounded to it where products take nothing else.
double boundOf(const Layer &l, const std::string &variant) {
  return std::string(l.type) == "bf16" && roundsRows(variant) ? 4e-3 : 2e-6;
}

TEST_F(ExpertLayer, IsWithinBoundsOfFloat64) {
  Numbers numbers(121);
  for (const Layer &l : layers())
    for (int64_t tokens : {0, 1, 2, 3, 8, 31, 128, l.experts() > 100 ? 257 : 1009}) {
      Arrays in = inputsOf(l, tokens, numbers);
      std::vector<double> want = expected(l, weightsOf(l), in);
      for (const std::string &variant : module->variants()) {
        Array out = module->run(variant, l.entry(), in)[0];
        RelativeError error;
        error.add(floatsOf(out), want);
        EXPECT_LT(error.value(), boundOf(l, variant)) << nameOf(variant, l, tokens);
        for (RunOptions options : {RunOptions{2}, RunOptions{3, Flush::AtStart}})
          EXPECT_TRUE(sameBits(out, module->run(variant, l.entry(), in, options)[0])) << nameOf(variant, l, tokens);
      }
    }
}

TEST_F(ExpertLayer, TenThousandTokens) {
  Numbers numbers(127);
  const Layer &l = layer("many");
  Arrays in = inputsOf(l, 10007, numbers);
  std::vector<double> want = expected(l, weightsOf(l), in);
  for (const std::string &variant : module->variants()) {
    RelativeError error;
    error.add(floatsOf(module->run(variant, l.entry(), in, {2})[0]), want);
    EXPECT_LT(error.value(), boundOf(l, variant)) << variant;
  }
}

TEST_F(ExpertLayer, TokensStandAloneAndInAnyOrder) {
  Numbers numbers(122);
  constexpr int64_t kTokens = 29;
  for (const Layer &l : layers()) {
    if (l.capacity)
      continue;
    Arrays in = inputsOf(l, kTokens, numbers);
    std::vector<int64_t> order = randomOrder(kTokens, numbers), some = {3, 28, 11, 5, 17};
    for (const std::string &variant : module->variants()) {
      Array out = module->run(variant, l.entry(), in)[0];
      for (const std::vector<int64_t> &tokens : {order, some})
        EXPECT_TRUE(sameBits(module->run(variant, l.entry(), chosen(in, tokens), {2})[0], reordered(out, tokens)))
            << nameOf(variant, l, kTokens);
      for (int64_t token = 0; token < kTokens; ++token)
        EXPECT_TRUE(sameBits(module->run(variant, l.entry(), chosen(in, {token}))[0], rowsOf(out, token, 1)))
            << nameOf(variant, l, token);
    }
  }
}

TEST_F(ExpertLayer, AllTokensMayChooseTheSameExperts) {
  Numbers numbers(123);
  for (const Layer &l : layers()) {
    Arrays in = inputsOf(l, 100, numbers);
    in[1] = reordered(in[1], std::vector<int64_t>(100, 42));
    std::vector<double> want = expected(l, weightsOf(l), in);
    for (const std::string &variant : module->variants()) {
      RelativeError error;
      error.add(floatsOf(module->run(variant, l.entry(), in, {3})[0]), want);
      EXPECT_LT(error.value(), boundOf(l, variant)) << nameOf(variant, l, 100);
    }
  }
}

/// A NaN among a token's scores or states makes that token NaN and changes no bit of another.
TEST_F(ExpertLayer, NanStaysInItsToken) {
  Numbers numbers(124);
  constexpr int64_t kTokens = 21, kIll = 9;
  for (const Layer &l : layers()) {
    if (l.capacity)
      continue;
    Arrays healthy = inputsOf(l, kTokens, numbers);
    for (size_t input : {0, 1}) {
      Arrays in = healthy;
      std::vector<float> values = floatsOf(in[input]);
      values[kIll * in[input].shape[1] + 1] = std::nanf("");
      in[input] = Array::of<float>(in[input].name, in[input].shape, values);
      for (const std::string &variant : module->variants()) {
        Array out = module->run(variant, l.entry(), in)[0], before = module->run(variant, l.entry(), healthy)[0];
        EXPECT_THAT(floatsOf(rowsOf(out, kIll, 1)), testing::Each(testing::IsNan())) << nameOf(variant, l, kIll);
        for (int64_t token = 0; token < kTokens; ++token)
          EXPECT_EQ(sameBits(rowsOf(out, token, 1), rowsOf(before, token, 1)), token != kIll)
              << nameOf(variant, l, token) << ", input " << input;
      }
    }
  }
}

} // namespace
} // namespace weft::test
