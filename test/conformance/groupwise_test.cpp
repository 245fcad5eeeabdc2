// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products with weights in groups compiled for each level against float64: weft.groupwise_matmul on bytes that are
// inputs, and linalg.matmul with weights from a file that the compiler rounds as docs/spec.md says.
#include "test/conformance/CompiledModule.h"
#include "test/conformance/LinearEntry.h"
#include "test/conformance/Numbers.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <span>

namespace weft::test {
namespace {

struct Form {
  std::string name; ///< of --weights
  int64_t bits, group;
  int64_t bytes() const { return 2 * group * bits + 32; }
};

struct Linear {
  int64_t columns, depth;
  bool bias;
  LinearEntry stored() const { return {columns, depth, depth % 2 == 1}; }
  std::string entry() const { return stored().name(); }
};

/// Less than a group, whole groups, ragged words, primes, more steps than a scratch holds. Few, since each is compiled
/// for every level and height of a tile.
constexpr Linear kLinears[] = {{1, 1, false},   {7, 40, true},     {16, 32, true},   {33, 97, false},
                               {97, 384, true}, {200, 1536, true}, {49, 2111, false}};

/// A weight as the products read it: [columns, depth], each value exact in f32.
using Weight = std::vector<float>;

std::vector<double> exactProduct(const Linear &l, const Array &lhs, const Weight &weight,
                                 const std::vector<float> &bias) {
  std::vector<float> x = floatsOf(lhs);
  std::vector<double> out;
  for (int64_t m = 0; m < lhs.shape[0]; ++m)
    for (int64_t n = 0; n < l.columns; ++n) {
      double sum = l.bias ? bias[n] : 0;
      for (int64_t k = 0; k < l.depth; ++k)
        sum += double(x[m * l.depth + k]) * weight[n * l.depth + k];
      out.push_back(sum);
    }
  return out;
}

std::vector<float> plainProduct(const Linear &l, const Array &lhs, const Weight &weight,
                                const std::vector<float> &bias) {
  std::vector<float> x = floatsOf(lhs), out;
  for (int64_t m = 0; m < lhs.shape[0]; ++m)
    for (int64_t n = 0; n < l.columns; ++n) {
      float sum = l.bias ? bias[n] : 0;
      for (int64_t k = 0; k < l.depth; ++k)
        sum += x[m * l.depth + k] * weight[n * l.depth + k];
      out.push_back(sum);
    }
  return out;
}

std::vector<int64_t> rowCounts(const Linear &l) {
  int64_t elements = l.columns * l.depth;
  std::vector<int64_t> counts = {0, elements < 40'000 ? 129 : 19};
  for (int64_t rows = 1; rows <= 29; ++rows)
    if (elements < 4'000 || rows % 7 == 1)
      counts.push_back(rows);
  return counts;
}

std::string nameOf(const std::string &variant, const Linear &l, int64_t rows) {
  return variant + " " + l.entry() + ", rows " + std::to_string(rows);
}

/// Every entry and number of rows within bounds, the same with guards before the arrays and on several threads.
template <class MakeInputs, class MakeWeight>
void expectWithinBounds(CompiledModule &module, const MakeInputs &inputsOf, const MakeWeight &weightOf) {
  std::map<std::string, Accuracy> accuracies;
  for (size_t i = 0; i < std::size(kLinears); ++i) {
    const Linear &l = kLinears[i];
    auto [weight, bias] = weightOf(i);
    for (int64_t rows : rowCounts(l)) {
      Arrays inputs = inputsOf(i, rows);
      std::vector<double> expected = exactProduct(l, inputs[0], weight, bias);
      std::vector<float> plain = plainProduct(l, inputs[0], weight, bias);
      for (const std::string &variant : module.variants()) {
        Accuracy &accuracy = accuracies[variant];
        accuracy.bound = 1e-6;
        Array out = module.run(variant, l.entry(), inputs)[0];
        ASSERT_EQ(accuracy.check(out, expected, plain), "") << nameOf(variant, l, rows);
        RunOptions other = rows == 19 || rows == 129 ? RunOptions{4} : RunOptions{1, Flush::AtStart};
        ASSERT_TRUE(sameBits(out, module.run(variant, l.entry(), inputs, other)[0])) << nameOf(variant, l, rows);
      }
    }
  }
  for (auto &[variant, accuracy] : accuracies)
    EXPECT_TRUE(accuracy.withinTwicePlain()) << variant << ": " << accuracy.text();
}

//===--------------------------------------------------------------------------------------------------------------===//
// All operands are inputs
//===--------------------------------------------------------------------------------------------------------------===//

constexpr const char *kPacked = R"(
func.func @@ENTRY(%x: tensor<?x@Kxf32> {weft.name = "lhs", weft.dims = ["rows", ""]},
                  %w: tensor<@PANELSx@GROUPSx@BYTESxi8> {weft.name = "rhs", weft.dims = ["", "", ""]},
                  %b: tensor<@Nxf32> {weft.name = "bias", weft.dims = [""]})
    -> (tensor<?x@Nxf32> {weft.name = "out", weft.dims = ["rows", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %rows = tensor.dim %x, %zero : tensor<?x@Kxf32>
  %init = tensor.empty(%rows) : tensor<?x@Nxf32>
  %y = weft.groupwise_matmul {bits = @BITS, group = @STEPS} ins(%x, %w@OPERAND : tensor<?x@Kxf32>, tensor<@PANELSx@GROUPSx@BYTESxi8>@TYPE)
                           outs(%init : tensor<?x@Nxf32>) -> tensor<?x@Nxf32>
  return %y : tensor<?x@Nxf32>
}
)";

int64_t groupsOf(const Form &form, const Linear &l) { return (l.depth + form.group - 1) / form.group; }
int64_t panelsOf(const Linear &l) { return (l.columns + 15) / 16; }

std::string packedEntry(const Form &form, const Linear &l) {
  return replaced(kPacked, {{"@ENTRY", l.entry()},
                            {"@N", std::to_string(l.columns)},
                            {"@K", std::to_string(l.depth)},
                            {"@PANELS", std::to_string(panelsOf(l))},
                            {"@GROUPS", std::to_string(groupsOf(form, l))},
                            {"@BYTES", std::to_string(form.bytes())},
                            {"@BITS", std::to_string(form.bits)},
                            {"@STEPS", std::to_string(form.group)},
                            {"@OPERAND", l.bias ? ", %b" : ""},
                            {"@TYPE", l.bias ? ", tensor<" + std::to_string(l.columns) + "xf32>" : ""}});
}

std::string packedText(const Form &form, std::span<const Linear> linears) {
  std::string text = "module attributes {weft.dim_bounds = {rows = array<i64: 0, 1024>}} {";
  for (const Linear &l : linears)
    text += packedEntry(form, l);
  return text + "}\n";
}

/// Values of all sizes, scales from the smallest to large ones; what no column or step reads has scales of infinity.
Array randomBytes(const Form &form, const Linear &l, Numbers &numbers, Weight &weight) {
  int64_t groups = groupsOf(form, l), words = 2 * form.group * form.bits;
  std::vector<std::byte> bytes(panelsOf(l) * groups * form.bytes());
  weight.assign(l.columns * l.depth, 0);
  for (int64_t n = 0; n < panelsOf(l) * 16; ++n)
    for (int64_t g = 0; g < groups; ++g) {
      std::byte *to = bytes.data() + (n / 16 * groups + g) * form.bytes();
      float wanted = g % 5 == 4 ? 0x1p-24f : numbers.normal() * 0.1f;
      auto scale = static_cast<_Float16>(n < l.columns ? wanted : INFINITY);
      std::memcpy(to + words + n % 16 * 2, &scale, 2);
      for (int64_t j = 0; j < form.group; ++j) {
        int64_t value = numbers.below(1 << form.bits) - (1 << (form.bits - 1)), k = g * form.group + j;
        int64_t bit = j * form.bits % 32, at = (j * form.bits / 32 * 16 + n % 16) * 4 + bit / 8;
        to[at] |= static_cast<std::byte>((value & ((1 << form.bits) - 1)) << bit % 8);
        if (n < l.columns && k < l.depth)
          weight[n * l.depth + k] = static_cast<float>(value) * static_cast<float>(scale);
      }
    }
  return {"rhs", ElementType::I8, {panelsOf(l), groups, form.bytes()}, std::move(bytes)};
}

class GroupwiseBytes : public testing::TestWithParam<Form> {};

/// The last rows alone are what they are among the others.
void expectRowsStandAlone(CompiledModule &module, const Linear &l, const Array &bytes, const Array &bias,
                          Numbers &numbers) {
  constexpr int64_t kRows = 40;
  Array lhs = numbers.array("lhs", {kRows, l.depth});
  for (const std::string &variant : module.variants()) {
    Array all = module.run(variant, l.entry(), {lhs, bytes, bias})[0];
    for (int64_t count = 1; count <= kRows; ++count) {
      Array out = module.run(variant, l.entry(), {rowsOf(lhs, kRows - count, count), bytes, bias})[0];
      EXPECT_TRUE(sameBits(out, rowsOf(all, kRows - count, count))) << nameOf(variant, l, count);
    }
  }
}

TEST_P(GroupwiseBytes, AreWithinBoundsOfFloat64RowByRow) {
  const Form &form = GetParam();
  CompiledModule module(packedText(form, kLinears));
  Numbers numbers(70);
  Array bytes, bias;
  expectWithinBounds(
      module,
      [&](size_t i, int64_t rows) { return Arrays{numbers.array("lhs", {rows, kLinears[i].depth}), bytes, bias}; },
      [&](size_t i) {
        const Linear &l = kLinears[i];
        Weight weight;
        bytes = randomBytes(form, l, numbers, weight);
        bias = numbers.array("bias", {l.columns});
        if (l.columns * l.depth < 4'000)
          expectRowsStandAlone(module, l, bytes, bias, numbers);
        return std::pair(weight, floatsOf(bias));
      });
}

/// One product of bytes that are inputs.
constexpr Linear kSome{33, 97, false};

/// Rows of all magnitudes that groups have a unit for, some with elements that are a thousand times as large.
Array rowsOfAllSizes(Numbers &numbers, int64_t rows, int64_t depth) {
  std::vector<float> values = numbers.normals(rows * depth);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t k = 0; k < depth; ++k)
      values[row * depth + k] *= std::ldexp(row % 3 == 1 && k % 17 == 3 ? 1000.0f : 1.0f, int(row * 9 - 70));
  return Array::of("lhs", {rows, depth}, values);
}

TEST_P(GroupwiseBytes, KeepTheirPrecisionAtAllMagnitudes) {
  const Form &form = GetParam();
  CompiledModule module(packedText(form, {&kSome, 1}));
  Numbers numbers(73);
  Weight weight;
  Array bytes = randomBytes(form, kSome, numbers, weight), bias = numbers.array("bias", {kSome.columns});
  constexpr int64_t kRows = 16;
  Array lhs = rowsOfAllSizes(numbers, kRows, kSome.depth);
  for (const std::string &variant : module.variants()) {
    Array all = module.run(variant, kSome.entry(), {lhs, bytes, bias})[0];
    for (int64_t row = 0; row < kRows; ++row) {
      Array x = rowsOf(lhs, row, 1);
      Accuracy accuracy{1e-6, {}, {}};
      EXPECT_EQ(
          accuracy.check(rowsOf(all, row, 1), exactProduct(kSome, x, weight, {}), plainProduct(kSome, x, weight, {})),
          "")
          << nameOf(variant, kSome, row);
    }
  }
}

/// A row that is not finite is what arithmetic in f32 makes of it, and no other row is touched.
TEST_P(GroupwiseBytes, LeaveWhatIsNotFiniteInItsRow) {
  const Form &form = GetParam();
  CompiledModule module(packedText(form, {&kSome, 1}));
  Numbers numbers(74);
  Weight weight;
  Array bytes = randomBytes(form, kSome, numbers, weight), bias = numbers.array("bias", {kSome.columns});
  for (int64_t rows : {1, 2, 12})
    for (float bad : {std::nanf(""), -std::nanf("7"), INFINITY, -INFINITY}) {
      std::vector<float> values = numbers.normals(rows * kSome.depth);
      Array good = Array::of("lhs", {rows, kSome.depth}, values);
      int64_t row = rows - 1;
      values[row * kSome.depth + 96] = bad;
      Array lhs = Array::of("lhs", {rows, kSome.depth}, values);
      std::vector<float> plain = plainProduct(kSome, rowsOf(lhs, row, 1), weight, {});
      for (const std::string &variant : module.variants()) {
        Array out = module.run(variant, kSome.entry(), {lhs, bytes, bias})[0];
        Array without = module.run(variant, kSome.entry(), {good, bytes, bias})[0];
        EXPECT_TRUE(sameBits(rowsOf(out, 0, row), rowsOf(without, 0, row))) << nameOf(variant, kSome, rows);
        std::vector<float> its = floatsOf(rowsOf(out, row, 1));
        for (size_t n = 0; n < its.size(); ++n)
          EXPECT_TRUE(std::isnan(plain[n]) ? std::isnan(its[n]) : its[n] == plain[n]) << nameOf(variant, kSome, rows);
      }
    }
}

INSTANTIATE_TEST_SUITE_P(Forms, GroupwiseBytes,
                         testing::Values(Form{"int4", 4, 32}, Form{"q8_0", 8, 32}, Form{"", 4, 8}),
                         [](const testing::TestParamInfo<Form> &info) {
                           return "bits" + std::to_string(info.param.bits) + "group" + std::to_string(info.param.group);
                         });

//===--------------------------------------------------------------------------------------------------------------===//
// Weights from a file
//===--------------------------------------------------------------------------------------------------------------===//

std::string storedText(const std::string &form) {
  std::string text =
      "module attributes {weft.weights = \"" + form + "\", weft.dim_bounds = {rows = array<i64: 0, 1024>}} {";
  for (const Linear &l : kLinears)
    text += l.stored().text(l.bias ? kAddBias : "", l.bias ? "%sum" : "%y");
  return text + "}\n";
}

/// A column's values as the spec rounds them, group by group.
void roundColumn(const Form &form, float *column, int64_t depth) {
  for (int64_t begin = 0; begin < depth; begin += form.group) {
    float *first = column + begin, *last = column + std::min(begin + form.group, depth);
    float extreme = *std::max_element(first, last, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
    auto half = static_cast<_Float16>(form.bits == 4 ? extreme / -8 : std::fabs(extreme) / 127);
    auto scale = static_cast<float>(half);
    float least = form.bits == 4 ? -8 : -127, most = form.bits == 4 ? 7 : 127;
    for (float *value = first; value != last; ++value)
      *value = scale == 0 ? 0 : std::nearbyint(std::clamp(*value / scale, least, most)) * scale;
  }
}

TEST(GroupwiseWeights, AreRoundedAsTheSpecSays) {
  for (const Form &form : {Form{"int4", 4, 32}, Form{"q8_0", 8, 32}}) {
    Numbers numbers(72);
    Arrays file;
    std::vector<std::pair<Weight, std::vector<float>>> weights;
    for (const Linear &l : kLinears) {
      Weight weight = numbers.normals(l.columns * l.depth);
      std::fill_n(weight.begin(), std::min<int64_t>(l.depth, 32), l.columns > 1 ? 0.0f : 1.0f); // a group of zeros
      file.push_back(l.stored().weight(weight));
      std::vector<float> bias = numbers.normals(l.columns);
      if (l.bias)
        file.push_back(l.stored().bias(bias));
      for (int64_t n = 0; n < l.columns; ++n)
        roundColumn(form, weight.data() + n * l.depth, l.depth);
      weights.emplace_back(weight, bias);
    }
    CompiledModule module(storedText(form.name), file);
    expectWithinBounds(
        module, [&](size_t i, int64_t rows) { return Arrays{numbers.array("lhs", {rows, kLinears[i].depth})}; },
        [&](size_t i) { return weights[i]; });
  }
}

} // namespace
} // namespace weft::test
