// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.route compiled for each level against float64 and against itself.
#include "test/conformance/RouteCase.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace weft::test {
namespace {

/// Experts that choose tokens: a route of the transposed scores, whose number of choices is that of the tokens.
constexpr const char *kExpertChoice = R"(
func.func @expert_choice(%scores: tensor<?x6xf32> {weft.name = "scores", weft.dims = ["many", ""]})
    -> (tensor<6x3xi32> {weft.name = "tokens"}, tensor<6x3xf32> {weft.name = "weights"}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %t = tensor.dim %scores, %zero : tensor<?x6xf32>
  %turned = tensor.empty(%t) : tensor<6x?xf32>
  %by_expert = linalg.transpose ins(%scores : tensor<?x6xf32>) outs(%turned : tensor<6x?xf32>) permutation = [1, 0]
  %e = tensor.empty() : tensor<6x3xi32>
  %w = tensor.empty() : tensor<6x3xf32>
  %tokens, %weights = weft.route ins(%by_expert : tensor<6x?xf32>)
      outs(%e, %w : tensor<6x3xi32>, tensor<6x3xf32>) -> tensor<6x3xi32>, tensor<6x3xf32>
  return %tokens, %weights : tensor<6x3xi32>, tensor<6x3xf32>
}
)";

struct RouteConformance : testing::Test {
  static void SetUpTestSuite() {
    std::string text =
        "module attributes {weft.dim_bounds = {tokens = array<i64: 0, 8192>, many = array<i64: 3, 512>}} {";
    for (const RouteCase &c : routeCases())
      text += c.text();
    module = std::make_unique<CompiledModule>(text + kExpertChoice + "}\n");
  }
  static void TearDownTestSuite() { module.reset(); }

  static Arrays randomInputs(const RouteCase &c, int64_t tokens, Numbers &numbers) {
    return c.inputs(numbers.normals(tokens * c.spec.experts), numbers);
  }

  /// The scores with one of them replaced.
  static Arrays with(const RouteCase &c, Arrays inputs, int64_t token, int64_t expert, float score) {
    std::vector<float> scores = floatsOf(inputs[0]);
    scores[token * c.spec.experts + expert] = score;
    inputs[0] = Array::of<float>("scores", inputs[0].shape, scores);
    return inputs;
  }

  static inline std::unique_ptr<CompiledModule> module;
};

std::string nameOf(const std::string &variant, const RouteCase &c, int64_t tokens) {
  return variant + " " + c.name + ", tokens " + std::to_string(tokens);
}

bool isNear(float actual, double expected) {
  if (std::isnan(expected))
    return std::isnan(actual);
  return actual == expected || std::fabs(actual - expected) <= 2e-6 * std::fabs(expected);
}

/// Which of the tokens differ from the reference, without those whose decisions were closer than what f32 can tell
/// apart.
std::vector<int64_t> wrongTokens(const RouteCase &c, const Arrays &out, const reference::Routes &want) {
  std::vector<int64_t> wrong;
  std::vector<int32_t> experts = integersOf(out[0]);
  std::vector<float> weights = floatsOf(out[1]);
  for (size_t token = 0; token < want.margins.size(); ++token)
    for (size_t i = token * c.spec.top; i < (token + 1) * c.spec.top && want.margins[token] > 1e-5; ++i)
      if (experts[i] != want.experts[i] || !isNear(weights[i], want.weights[i])) {
        wrong.push_back(int64_t(token));
        break;
      }
  return wrong;
}

TEST_F(RouteConformance, ChoosesAndWeighsAsInFloat64) {
  Numbers numbers(80);
  for (const RouteCase &c : routeCases())
    for (int64_t tokens : {0, 1, 2, 3, 17, 64, c.spec.experts > 100 ? 211 : 1009}) {
      Arrays in = randomInputs(c, tokens, numbers);
      reference::Routes want = expectedOf(c, in);
      int64_t clear = std::count_if(want.margins.begin(), want.margins.end(), [](double m) { return m > 1e-5; });
      EXPECT_GE(clear, tokens * 9 / 10) << c.name;
      for (const std::string &variant : module->variants()) {
        Arrays out = module->run(variant, c.name, in), again = module->run(variant, c.name, in, {3, Flush::AtStart});
        EXPECT_THAT(wrongTokens(c, out, want), testing::IsEmpty()) << nameOf(variant, c, tokens);
        EXPECT_TRUE(sameBits(out[0], again[0]) && sameBits(out[1], again[1])) << nameOf(variant, c, tokens);
      }
    }
}

TEST_F(RouteConformance, ThousandsOfTokens) {
  Numbers numbers(81);
  const RouteCase &c = routeCase("olmoe");
  Arrays in = randomInputs(c, 8192, numbers);
  reference::Routes want = expectedOf(c, in);
  for (const std::string &variant : module->variants())
    EXPECT_THAT(wrongTokens(c, module->run(variant, c.name, in, {2}), want), testing::IsEmpty()) << variant;
}

// Scores of a few values, zeros of both signs among them: of equal ones the lowest expert.
TEST_F(RouteConformance, TiesGoToTheLowestExpert) {
  constexpr float kFew[] = {-0.0f, 0.0f, 1.0f, -2.0f, 0.5f};
  Numbers numbers(82);
  for (const RouteCase &c : routeCases()) {
    std::vector<float> scores(50 * c.spec.experts);
    for (size_t i = 0; i < scores.size(); ++i)
      scores[i] = i < size_t(c.spec.experts) ? 0.25f : kFew[numbers.below(i % 3 == 0 ? 5 : 2)];
    Arrays in = c.inputs(scores, numbers);
    if (c.bias)
      in[1] = Array::of<float>("bias", {c.spec.experts}, std::vector<float>(c.spec.experts, 0.125f));
    reference::Routes want = expectedOf(c, in);
    for (const std::string &variant : module->variants()) {
      EXPECT_EQ(integersOf(module->run(variant, c.name, in)[0]), want.experts) << nameOf(variant, c, 50);
    }
  }
}

// In f32 these scores are all 1 or all 0, of the last row too.
TEST_F(RouteConformance, WhatSaturatesIsEqual) {
  for (auto [name, score] : {std::pair<const char *, float>{"llama4", 40.0f}, {"llama4", -200.0f}}) {
    const RouteCase &c = routeCase(name);
    std::vector<float> scores(c.spec.experts);
    std::iota(scores.begin(), scores.end(), score);
    for (const std::string &variant : module->variants()) {
      Numbers none(0);
      Arrays out = module->run(variant, c.name, c.inputs(scores, none));
      EXPECT_EQ(integersOf(out[0])[0], 0) << variant << " " << score;
      EXPECT_EQ(floatsOf(out[1])[0], score > 0 ? 1.0f : 0.0f) << variant;
    }
  }
}

/// Where the reference says so the token is NaN, and no other changes a bit.
TEST_F(RouteConformance, NanAndInfinityStayInTheirToken) {
  Numbers numbers(83);
  constexpr int64_t kTokens = 19, kIll = 7;
  const float infinity = std::numeric_limits<float>::infinity();
  for (const RouteCase &c : routeCases()) {
    Arrays healthy = randomInputs(c, kTokens, numbers);
    for (float bad : {std::nanf(""), -std::nanf("5"), infinity, -infinity}) {
      Arrays in = with(c, healthy, kIll, c.spec.experts - 2, bad);
      reference::Routes want = expectedOf(c, in);
      for (const std::string &variant : module->variants()) {
        Arrays before = module->run(variant, c.name, healthy), out = module->run(variant, c.name, in);
        for (int64_t token = 0; token < kTokens; ++token)
          for (size_t i = 0; i < 2 && token != kIll; ++i)
            EXPECT_TRUE(sameBits(rowsOf(out[i], token, 1), rowsOf(before[i], token, 1)))
                << nameOf(variant, c, token) << " " << bad;
        EXPECT_THAT(wrongTokens(c, out, want), testing::IsEmpty()) << nameOf(variant, c, kIll) << " " << bad;
      }
    }
  }
}

TEST_F(RouteConformance, ATokenOfNanOrOfInfinitiesAloneIsDefined) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const RouteCase &c : routeCases())
    for (float bad : {std::nanf(""), infinity, -infinity}) {
      Numbers numbers(84);
      Arrays in = c.inputs(std::vector<float>(c.spec.experts, bad), numbers);
      reference::Routes want = expectedOf(c, in);
      for (const std::string &variant : module->variants())
        EXPECT_THAT(wrongTokens(c, module->run(variant, c.name, in), want), testing::IsEmpty())
            << nameOf(variant, c, 1) << " " << bad;
    }
}

TEST_F(RouteConformance, TokensStandAloneAndInAnyOrder) {
  Numbers numbers(85);
  constexpr int64_t kTokens = 37;
  for (const RouteCase &c : routeCases()) {
    Arrays in = randomInputs(c, kTokens, numbers), turned = in, alone = in;
    std::vector<int64_t> order = randomOrder(kTokens, numbers);
    turned[0] = reordered(in[0], order);
    for (const std::string &variant : module->variants()) {
      Arrays out = module->run(variant, c.name, in), other = module->run(variant, c.name, turned, {2});
      for (size_t i = 0; i < 2; ++i)
        EXPECT_TRUE(sameBits(other[i], reordered(out[i], order))) << nameOf(variant, c, kTokens);
      for (int64_t token = 0; token < kTokens; ++token) {
        alone[0] = rowsOf(in[0], token, 1);
        Arrays one = module->run(variant, c.name, alone);
        EXPECT_TRUE(sameBits(one[0], rowsOf(out[0], token, 1)) && sameBits(one[1], rowsOf(out[1], token, 1)))
            << nameOf(variant, c, token);
      }
    }
  }
}

// Experts with other numbers are the same experts. Groups stay together.
TEST_F(RouteConformance, ExpertsMayBeNumberedInAnyOrder) {
  Numbers numbers(86);
  for (const RouteCase &c : routeCases()) {
    if (c.spec.groups > 1)
      continue;
    std::vector<int64_t> order = randomOrder(c.spec.experts, numbers);
    Arrays in = randomInputs(c, 23, numbers), turned = in;
    std::vector<float> scores = floatsOf(in[0]), moved;
    for (size_t i = 0; i < scores.size(); ++i)
      moved.push_back(scores[i / c.spec.experts * c.spec.experts + order[i % c.spec.experts]]);
    turned[0] = Array::of<float>("scores", in[0].shape, moved);
    if (c.bias)
      turned[1] = reordered(in[1], order);
    reference::Routes want = expectedOf(c, in);
    for (const std::string &variant : module->variants()) {
      Arrays out = module->run(variant, c.name, turned);
      std::vector<int32_t> experts = integersOf(out[0]);
      for (int32_t &expert : experts)
        expert = int32_t(order[expert]);
      out[0] = Array::of<int32_t>("experts", out[0].shape, experts);
      EXPECT_THAT(wrongTokens(c, out, want), testing::IsEmpty()) << nameOf(variant, c, 23);
    }
  }
}

TEST_F(RouteConformance, ExpertsChooseTokens) {
  Numbers numbers(87);
  for (int64_t tokens : {3, 4, 37, 509}) {
    Array scores = numbers.array("scores", {tokens, 6});
    std::vector<double> values = widen(scores), turned(6 * tokens);
    for (int64_t i = 0; i < 6 * tokens; ++i)
      turned[i % 6 * tokens + i / 6] = values[i];
    RouteCase c{"expert_choice", {tokens, 3}};
    reference::Routes want = reference::route(c.spec, turned);
    for (const std::string &variant : module->variants())
      EXPECT_THAT(wrongTokens(c, module->run(variant, c.name, {scores}), want), testing::IsEmpty())
          << nameOf(variant, c, tokens);
  }
}

// Where nothing is done for a route its definition runs.
TEST(RouteDefinition, ChoosesAndWeighsAsInFloat64) {
  std::string text = "module attributes {weft.definitions, weft.dim_bounds = {tokens = array<i64: 0, 8192>}} {";
  for (const RouteCase &c : routeCases())
    text += c.text();
  CompiledModule module(text + "}\n", {}, "cpu:v3");
  Numbers numbers(88);
  for (const RouteCase &c : routeCases())
    for (float bad : {0.0f, std::nanf(""), std::numeric_limits<float>::infinity()}) {
      std::vector<float> scores = numbers.normals(65 * c.spec.experts);
      scores[17 * c.spec.experts + 1] = bad;
      Arrays in = c.inputs(scores, numbers);
      for (const std::string &variant : module.variants())
        EXPECT_THAT(wrongTokens(c, module.run(variant, c.name, in, {2}), expectedOf(c, in)), testing::IsEmpty())
            << nameOf(variant, c, 65) << " " << bad;
    }
}

} // namespace
} // namespace weft::test
