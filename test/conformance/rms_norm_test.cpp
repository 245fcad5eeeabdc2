// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.rms_norm compiled for each level against float64.
#include "test/conformance/CompiledModule.h"
#include "test/conformance/Numbers.h"
#include "test/reference/layer.h"

#include "gtest/gtest.h"

#include <cmath>

namespace weft::test {
namespace {

constexpr int64_t kWidths[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 40, 97, 128, 768, 1000};

/// One entry for each width: "norm_16" with a scale, "norm_15" without where the width is odd.
constexpr const char *kNorm = R"(
func.func @norm_@N(%x: tensor<?x@Nxf32> {weft.name = "x", weft.dims = ["rows", ""]}@ARGUMENT)
    -> (tensor<?x@Nxf32> {weft.name = "y", weft.dims = ["rows", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %rows = tensor.dim %x, %zero : tensor<?x@Nxf32>
  %init = tensor.empty(%rows) : tensor<?x@Nxf32>
  %y = weft.rms_norm {epsilon = 1.0e-5 : f32} ins(%x@NAME : tensor<?x@Nxf32>@TYPE)
                     outs(%init : tensor<?x@Nxf32>) -> tensor<?x@Nxf32>
  return %y : tensor<?x@Nxf32>
})";

/// Behind a gate, as in Mamba-2: the elementwise producer and the residual after it share the kernel.
constexpr const char *kGated = R"(
func.func @gated(%x: tensor<?x40xf32> {weft.name = "x", weft.dims = ["rows", ""]},
                 %z: tensor<?x40xf32> {weft.name = "z", weft.dims = ["rows", ""]},
                 %s: tensor<40xf32> {weft.name = "scale"})
    -> (tensor<?x40xf32> {weft.name = "y", weft.dims = ["rows", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %rows = tensor.dim %x, %zero : tensor<?x40xf32>
  %init = tensor.empty(%rows) : tensor<?x40xf32>
  %gated = linalg.map {arith.mulf} ins(%x, %z : tensor<?x40xf32>, tensor<?x40xf32>) outs(%init : tensor<?x40xf32>)
  %y = weft.rms_norm {epsilon = 1.0e-5 : f32} ins(%gated, %s : tensor<?x40xf32>, tensor<40xf32>)
                     outs(%init : tensor<?x40xf32>) -> tensor<?x40xf32>
  %sum = linalg.map {arith.addf} ins(%y, %x : tensor<?x40xf32>, tensor<?x40xf32>) outs(%init : tensor<?x40xf32>)
  return %sum : tensor<?x40xf32>
})";

bool hasScale(int64_t width) { return width % 2 == 0; }

std::string normText() {
  std::string text = "module attributes {weft.dim_bounds = {rows = array<i64: 1, 1024>}} {";
  for (int64_t width : kWidths) {
    bool scale = hasScale(width);
    text += replaced(kNorm, {{"@ARGUMENT", scale ? ", %s: tensor<@Nxf32> {weft.name = \"scale\"}" : ""},
                             {"@NAME", scale ? ", %s" : ""},
                             {"@TYPE", scale ? ", tensor<@Nxf32>" : ""},
                             {"@N", std::to_string(width)}});
  }
  return text + kGated + "}\n";
}

std::vector<float> plainNorm(int64_t n, const std::vector<float> &x, const std::vector<float> &scale, float epsilon) {
  std::vector<float> out(x.size());
  for (size_t row = 0; row < x.size(); row += n) {
    float squares = 0;
    for (int64_t i = 0; i < n; ++i)
      squares += x[row + i] * x[row + i];
    float inverse = 1 / std::sqrt(squares / n + epsilon);
    for (int64_t i = 0; i < n; ++i)
      out[row + i] = x[row + i] * inverse * (scale.empty() ? 1 : scale[i]);
  }
  return out;
}

struct RmsNormConformance : testing::Test {
  static void SetUpTestSuite() { module = std::make_unique<CompiledModule>(normText()); }
  static void TearDownTestSuite() { module.reset(); }

  static Arrays inputs(int64_t rows, int64_t width, Numbers &numbers) {
    Arrays all = {numbers.array("x", {rows, width})};
    if (hasScale(width))
      all.push_back(numbers.array("scale", {width}));
    return all;
  }

  static inline std::unique_ptr<CompiledModule> module;
};

TEST_F(RmsNormConformance, IsWithinBoundsOfFloat64) {
  Numbers numbers(60);
  std::map<std::string, Accuracy> accuracies;
  for (int64_t width : kWidths)
    for (int64_t rows : {1, 2, 3, 5, 17, 40, 129, 1000}) {
      Arrays in = inputs(rows, width, numbers);
      std::vector<float> scale = hasScale(width) ? floatsOf(in[1]) : std::vector<float>();
      std::vector<double> expected = reference::rmsNorm(width, widen(in[0]), widen(scale), 1e-5f);
      std::vector<float> plain = plainNorm(width, floatsOf(in[0]), scale, 1e-5f);
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

TEST_F(RmsNormConformance, GateBeforeAndResidualAfter) {
  Numbers numbers(61);
  for (int64_t rows : {1, 3, 37}) {
    Arrays in = {numbers.array("x", {rows, 40}), numbers.array("z", {rows, 40}), numbers.array("scale", {40})};
    std::vector<double> gated = widen(in[0]), residual = gated, z = widen(in[1]);
    for (size_t i = 0; i < gated.size(); ++i)
      gated[i] *= z[i];
    std::vector<double> expected = reference::rmsNorm(40, gated, widen(in[2]), 1e-5f);
    for (size_t i = 0; i < expected.size(); ++i)
      expected[i] += residual[i];
    for (const std::string &variant : module->variants()) {
      RelativeError error;
      error.add(floatsOf(module->run(variant, "gated", in)[0]), expected);
      EXPECT_LE(error.value(), 1e-6) << variant << ", rows " << rows;
    }
  }
}

TEST_F(RmsNormConformance, PowersOfTwoOfTheInputDoNotShow) {
  Numbers numbers(62);
  Arrays in = inputs(33, 128, numbers), scaled = in;
  std::vector<float> values = floatsOf(in[0]);
  for (float &x : values)
    x *= 0x1p20f;
  scaled[0] = Array::of<float>("x", in[0].shape, values);
  for (const std::string &variant : module->variants()) {
    RelativeError error;
    error.add(floatsOf(module->run(variant, "norm_128", scaled)[0]), widen(module->run(variant, "norm_128", in)[0]));
    EXPECT_LE(error.value(), 1e-5) << variant; // epsilon beside a mean of squares near 1
  }
}

TEST_F(RmsNormConformance, RowsAndThreadsDoNotChangeBits) {
  Numbers numbers(63);
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

TEST_F(RmsNormConformance, NanStaysInItsRow) {
  Numbers numbers(64);
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

} // namespace
} // namespace weft::test
