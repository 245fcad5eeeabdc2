// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.layer_norm and weft.embedding compiled for each level against float64.
#include "test/conformance/CompiledModule.h"
#include "test/conformance/Numbers.h"
#include "test/reference/layer.h"

#include "gtest/gtest.h"

#include <cmath>

namespace weft::test {
namespace {

constexpr int64_t kWidths[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 40, 97, 128, 384, 1000};

//===--------------------------------------------------------------------------------------------------------------===//
// layer_norm
//===--------------------------------------------------------------------------------------------------------------===//

/// One entry for each width: "norm_16" with a bias, "norm_15" without where the width is odd.
constexpr const char *kNorm = R"(
func.func @norm_@N(%x: tensor<?x@Nxf32> {weft.name = "x", weft.dims = ["rows", ""]},
                   %s: tensor<@Nxf32> {weft.name = "scale"}@ARGUMENT)
    -> (tensor<?x@Nxf32> {weft.name = "y", weft.dims = ["rows", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %rows = tensor.dim %x, %zero : tensor<?x@Nxf32>
  %init = tensor.empty(%rows) : tensor<?x@Nxf32>
  %y = weft.layer_norm {epsilon = 1.0e-12 : f32} ins(%x, %s@NAME : tensor<?x@Nxf32>, tensor<@Nxf32>@TYPE)
                       outs(%init : tensor<?x@Nxf32>) -> tensor<?x@Nxf32>
  return %y : tensor<?x@Nxf32>
})";

/// Rows of a tensor with two dimensions before the last.
constexpr const char *kNormOfThree = R"(
func.func @norm3(%x: tensor<?x?x20xf32> {weft.name = "x", weft.dims = ["batch", "sequence", ""]},
                 %s: tensor<20xf32> {weft.name = "scale"}, %b: tensor<20xf32> {weft.name = "bias"})
    -> (tensor<?x?x20xf32> {weft.name = "y", weft.dims = ["batch", "sequence", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %batch = tensor.dim %x, %zero : tensor<?x?x20xf32>
  %sequence = tensor.dim %x, %one : tensor<?x?x20xf32>
  %init = tensor.empty(%batch, %sequence) : tensor<?x?x20xf32>
  %y = weft.layer_norm {epsilon = 1.0e-5 : f32} ins(%x, %s, %b : tensor<?x?x20xf32>, tensor<20xf32>, tensor<20xf32>)
                       outs(%init : tensor<?x?x20xf32>) -> tensor<?x?x20xf32>
  return %y : tensor<?x?x20xf32>
})";

bool hasBias(int64_t width) { return width % 2 == 0; }

std::string normText() {
  std::string text = "module attributes {weft.dim_bounds = {rows = array<i64: 1, 1024>, batch = array<i64: 1, 8>, "
                     "sequence = array<i64: 1, 64>}} {";
  for (int64_t width : kWidths) {
    bool bias = hasBias(width);
    text += replaced(kNorm, {{"@ARGUMENT", bias ? ", %b: tensor<@Nxf32> {weft.name = \"bias\"}" : ""},
                             {"@NAME", bias ? ", %b" : ""},
                             {"@TYPE", bias ? ", tensor<@Nxf32>" : ""},
                             {"@N", std::to_string(width)}});
  }
  return text + kNormOfThree + "}\n";
}

std::vector<float> plainNorm(int64_t n, const std::vector<float> &x, const std::vector<float> &scale,
                             const std::vector<float> &bias, float epsilon) {
  std::vector<float> out(x.size());
  for (size_t row = 0; row < x.size(); row += n) {
    float sum = 0, squares = 0;
    for (int64_t i = 0; i < n; ++i)
      sum += x[row + i];
    float mean = sum / n;
    for (int64_t i = 0; i < n; ++i)
      squares += (x[row + i] - mean) * (x[row + i] - mean);
    float inverse = 1 / std::sqrt(squares / n + epsilon);
    for (int64_t i = 0; i < n; ++i)
      out[row + i] = (x[row + i] - mean) * inverse * scale[i] + (bias.empty() ? 0 : bias[i]);
  }
  return out;
}

struct LayerNormConformance : testing::Test {
  static void SetUpTestSuite() { module = std::make_unique<CompiledModule>(normText()); }
  static void TearDownTestSuite() { module.reset(); }

  static Arrays inputs(int64_t rows, int64_t width, Numbers &numbers) {
    Arrays all = {numbers.array("x", {rows, width}), numbers.array("scale", {width})};
    if (hasBias(width))
      all.push_back(numbers.array("bias", {width}));
    return all;
  }

  static inline std::unique_ptr<CompiledModule> module;
};

TEST_F(LayerNormConformance, IsWithinBoundsOfFloat64) {
  Numbers numbers(50);
  std::map<std::string, Accuracy> accuracies;
  for (int64_t width : kWidths)
    for (int64_t rows : {1, 2, 3, 5, 17, 40, 129, 1000}) {
      Arrays in = inputs(rows, width, numbers);
      std::vector<float> bias = hasBias(width) ? floatsOf(in[2]) : std::vector<float>();
      std::vector<double> expected = reference::layerNorm(width, widen(in[0]), widen(in[1]), widen(bias), 1e-12f);
      std::vector<float> plain = plainNorm(width, floatsOf(in[0]), floatsOf(in[1]), bias, 1e-12f);
      for (const std::string &variant : module->variants()) {
        std::string entry = "norm_" + std::to_string(width);
        accuracies[variant].bound = 1e-6;
        Array out = module->run(variant, entry, in)[0];
        EXPECT_EQ(accuracies[variant].check(out, expected, plain), "")
            << variant << ", rows " << rows << ", width " << width;
        EXPECT_TRUE(sameBits(out, module->run(variant, entry, in, {1, Flush::AtStart})[0])) << variant;
      }
    }
  for (auto &[variant, accuracy] : accuracies)
    EXPECT_TRUE(accuracy.withinTwicePlain()) << variant << ": " << accuracy.text();
}

TEST_F(LayerNormConformance, HasAnyNumberOfDimensions) {
  Numbers numbers(51);
  for (int64_t batch : {1, 3})
    for (int64_t sequence : {1, 7, 40}) {
      Arrays in = {numbers.array("x", {batch, sequence, 20}), numbers.array("scale", {20}),
                   numbers.array("bias", {20})};
      std::vector<double> expected = reference::layerNorm(20, widen(in[0]), widen(in[1]), widen(in[2]), 1e-5f);
      for (const std::string &variant : module->variants()) {
        RelativeError error;
        error.add(floatsOf(module->run(variant, "norm3", in)[0]), expected);
        EXPECT_LE(error.value(), 1e-6) << variant;
      }
    }
}

TEST_F(LayerNormConformance, ShiftOfTheInputDoesNotShow) {
  Numbers numbers(52);
  for (int64_t width : {8, 17, 384}) {
    Arrays in = inputs(33, width, numbers), shifted = in;
    std::vector<float> values = floatsOf(in[0]);
    for (float &x : values)
      x = std::round(x * 64) / 64; // so that the shift is exact
    in[0] = Array::of<float>("x", in[0].shape, values);
    for (float &x : values)
      x += 256;
    shifted[0] = Array::of<float>("x", in[0].shape, values);
    for (const std::string &variant : module->variants()) {
      std::string entry = "norm_" + std::to_string(width);
      RelativeError error;
      error.add(floatsOf(module->run(variant, entry, shifted)[0]), widen(module->run(variant, entry, in)[0]));
      // A mean of 256 is rounded to 2^-16, the deviation is 1.
      EXPECT_LE(error.value(), 2e-5) << variant << ", width " << width;
    }
  }
}

TEST_F(LayerNormConformance, RowsAndThreadsDoNotChangeBits) {
  Numbers numbers(53);
  Arrays in = inputs(200, 33, numbers);
  for (const std::string &variant : module->variants()) {
    Array all = module->run(variant, "norm_33", in)[0];
    for (int threads : {2, 4, 8})
      EXPECT_TRUE(sameBits(all, module->run(variant, "norm_33", in, {threads})[0])) << variant;
    for (int64_t row : {0, 1, 100, 199}) {
      Arrays one = in;
      one[0] = rowsOf(in[0], row, 1);
      EXPECT_TRUE(sameBits(rowsOf(all, row, 1), module->run(variant, "norm_33", one)[0])) << variant << ", row " << row;
    }
  }
}

TEST_F(LayerNormConformance, NanStaysInItsRow) {
  Numbers numbers(54);
  Arrays in = inputs(9, 40, numbers), changed = in;
  std::vector<float> values = floatsOf(in[0]);
  values[4 * 40 + 39] = std::nanf("");
  changed[0] = Array::of<float>("x", in[0].shape, values);
  for (const std::string &variant : module->variants()) {
    Array before = module->run(variant, "norm_40", in)[0], after = module->run(variant, "norm_40", changed)[0];
    for (int64_t row = 0; row < 9; ++row)
      if (row != 4)
        EXPECT_TRUE(sameBits(rowsOf(before, row, 1), rowsOf(after, row, 1))) << variant << ", row " << row;
    for (float x : floatsOf(rowsOf(after, 4, 1)))
      EXPECT_TRUE(std::isnan(x)) << variant;
  }
}

//===--------------------------------------------------------------------------------------------------------------===//
// embedding
//===--------------------------------------------------------------------------------------------------------------===//

constexpr const char *kEmbedding = R"(
func.func @embed_@N(%ids: tensor<?xi64> {weft.name = "ids", weft.dims = ["tokens"], weft.index_limit = 29 : i64},
                    %t: tensor<29x@Nxf32> {weft.name = "table"})
    -> (tensor<?x@Nxf32> {weft.name = "y", weft.dims = ["tokens", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %tokens = tensor.dim %ids, %zero : tensor<?xi64>
  %init = tensor.empty(%tokens) : tensor<?x@Nxf32>
  %y = weft.embedding ins(%ids, %t : tensor<?xi64>, tensor<29x@Nxf32>) outs(%init : tensor<?x@Nxf32>) -> tensor<?x@Nxf32>
  return %y : tensor<?x@Nxf32>
})";

constexpr const char *kEmbeddingOfBatch = R"(
func.func @embed2(%ids: tensor<?x?xi64> {weft.name = "ids", weft.dims = ["batch", "sequence"], weft.index_limit = 29 : i64},
                  %t: tensor<29x20xf32> {weft.name = "table"})
    -> (tensor<?x?x20xf32> {weft.name = "y", weft.dims = ["batch", "sequence", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %batch = tensor.dim %ids, %zero : tensor<?x?xi64>
  %sequence = tensor.dim %ids, %one : tensor<?x?xi64>
  %init = tensor.empty(%batch, %sequence) : tensor<?x?x20xf32>
  %y = weft.embedding ins(%ids, %t : tensor<?x?xi64>, tensor<29x20xf32>)
                      outs(%init : tensor<?x?x20xf32>) -> tensor<?x?x20xf32>
  return %y : tensor<?x?x20xf32>
})";

Array randomIds(std::vector<int64_t> shape, Numbers &numbers) {
  std::vector<int64_t> ids(elementsOf(shape));
  for (int64_t &id : ids)
    id = numbers.below(29);
  ids.front() = 0, ids.back() = 28;
  return Array::of<int64_t>("ids", std::move(shape), ids);
}

std::vector<float> lookedUp(const Array &ids, const Array &table) {
  std::span<const int64_t> values = ids.values<int64_t>();
  std::vector<double> rows = reference::embedding(table.shape[1], {values.begin(), values.end()}, widen(table));
  return {rows.begin(), rows.end()};
}

TEST(EmbeddingConformance, CopiesRows) {
  std::string text = "module attributes {weft.dim_bounds = {tokens = array<i64: 1, 1024>, batch = array<i64: 1, 8>, "
                     "sequence = array<i64: 1, 64>}} {";
  for (int64_t width : {1, 7, 16, 33, 384})
    text += replaced(kEmbedding, {{"@N", std::to_string(width)}});
  CompiledModule module(text + kEmbeddingOfBatch + "}\n");
  Numbers numbers(55);
  for (const std::string &variant : module.variants()) {
    for (int64_t width : {1, 7, 16, 33, 384})
      for (int64_t tokens : {1, 2, 15, 40, 129, 1000}) {
        Arrays in = {randomIds({tokens}, numbers), numbers.array("table", {29, width})};
        std::string entry = "embed_" + std::to_string(width);
        for (Flush flush : {Flush::AtEnd, Flush::AtStart})
          EXPECT_EQ(floatsOf(module.run(variant, entry, in, {1, flush})[0]), lookedUp(in[0], in[1]))
              << variant << ", tokens " << tokens << ", width " << width;
      }
    Arrays in = {randomIds({3, 13}, numbers), numbers.array("table", {29, 20})};
    EXPECT_EQ(floatsOf(module.run(variant, "embed2", in, {2})[0]), lookedUp(in[0], in[1])) << variant;
  }
}

} // namespace
} // namespace weft::test
