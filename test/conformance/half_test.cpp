// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Graphs whose tensors hold bf16 and f16, compiled for each level: products with sums in f32, ops row by row, and every
// conversion, against float64 of the rounded inputs.
#include "test/conformance/CompiledModule.h"
#include "test/conformance/Halves.h"
#include "test/conformance/LinearEntry.h"
#include "test/conformance/Numbers.h"
#include "test/reference/layer.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

namespace weft::test {
namespace {

std::vector<float> roundedAll(const Stored &stored, std::vector<float> values) {
  for (float &x : values)
    x = rounded(stored, x);
  return values;
}

/// √(mean of squared errors) of rounding to nearest is 0.42 · 2^−digits of numbers of any size; cutting off has twice
/// that.
double roundingError(const Stored &stored) { return 0.6 * std::ldexp(1.0, -stored.digits); }

//===--------------------------------------------------------------------------------------------------------------===//
// Products
//===--------------------------------------------------------------------------------------------------------------===//

/// The sums (and a bias of the same type) rounded, as a linear layer of a model in half precision means it.
constexpr const char *kRounded = R"(
  %halves = tensor.empty(%rows) : tensor<?x@Nx@T>
  %narrow = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
      iterator_types = ["parallel", "parallel"]} ins(%y : tensor<?x@Nxf32>) outs(%halves : tensor<?x@Nx@T>) {
  ^bb0(%p: f32, %o: @T):
    %r = arith.truncf %p : f32 to @T
    linalg.yield %r : @T
  } -> tensor<?x@Nx@T>)";
constexpr const char *kBiasRounded = R"(
  %halves = tensor.empty(%rows) : tensor<?x@Nx@T>
  %b = weft.parameter "@ENTRY.bias" : tensor<@Nx@T>
  %narrow = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>,
      affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%y, %b : tensor<?x@Nxf32>, tensor<@Nx@T>) outs(%halves : tensor<?x@Nx@T>) {
  ^bb0(%p: f32, %q: @T, %o: @T):
    %wide = arith.extf %q : @T to f32
    %s = arith.addf %p, %wide : f32
    %r = arith.truncf %s : f32 to @T
    linalg.yield %r : @T
  } -> tensor<?x@Nx@T>)";

const std::vector<LinearEntry> kLinears = {{1, 1, true},     {7, 40, true},  {16, 16, true},
                                           {15, 17, false},  {33, 97, true}, {48, 23, true},
                                           {20, 1601, true}, {33, 96, true}, {150, 1536, false}};
const std::vector<LinearEntry> kFewLinears = {{33, 97, false}, {20, 1601, true}};

bool hasBias(const LinearEntry &l) { return l.columns % 2 == 1; }

struct HalfLinears {
  std::unique_ptr<CompiledModule> module;
  std::vector<std::vector<float>> weights, biases; ///< as they are stored
};

/// Entries with rows and results of `rows`, and weights of `weight`; null: f32.
HalfLinears compileLinears(const std::vector<LinearEntry> &linears, const Stored &rows, const Stored *weight) {
  HalfLinears made;
  Numbers numbers(50);
  std::string text = "module attributes {weft.dim_bounds = {rows = array<i64: 1, 1024>}} {";
  Arrays file;
  for (LinearEntry l : linears) {
    l.rows = l.results = rows.name.c_str();
    l.stored = weight ? weight->name.c_str() : "f32";
    text += replaced(l.text(hasBias(l) ? kBiasRounded : kRounded, "%narrow"), {{"@T", rows.name}});
    std::vector<float> values = numbers.normals(l.columns * l.depth), bias;
    if (weight)
      values = roundedAll(*weight, values);
    file.push_back(l.weight(values));
    if (hasBias(l)) {
      bias = roundedAll(rows, numbers.normals(l.columns));
      file.push_back(arrayOf(rows, l.name() + ".bias", {l.columns}, bias));
    }
    made.weights.push_back(values), made.biases.push_back(bias);
  }
  made.module = std::make_unique<CompiledModule>(text + "}\n", file);
  return made;
}

void checkLinears(const std::vector<LinearEntry> &linears, const Stored &rows, const Stored *weight) {
  HalfLinears made = compileLinears(linears, rows, weight);
  Numbers numbers(51);
  for (size_t i = 0; i < linears.size(); ++i)
    for (int64_t count : {1, 2, 5, 9, 16, 31, 33, 129}) {
      const LinearEntry &l = linears[i];
      std::vector<float> x = roundedAll(rows, numbers.normals(count * l.depth));
      Arrays inputs = {arrayOf(rows, "lhs", {count, l.depth}, x)};
      std::vector<double> packed =
          reference::pack(l.depth, l.columns, 16, widen(transposed(made.weights[i], l.columns, l.depth)));
      for (const std::string &variant : made.module->variants()) {
        bool isRounded = roundsRows(variant) && weight && weight->type == ElementType::BF16;
        std::vector<double> expected =
            reference::packedMatmul(count, l.columns, l.depth, 16, widen(isRounded ? roundedAll(kStored[0], x) : x),
                                    packed, widen(made.biases[i]));
        RelativeError error;
        Array out = made.module->run(variant, l.name(), inputs)[0];
        error.add(valuesOf(out), expected);
        // One number alone may be all that rounding can move it.
        double bound = count * l.columns < 100 ? std::ldexp(1.01, -rows.digits) : roundingError(rows);
        EXPECT_LE(error.value(), bound) << variant << ", " << rows.name << " rows " << count << ", " << l.name();
        for (RunOptions options : {RunOptions{1, Flush::AtStart}, RunOptions{4, Flush::AtEnd}})
          EXPECT_TRUE(sameBits(out, made.module->run(variant, l.name(), inputs, options)[0])) << variant << l.name();
      }
    }
}

TEST(HalfProductConformance, RowsAndWeightsOfOneType) {
  for (const Stored &stored : kStored)
    checkLinears(kLinears, stored, &stored);
}

TEST(HalfProductConformance, RowsWithWeightsOfAnotherType) {
  for (const Stored &stored : kStored)
    checkLinears(kFewLinears, stored, nullptr);
  checkLinears(kFewLinears, kStored[1], &kStored[0]);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Conversions and arithmetic
//===--------------------------------------------------------------------------------------------------------------===//

/// Every number of the type to f32 and back, and arithmetic on it.
constexpr const char *kElements = R"(
#id = affine_map<(n) -> (n)>
module attributes {weft.dim_bounds = {n = array<i64: 1, 65536>}} {
func.func @widen(%x: tensor<?x@T> {weft.name = "x", weft.dims = ["n"]})
    -> (tensor<?xf32> {weft.name = "y", weft.dims = ["n"]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %n = tensor.dim %x, %zero : tensor<?x@T>
  %e = tensor.empty(%n) : tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?x@T>) outs(%e : tensor<?xf32>) {
  ^bb0(%a: @T, %o: f32):
    %w = arith.extf %a : @T to f32
    linalg.yield %w : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}
func.func @narrow(%x: tensor<?xf32> {weft.name = "x", weft.dims = ["n"]})
    -> (tensor<?x@T> {weft.name = "y", weft.dims = ["n"]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %n = tensor.dim %x, %zero : tensor<?xf32>
  %e = tensor.empty(%n) : tensor<?x@T>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%e : tensor<?x@T>) {
  ^bb0(%a: f32, %o: @T):
    %w = arith.truncf %a : f32 to @T
    linalg.yield %w : @T
  } -> tensor<?x@T>
  return %y : tensor<?x@T>
}
func.func @compute(%x: tensor<?x@T> {weft.name = "x", weft.dims = ["n"]},
                   %z: tensor<?x@T> {weft.name = "z", weft.dims = ["n"]})
    -> (tensor<?x@T> {weft.name = "y", weft.dims = ["n"]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %n = tensor.dim %x, %zero : tensor<?x@T>
  %e = tensor.empty(%n) : tensor<?x@T>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %z : tensor<?x@T>, tensor<?x@T>) outs(%e : tensor<?x@T>) {
  ^bb0(%a: @T, %b: @T, %o: @T):
    %half = arith.constant 0.5 : @T
    %p = arith.mulf %a, %b : @T
    %s = arith.addf %p, %half : @T
    %isLess = arith.cmpf olt, %a, %b : @T
    %q = arith.negf %s : @T
    %r = arith.select %isLess, %s, %q : @T
    linalg.yield %r : @T
  } -> tensor<?x@T>
  return %y : tensor<?x@T>
}
}
)";

TEST(HalfElementConformance, EveryNumberIsWidenedExactly) {
  for (const Stored &stored : kStored) {
    CompiledModule module(replaced(kElements, {{"@T", stored.name}}));
    std::vector<float> all;
    all.reserve(1 << 16);
    for (uint32_t bits = 0; bits < 1u << 16; ++bits)
      all.push_back(fromBits(stored, static_cast<uint16_t>(bits)));
    Array x = arrayOf(stored, "x", {1 << 16}, all);
    for (const std::string &variant : module.variants()) {
      std::vector<float> y = floatsOf(module.run(variant, "widen", {x})[0]);
      for (size_t i = 0; i < all.size(); ++i)
        ASSERT_TRUE(y[i] == all[i] || (std::isnan(y[i]) && std::isnan(all[i]))) << variant << ", bits " << i;
    }
  }
}

/// Numbers between and at those that the type holds, ties among them, where bf16 instructions know the numbers.
std::vector<float> hardToRound(const Stored &stored) {
  std::vector<float> values = {0.0f, -0.0f, std::numeric_limits<float>::infinity(),
                               -std::numeric_limits<float>::infinity()};
  int least = stored.type == ElementType::BF16 ? -126 : -30, most = stored.type == ElementType::BF16 ? 126 : 15;
  for (int exponent = least; exponent <= most; ++exponent)
    for (int step = 0; step < 64; ++step) {
      double unit = std::ldexp(1.0, exponent - stored.digits);
      float value = static_cast<float>(std::ldexp(1.0, exponent) + step * unit / 4);
      values.insert(values.end(), {value, -value});
    }
  return values;
}

TEST(HalfElementConformance, RoundsToNearestEven) {
  for (const Stored &stored : kStored) {
    CompiledModule module(replaced(kElements, {{"@T", stored.name}}));
    std::vector<float> values = hardToRound(stored);
    Array x = Array::of<float>("x", {int64_t(values.size())}, values);
    Array nan = Array::of<float>("x", {1}, std::vector<float>{std::nanf("")});
    for (const std::string &variant : module.variants()) {
      std::vector<float> y = valuesOf(module.run(variant, "narrow", {x})[0]);
      for (size_t i = 0; i < values.size(); ++i) {
        float expected = std::isinf(values[i]) ? values[i] : rounded(stored, values[i]);
        ASSERT_EQ(bitsOf(stored, y[i]), bitsOf(stored, expected)) << variant << ", " << stored.name << " " << values[i];
      }
      EXPECT_TRUE(std::isnan(valuesOf(module.run(variant, "narrow", {nan})[0])[0])) << variant;
    }
  }
}

TEST(HalfElementConformance, EachStepOfArithmeticRounds) {
  for (const Stored &stored : kStored) {
    CompiledModule module(replaced(kElements, {{"@T", stored.name}}));
    Numbers numbers(52);
    for (int64_t count : {1, 7, 16, 33, 1000}) {
      std::vector<float> a = roundedAll(stored, numbers.normals(count)), b = roundedAll(stored, numbers.normals(count));
      Arrays inputs = {arrayOf(stored, "x", {count}, a), arrayOf(stored, "z", {count}, b)};
      for (const std::string &variant : module.variants()) {
        std::vector<float> y = valuesOf(module.run(variant, "compute", inputs)[0]);
        for (int64_t i = 0; i < count; ++i) {
          float sum = rounded(stored, double(rounded(stored, double(a[i]) * b[i])) + 0.5);
          ASSERT_EQ(y[i], a[i] < b[i] ? sum : -sum) << variant << ", " << stored.name << " " << a[i] << " " << b[i];
        }
      }
    }
  }
}

//===--------------------------------------------------------------------------------------------------------------===//
// Ops row by row
//===--------------------------------------------------------------------------------------------------------------===//

constexpr const char *kRows = R"(
module attributes {weft.dim_bounds = {rows = array<i64: 1, 64>, n = array<i64: 1, 64>}} {
func.func @norm(%x: tensor<?x@Nx@T> {weft.name = "x", weft.dims = ["rows", ""]},
                %s: tensor<@Nx@T> {weft.name = "scale"}, %b: tensor<@Nx@T> {weft.name = "bias"})
    -> (tensor<?x@Nx@T> {weft.name = "y", weft.dims = ["rows", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %rows = tensor.dim %x, %zero : tensor<?x@Nx@T>
  %init = tensor.empty(%rows) : tensor<?x@Nx@T>
  %y = weft.layer_norm {epsilon = 1.0e-5 : f32} ins(%x, %s, %b : tensor<?x@Nx@T>, tensor<@Nx@T>, tensor<@Nx@T>)
                       outs(%init : tensor<?x@Nx@T>) -> tensor<?x@Nx@T>
  return %y : tensor<?x@Nx@T>
}
func.func @embed(%ids: tensor<?xi64> {weft.name = "ids", weft.dims = ["n"], weft.index_limit = 11 : i64},
                 %table: tensor<11x@Nx@T> {weft.name = "table"})
    -> (tensor<?x@Nx@T> {weft.name = "y", weft.dims = ["n", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %n = tensor.dim %ids, %zero : tensor<?xi64>
  %init = tensor.empty(%n) : tensor<?x@Nx@T>
  %y = weft.embedding ins(%ids, %table : tensor<?xi64>, tensor<11x@Nx@T>) outs(%init : tensor<?x@Nx@T>) -> tensor<?x@Nx@T>
  return %y : tensor<?x@Nx@T>
}
func.func @softmax(%x: tensor<?x@Nx@T> {weft.name = "x", weft.dims = ["rows", ""]})
    -> (tensor<?x@Nx@T> {weft.name = "y", weft.dims = ["rows", ""]}) attributes {weft.entry} {
  %index = arith.constant 0 : index
  %rows = tensor.dim %x, %index : tensor<?x@Nx@T>
  %init = tensor.empty(%rows) : tensor<?x@Nx@T>
  %each = tensor.empty(%rows) : tensor<?xf32>
  %zero = arith.constant 0.0 : f32
  %start = linalg.fill ins(%zero : f32) outs(%each : tensor<?xf32>) -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>],
      iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x@Nx@T>) outs(%start : tensor<?xf32>) {
  ^bb0(%a: @T, %o: f32):
    %w = arith.extf %a : @T to f32
    %e = math.exp %w : f32
    %s = arith.addf %o, %e : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>,
      affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%x, %sum : tensor<?x@Nx@T>, tensor<?xf32>) outs(%init : tensor<?x@Nx@T>) {
  ^bb0(%a: @T, %s: f32, %o: @T):
    %w = arith.extf %a : @T to f32
    %e = math.exp %w : f32
    %q = arith.divf %e, %s : f32
    %r = arith.truncf %q : f32 to @T
    linalg.yield %r : @T
  } -> tensor<?x@Nx@T>
  return %y : tensor<?x@Nx@T>
}
}
)";

std::vector<double> softmax(int64_t width, std::vector<double> values) {
  for (size_t first = 0; first < values.size(); first += width) {
    double sum = 0;
    for (int64_t i = 0; i < width; ++i)
      sum += values[first + i] = std::exp(values[first + i]);
    for (int64_t i = 0; i < width; ++i)
      values[first + i] /= sum;
  }
  return values;
}

void checkRows(const Stored &stored, int64_t width) {
  CompiledModule module(replaced(kRows, {{"@T", stored.name}, {"@N", std::to_string(width)}}));
  Numbers numbers(53);
  constexpr int64_t kRowCount = 40;
  auto draw = [&](int64_t count) { return roundedAll(stored, numbers.normals(count)); };
  std::vector<float> x = draw(kRowCount * width), scale = draw(width), bias = draw(width), table = draw(11 * width);
  std::vector<int64_t> ids(kRowCount);
  for (int64_t &id : ids)
    id = numbers.below(11);
  Array rows = arrayOf(stored, "x", {kRowCount, width}, x);
  std::vector<double> chosen = reference::embedding(width, ids, widen(table));
  for (const std::string &variant : module.variants()) {
    auto check = [&](const std::string &entry, const Arrays &inputs, const std::vector<double> &expected,
                     double bound) {
      RelativeError error;
      error.add(valuesOf(module.run(variant, entry, inputs)[0]), expected);
      EXPECT_LE(error.value(), bound) << variant << ", " << stored.name << " " << entry << " " << width;
    };
    Arrays norm = {rows, arrayOf(stored, "scale", {width}, scale), arrayOf(stored, "bias", {width}, bias)};
    check("norm", norm, reference::layerNorm(width, widen(x), widen(scale), widen(bias), 1e-5), roundingError(stored));
    check("softmax", {rows}, softmax(width, widen(x)), roundingError(stored));
    Arrays look = {Array::of<int64_t>("ids", {kRowCount}, ids), arrayOf(stored, "table", {11, width}, table)};
    check("embed", look, chosen, 0);
  }
}

TEST(HalfRowConformance, NormsSoftmaxAndLookUpsAreWithinRounding) {
  for (const Stored &stored : kStored)
    for (int64_t width : {2, 7, 16, 33, 384})
      checkRows(stored, width);
}

} // namespace
} // namespace weft::test
