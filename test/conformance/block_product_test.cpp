// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products with block-diagonal weights from a file, compiled for each level, against products of their blocks in
// float64.
#include "test/conformance/CompiledModule.h"
#include "test/conformance/Halves.h"
#include "test/conformance/LinearEntry.h"
#include "test/conformance/Numbers.h"
#include "test/reference/layer.h"

#include "gtest/gtest.h"

#include <cmath>

namespace weft::test {
namespace {

struct Blocks {
  int64_t blocks, columns, depth; ///< columns and depth of a block
  bool outByIn;                   ///< the weight lies as [blocks, columns, depth]
  bool follows;                   ///< a bias and tanh follow; otherwise nothing sees the columns side by side

  std::string name() const {
    return "blocks_" + std::to_string(blocks) + "_" + std::to_string(columns) + "_" + std::to_string(depth);
  }
};

/// Less than a panel, whole panels, more; wide enough to be cut, and too wide for that; one block.
const std::vector<Blocks> kBlocks = {{3, 5, 4, false, true},    {2, 16, 7, true, false},  {10, 48, 33, false, true},
                                     {2, 400, 20, false, true}, {2, 401, 9, true, true},  {1, 20, 12, false, false},
                                     {7, 1, 1, true, true},     {2, 37, 300, true, false}};

constexpr const char *kEntry = R"(
func.func @@ENTRY(%x: tensor<?x@AKxf32> {weft.name = "lhs", weft.dims = ["rows", ""]})
    -> (tensor<?x@ANxf32> {weft.name = "out", weft.dims = ["rows", ""]}) attributes {weft.entry} {
  %index = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %rows = tensor.dim %x, %index : tensor<?x@AKxf32>
  %w = weft.parameter "@ENTRY.weight" : tensor<@Gx@WEIGHTxf32>
  %parts = tensor.expand_shape %x [[0], [1, 2]] output_shape [%rows, @G, @BK]
           : tensor<?x@AKxf32> into tensor<?x@Gx@BKxf32>
  %init = tensor.empty(%rows) : tensor<?x@Gx@BNxf32>
  %start = linalg.fill ins(%zero : f32) outs(%init : tensor<?x@Gx@BNxf32>) -> tensor<?x@Gx@BNxf32>
  %product = linalg.contract indexing_maps = [affine_map<(m, g, n, k) -> (m, g, k)>,
      affine_map<(m, g, n, k) -> (g, @MAP)>, affine_map<(m, g, n, k) -> (m, g, n)>]
      ins(%parts, %w : tensor<?x@Gx@BKxf32>, tensor<@Gx@WEIGHTxf32>) outs(%start : tensor<?x@Gx@BNxf32>)
      -> tensor<?x@Gx@BNxf32>
  %y = tensor.collapse_shape %product [[0], [1, 2]] : tensor<?x@Gx@BNxf32> into tensor<?x@ANxf32>)";
constexpr const char *kFollows = R"(
  %b = weft.parameter "@ENTRY.bias" : tensor<@ANxf32>
  %e = tensor.empty(%rows) : tensor<?x@ANxf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>,
      affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%y, %b : tensor<?x@ANxf32>, tensor<@ANxf32>) outs(%e : tensor<?x@ANxf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.addf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<?x@ANxf32>
  %last = linalg.tanh ins(%sum : tensor<?x@ANxf32>) outs(%e : tensor<?x@ANxf32>) -> tensor<?x@ANxf32>)";

std::string textOf(const Blocks &b) {
  std::string n = std::to_string(b.columns), k = std::to_string(b.depth);
  return replaced(kEntry + std::string(b.follows ? kFollows : "") + "\n  return " + (b.follows ? "%last" : "%y") +
                      " : tensor<?x@ANxf32>\n}\n",
                  {{"@AK", std::to_string(b.blocks * b.depth)},
                   {"@AN", std::to_string(b.blocks * b.columns)},
                   {"@G", std::to_string(b.blocks)},
                   {"@BN", n},
                   {"@BK", k},
                   {"@WEIGHT", b.outByIn ? n + "x" + k : k + "x" + n},
                   {"@MAP", b.outByIn ? "n, k" : "k, n"},
                   {"@ENTRY", b.name()}});
}

/// `part` of the columns of [rows, parts · width].
std::vector<float> columnsOf(const std::vector<float> &matrix, int64_t parts, int64_t width, int64_t part) {
  std::vector<float> out;
  for (size_t at = part * width; at < matrix.size(); at += parts * width)
    out.insert(out.end(), matrix.begin() + at, matrix.begin() + at + width);
  return out;
}

struct Layer {
  Blocks sizes;
  std::vector<float> weight, bias; ///< [blocks, columns, depth], [blocks · columns]

  std::vector<double> expected(int64_t rows, const std::vector<float> &x) const {
    auto [blocks, n, k, outByIn, follows] = sizes;
    std::vector<double> out(rows * blocks * n);
    for (int64_t g = 0; g < blocks; ++g) {
      std::vector<float> block(weight.begin() + g * n * k, weight.begin() + (g + 1) * n * k);
      std::vector<double> y = reference::packedMatmul(rows, n, k, 16, widen(columnsOf(x, blocks, k, g)),
                                                      reference::pack(k, n, 16, widen(transposed(block, n, k))), {});
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t column = 0; column < n; ++column) {
          double sum = y[row * n + column];
          out[(row * blocks + g) * n + column] = follows ? std::tanh(sum + bias[g * n + column]) : sum;
        }
    }
    return out;
  }
};

struct Compiled {
  std::vector<Layer> layers;
  std::unique_ptr<CompiledModule> module;
};

/// `stored` is what the module asks its weights to be in; null: f32.
Compiled compileBlocks(const Stored *stored) {
  Compiled made;
  Numbers numbers(60);
  std::string text = "module attributes {" + (stored ? "weft.dtype = " + stored->name + ", " : std::string()) +
                     "weft.dim_bounds = {rows = array<i64: 0, 1024>}} {";
  Arrays file;
  for (const Blocks &sizes : kBlocks) {
    auto [blocks, n, k, outByIn, follows] = sizes;
    Layer layer{sizes, numbers.normals(blocks * n * k), numbers.normals(blocks * n)};
    for (float &x : layer.weight)
      x = stored ? rounded(*stored, x) : x;
    std::vector<float> inFile;
    for (int64_t g = 0; g < blocks; ++g) {
      std::vector<float> block(layer.weight.begin() + g * n * k, layer.weight.begin() + (g + 1) * n * k);
      block = outByIn ? block : transposed(block, n, k);
      inFile.insert(inFile.end(), block.begin(), block.end());
    }
    std::vector<int64_t> shape{blocks, outByIn ? n : k, outByIn ? k : n};
    file.push_back(Array::of<float>(sizes.name() + ".weight", shape, inFile));
    if (follows)
      file.push_back(Array::of<float>(sizes.name() + ".bias", {blocks * n}, layer.bias));
    text += textOf(sizes);
    made.layers.push_back(layer);
  }
  made.module = std::make_unique<CompiledModule>(text + "}\n", file);
  return made;
}

void checkBlocks(const Stored *stored) {
  Compiled made = compileBlocks(stored);
  Numbers numbers(61);
  for (const Layer &layer : made.layers)
    for (int64_t rows : {0, 1, 2, 5, 9, 31, 33, 129}) {
      int64_t width = layer.sizes.blocks * layer.sizes.depth;
      std::vector<float> x = numbers.normals(rows * width);
      for (float &value : x) // tiles take rows in bf16
        value = stored && stored->type == ElementType::BF16 ? rounded(*stored, value) : value;
      Arrays inputs = {Array::of<float>("lhs", {rows, width}, x)};
      std::vector<double> expected = layer.expected(rows, x);
      for (const std::string &variant : made.module->variants()) {
        Array out = made.module->run(variant, layer.sizes.name(), inputs)[0];
        RelativeError error;
        error.add(floatsOf(out), expected);
        EXPECT_LE(error.value(), 1e-6) << variant << ", rows " << rows << ", " << layer.sizes.name();
        for (RunOptions options : {RunOptions{1, Flush::AtStart}, RunOptions{4, Flush::AtEnd}})
          EXPECT_TRUE(sameBits(out, made.module->run(variant, layer.sizes.name(), inputs, options)[0]))
              << variant << ", rows " << rows << ", " << layer.sizes.name();
      }
    }
}

TEST(BlockProductConformance, IsWithinBoundsOfFloat64) { checkBlocks(nullptr); }

TEST(BlockProductConformance, WeightsOf16BitsAreReadExactly) {
  for (const Stored &stored : kStored) {
    SCOPED_TRACE(stored.name);
    checkBlocks(&stored);
  }
}

} // namespace
} // namespace weft::test
