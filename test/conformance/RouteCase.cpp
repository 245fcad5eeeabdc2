// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/conformance/RouteCase.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace weft::test {

using reference::Normalize;
using reference::Scoring;

namespace {
constexpr const char *kScorings[] = {"none", "softmax", "sigmoid"};
constexpr const char *kNormalizations[] = {"none", "sum", "softmax", "sparsemixer"};

constexpr const char *kOp = R"(
  %e = tensor.empty(%t) : tensor<?x@Kxi32>
  %w = tensor.empty(%t) : tensor<?x@Kxf32>
  %experts, %weights = weft.route {scoring = "@SCORING", normalize = "@NORMALIZE", scale = @SCALE : f32,
      groups = @GROUPS : i64, top_groups = @TOPGROUPS : i64, group_rank = @RANK : i64, jitter = @JITTER : f32}
      ins(@SCORES@OPERAND : tensor<?x@Exf32>@TYPE)
      outs(%e, %w : tensor<?x@Kxi32>, tensor<?x@Kxf32>) -> tensor<?x@Kxi32>, tensor<?x@Kxf32>
)";

constexpr const char *kEntry = R"(
func.func @@ENTRY(%scores: tensor<?x@Exf32> {weft.name = "scores", weft.dims = ["tokens", ""]}@ARGUMENT)
    -> (tensor<?x@Kxi32> {weft.name = "experts", weft.dims = ["tokens", ""]},
        tensor<?x@Kxf32> {weft.name = "weights", weft.dims = ["tokens", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %t = tensor.dim %scores, %zero : tensor<?x@Exf32>
@OP
  return %experts, %weights : tensor<?x@Kxi32>, tensor<?x@Kxf32>
}
)";
} // namespace

std::string RouteCase::op(const std::string &scores) const {
  return replaced(kOp, {{"@SCORING", kScorings[int(spec.scoring)]},
                        {"@NORMALIZE", kNormalizations[int(spec.normalize)]},
                        {"@SCALE", std::to_string(spec.scale)},
                        {"@GROUPS", std::to_string(spec.groups)},
                        {"@TOPGROUPS", std::to_string(spec.topGroups)},
                        {"@RANK", std::to_string(spec.groupRank)},
                        {"@JITTER", std::to_string(spec.jitter)},
                        {"@SCORES", scores},
                        {"@OPERAND", bias ? ", %bias" : ""},
                        {"@TYPE", bias ? ", tensor<@Exf32>" : ""},
                        {"@E", std::to_string(spec.experts)},
                        {"@K", std::to_string(spec.top)}});
}

std::string RouteCase::text() const {
  return replaced(kEntry, {{"@ENTRY", name},
                           {"@ARGUMENT", bias ? ", %bias: tensor<@Exf32> {weft.name = \"bias\"}" : ""},
                           {"@E", std::to_string(spec.experts)},
                           {"@K", std::to_string(spec.top)},
                           {"@OP", op("%scores")}});
}

Arrays RouteCase::inputs(const std::vector<float> &scores, Numbers &numbers) const {
  auto tokens = int64_t(scores.size()) / spec.experts;
  Arrays all = {Array::of<float>("scores", {tokens, spec.experts}, scores)};
  if (bias)
    all.push_back(numbers.array("bias", {spec.experts}, 0.3f));
  return all;
}

const std::vector<RouteCase> &routeCases() {
  static const std::vector<RouteCase> cases = {
      {"largest", {4, 1}},
      {"llama4", {16, 1, Scoring::Sigmoid}},
      {"mixtral", {8, 2, Scoring::Softmax, Normalize::Sum}},
      {"olmoe", {64, 8, Scoring::Softmax}},
      {"qwen2", {61, 4, Scoring::Softmax}},
      {"gpt_oss", {32, 4, Scoring::None, Normalize::Softmax}},
      {"phimoe", {16, 2, Scoring::None, Normalize::Sparsemixer, 1, 0.01}},
      {"deepseek2", {160, 6, Scoring::Softmax, Normalize::None, 16, 0, 8, 3, 1}},
      {"deepseek3", {256, 8, Scoring::Sigmoid, Normalize::Sum, 2.5, 0, 8, 4, 2}, true},
      {"qwen3_next", {512, 10, Scoring::Softmax, Normalize::Sum}},
      {"biased", {7, 3, Scoring::None, Normalize::None, -0.5}, true},
      {"biased_softmax", {13, 10, Scoring::Softmax, Normalize::Softmax}, true},
      {"all", {5, 5, Scoring::Sigmoid, Normalize::Softmax}},
  };
  return cases;
}

const RouteCase &routeCase(const std::string &name) {
  const std::vector<RouteCase> &cases = routeCases();
  return *std::find_if(cases.begin(), cases.end(), [&](const RouteCase &c) { return c.name == name; });
}

reference::Routes expectedOf(const RouteCase &c, const Arrays &inputs) {
  return reference::route(c.spec, widen(inputs[0]), c.bias ? widen(inputs[1]) : std::vector<double>());
}

std::vector<int32_t> integersOf(const Array &array) {
  std::span<const int32_t> values = array.values<int32_t>();
  return {values.begin(), values.end()};
}

Array reordered(const Array &array, const std::vector<int64_t> &rows) {
  Array result = array;
  result.shape[0] = int64_t(rows.size());
  size_t bytes = array.shape[0] == 0 ? 0 : array.bytes.size() / array.shape[0];
  result.bytes.resize(rows.size() * bytes);
  for (size_t i = 0; i < rows.size(); ++i)
    std::memcpy(result.bytes.data() + i * bytes, array.bytes.data() + rows[i] * bytes, bytes);
  return result;
}

std::vector<int64_t> randomOrder(int64_t count, Numbers &numbers) {
  std::vector<int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = count - 1; i > 0; --i)
    std::swap(order[i], order[numbers.below(i + 1)]);
  return order;
}

} // namespace weft::test
