// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers of experts compiled for each level, beside others that must be equal to them.
#include "test/conformance/ExpertCase.h"

#include "gtest/gtest.h"

#include <array>
#include <limits>

namespace weft::test {
namespace {

// Experts and their scores in another order: the same sums.
TEST(ExpertRelations, ExpertsMayBeNumberedInAnyOrder) {
  Numbers numbers(125);
  const Layer &l = layer("mixtral");
  ExpertWeights weights = ExpertWeights::random(l, numbers), moved;
  std::vector<int64_t> order = randomOrder(l.experts(), numbers);
  for (int64_t e : order) {
    moved.gate.push_back(weights.gate[e]);
    moved.up.push_back(weights.up[e]);
    moved.down.push_back(weights.down[e]);
  }
  Arrays in = inputsOf(l, 70, numbers), turned = in;
  std::vector<float> scores = floatsOf(in[1]), others;
  for (size_t i = 0; i < scores.size(); ++i)
    others.push_back(scores[i / order.size() * order.size() + order[i % order.size()]]);
  turned[1] = Array::of<float>("scores", in[1].shape, others);
  std::unique_ptr<CompiledModule> first = compiled({&l}, {weights}), second = compiled({&l}, {moved});
  for (const std::string &variant : first->variants()) {
    RelativeError error;
    error.add(floatsOf(second->run(variant, l.entry(), turned)[0]), widen(first->run(variant, l.entry(), in)[0]));
    EXPECT_LT(error.value(), 1e-6) << variant;
  }
}

// What is no expert takes no part, whoever chose it.
TEST(ExpertRelations, ExpertsThatAreNoneAreSkipped) {
  Numbers numbers(128);
  const Layer &l = layer("small");
  std::vector<ExpertWeights> weights = {ExpertWeights::random(l, numbers)};
  const char *scores = "%scores: tensor<?x4xf32> {weft.name = \"scores\", weft.dims = [\"tokens\", \"\"]}";
  const char *given = "%experts: tensor<?x1xi32> {weft.name = \"experts\", weft.dims = [\"tokens\", \"\"]}, "
                      "%weights: tensor<?x1xf32> {weft.name = \"weights\", weft.dims = [\"tokens\", \"\"]}";
  CompiledModule module(replaced(moduleOf({&l}), {{l.route.op("%scores"), ""}, {scores, given}}), weights[0].file(l));
  constexpr int32_t kMost = std::numeric_limits<int32_t>::max(), kLeast = std::numeric_limits<int32_t>::min();
  std::vector<int32_t> experts(200);
  for (int32_t &expert : experts)
    expert = std::array{0, 3, 4, 1, -1, kMost, 2, kLeast}[numbers.below(8)];
  Arrays in = {numbers.array("x", {200, l.hidden}), Array::of<int32_t>("experts", {200, 1}, experts),
               numbers.array("weights", {200, 1})};
  std::vector<double> want = expected(l, weights[0], in[0], {experts, widen(in[2]), {}});
  for (const std::string &variant : module.variants())
    for (RunOptions options : {RunOptions{1}, RunOptions{3, Flush::AtStart}}) {
      RelativeError error;
      error.add(floatsOf(module.run(variant, l.entry(), in, options)[0]), want);
      EXPECT_LT(error.value(), 2e-6) << variant;
    }
}

// ExpertWeights that sum to 1 of experts that are equal: an MLP.
TEST(ExpertRelations, EqualExpertsAreOneMlp) {
  Numbers numbers(126);
  const Layer &l = layer("mixtral");
  ExpertWeights weights = ExpertWeights::random(l, numbers);
  Layer dense = l;
  dense.route.spec = {1, 1, reference::Scoring::Softmax};
  ExpertWeights one{{weights.gate[0]}, {weights.up[0]}, {weights.down[0]}};
  for (int64_t e = 1; e < l.experts(); ++e) {
    weights.gate[e] = weights.gate[0];
    weights.up[e] = weights.up[0];
    weights.down[e] = weights.down[0];
  }
  Arrays in = inputsOf(l, 90, numbers);
  std::vector<double> want = expected(dense, one, {in[0], Array::of<float>("scores", {90, 1}, std::vector<float>(90))});
  std::unique_ptr<CompiledModule> module = compiled({&l}, {weights});
  for (const std::string &variant : module->variants()) {
    RelativeError error;
    error.add(floatsOf(module->run(variant, l.entry(), in)[0]), want);
    EXPECT_LT(error.value(), 2e-6) << variant;
  }
}

} // namespace
} // namespace weft::test
