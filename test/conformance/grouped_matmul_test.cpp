// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.grouped_matmul compiled for each level against float64, with weights that are inputs and weights from files.
#include "test/conformance/Halves.h"
#include "test/conformance/RouteCase.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

namespace weft::test {
namespace {

struct Product {
  int64_t groups, columns, depth;
  bool gathered = true, bias = false;
  std::string entry() const {
    return "product_" + std::to_string(groups) + "_" + std::to_string(columns) + "_" + std::to_string(depth);
  }
};

/// One group, ragged columns and steps, primes, many groups.
constexpr Product kProducts[] = {
    {1, 1, 1, false},   {4, 16, 16},        {3, 7, 40, true, true}, {8, 33, 97, false, true},
    {5, 131, 64, true}, {64, 48, 33, true}, {13, 97, 211, false},   {512, 5, 8, true, true}};

/// Where the weights come from.
struct Weights {
  std::string name;           ///< of the test
  std::string stored = "f32"; ///< the parameter's type; "": an input
  std::string form = {};      ///< of --weights
};

constexpr const char *kEntry = R"(
func.func @@ENTRY(%x: tensor<?x@Kxf32> {weft.name = "lhs", weft.dims = ["@LHS", ""]},
                  %offsets: tensor<@ENDxi32> {weft.name = "offsets"}@ARGUMENTS)
    -> (tensor<?x@Nxf32> {weft.name = "out", weft.dims = ["rows", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
@PARAMETER
  %r = tensor.dim @ROWS, %zero : @ROWTYPE
  %init = tensor.empty(%r) : tensor<?x@Nxf32>
  %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x@Kxf32>, tensor<@Gx@Nx@Kx@STORED>, tensor<@ENDxi32>)
       @OPERANDS outs(%init : tensor<?x@Nxf32>) -> tensor<?x@Nxf32>
  return %y : tensor<?x@Nxf32>
}
)";

std::string textOf(const Product &p, const Weights &weights) {
  std::string arguments, operands, parameter;
  if (p.gathered) {
    arguments += ", %rows: tensor<?xi32> {weft.name = \"rows\", weft.dims = [\"rows\"]}";
    operands += "rows(%rows : tensor<?xi32>) ";
  }
  if (p.bias) {
    arguments += ", %bias: tensor<@Gx@Nxf32> {weft.name = \"bias\"}";
    operands += "bias(%bias : tensor<@Gx@Nxf32>)";
  }
  if (weights.stored.empty())
    arguments += ", %w: tensor<@Gx@Nx@Kxf32> {weft.name = \"rhs\"}";
  else
    parameter = "  %w = weft.parameter \"@ENTRY.weight\" : tensor<@Gx@Nx@Kx@STORED>";
  return replaced(kEntry, {{"@ARGUMENTS", arguments},
                           {"@OPERANDS", operands},
                           {"@PARAMETER", parameter},
                           {"@LHS", p.gathered ? "tokens" : "rows"},
                           {"@ROWTYPE", p.gathered ? "tensor<?xi32>" : "tensor<?x@Kxf32>"},
                           {"@ROWS", p.gathered ? "%rows" : "%x"},
                           {"@STORED", weights.stored.empty() ? "f32" : weights.stored},
                           {"@ENTRY", p.entry()},
                           {"@END", std::to_string(p.groups + 1)},
                           {"@G", std::to_string(p.groups)},
                           {"@N", std::to_string(p.columns)},
                           {"@K", std::to_string(p.depth)}});
}

/// Numbers that the form holds exactly, so that nothing is rounded: of each 32 along k one is the largest that its
/// scale allows.
std::vector<float> exactWeight(const Product &p, const Weights &weights, Numbers &numbers) {
  std::vector<float> values = numbers.normals(p.groups * p.columns * p.depth);
  if (weights.form.empty()) {
    for (float &value : values)
      value = rounded(kStored[weights.stored == "f16"], value * 0.25f);
    return values;
  }
  float most = weights.form == "int4" ? -8 : 127;
  int64_t group = weights.form == "int8" ? p.depth : 32;
  for (size_t i = 0; i < values.size(); ++i) {
    auto k = int64_t(i) % p.depth;
    float scale = std::ldexp(1.0f, int(i / p.depth + k / group) % 5 - 8);
    values[i] = scale * (k % group == 0 ? most : std::round(std::clamp(values[i] * 3, -7.0f, 7.0f)));
  }
  return values;
}

/// A stack of weights, as the file holds it.
Array storedWeight(const Product &p, const Weights &weights, const std::vector<float> &values) {
  std::string name = p.entry() + ".weight";
  std::vector<int64_t> shape = {p.groups, p.columns, p.depth};
  if (weights.stored == "f32")
    return Array::of<float>(name, shape, values);
  return arrayOf(kStored[weights.stored == "f16"], name, shape, values);
}

/// Groups of all sizes, some without a row, and at the end rows of no group.
std::vector<int32_t> randomOffsets(const Product &p, int64_t rows, Numbers &numbers) {
  std::vector<int32_t> offsets = {0};
  auto left = int32_t(rows - (rows > 4 ? 2 : 0));
  for (int64_t g = 0; g + 1 < p.groups; ++g)
    offsets.push_back(numbers.below(3) == 0 ? offsets.back()
                                            : int32_t(offsets.back() + numbers.below(left - offsets.back() + 1) / 2));
  offsets.push_back(left);
  return offsets;
}

/// Products with rounded weights take long to compile: only some.
std::vector<size_t> productsOf(const Weights &weights) {
  return weights.form.empty() ? std::vector<size_t>{0, 1, 2, 3, 4, 5, 6, 7} : std::vector<size_t>{1, 2, 3, 6};
}

/// What is compiled for one kind of weights, and the weights.
struct Compiled {
  std::unique_ptr<CompiledModule> module;
  std::map<size_t, std::vector<float>> stacks; ///< by the product's index

  explicit Compiled(const Weights &weights) {
    std::string text =
        "module attributes {weft.dim_bounds = {tokens = array<i64: 0, 4096>, rows = array<i64: 0, 8192>}" +
        (weights.form.empty() ? "" : ", weft.weights = \"" + weights.form + "\"") + "} {";
    Numbers numbers(100);
    Arrays file;
    for (size_t i : productsOf(weights)) {
      const Product &p = kProducts[i];
      text += textOf(p, weights);
      stacks[i] = exactWeight(p, weights, numbers);
      if (!weights.stored.empty())
        file.push_back(storedWeight(p, weights, stacks[i]));
    }
    module = std::make_unique<CompiledModule>(text + "}\n", file);
  }
};

class GroupedMatmul : public testing::TestWithParam<Weights> {
protected:
  /// Each kind is compiled once.
  static void TearDownTestSuite() { all.clear(); }
  void SetUp() override {
    const Compiled &compiled = all.try_emplace(GetParam().name, GetParam()).first->second;
    module = compiled.module.get();
    stacks = compiled.stacks;
    indices = productsOf(GetParam());
  }

  /// lhs of numbers that bf16 holds, which some levels round it to.
  Array leftOf(const Product &p, int64_t tokens, Numbers &numbers) const {
    std::vector<float> x = numbers.normals(tokens * p.depth);
    for (float &value : x)
      value = rounded(kStored[0], value);
    // And that 8 bits hold, where rows are rounded too.
    for (size_t i = 0; i < x.size() && GetParam().form == "int8"; ++i)
      x[i] = std::ldexp(int64_t(i) % p.depth == 0 ? 127.0f : std::round(std::clamp(x[i] * 30, -127.0f, 127.0f)),
                        int(i / p.depth) % 7 - 9);
    return Array::of<float>("lhs", {tokens, p.depth}, x);
  }

  Arrays inputsOf(size_t index, const std::vector<int32_t> &offsets, const std::vector<int32_t> &tokens, Array lhs,
                  Numbers &numbers) const {
    const Product &p = kProducts[index];
    Arrays all = {std::move(lhs), Array::of<int32_t>("offsets", {p.groups + 1}, offsets)};
    if (p.gathered)
      all.push_back(Array::of<int32_t>("rows", {int64_t(tokens.size())}, tokens));
    if (p.bias)
      all.push_back(numbers.array("bias", {p.groups, p.columns}));
    if (GetParam().stored.empty())
      all.push_back(Array::of<float>("rhs", {p.groups, p.columns, p.depth}, stacks.at(index)));
    return all;
  }

  /// Inputs of so many rows; the tokens of gathered ones are random.
  Arrays randomInputs(size_t index, int64_t rows, Numbers &numbers) const {
    const Product &p = kProducts[index];
    int64_t count = p.gathered ? rows / 2 + 1 : rows;
    std::vector<int32_t> tokens(rows);
    for (int32_t &token : tokens)
      token = int32_t(numbers.below(count));
    Array lhs = leftOf(p, count, numbers);
    return inputsOf(index, randomOffsets(p, rows, numbers), tokens, lhs, numbers);
  }

  std::vector<double> expected(size_t index, const Arrays &in) const {
    const Product &p = kProducts[index];
    std::vector<int32_t> tokens = p.gathered ? integersOf(in[2]) : std::vector<int32_t>();
    return reference::groupedMatmul({p.groups, p.columns, p.depth}, widen(in[0]), widen(stacks.at(index)),
                                    integersOf(in[1]), p.gathered ? int64_t(tokens.size()) : in[0].shape[0], tokens,
                                    p.bias ? widen(in[p.gathered ? 3 : 2]) : std::vector<double>());
  }

  static inline std::map<std::string, Compiled> all;
  CompiledModule *module = nullptr;
  std::map<size_t, std::vector<float>> stacks;
  std::vector<size_t> indices;
};

std::string nameOf(const std::string &variant, const Product &p, int64_t rows) {
  return variant + " " + p.entry() + ", rows " + std::to_string(rows);
}

/// The rows that are in a group.
Array grouped(const Array &out, const Arrays &in) { return rowsOf(out, 0, integersOf(in[1]).back()); }

TEST_P(GroupedMatmul, RowsAreWithinBoundsOfFloat64) {
  Numbers numbers(101);
  for (size_t i : indices) {
    const Product &p = kProducts[i];
    for (int64_t rows : {1, 2, 3, 7, 16, 31, 65, p.groups * p.columns < 2000 ? 1009 : 130}) {
      Arrays in = randomInputs(i, rows, numbers);
      std::vector<double> want = expected(i, in);
      want.resize(integersOf(in[1]).back() * p.columns);
      for (const std::string &variant : module->variants()) {
        Array out = grouped(module->run(variant, p.entry(), in)[0], in);
        RelativeError error;
        error.add(floatsOf(out), want);
        EXPECT_LT(error.value(), 1e-6) << nameOf(variant, p, rows);
        for (RunOptions options : {RunOptions{2}, RunOptions{3, Flush::AtStart}})
          EXPECT_TRUE(sameBits(out, grouped(module->run(variant, p.entry(), in, options)[0], in)))
              << nameOf(variant, p, rows);
      }
    }
  }
}

TEST_P(GroupedMatmul, WithoutRowsNothingHappens) {
  Numbers numbers(102);
  for (size_t i : indices) {
    std::vector<int32_t> offsets(kProducts[i].groups + 1);
    Arrays in = inputsOf(i, offsets, {}, leftOf(kProducts[i], kProducts[i].gathered ? 3 : 0, numbers), numbers);
    for (const std::string &variant : module->variants())
      EXPECT_TRUE(module->run(variant, kProducts[i].entry(), in)[0].bytes.empty()) << variant;
  }
}

// All rows in one group, whichever: the others are not read.
TEST_P(GroupedMatmul, OneGroupMayHaveAllRows) {
  Numbers numbers(103);
  constexpr int64_t kRows = 67;
  for (size_t i : indices)
    for (int64_t g : {int64_t(0), kProducts[i].groups / 2, kProducts[i].groups - 1}) {
      const Product &p = kProducts[i];
      Arrays in = randomInputs(i, kRows, numbers);
      std::vector<int32_t> offsets(p.groups + 1, 0);
      std::fill(offsets.begin() + g + 1, offsets.end(), int32_t(kRows));
      in[1] = Array::of<int32_t>("offsets", {p.groups + 1}, offsets);
      std::vector<double> want = expected(i, in);
      for (const std::string &variant : module->variants()) {
        RelativeError error;
        error.add(floatsOf(module->run(variant, p.entry(), in, {2})[0]), want);
        EXPECT_LT(error.value(), 1e-6) << nameOf(variant, p, kRows) << ", group " << g;
      }
    }
}

// A row's bits depend on nothing but the row and its group.
TEST_P(GroupedMatmul, RowsStandAlone) {
  Numbers numbers(104);
  for (size_t i : indices) {
    const Product &p = kProducts[i];
    Arrays in = randomInputs(i, 41, numbers), one = in;
    std::vector<int32_t> offsets = integersOf(in[1]);
    for (const std::string &variant : module->variants()) {
      Array out = module->run(variant, p.entry(), in)[0];
      for (int64_t g = 0; g < p.groups; ++g)
        for (int64_t row = offsets[g]; row < offsets[g + 1]; ++row) {
          std::vector<int32_t> only(p.groups + 1, 0);
          std::fill(only.begin() + g + 1, only.end(), 1);
          one[1] = Array::of<int32_t>("offsets", {p.groups + 1}, only);
          one[p.gathered ? 2 : 0] = rowsOf(in[p.gathered ? 2 : 0], row, 1);
          EXPECT_TRUE(sameBits(module->run(variant, p.entry(), one)[0], rowsOf(out, row, 1)))
              << nameOf(variant, p, row);
        }
    }
  }
}

/// Rows that are not there are the last one.
TEST_P(GroupedMatmul, RowsOutOfRangeAreTheLastOne) {
  Numbers numbers(105);
  constexpr int32_t kMost = std::numeric_limits<int32_t>::max(), kLeast = std::numeric_limits<int32_t>::min();
  for (size_t i : indices) {
    const Product &p = kProducts[i];
    if (!p.gathered)
      continue;
    std::vector<int32_t> offsets(p.groups + 1, 8), hostile = {4, 5, -1, kMost, 2, kLeast, 1000, 6};
    offsets[0] = 0;
    Arrays in = inputsOf(i, offsets, hostile, leftOf(p, 5, numbers), numbers), tame = in;
    tame[2] = Array::of<int32_t>("rows", {8}, std::vector<int32_t>{4, 4, 4, 4, 2, 4, 4, 4});
    for (const std::string &variant : module->variants())
      for (Flush flush : {Flush::AtEnd, Flush::AtStart})
        EXPECT_TRUE(sameBits(module->run(variant, p.entry(), in, {1, flush})[0],
                             module->run(variant, p.entry(), tame, {1, flush})[0]))
            << nameOf(variant, p, 8);
  }
}

TEST_P(GroupedMatmul, OffsetsBeyondTheRowsEndWithThem) {
  Numbers numbers(106);
  for (size_t i : indices) {
    const Product &p = kProducts[i];
    Arrays in = randomInputs(i, 20, numbers), tame = in;
    std::vector<int32_t> offsets(p.groups + 1, std::numeric_limits<int32_t>::max()), inside(p.groups + 1, 20);
    offsets[0] = -7;
    inside[0] = 0;
    in[1] = Array::of<int32_t>("offsets", {p.groups + 1}, offsets);
    tame[1] = Array::of<int32_t>("offsets", {p.groups + 1}, inside);
    for (const std::string &variant : module->variants())
      for (int threads : {1, 3})
        EXPECT_TRUE(sameBits(module->run(variant, p.entry(), in, {threads})[0],
                             module->run(variant, p.entry(), tame, {threads})[0]))
            << nameOf(variant, p, 20);
  }
}

/// Whatever the indices hold, all accesses stay in the arrays: the guards of the memory are the test.
TEST_P(GroupedMatmul, NoIndexLeadsOutOfTheArrays) {
  Numbers numbers(107);
  for (size_t i : indices) {
    const Product &p = kProducts[i];
    auto hostile = [&](int64_t count) {
      std::vector<int32_t> values(count);
      for (int32_t &value : values)
        value = int32_t(uint32_t(numbers.below(4'000'000'000)) << numbers.below(8) * 4);
      return values;
    };
    for (int64_t rows : {1, 17, 50})
      for (int64_t tokens : {p.gathered ? int64_t(1) : rows, rows}) {
        Arrays in = inputsOf(i, hostile(p.groups + 1), hostile(rows), leftOf(p, tokens, numbers), numbers);
        for (const std::string &variant : module->variants())
          for (RunOptions options : {RunOptions{1}, RunOptions{3, Flush::AtStart}})
            EXPECT_EQ(module->run(variant, p.entry(), in, options)[0].shape[0], rows) << nameOf(variant, p, rows);
      }
  }
}

TEST_P(GroupedMatmul, NanStaysInItsRow) {
  Numbers numbers(108);
  for (size_t i : indices) {
    const Product &p = kProducts[i];
    if (p.gathered)
      continue;
    Arrays healthy = randomInputs(i, 30, numbers), in = healthy;
    std::vector<float> x = floatsOf(in[0]);
    x[13 * p.depth + p.depth / 2] = std::nanf("");
    x[27 * p.depth] = INFINITY;
    in[0] = Array::of<float>("lhs", in[0].shape, x);
    for (const std::string &variant : module->variants()) {
      Array out = module->run(variant, p.entry(), in)[0], before = module->run(variant, p.entry(), healthy)[0];
      for (int64_t row = 0; row < integersOf(in[1]).back(); ++row)
        for (float value : floatsOf(rowsOf(out, row, 1)))
          EXPECT_EQ(row == 13, std::isnan(value) && row != 27) << nameOf(variant, p, row);
      for (int64_t row : {0, 12, 14, 26})
        EXPECT_TRUE(sameBits(rowsOf(out, row, 1), rowsOf(before, row, 1))) << nameOf(variant, p, row);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Weights, GroupedMatmul,
                         testing::Values(Weights{"input", ""}, Weights{"f32"}, Weights{"bf16", "bf16"},
                                         Weights{"f16", "f16"}, Weights{"int4", "f32", "int4"},
                                         Weights{"q8_0", "f32", "q8_0"}, Weights{"int8", "f32", "int8"}),
                         [](const testing::TestParamInfo<Weights> &info) { return info.param.name; });

} // namespace
} // namespace weft::test
