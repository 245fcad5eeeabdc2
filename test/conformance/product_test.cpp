// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products compiled for each level against float64: weft.packed_matmul on inputs of any extents, and linalg.matmul with
// weights from a file, with and without bias and epilogue.
#include "test/conformance/CompiledModule.h"
#include "test/conformance/Halves.h"
#include "test/conformance/LinearEntry.h"
#include "test/conformance/Numbers.h"
#include "test/reference/layer.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>

namespace weft::test {
namespace {

constexpr int64_t kWidth = 16; ///< of a panel

struct Product {
  int64_t rows, columns, depth;
};

std::string nameOf(const std::string &variant, Product p) {
  return variant + ", rows " + std::to_string(p.rows) + ", columns " + std::to_string(p.columns) + ", depth " +
         std::to_string(p.depth);
}

/// [columns, depth] `weight`; sums in f32, in order.
std::vector<float> plainProduct(Product p, const std::vector<float> &lhs, const std::vector<float> &weight,
                                const std::vector<float> &bias) {
  std::vector<float> out(p.rows * p.columns);
  for (int64_t i = 0; i < p.rows; ++i)
    for (int64_t j = 0; j < p.columns; ++j) {
      float sum = 0;
      for (int64_t k = 0; k < p.depth; ++k)
        sum += lhs[i * p.depth + k] * weight[j * p.depth + k];
      out[i * p.columns + j] = sum + (bias.empty() ? 0 : bias[j]);
    }
  return out;
}

std::vector<double> exactProduct(Product p, const std::vector<float> &lhs, const std::vector<float> &weight,
                                 const std::vector<float> &bias) {
  std::vector<double> packed =
      reference::pack(p.depth, p.columns, kWidth, widen(transposed(weight, p.columns, p.depth)));
  return reference::packedMatmul(p.rows, p.columns, p.depth, kWidth, widen(lhs), packed, widen(bias));
}

//===--------------------------------------------------------------------------------------------------------------===//
// All operands are inputs
//===--------------------------------------------------------------------------------------------------------------===//

constexpr const char *kPacked = R"(module attributes {weft.dim_bounds = {rows = array<i64: 0, 1024>,
    depth = array<i64: 0, 2048>, columns = array<i64: 1, 512>, panels = array<i64: 1, 32>}} {
func.func @multiply(%x: tensor<?x?xf32> {weft.name = "lhs", weft.dims = ["rows", "depth"]},
                    %w: tensor<?x?x16xf32> {weft.name = "rhs", weft.dims = ["panels", "depth", ""]},
                    %b: tensor<?xf32> {weft.name = "bias", weft.dims = ["columns"]})
    -> (tensor<?x?xf32> {weft.name = "out", weft.dims = ["rows", "columns"]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %rows = tensor.dim %x, %zero : tensor<?x?xf32>
  %columns = tensor.dim %b, %zero : tensor<?xf32>
  %init = tensor.empty(%rows, %columns) : tensor<?x?xf32>
  %y = weft.packed_matmul ins(%x, %w, %b : tensor<?x?xf32>, tensor<?x?x16xf32>, tensor<?xf32>)
                          outs(%init : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}
})";

Arrays packedInputs(Product p, Numbers &numbers, std::vector<float> &weight) {
  Array lhs = numbers.array("lhs", {p.rows, p.depth}), bias = numbers.array("bias", {p.columns});
  weight = numbers.normals(p.columns * p.depth);
  std::vector<double> wide = reference::pack(p.depth, p.columns, kWidth, widen(transposed(weight, p.columns, p.depth)));
  std::vector<float> packed(wide.begin(), wide.end());
  int64_t panels = (p.columns + kWidth - 1) / kWidth;
  return {lhs, Array::of<float>("rhs", {panels, p.depth, kWidth}, packed), bias};
}

/// Every extent of each dimension, together with changing extents of the others.
std::vector<Product> products() {
  std::vector<int64_t> rows, columns, depths;
  for (int64_t extent = 1; extent <= 40; ++extent)
    for (auto *list : {&rows, &columns, &depths})
      list->push_back(extent);
  for (int64_t extent : {97, 384})
    columns.push_back(extent), depths.push_back(extent);
  rows.insert(rows.end(), {127, 128, 129});
  depths.push_back(1536);
  std::vector<Product> all;
  for (size_t i = 0; i < 4 * rows.size(); ++i) {
    Product p{rows[i % rows.size()], columns[i * 5 % columns.size()], depths[i * 11 % depths.size()]};
    if (p.rows * p.columns * p.depth < 10'000'000)
      all.push_back(p);
  }
  // Nothing to compute, and nothing to add to the bias.
  all.insert(all.end(), {{0, 5, 7}, {7, 5, 0}, {1000, 97, 40}, {40, 384, 1536}, {1, 384, 1536}, {1000, 33, 97}});
  return all;
}

/// Every product on every level, with guards behind the arrays and before them. `prepare` may round the weight, which
/// it gets with the inputs made of it.
template <class Prepare> void checkProducts(CompiledModule &module, int seed, Prepare prepare) {
  std::map<std::string, Accuracy> accuracies;
  Numbers numbers(seed);
  for (Product p : products()) {
    std::vector<float> weight;
    Arrays inputs = packedInputs(p, numbers, weight);
    prepare(p, weight, inputs);
    std::vector<float> lhs = floatsOf(inputs[0]), bias = floatsOf(inputs[2]);
    std::vector<double> expected = exactProduct(p, lhs, weight, bias);
    std::vector<float> plain = plainProduct(p, lhs, weight, bias);
    for (const std::string &variant : module.variants()) {
      Accuracy &accuracy = accuracies[variant];
      accuracy.bound = 1e-6;
      Arrays out = module.run(variant, "multiply", inputs),
             again = module.run(variant, "multiply", inputs, {1, Flush::AtStart});
      ASSERT_EQ(accuracy.check(out[0], expected, plain), "") << nameOf(variant, p);
      ASSERT_TRUE(sameBits(out[0], again[0])) << nameOf(variant, p);
    }
  }
  for (auto &[variant, accuracy] : accuracies)
    EXPECT_TRUE(accuracy.withinTwicePlain()) << variant << ": " << accuracy.text();
}

TEST(PackedMatmulConformance, IsWithinBoundsOfFloat64) {
  CompiledModule module(kPacked);
  checkProducts(module, 30, [](Product, const std::vector<float> &, const Arrays &) {});
}

TEST(PackedMatmulConformance, RowsDoNotDependOnEachOther) {
  CompiledModule module(kPacked);
  Numbers numbers(31);
  Product p{40, 97, 33};
  std::vector<float> weight;
  Arrays inputs = packedInputs(p, numbers, weight);
  for (const std::string &variant : module.variants()) {
    Array all = module.run(variant, "multiply", inputs)[0];
    for (int64_t count = 1; count <= p.rows; ++count) {
      Arrays few = {rowsOf(inputs[0], p.rows - count, count), inputs[1], inputs[2]};
      Array out = module.run(variant, "multiply", few)[0];
      EXPECT_TRUE(sameBits(out, rowsOf(all, p.rows - count, count))) << variant << ", the last " << count << " rows";
    }
  }
}

//===--------------------------------------------------------------------------------------------------------------===//
// Weights of 16 bits
//===--------------------------------------------------------------------------------------------------------------===//

/// [columns, depth] `weight` in panels; what no column reads is NaN.
Array packedPairs(const Stored &stored, Product p, const std::vector<float> &weight) {
  int64_t panels = (p.columns + kWidth - 1) / kWidth, words = (p.depth + 1) / 2;
  std::vector<uint16_t> bits(panels * words * 2 * kWidth, 0x7fff);
  for (int64_t n = 0; n < p.columns; ++n)
    for (int64_t k = 0; k < p.depth; ++k)
      bits[(n / kWidth * words + k / 2) * 2 * kWidth + n % kWidth * 2 + k % 2] =
          bitsOf(stored, weight[n * p.depth + k]);
  Array array{"rhs", stored.type, {panels, words, 2 * kWidth}, std::vector<std::byte>(2 * bits.size())};
  if (!bits.empty())
    std::memcpy(array.bytes.data(), bits.data(), array.bytes.size());
  return array;
}

TEST(PackedMatmulConformance, WeightsOf16BitsAreReadExactly) {
  for (const Stored &stored : kStored) {
    CompiledModule module(replaced(kPacked, {{"x16xf32", "x32x" + stored.name},
                                             {"\"panels\", \"depth\"", "\"panels\", \"words\""},
                                             {"<i64: 1, 32>", "<i64: 1, 33>, words = array<i64: 0, 1024>"}}));
    SCOPED_TRACE(stored.name);
    checkProducts(module, 36, [&](Product p, std::vector<float> &weight, Arrays &inputs) {
      for (float &x : weight)
        x = rounded(stored, x);
      inputs[1] = packedPairs(stored, p, weight);
    });
  }
}

//===--------------------------------------------------------------------------------------------------------------===//
// Weights from a file
//===--------------------------------------------------------------------------------------------------------------===//

enum class Epilogue { None, Bias, BiasGelu };

struct Linear : LinearEntry {
  Epilogue epilogue;
};

constexpr const char *kGelu = R"(
  %gelu = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
      iterator_types = ["parallel", "parallel"]} ins(%sum : tensor<?x@Nxf32>) outs(%init : tensor<?x@Nxf32>) {
  ^bb0(%p: f32, %o: f32):
    %half = arith.constant 0.5 : f32
    %root = arith.constant 0.70710678118654752 : f32
    %one = arith.constant 1.0 : f32
    %inner = arith.mulf %p, %root : f32
    %erf = math.erf %inner : f32
    %more = arith.addf %erf, %one : f32
    %part = arith.mulf %p, %half : f32
    %r = arith.mulf %part, %more : f32
    linalg.yield %r : f32
  } -> tensor<?x@Nxf32>)";

std::string linearText(const Linear &l) {
  if (l.epilogue == Epilogue::None)
    return l.text("", "%y");
  return l.epilogue == Epilogue::Bias ? l.text(kAddBias, "%sum") : l.text(kAddBias + kGelu, "%gelu");
}

constexpr Linear kLinears[] = {
    {{1, 1, true}, Epilogue::None},
    {{2, 3, false}, Epilogue::Bias},
    {{7, 40, true}, Epilogue::BiasGelu},
    {{15, 17, false}, Epilogue::BiasGelu},
    {{16, 16, true}, Epilogue::Bias},
    {{17, 5, true}, Epilogue::BiasGelu},
    {{31, 13, true}, Epilogue::None},
    {{32, 7, false}, Epilogue::Bias},
    {{33, 97, true}, Epilogue::BiasGelu},
    {{40, 1, true}, Epilogue::Bias},
    {{48, 23, false}, Epilogue::None},
    {{97, 384, true}, Epilogue::Bias},
    {{384, 97, false}, Epilogue::BiasGelu},
    {{384, 1536, true}, Epilogue::Bias},
    // Sums that are cut into blocks; a weight large enough that panels are asked for ahead.
    {{20, 1601, true}, Epilogue::BiasGelu},
    {{33, 3109, false}, Epilogue::None},
    {{701, 400, true}, Epilogue::BiasGelu},
};

struct LinearWeights {
  std::vector<float> weight; // [columns, depth]
  std::vector<float> bias;   // empty without
};

double gelu(double x) { return 0.5 * x * (1 + std::erf(x * 0.70710678118654752)); }

/// All of kLinears as one module, and the weights of each.
std::unique_ptr<CompiledModule> compileLinears(const std::string &dtype, std::vector<LinearWeights> &weights) {
  Numbers numbers(32);
  std::string text = "module attributes {weft.dtype = " + dtype + ", weft.dim_bounds = {rows = array<i64: 1, 1024>}} {";
  Arrays file;
  for (const Linear &l : kLinears) {
    text += linearText(l);
    LinearWeights made{numbers.normals(l.columns * l.depth), {}};
    file.push_back(l.weight(made.weight));
    if (l.epilogue != Epilogue::None) {
      made.bias = numbers.normals(l.columns);
      file.push_back(l.bias(made.bias));
    }
    weights.push_back(made);
  }
  return std::make_unique<CompiledModule>(text + "}\n", file);
}

class LinearConformance : public testing::Test {
protected:
  static void SetUpTestSuite() { module = compileLinears("f32", weights); }
  static void TearDownTestSuite() { module.reset(), weights.clear(); }

  static inline std::unique_ptr<CompiledModule> module;
  static inline std::vector<LinearWeights> weights;
};

std::vector<int64_t> rowCounts(const Linear &l) {
  std::vector<int64_t> counts;
  for (int64_t rows = 1; rows <= 40; ++rows)
    if (l.columns * l.depth < 30'000 || rows % 7 == 1)
      counts.push_back(rows);
  if (l.columns * l.depth < 4'000)
    counts.insert(counts.end(), {127, 128, 129, 1000});
  return counts;
}

TEST_F(LinearConformance, IsWithinBoundsOfFloat64) {
  Numbers numbers(33);
  std::map<std::string, Accuracy> accuracies;
  for (size_t i = 0; i < std::size(kLinears); ++i)
    for (int64_t rows : rowCounts(kLinears[i])) {
      const Linear &l = kLinears[i];
      Product p{rows, l.columns, l.depth};
      Array lhs = numbers.array("lhs", {rows, l.depth});
      std::vector<double> expected = exactProduct(p, floatsOf(lhs), weights[i].weight, weights[i].bias);
      std::vector<float> plain = plainProduct(p, floatsOf(lhs), weights[i].weight, weights[i].bias);
      if (l.epilogue == Epilogue::BiasGelu) {
        std::transform(expected.begin(), expected.end(), expected.begin(), gelu);
        for (float &x : plain)
          x = 0.5f * x * (1 + std::erf(x * 0.70710678118654752f));
      }
      for (const std::string &variant : module->variants()) {
        // Rounding of a sum of n steps in order grows like √n; twice the error of the plain f32 sum bounds it, below.
        accuracies[variant].bound = l.depth > 1536 ? 4e-6 : 1e-6;
        Array out = module->run(variant, l.name(), {lhs})[0];
        ASSERT_EQ(accuracies[variant].check(out, expected, plain), "") << nameOf(variant, p);
        ASSERT_TRUE(sameBits(out, module->run(variant, l.name(), {lhs}, {1, Flush::AtStart})[0])) << nameOf(variant, p);
      }
    }
  for (auto &[variant, accuracy] : accuracies)
    EXPECT_TRUE(accuracy.withinTwicePlain()) << variant << ": " << accuracy.text();
}

TEST_F(LinearConformance, ThreadsDoNotChangeBits) {
  Numbers numbers(34);
  for (const Linear &l : kLinears) {
    Array lhs = numbers.array("lhs", {129, l.depth});
    for (const std::string &variant : module->variants()) {
      Array one = module->run(variant, l.name(), {lhs})[0];
      for (int threads : {2, 4, 8})
        EXPECT_TRUE(sameBits(one, module->run(variant, l.name(), {lhs}, {threads})[0])) << variant << " " << l.name();
    }
  }
}

TEST_F(LinearConformance, NanStaysInItsRow) {
  Numbers numbers(35);
  const Linear &l = kLinears[8];
  Array clean = numbers.array("lhs", {29, l.depth}), poisoned = clean;
  std::vector<float> values = floatsOf(clean);
  values[11 * l.depth + 5] = std::nanf("");
  poisoned = Array::of<float>("lhs", clean.shape, values);
  for (const std::string &variant : module->variants()) {
    Array before = module->run(variant, l.name(), {clean})[0], after = module->run(variant, l.name(), {poisoned})[0];
    for (int64_t row = 0; row < 29; ++row)
      if (row != 11)
        EXPECT_TRUE(sameBits(rowsOf(before, row, 1), rowsOf(after, row, 1))) << variant << ", row " << row;
    for (float x : floatsOf(rowsOf(after, 11, 1)))
      EXPECT_TRUE(std::isnan(x)) << variant;
  }
}

TEST(LinearDtypeConformance, WeightsAreRoundedToNearestEven) {
  for (const Stored &stored : kStored) {
    std::vector<LinearWeights> weights;
    std::unique_ptr<CompiledModule> module = compileLinears(stored.name, weights);
    Numbers numbers(37);
    for (size_t i = 0; i < std::size(kLinears); ++i)
      for (int64_t rows : {1, 5, 31, 129}) {
        const Linear &l = kLinears[i];
        if (rows > 31 && l.columns * l.depth > 40'000) // seconds, where a GPU is simulated
          continue;
        Product p{rows, l.columns, l.depth};
        std::vector<float> weight = weights[i].weight;
        for (float &x : weight)
          x = rounded(stored, x);
        Array lhs = numbers.array("lhs", {rows, l.depth});
        std::vector<float> left = floatsOf(lhs), leftRounded = left;
        for (float &x : leftRounded)
          x = rounded(stored, x);
        for (const std::string &variant : module->variants()) {
          std::vector<double> expected =
              exactProduct(p, roundsFloatRows(variant) ? leftRounded : left, weight, weights[i].bias);
          if (l.epilogue == Epilogue::BiasGelu)
            std::transform(expected.begin(), expected.end(), expected.begin(), gelu);
          RelativeError error;
          error.add(floatsOf(module->run(variant, l.name(), {lhs})[0]), expected);
          EXPECT_LE(error.value(), l.depth > 1536 ? 4e-6 : 1e-6) << stored.name << ", " << nameOf(variant, p);
        }
      }
  }
}

} // namespace
} // namespace weft::test
