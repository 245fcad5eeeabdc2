// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.combine compiled for each level against float64, and bit for bit in the order of its rows.
#include "test/conformance/RouteCase.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

namespace weft::test {
namespace {

constexpr int64_t kColumns[] = {1, 7, 16, 33, 128, 1000};

/// To zeros, and to what the destination holds.
constexpr const char *kEntries = R"(
func.func @sum_@N(%rows: tensor<?x@Nxf32> {weft.name = "rows", weft.dims = ["rows", ""]},
                  %tokens: tensor<?xi32> {weft.name = "tokens", weft.dims = ["rows"]},
                  %weights: tensor<?xf32> {weft.name = "weights", weft.dims = ["rows"]},
                  %x: tensor<?x@Nxf32> {weft.name = "x", weft.dims = ["tokens", ""]})
    -> (tensor<?x@Nxf32> {weft.name = "y", weft.dims = ["tokens", ""]}) attributes {weft.entry} {
  %index = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %t = tensor.dim %x, %index : tensor<?x@Nxf32>
  %empty = tensor.empty(%t) : tensor<?x@Nxf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x@Nxf32>) -> tensor<?x@Nxf32>
  %y = weft.combine ins(%rows, %tokens, %weights : tensor<?x@Nxf32>, tensor<?xi32>, tensor<?xf32>)
       outs(%start : tensor<?x@Nxf32>) -> tensor<?x@Nxf32>
  return %y : tensor<?x@Nxf32>
}
func.func @added_@N(%rows: tensor<?x@Nxf32> {weft.name = "rows", weft.dims = ["rows", ""]},
                    %tokens: tensor<?xi32> {weft.name = "tokens", weft.dims = ["rows"]},
                    %weights: tensor<?xf32> {weft.name = "weights", weft.dims = ["rows"]},
                    %x: tensor<?x@Nxf32> {weft.name = "x", weft.dims = ["tokens", ""]})
    -> (tensor<?x@Nxf32> {weft.name = "y", weft.dims = ["tokens", ""]}) attributes {weft.entry} {
  %y = weft.combine ins(%rows, %tokens, %weights : tensor<?x@Nxf32>, tensor<?xi32>, tensor<?xf32>)
       outs(%x : tensor<?x@Nxf32>) -> tensor<?x@Nxf32>
  return %y : tensor<?x@Nxf32>
}
)";

std::string sumOf(int64_t columns) { return "sum_" + std::to_string(columns); }
std::string addedOf(int64_t columns) { return "added_" + std::to_string(columns); }

struct CombineConformance : testing::Test {
  static void SetUpTestSuite() {
    std::string text =
        "module attributes {weft.dim_bounds = {tokens = array<i64: 0, 4096>, rows = array<i64: 0, 8192>}} {";
    for (int64_t columns : kColumns)
      text += replaced(kEntries, {{"@N", std::to_string(columns)}});
    module = std::make_unique<CompiledModule>(text + "}\n");
  }
  static void TearDownTestSuite() { module.reset(); }

  static Arrays inputsOf(int64_t columns, const std::vector<int32_t> &tokens, int64_t count, Numbers &numbers) {
    auto rows = int64_t(tokens.size());
    return {numbers.array("rows", {rows, columns}), Array::of<int32_t>("tokens", {rows}, tokens),
            numbers.array("weights", {rows}), numbers.array("x", {count, columns})};
  }

  static Arrays randomInputs(int64_t columns, int64_t rows, int64_t count, Numbers &numbers) {
    std::vector<int32_t> tokens(rows);
    for (int32_t &token : tokens)
      token = int32_t(numbers.below(count));
    return inputsOf(columns, tokens, count, numbers);
  }

  static std::vector<double> expected(const Arrays &in, bool added) {
    std::vector<double> start = widen(in[3]);
    if (!added)
      start.assign(start.size(), 0);
    return reference::combine(in[0].shape[1], widen(in[0]), integersOf(in[1]), widen(in[2]), start);
  }

  /// In f32, one row after the other, with one or two roundings a step.
  static std::vector<float> inOrder(const Arrays &in, bool added, bool fused) {
    std::vector<float> out = floatsOf(in[3]), rows = floatsOf(in[0]), weights = floatsOf(in[2]);
    if (!added)
      out.assign(out.size(), 0);
    int64_t columns = in[0].shape[1];
    std::vector<int32_t> tokens = integersOf(in[1]);
    for (size_t i = 0; i < tokens.size(); ++i)
      for (int64_t n = 0; n < columns && tokens[i] >= 0 && tokens[i] < in[3].shape[0]; ++n) {
        float &sum = out[tokens[i] * columns + n];
        volatile float product = weights[i] * rows[i * columns + n];
        sum = fused ? std::fma(weights[i], rows[i * columns + n], sum) : sum + product;
      }
    return out;
  }

  static void expectInOrder(const Arrays &in) {
    int64_t columns = in[0].shape[1];
    for (bool added : {false, true}) {
      std::vector<double> want = expected(in, added);
      for (const std::string &variant : module->variants()) {
        SCOPED_TRACE(variant + (added ? " added, " : " sum, ") + std::to_string(in[0].shape[0]) + " x " +
                     std::to_string(columns));
        std::string entry = added ? addedOf(columns) : sumOf(columns);
        Array out = module->run(variant, entry, in)[0];
        RelativeError error;
        error.add(floatsOf(out), want);
        EXPECT_LT(error.value(), 1e-5);
        EXPECT_EQ(floatsOf(out), inOrder(in, added, variant != "portable"));
        for (RunOptions options : {RunOptions{2}, RunOptions{3, Flush::AtStart}})
          EXPECT_TRUE(sameBits(out, module->run(variant, entry, in, options)[0]));
      }
    }
  }

  static inline std::unique_ptr<CompiledModule> module;
};

TEST_F(CombineConformance, IsWithinBoundsOfFloat64) {
  Numbers numbers(110);
  for (int64_t columns : kColumns)
    for (auto [rows, count] :
         {std::pair<int64_t, int64_t>{0, 3}, {1, 1}, {2, 1}, {17, 5}, {64, 64}, {257, 100}, {2003, 1009}})
      expectInOrder(randomInputs(columns, rows, count, numbers));
}

TEST_F(CombineConformance, ZeroTokensAndZeroRows) {
  Numbers numbers(111);
  for (int64_t columns : kColumns) {
    expectInOrder(inputsOf(columns, {}, 0, numbers));
    expectInOrder(inputsOf(columns, {0, 1, -1}, 0, numbers));
    expectInOrder(inputsOf(columns, {}, 9, numbers));
  }
}

TEST_F(CombineConformance, AllRowsMayBeOfOneToken) {
  Numbers numbers(112);
  for (int64_t columns : kColumns)
    expectInOrder(inputsOf(columns, std::vector<int32_t>(300, 4), 7, numbers));
}

// What is not read may be NaN.
TEST_F(CombineConformance, RowsOfNoTokenAreNotRead) {
  Numbers numbers(113);
  constexpr int32_t kMost = std::numeric_limits<int32_t>::max(), kLeast = std::numeric_limits<int32_t>::min();
  for (int64_t columns : kColumns) {
    std::vector<int32_t> tokens = {3, -1, 0, 5, kMost, 4, kLeast, 6, 2, -1};
    Arrays in = inputsOf(columns, tokens, 5, numbers);
    std::vector<float> rows = floatsOf(in[0]);
    for (size_t i = 0; i < rows.size(); ++i)
      if (int32_t token = tokens[i / columns]; token < 0 || token >= 5)
        rows[i] = std::nanf("");
    in[0] = Array::of<float>("rows", in[0].shape, rows);
    expectInOrder(in);
  }
}

// 2^30 + 1 rounds to 2^30: in this order and no other the sums are 0, 1 and 0.
TEST_F(CombineConformance, RowsAreAddedOneAfterTheOther) {
  const std::vector<int32_t> tokens = {0, 1, 0, 2, 1, 2, 0, 1, 2};
  const float large = 0x1p30f;
  const std::vector<float> values = {large, large, 1, 1, -large, large, -large, 1, -large};
  for (int64_t columns : kColumns) {
    std::vector<float> rows(9 * columns);
    for (size_t i = 0; i < rows.size(); ++i)
      rows[i] = values[i / columns];
    Arrays in = {Array::of<float>("rows", {9, columns}, rows), Array::of<int32_t>("tokens", {9}, tokens),
                 Array::of<float>("weights", {9}, std::vector<float>(9, 1)),
                 Array::of<float>("x", {3, columns}, std::vector<float>(3 * columns))};
    for (const std::string &variant : module->variants())
      for (int threads : {1, 3})
        for (const std::string &entry : {sumOf(columns), addedOf(columns)}) {
          std::vector<float> out = floatsOf(module->run(variant, entry, in, {threads})[0]);
          for (size_t i = 0; i < out.size(); ++i)
            EXPECT_EQ(out[i], i / columns == 1 ? 1.0f : 0.0f) << variant << " " << entry << " " << i;
        }
  }
}

TEST_F(CombineConformance, NanStaysInItsToken) {
  Numbers numbers(114);
  for (int64_t columns : kColumns) {
    Arrays in = inputsOf(columns, {0, 1, 2, 3, 1}, 4, numbers);
    std::vector<float> weights = floatsOf(in[2]);
    weights[4] = std::nanf("");
    in[2] = Array::of<float>("weights", {5}, weights);
    for (const std::string &variant : module->variants()) {
      std::vector<float> out = floatsOf(module->run(variant, addedOf(columns), in)[0]);
      for (size_t i = 0; i < out.size(); ++i)
        EXPECT_EQ(std::isnan(out[i]), i / columns == 1) << variant << " " << columns;
    }
  }
}

} // namespace
} // namespace weft::test
