// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers of experts, from scores to weighted sums, compiled for each level against float64 and against themselves.
#include "test/conformance/Halves.h"
#include "test/conformance/RouteCase.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cmath>
#include <limits>

namespace weft::test {
namespace {

/// Each expert is down · (silu(gate · x) ∘ up · x).
struct Layer {
  RouteCase route;
  int64_t hidden, width;
  std::optional<int64_t> capacity = std::nullopt;
  bool residual = false;    ///< to what x holds, rather than to zeros
  const char *type = "f32"; ///< of the weights
  const std::string &entry() const { return route.name; }
  int64_t experts() const { return route.spec.experts; }
};

using reference::Normalize;
using reference::Scoring;
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

/// The weights of a layer's experts, [experts] of each.
struct Weights {
  std::vector<std::vector<float>> gate, up, down;

  static Weights random(const Layer &l, Numbers &numbers) {
    Weights weights;
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

  /// A tensor for each gate, stacks of the others.
  Arrays file(const Layer &l) const {
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

  static std::vector<float> joined(const std::vector<std::vector<float>> &parts) {
    std::vector<float> all;
    for (const std::vector<float> &part : parts)
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }
};

std::vector<double> expected(const Layer &l, const Weights &w, const Arrays &in) {
  int64_t top = l.route.spec.top, experts = l.experts(), rows = in[0].shape[0] * top;
  reference::Routes routes =
      reference::route(l.route.spec, widen(in[1]), l.route.bias ? widen(in[2]) : std::vector<double>());
  reference::Dispatched at = reference::dispatch(experts, top, routes.experts, routes.weights, l.capacity);
  auto product = [&](int64_t columns, int64_t depth, const std::vector<double> &lhs, const auto &weights,
                     const std::vector<int32_t> &tokens) {
    return reference::groupedMatmul({experts, columns, depth}, lhs, widen(Weights::joined(weights)), at.offsets, rows,
                                    tokens);
  };
  std::vector<double> x = widen(in[0]), gate = product(l.width, l.hidden, x, w.gate, at.tokens),
                      up = product(l.width, l.hidden, x, w.up, at.tokens);
  for (size_t i = 0; i < gate.size(); ++i)
    gate[i] *= up[i] / (1 + std::exp(-gate[i]));
  std::vector<double> start = l.residual ? x : std::vector<double>(x.size());
  return reference::combine(l.hidden, product(l.hidden, l.width, gate, w.down, {}), at.tokens, at.weights, start);
}

/// x of numbers that bf16 holds, and scores that tell experts apart in f32 too.
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

/// Tokens of the inputs, in this order.
Arrays chosen(const Arrays &in, const std::vector<int64_t> &tokens) {
  Arrays some = in;
  for (size_t i = 0; i < 2; ++i)
    some[i] = reordered(in[i], tokens);
  return some;
}

std::unique_ptr<CompiledModule> compiled(const std::vector<const Layer *> &some, const std::vector<Weights> &weights) {
  std::string text = "module attributes {weft.dim_bounds = {tokens = array<i64: 0, 16384>}} {";
  Arrays file;
  for (size_t i = 0; i < some.size(); ++i) {
    text += textOf(*some[i]);
    for (Array &array : weights[i].file(*some[i]))
      file.push_back(std::move(array));
  }
  return std::make_unique<CompiledModule>(text + "}\n", file);
}

struct ExpertLayer : testing::Test {
  static void SetUpTestSuite() {
    Numbers numbers(120);
    std::vector<const Layer *> all;
    for (const Layer &l : layers()) {
      all.push_back(&l);
      weights.push_back(Weights::random(l, numbers));
    }
    module = compiled(all, weights);
  }
  static void TearDownTestSuite() {
    module.reset();
    weights.clear();
  }
  static const Weights &weightsOf(const Layer &l) { return weights[&l - layers().data()]; }

  static inline std::unique_ptr<CompiledModule> module;
  static inline std::vector<Weights> weights;
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

// Experts and their scores in another order: the same sums.
TEST(ExpertRelations, ExpertsMayBeNumberedInAnyOrder) {
  Numbers numbers(125);
  const Layer &l = layer("mixtral");
  Weights weights = Weights::random(l, numbers), moved;
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

// Weights that sum to 1 of experts that are equal: an MLP.
TEST(ExpertRelations, EqualExpertsAreOneMlp) {
  Numbers numbers(126);
  const Layer &l = layer("mixtral");
  Weights weights = Weights::random(l, numbers);
  Layer dense = l;
  dense.route.spec = {1, 1, Scoring::Softmax};
  Weights one{{weights.gate[0]}, {weights.up[0]}, {weights.down[0]}};
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
