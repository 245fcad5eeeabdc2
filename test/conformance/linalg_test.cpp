// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linalg ops around the weft ops (chains of elementwise ops, broadcasts, transposed reads, reductions) compiled for
// each level against float64.
#include "test/conformance/CompiledModule.h"
#include "test/conformance/Numbers.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace weft::test {
namespace {

const std::string kBounds = "module attributes {weft.dim_bounds = {batch = array<i64: 1, 8>, rows = array<i64: 1, "
                            "1024>, columns = array<i64: 1, 1024>}} {";

//===--------------------------------------------------------------------------------------------------------------===//
// Functions of one element
//===--------------------------------------------------------------------------------------------------------------===//

struct Function {
  std::string name, body;
  std::function<double(double)> exact;
  std::function<float(float)> plain;
};

const Function kFunctions[] = {
    {"exp", "%r = math.exp %x : f32", [](double x) { return std::exp(x); }, [](float x) { return std::exp(x); }},
    {"exp2", "%r = math.exp2 %x : f32", [](double x) { return std::exp2(x); }, [](float x) { return std::exp2(x); }},
    {"tanh", "%r = math.tanh %x : f32", [](double x) { return std::tanh(x); }, [](float x) { return std::tanh(x); }},
    {"erf", "%r = math.erf %x : f32", [](double x) { return std::erf(x); }, [](float x) { return std::erf(x); }},
    {"sin", "%r = math.sin %x : f32", [](double x) { return std::sin(x); }, [](float x) { return std::sin(x); }},
    {"cos", "%r = math.cos %x : f32", [](double x) { return std::cos(x); }, [](float x) { return std::cos(x); }},
    {"log", "%a = math.absf %x : f32\n    %r = math.log %a : f32", [](double x) { return std::log(std::abs(x)); },
     [](float x) { return std::log(std::abs(x)); }},
    {"sqrt", "%a = math.absf %x : f32\n    %r = math.sqrt %a : f32", [](double x) { return std::sqrt(std::abs(x)); },
     [](float x) { return std::sqrt(std::abs(x)); }},
    {"rsqrt", "%a = math.absf %x : f32\n    %r = math.rsqrt %a : f32",
     [](double x) { return 1 / std::sqrt(std::abs(x)); }, [](float x) { return 1 / std::sqrt(std::abs(x)); }},
    {"silu",
     "%n = arith.negf %x : f32\n    %e = math.exp %n : f32\n    %one = arith.constant 1.0 : f32\n"
     "    %s = arith.addf %e, %one : f32\n    %r = arith.divf %x, %s : f32",
     [](double x) { return x / (1 + std::exp(-x)); }, [](float x) { return x / (1 + std::exp(-x)); }},
    {"relu", "%z = arith.constant 0.0 : f32\n    %r = arith.maximumf %x, %z : f32",
     [](double x) { return std::max(x, 0.0); }, [](float x) { return std::max(x, 0.0f); }},
};

constexpr const char *kMap = R"(
func.func @@NAME(%x: tensor<?x?xf32> {weft.name = "x", weft.dims = ["rows", "columns"]})
    -> (tensor<?x?xf32> {weft.name = "y", weft.dims = ["rows", "columns"]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %x, %c0 : tensor<?x?xf32>
  %columns = tensor.dim %x, %c1 : tensor<?x?xf32>
  %init = tensor.empty(%rows, %columns) : tensor<?x?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%x : tensor<?x?xf32>) outs(%init : tensor<?x?xf32>) {
  ^bb0(%value: f32, %o: f32):
    @BODY
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
})";

TEST(ElementwiseConformance, IsWithinBoundsOfFloat64) {
  std::string text = kBounds;
  for (const Function &f : kFunctions)
    text += replaced(kMap, {{"@NAME", f.name + "_of"}, {"@BODY", replaced(f.body, {{"%x", "%value"}})}});
  CompiledModule module(text + "}\n");
  Numbers numbers(60);
  for (const Function &f : kFunctions) {
    std::map<std::string, Accuracy> accuracies;
    for (auto [rows, columns] :
         {std::pair<int64_t, int64_t>{1, 1}, {3, 7}, {2, 16}, {5, 17}, {40, 31}, {129, 97}, {7, 1000}}) {
      Array x = numbers.array("x", {rows, columns}, 3);
      std::vector<double> expected = widen(x);
      std::vector<float> plain = floatsOf(x);
      std::transform(expected.begin(), expected.end(), expected.begin(), f.exact);
      std::transform(plain.begin(), plain.end(), plain.begin(), f.plain);
      for (const std::string &variant : module.variants()) {
        accuracies[variant].bound = 1e-6;
        Array out = module.run(variant, f.name + "_of", {x})[0];
        EXPECT_EQ(accuracies[variant].check(out, expected, plain), "")
            << f.name << ", " << variant << ", " << rows << "x" << columns;
        EXPECT_TRUE(sameBits(out, module.run(variant, f.name + "_of", {x}, {2, Flush::AtStart})[0]))
            << f.name << ", " << variant;
      }
    }
  }
}

//===--------------------------------------------------------------------------------------------------------------===//
// Shapes
//===--------------------------------------------------------------------------------------------------------------===//

/// (x + row of columns) · column of rows, then read transposed.
constexpr const char *kBroadcast = R"(
func.func @broadcast(%x: tensor<?x?xf32> {weft.name = "x", weft.dims = ["rows", "columns"]},
                     %a: tensor<?xf32> {weft.name = "a", weft.dims = ["columns"]},
                     %b: tensor<?xf32> {weft.name = "b", weft.dims = ["rows"]})
    -> (tensor<?x?xf32> {weft.name = "y", weft.dims = ["rows", "columns"]},
        tensor<?x?xf32> {weft.name = "t", weft.dims = ["columns", "rows"]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %x, %c0 : tensor<?x?xf32>
  %columns = tensor.dim %x, %c1 : tensor<?x?xf32>
  %init = tensor.empty(%rows, %columns) : tensor<?x?xf32>
  %turned = tensor.empty(%columns, %rows) : tensor<?x?xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%x, %a : tensor<?x?xf32>, tensor<?xf32>) outs(%init : tensor<?x?xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.addf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%s, %b : tensor<?x?xf32>, tensor<?xf32>) outs(%init : tensor<?x?xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.mulf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%y : tensor<?x?xf32>) outs(%turned : tensor<?x?xf32>) {
  ^bb0(%p: f32, %o: f32):
    linalg.yield %p : f32
  } -> tensor<?x?xf32>
  return %y, %t : tensor<?x?xf32>, tensor<?x?xf32>
})";

/// Sum and maximum over one dimension; the softmax of rows; the mean over the rows of a batch that a mask lets through.
constexpr const char *kReduce = R"(
func.func @reduce_@NAME(%x: tensor<?x?xf32> {weft.name = "x", weft.dims = ["rows", "columns"]})
    -> (tensor<?xf32> {weft.name = "y", weft.dims = ["@KEPT"]}) attributes {weft.entry} {
  %zero = arith.constant @START : f32
  %at = arith.constant @AT : index
  %kept = tensor.dim %x, %at : tensor<?x?xf32>
  %empty = tensor.empty(%kept) : tensor<?xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?xf32>) -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (@MAP)>],
      iterator_types = [@ITERATORS]} ins(%x : tensor<?x?xf32>) outs(%init : tensor<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = @OP %p, %o : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
})";

constexpr const char *kSoftmax = R"(
func.func @softmax(%x: tensor<?x?xf32> {weft.name = "x", weft.dims = ["rows", "columns"]})
    -> (tensor<?x?xf32> {weft.name = "y", weft.dims = ["rows", "columns"]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %rows = tensor.dim %x, %c0 : tensor<?x?xf32>
  %columns = tensor.dim %x, %c1 : tensor<?x?xf32>
  %init = tensor.empty(%rows, %columns) : tensor<?x?xf32>
  %empty = tensor.empty(%rows) : tensor<?xf32>
  %low = linalg.fill ins(%least : f32) outs(%empty : tensor<?xf32>) -> tensor<?xf32>
  %none = linalg.fill ins(%zero : f32) outs(%empty : tensor<?xf32>) -> tensor<?xf32>
  %max = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
      iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x?xf32>) outs(%low : tensor<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = arith.maximumf %p, %o : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %e = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%x, %max : tensor<?x?xf32>, tensor<?xf32>) outs(%init : tensor<?x?xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %d = arith.subf %p, %q : f32
    %r = math.exp %d : f32
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
      iterator_types = ["parallel", "reduction"]} ins(%e : tensor<?x?xf32>) outs(%none : tensor<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = arith.addf %p, %o : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%e, %sum : tensor<?x?xf32>, tensor<?xf32>) outs(%init : tensor<?x?xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.divf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
})";

constexpr const char *kMean = R"(
func.func @mean(%x: tensor<?x?x@Nxf32> {weft.name = "x", weft.dims = ["batch", "rows", ""]},
                %m: tensor<?x?xi64> {weft.name = "mask", weft.dims = ["batch", "rows"]})
    -> (tensor<?x@Nxf32> {weft.name = "y", weft.dims = ["batch", ""]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %batch = tensor.dim %x, %c0 : tensor<?x?x@Nxf32>
  %empty = tensor.empty(%batch) : tensor<?x@Nxf32>
  %one = tensor.empty(%batch) : tensor<?xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x@Nxf32>) -> tensor<?x@Nxf32>
  %none = linalg.fill ins(%zero : f32) outs(%one : tensor<?xf32>) -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(b, i, n) -> (b, i, n)>, affine_map<(b, i, n) -> (b, i)>,
      affine_map<(b, i, n) -> (b, n)>], iterator_types = ["parallel", "reduction", "parallel"]}
      ins(%x, %m : tensor<?x?x@Nxf32>, tensor<?x?xi64>) outs(%start : tensor<?x@Nxf32>) {
  ^bb0(%p: f32, %q: i64, %o: f32):
    %w = arith.sitofp %q : i64 to f32
    %t = arith.mulf %p, %w : f32
    %r = arith.addf %o, %t : f32
    linalg.yield %r : f32
  } -> tensor<?x@Nxf32>
  %count = linalg.generic {indexing_maps = [affine_map<(b, i) -> (b, i)>, affine_map<(b, i) -> (b)>],
      iterator_types = ["parallel", "reduction"]} ins(%m : tensor<?x?xi64>) outs(%none : tensor<?xf32>) {
  ^bb0(%q: i64, %o: f32):
    %w = arith.sitofp %q : i64 to f32
    %r = arith.addf %o, %w : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(b, n) -> (b, n)>, affine_map<(b, n) -> (b)>, affine_map<(b, n) -> (b, n)>],
      iterator_types = ["parallel", "parallel"]} ins(%sum, %count : tensor<?x@Nxf32>, tensor<?xf32>) outs(%empty : tensor<?x@Nxf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.divf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<?x@Nxf32>
  return %y : tensor<?x@Nxf32>
})";

/// A product of two computed tensors, which no weight packing helps.
constexpr const char *kMatmul = R"(
func.func @matmul(%x: tensor<?x?xf32> {weft.name = "x", weft.dims = ["batch", "columns"]},
                  %w: tensor<?x?xf32> {weft.name = "w", weft.dims = ["columns", "rows"]})
    -> (tensor<?x?xf32> {weft.name = "y", weft.dims = ["batch", "rows"]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %n = tensor.dim %w, %c1 : tensor<?x?xf32>
  %empty = tensor.empty(%m, %n) : tensor<?x?xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x?xf32>) -> tensor<?x?xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x?xf32>, tensor<?x?xf32>) outs(%start : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
})";

std::string reduceText(const std::string &name, const std::string &op, const std::string &start, bool overColumns) {
  return replaced(kReduce, {{"@NAME", name},
                            {"@OP", op},
                            {"@START", start},
                            {"@KEPT", overColumns ? "rows" : "columns"},
                            {"@AT", overColumns ? "0" : "1"},
                            {"@MAP", overColumns ? "i" : "j"},
                            {"@ITERATORS", overColumns ? R"("parallel", "reduction")" : R"("reduction", "parallel")"}});
}

struct LinalgConformance : testing::Test {
  static void SetUpTestSuite() {
    std::string text = kBounds + kBroadcast + kSoftmax + replaced(kMean, {{"@N", "20"}}) + kMatmul;
    text += reduceText("sum_columns", "arith.addf", "0.0", true) + reduceText("sum_rows", "arith.addf", "0.0", false);
    text += reduceText("max_columns", "arith.maximumf", "0xFF800000", true);
    text += reduceText("max_rows", "arith.maximumf", "0xFF800000", false);
    module = std::make_unique<CompiledModule>(text + "}\n");
  }
  static void TearDownTestSuite() { module.reset(); }

  /// Output `index` of the entry is near this with every variant, wherever the arrays lie.
  static void expectNear(const std::string &entry, const Arrays &inputs, size_t index,
                         const std::vector<double> &expected, double bound = 1e-6) {
    for (const std::string &variant : module->variants()) {
      Array out = module->run(variant, entry, inputs)[index];
      RelativeError error;
      error.add(floatsOf(out), expected);
      EXPECT_LE(error.value(), bound) << entry << ", " << variant << ", " << testing::PrintToString(inputs[0].shape);
      EXPECT_TRUE(sameBits(out, module->run(variant, entry, inputs, {2, Flush::AtStart})[index]))
          << entry << ", " << variant;
    }
  }

  static inline std::unique_ptr<CompiledModule> module;
  Numbers numbers{61};
};

constexpr std::pair<int64_t, int64_t> kShapes[] = {{1, 1},   {1, 40}, {3, 7},    {16, 16},
                                                   {17, 15}, {40, 1}, {129, 31}, {5, 1000}};

TEST_F(LinalgConformance, BroadcastAndTransposition) {
  for (auto [rows, columns] : kShapes) {
    Arrays in = {numbers.array("x", {rows, columns}), numbers.array("a", {columns}), numbers.array("b", {rows})};
    std::vector<double> x = widen(in[0]), a = widen(in[1]), b = widen(in[2]), y(x.size()), t(x.size());
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j)
        t[j * rows + i] = y[i * columns + j] = (x[i * columns + j] + a[j]) * b[i];
    expectNear("broadcast", in, 0, y);
    expectNear("broadcast", in, 1, t);
  }
}

TEST_F(LinalgConformance, SumAndMaximum) {
  for (auto [rows, columns] : kShapes) {
    Array in = numbers.array("x", {rows, columns});
    std::vector<double> x = widen(in), ofRows(columns), ofColumns(rows), highest(rows, -INFINITY),
                        most(columns, -INFINITY);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        double value = x[i * columns + j];
        ofRows[j] += value, ofColumns[i] += value;
        most[j] = std::max(most[j], value), highest[i] = std::max(highest[i], value);
      }
    expectNear("reduce_sum_columns", {in}, 0, ofColumns);
    expectNear("reduce_sum_rows", {in}, 0, ofRows);
    expectNear("reduce_max_columns", {in}, 0, highest);
    expectNear("reduce_max_rows", {in}, 0, most);
  }
}

TEST_F(LinalgConformance, SoftmaxInParts) {
  for (auto [rows, columns] : kShapes) {
    Array in = numbers.array("x", {rows, columns}, 4);
    std::vector<double> y = widen(in);
    for (int64_t i = 0; i < rows; ++i) {
      double sum = 0;
      for (int64_t j = 0; j < columns; ++j)
        sum += y[i * columns + j] = std::exp(y[i * columns + j]);
      for (int64_t j = 0; j < columns; ++j)
        y[i * columns + j] /= sum;
    }
    expectNear("softmax", {in}, 0, y);
  }
}

TEST_F(LinalgConformance, MeanUnderAMask) {
  for (int64_t batch : {1, 3})
    for (int64_t rows : {1, 5, 40, 129}) {
      Array in = numbers.array("x", {batch, rows, 20});
      std::vector<double> x = widen(in), y(batch * 20);
      std::vector<int64_t> mask(batch * rows);
      for (int64_t b = 0; b < batch; ++b) {
        int64_t count = 0;
        for (int64_t i = 0; i < rows; ++i)
          count += mask[b * rows + i] = i == 0 || numbers.below(2);
        for (int64_t i = 0; i < rows; ++i)
          for (int64_t n = 0; n < 20; ++n)
            y[b * 20 + n] += x[(b * rows + i) * 20 + n] * mask[b * rows + i] / count;
      }
      expectNear("mean", {in, Array::of<int64_t>("mask", {batch, rows}, mask)}, 0, y);
    }
}

TEST_F(LinalgConformance, ProductOfComputedTensors) {
  for (int64_t batch : {1, 3, 8})
    for (auto [rows, columns] : kShapes) {
      Arrays in = {numbers.array("x", {batch, columns}), numbers.array("w", {columns, rows})};
      std::vector<double> x = widen(in[0]), w = widen(in[1]), y(batch * rows);
      for (int64_t i = 0; i < batch; ++i)
        for (int64_t k = 0; k < columns; ++k)
          for (int64_t j = 0; j < rows; ++j)
            y[i * rows + j] += x[i * columns + k] * w[k * rows + j];
      // One f32 accumulator over a thousand terms rounds to 1.1e-6, as any plain loop does.
      expectNear("matmul", in, 0, y, columns < 1000 ? 1e-6 : 2e-6);
    }
}

} // namespace
} // namespace weft::test
