// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/conformance/ExpertCase.h"

#include "test/conformance/Halves.h"

#include <algorithm>
#include <cmath>

namespace weft::test {

using reference::Normalize;
using reference::Scoring;

namespace {
constexpr const char *kLayer = R"(
func.func @@ENTRY(%x: tensor<?x@Dxf32> {weft.name = "x", weft.dims = ["tokens", ""]},
                  %scores: tensor<?x@Exf32> {weft.name = "scores", weft.dims = ["tokens", ""]}@ARGUMENT)
    -> (tensor<?x@Dxf32> {weft.name = "y", weft.dims = ["tokens", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %number = arith.constant 0.0 : f32
  %top = arith.constant @K : index
  %t = tensor.dim %x, %zero : tensor<?x@Dxf32>
  %r = arith.muli %t, %top : index
@ROUTE
  %e0 = tensor.empty(%r) : tensor<?xi32>
  %e1 = tensor.empty(%r) : tensor<?xf32>
  %e2 = tensor.empty() : tensor<@ENDxi32>
  %tokens, %sorted, %offsets = weft.dispatch @CAPACITY ins(%experts, %weights : tensor<?x@Kxi32>, tensor<?x@Kxf32>)
      outs(%e0, %e1, %e2 : tensor<?xi32>, tensor<?xf32>, tensor<@ENDxi32>)
      -> tensor<?xi32>, tensor<?xf32>, tensor<@ENDxi32>
  %wg = weft.parameter "@ENTRY.gate" sources([@GATES]) : tensor<@Ex@Fx@Dx@TYPE>
  %wu = weft.parameter "@ENTRY.up" : tensor<@Ex@Fx@Dx@TYPE>
  %wd = weft.parameter "@ENTRY.down" : tensor<@Ex@Dx@Fx@TYPE>
  %wide = tensor.empty(%r) : tensor<?x@Fxf32>
  %g = weft.grouped_matmul ins(%x, %wg, %offsets : tensor<?x@Dxf32>, tensor<@Ex@Fx@Dx@TYPE>, tensor<@ENDxi32>)
       rows(%tokens : tensor<?xi32>) outs(%wide : tensor<?x@Fxf32>) -> tensor<?x@Fxf32>
  %u = weft.grouped_matmul ins(%x, %wu, %offsets : tensor<?x@Dxf32>, tensor<@Ex@Fx@Dx@TYPE>, tensor<@ENDxi32>)
       rows(%tokens : tensor<?xi32>) outs(%wide : tensor<?x@Fxf32>) -> tensor<?x@Fxf32>
  %h = linalg.generic {indexing_maps = [affine_map<(i, n) -> (i, n)>, affine_map<(i, n) -> (i, n)>,
      affine_map<(i, n) -> (i, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%g, %u : tensor<?x@Fxf32>, tensor<?x@Fxf32>) outs(%wide : tensor<?x@Fxf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %one = arith.constant 1.0 : f32
    %minus = arith.negf %a : f32
    %power = math.exp %minus : f32
    %under = arith.addf %one, %power : f32
    %silu = arith.divf %a, %under : f32
    %gated = arith.mulf %silu, %b : f32
    linalg.yield %gated : f32
  } -> tensor<?x@Fxf32>
  %rows = tensor.empty(%r) : tensor<?x@Dxf32>
  %y = weft.grouped_matmul ins(%h, %wd, %offsets : tensor<?x@Fxf32>, tensor<@Ex@Dx@Fx@TYPE>, tensor<@ENDxi32>)
       outs(%rows : tensor<?x@Dxf32>) -> tensor<?x@Dxf32>
  %none = tensor.empty(%t) : tensor<?x@Dxf32>
  %zeros = linalg.fill ins(%number : f32) outs(%none : tensor<?x@Dxf32>) -> tensor<?x@Dxf32>
  %sum = weft.combine ins(%y, %tokens, %sorted : tensor<?x@Dxf32>, tensor<?xi32>, tensor<?xf32>)
       outs(@INTO : tensor<?x@Dxf32>) -> tensor<?x@Dxf32>
  return %sum : tensor<?x@Dxf32>
}
)";

std::string gateOf(const Layer &l, int64_t expert) { return l.entry() + ".gate." + std::to_string(expert); }

std::string textOf(const Layer &l) {
  std::string gates;
  for (int64_t e = 0; e < l.experts(); ++e)
    gates += (e ? ", \"" : "\"") + gateOf(l, e) + "\"";
  return replaced(kLayer, {{"@ROUTE", l.route.op("%scores")},
                           {"@ARGUMENT", l.route.bias ? ", %bias: tensor<@Exf32> {weft.name = \"bias\"}" : ""},
                           {"@CAPACITY", l.capacity ? "{capacity = " + std::to_string(*l.capacity) + " : i64}" : ""},
                           {"@GATES", gates},
                           {"@INTO", l.residual ? "%x" : "%zeros"},
                           {"@ENTRY", l.entry()},
                           {"@END", std::to_string(l.experts() + 1)},
                           {"@E", std::to_string(l.experts())},
                           {"@K", std::to_string(l.route.spec.top)},
                           {"@D", std::to_string(l.hidden)},
                           {"@F", std::to_string(l.width)},
                           {"@TYPE", l.type}});
}

std::vector<float> joined(const std::vector<std::vector<float>> &parts) {
  std::vector<float> all;
  for (const std::vector<float> &part : parts)
    all.insert(all.end(), part.begin(), part.end());
  return all;
}
} // namespace

const std::vector<Layer> &layers() {
  static const std::vector<Layer> all = {
      {{"mixtral", {8, 2, Scoring::Softmax, Normalize::Sum}}, 64, 112},
      {{"small", {4, 1, Scoring::Sigmoid}}, 7, 5, std::nullopt, true},
      {{"many", {64, 8, Scoring::Softmax}}, 33, 17},
      {{"grouped", {16, 4, Scoring::Sigmoid, Normalize::Sum, 2.5, 0, 4, 2, 2}, true}, 40, 48, std::nullopt, true},
      {{"most", {512, 10, Scoring::Softmax, Normalize::Sum}}, 16, 8},
      {{"primes", {31, 7, Scoring::Softmax, Normalize::Sum}}, 61, 29},
      {{"all", {5, 5, Scoring::None, Normalize::Softmax}}, 17, 101, std::nullopt, true},
      {{"capacity", {8, 2, Scoring::None, Normalize::Softmax}}, 24, 32, 3},
      {{"half", {8, 3, Scoring::Softmax, Normalize::Sum}}, 48, 64, std::nullopt, false, "bf16"},
  };
  return all;
}
const Layer &layer(const std::string &name) {
  return *std::find_if(layers().begin(), layers().end(), [&](const Layer &l) { return l.entry() == name; });
}

ExpertWeights ExpertWeights::random(const Layer &l, Numbers &numbers) {
  ExpertWeights weights;
  auto draw = [&](int64_t depth) {
    std::vector<float> values = numbers.normals(l.hidden * l.width);
    for (float &value : values)
      value = rounded(kStored[0], value / std::sqrt(float(depth)));
    return values;
  };
  for (int64_t e = 0; e < l.experts(); ++e) {
    weights.gate.push_back(draw(l.hidden));
    weights.up.push_back(draw(l.hidden));
    weights.down.push_back(draw(l.width));
  }
  return weights;
}

Arrays ExpertWeights::file(const Layer &l) const {
  auto array = [&](const std::string &name, std::vector<int64_t> shape, const std::vector<float> &values) {
    return std::string(l.type) == "f32" ? Array::of<float>(name, std::move(shape), values)
                                        : arrayOf(kStored[0], name, std::move(shape), values);
  };
  Arrays all = {array(l.entry() + ".up", {l.experts(), l.width, l.hidden}, joined(up)),
                array(l.entry() + ".down", {l.experts(), l.hidden, l.width}, joined(down))};
  for (int64_t e = 0; e < l.experts(); ++e)
    all.push_back(array(gateOf(l, e), {l.width, l.hidden}, gate[e]));
  return all;
}

std::vector<double> expected(const Layer &l, const ExpertWeights &w, const Array &states,
                             const reference::Routes &routes) {
  int64_t top = l.route.spec.top, experts = l.experts(), rows = states.shape[0] * top;
  reference::Dispatched at = reference::dispatch(experts, top, routes.experts, routes.weights, l.capacity);
  auto product = [&](int64_t columns, int64_t depth, const std::vector<double> &lhs, const auto &weights,
                     const std::vector<int32_t> &tokens) {
    return reference::groupedMatmul({experts, columns, depth}, lhs, widen(joined(weights)), at.offsets, rows, tokens);
  };
  std::vector<double> x = widen(states), gate = product(l.width, l.hidden, x, w.gate, at.tokens),
                      up = product(l.width, l.hidden, x, w.up, at.tokens);
  for (size_t i = 0; i < gate.size(); ++i)
    gate[i] *= up[i] / (1 + std::exp(-gate[i]));
  std::vector<double> start = l.residual ? x : std::vector<double>(x.size());
  return reference::combine(l.hidden, product(l.hidden, l.width, gate, w.down, {}), at.tokens, at.weights, start);
}

std::vector<double> expected(const Layer &l, const ExpertWeights &w, const Arrays &in) {
  std::vector<double> bias = l.route.bias ? widen(in[2]) : std::vector<double>();
  return expected(l, w, in[0], reference::route(l.route.spec, widen(in[1]), bias));
}

Arrays inputsOf(const Layer &l, int64_t tokens, Numbers &numbers) {
  std::vector<float> x = numbers.normals(tokens * l.hidden), scores;
  for (float &value : x)
    value = rounded(kStored[0], value);
  std::vector<double> bias(l.route.bias ? l.experts() : 0);
  for (double &number : bias)
    number = double(numbers.normal() * 0.1f);
  while (int64_t(scores.size()) < tokens * l.experts()) {
    std::vector<float> token = numbers.normals(l.experts());
    if (reference::route(l.route.spec, widen(token), bias).margins[0] > 1e-5)
      scores.insert(scores.end(), token.begin(), token.end());
  }
  Arrays all = {Array::of<float>("x", {tokens, l.hidden}, x),
                Array::of<float>("scores", {tokens, l.experts()}, scores)};
  if (l.route.bias)
    all.push_back(Array::of<float>("bias", {l.experts()}, std::vector<float>(bias.begin(), bias.end())));
  return all;
}

std::string moduleOf(const std::vector<const Layer *> &some) {
  std::string text = "module attributes {weft.dim_bounds = {tokens = array<i64: 0, 16384>}} {";
  for (const Layer *l : some)
    text += textOf(*l);
  return text + "}\n";
}

std::unique_ptr<CompiledModule> compiled(const std::vector<const Layer *> &some,
                                         const std::vector<ExpertWeights> &weights) {
  Arrays file;
  for (size_t i = 0; i < some.size(); ++i)
    for (Array &array : weights[i].file(*some[i]))
      file.push_back(std::move(array));
  return std::make_unique<CompiledModule>(moduleOf(some), file);
}

} // namespace weft::test
