// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of so many columns that a GPU has different kernels for one row, some, and many: a row has the same bits in
// all, and they are within bounds of float64.
#include "test/conformance/CompiledModule.h"
#include "test/conformance/Halves.h"
#include "test/conformance/LinearEntry.h"
#include "test/conformance/Numbers.h"

#include "gtest/gtest.h"

namespace weft::test {
namespace {

/// On Hopper 43 blocks of 128 columns: up to 256 rows are some. The sum ends within a step.
const LinearEntry kWide{/*columns=*/5504, /*depth=*/72, /*outByIn=*/true};
constexpr int64_t kRows = 257;

Array outOf(CompiledModule &module, const std::string &variant, const Array &lhs) {
  return module.run(variant, kWide.name(), {lhs})[0];
}

double errorOf(const Array &out, const std::vector<float> &x, const std::vector<float> &weight) {
  int64_t n = kWide.columns, k = kWide.depth;
  std::vector<double> expected;
  for (int64_t row = 0; row < kRows; ++row)
    for (int64_t column = 0; column < n; ++column) {
      double sum = 0;
      for (int64_t i = 0; i < k; ++i)
        sum += double(x[row * k + i]) * weight[column * k + i];
      expected.push_back(sum);
    }
  RelativeError error;
  error.add(floatsOf(out), expected);
  return error.value();
}

TEST(ProductRows, HaveTheSameBitsAmongFewAndMany) {
  for (const Stored &stored : kStored) {
    Numbers numbers(70);
    std::vector<float> weight = numbers.normals(kWide.columns * kWide.depth), x = numbers.normals(kRows * kWide.depth);
    for (std::vector<float> *values : {&weight, &x}) // rows are rounded as the weight is
      for (float &value : *values)
        value = rounded(stored, value);
    CompiledModule module("module attributes {weft.dtype = " + stored.name +
                              ", weft.dim_bounds = {rows = array<i64: 0, 1024>}} {" + kWide.text("", "%y") + "}\n",
                          {kWide.weight(weight)});
    Array lhs = Array::of<float>("lhs", {kRows, kWide.depth}, x);
    for (const std::string &variant : module.variants()) {
      Array many = outOf(module, variant, lhs);
      EXPECT_LE(errorOf(many, x, weight), 1e-6) << variant << ", " << stored.name;
      for (int64_t count : {1, 16, 17, 128, 256}) {
        Array out = outOf(module, variant, rowsOf(lhs, kRows - count, count));
        EXPECT_TRUE(sameBits(out, rowsOf(many, kRows - count, count)))
            << variant << ", " << stored.name << ", the last " << count << " rows";
      }
    }
  }
}

} // namespace
} // namespace weft::test
