// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products in 8 bits compiled for each level, weights from a file: bit for bit what docs/spec.md says, on every level.
#include "test/conformance/LinearEntry.h"
#include "test/conformance/Numbers.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

namespace weft::test {
namespace {

struct Linear : LinearEntry {
  bool hasBias;
};

constexpr Linear kLinears[] = {
    {{1, 1, true}, false},     {{2, 3, false}, true},   {{7, 40, true}, true},
    {{15, 17, false}, false},  {{16, 16, true}, true},  {{17, 5, true}, false},
    {{31, 13, false}, true},   {{32, 8, true}, true},   {{33, 97, true}, false},
    {{48, 23, false}, true},   {{64, 64, true}, false}, {{97, 384, true}, true},
    {{193, 61, false}, true},  {{384, 97, true}, true}, {{200, 1536, true}, true},
    {{17, 8201, true}, false}, // too long for a scratch of halves
};

constexpr const char *kTwice = R"(
  %twice = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
      iterator_types = ["parallel", "parallel"]} ins(%sum : tensor<?x@Nxf32>) outs(%init : tensor<?x@Nxf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = arith.addf %p, %p : f32
    linalg.yield %r : f32
  } -> tensor<?x@Nxf32>)";

std::string textOf(const Linear &l) { return l.hasBias ? l.text(kAddBias + kTwice, "%twice") : l.text("", "%y"); }

/// A row as the spec rounds it.
struct RoundedRow {
  float scale = 0;
  std::vector<int32_t> values;

  RoundedRow(const float *row, int64_t count) : values(count) {
    float most = 0;
    for (int64_t k = 0; k < count; ++k) {
      if (!std::isfinite(row[k])) {
        scale = std::numeric_limits<float>::quiet_NaN();
        return;
      }
      most = std::max(most, std::fabs(row[k]));
    }
    if (most < 0x1p-100f)
      return;
    scale = most / 127;
    float inverse = 127 / most;
    for (int64_t k = 0; k < count; ++k)
      values[k] = static_cast<int32_t>(std::nearbyint(row[k] * inverse));
  }
};

class QuantizedConformance : public testing::Test {
protected:
  static void SetUpTestSuite() {
    Numbers numbers(90);
    std::string text = R"(module attributes {weft.weights = "int8", weft.dim_bounds = {rows = array<i64: 0, 1024>}} {)";
    Arrays file;
    for (const Linear &l : kLinears) {
      text += textOf(l);
      Weights made{numbers.normals(l.columns * l.depth), {}};
      if (l.columns > 2) // a column of zeros
        std::fill_n(made.weight.begin() + l.depth, l.depth, 0.0f);
      file.push_back(l.weight(made.weight));
      if (l.hasBias) {
        made.bias = numbers.normals(l.columns);
        file.push_back(l.bias(made.bias));
      }
      weights.push_back(made);
    }
    module = std::make_unique<CompiledModule>(text + "}\n", file);
  }
  static void TearDownTestSuite() { module.reset(), weights.clear(); }

  /// What the spec says, with the epilogue of an entry with bias.
  static Array expected(size_t index, const Array &lhs) {
    const Linear &l = kLinears[index];
    std::vector<float> x = floatsOf(lhs), out;
    std::vector<RoundedRow> columns;
    for (int64_t n = 0; n < l.columns; ++n)
      columns.emplace_back(weights[index].weight.data() + n * l.depth, l.depth);
    for (int64_t m = 0; m < lhs.shape[0]; ++m) {
      RoundedRow row(x.data() + m * l.depth, l.depth);
      for (int64_t n = 0; n < l.columns; ++n) {
        int32_t sum = 0;
        for (int64_t k = 0; k < l.depth; ++k)
          sum += row.values[k] * columns[n].values[k];
        volatile float scaled = static_cast<float>(sum) * row.scale; // no fused step
        volatile float y = scaled * columns[n].scale;
        out.push_back(l.hasBias ? (y + weights[index].bias[n]) * 2 : y);
      }
    }
    return Array::of<float>("out", {lhs.shape[0], l.columns}, out);
  }

  struct Weights {
    std::vector<float> weight; // [columns, depth]
    std::vector<float> bias;   // empty without
  };
  static inline std::unique_ptr<CompiledModule> module;
  static inline std::vector<Weights> weights;
};

TEST_F(QuantizedConformance, IsWhatTheSpecSaysBitForBit) {
  Numbers numbers(91);
  for (size_t i = 0; i < std::size(kLinears); ++i) {
    const Linear &l = kLinears[i];
    std::vector<int64_t> counts = {0, 127, 129};
    for (int64_t rows = 1; rows <= 40; ++rows)
      if (l.columns * l.depth < 4'000 || rows % 7 == 1)
        counts.push_back(rows);
    for (int64_t rows : counts) {
      Array lhs = numbers.array("lhs", {rows, l.depth});
      Array wanted = expected(i, lhs);
      for (const std::string &variant : module->variants())
        for (RunOptions options : {RunOptions{1, Flush::AtEnd}, RunOptions{1, Flush::AtStart}, RunOptions{4}})
          ASSERT_TRUE(sameBits(wanted, module->run(variant, l.name(), {lhs}, options)[0]))
              << variant << " " << l.name() << " rows " << rows << " threads " << options.threads;
    }
  }
}

TEST_F(QuantizedConformance, ExtremeValuesDoNotOverflow) {
  for (size_t i = 0; i < std::size(kLinears); ++i) {
    const Linear &l = kLinears[i];
    std::vector<float> values(9 * l.depth);
    for (int64_t m = 0; m < 9; ++m)
      for (int64_t k = 0; k < l.depth; ++k)
        values[m * l.depth + k] = m % 3 == 2 ? 0 : (m % 3 == 0 ? -3.4e38f : (k % 2 ? 1e-30f : -1e-30f));
    Array lhs = Array::of<float>("lhs", {9, l.depth}, values);
    Array wanted = expected(i, lhs);
    for (const std::string &variant : module->variants())
      EXPECT_TRUE(sameBits(wanted, module->run(variant, l.name(), {lhs})[0])) << variant << " " << l.name();
  }
}

TEST_F(QuantizedConformance, NanStaysInItsRow) {
  Numbers numbers(92);
  for (float bad : {std::nanf(""), -std::nanf("7"), std::numeric_limits<float>::infinity()}) {
    size_t i = 8;
    const Linear &l = kLinears[i];
    Array lhs = numbers.array("lhs", {29, l.depth});
    std::vector<float> values = floatsOf(lhs);
    values[11 * l.depth + 5] = bad;
    Array poisoned = Array::of<float>("lhs", lhs.shape, values), wanted = expected(i, lhs);
    for (const std::string &variant : module->variants()) {
      Array out = module->run(variant, l.name(), {poisoned})[0];
      for (int64_t row = 0; row < 29; ++row)
        if (row != 11)
          EXPECT_TRUE(sameBits(rowsOf(wanted, row, 1), rowsOf(out, row, 1))) << variant << ", row " << row;
      for (float x : floatsOf(rowsOf(out, 11, 1)))
        EXPECT_TRUE(std::isnan(x)) << variant;
    }
  }
}

} // namespace
} // namespace weft::test
