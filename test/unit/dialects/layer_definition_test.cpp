// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// layer_norm, embedding and packed_matmul by their definitions, whole and in tiles, against float64.
#include "test/reference/layer.h"
#include "test/unit/dialects/DefinitionExecution.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace weft;
using namespace weft::test;

TEST(LayerNormDefinition, RowsOfLargeMean) {
  auto program = DefinitionProgram::compile(R"(
func.func @run(%xm: memref<?x?xf32>, %sm: memref<?xf32>, %bm: memref<?xf32>, %om: memref<?x?xf32>)
    attributes {llvm.emit_c_interface} {
  %x = bufferization.to_tensor %xm restrict : memref<?x?xf32> to tensor<?x?xf32>
  %s = bufferization.to_tensor %sm restrict : memref<?xf32> to tensor<?xf32>
  %b = bufferization.to_tensor %bm restrict : memref<?xf32> to tensor<?xf32>
  %o = bufferization.to_tensor %om restrict writable : memref<?x?xf32> to tensor<?x?xf32>
  %y = weft.layer_norm {epsilon = 1.0e-5 : f32} ins(%x, %s, %b : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>)
                       outs(%o : tensor<?x?xf32>) -> tensor<?x?xf32>
  bufferization.materialize_in_destination %y in writable %om : (tensor<?x?xf32>, memref<?x?xf32>) -> ()
  return
})");
  ASSERT_NE(program, nullptr);
  int64_t rows = 5, n = 37;
  std::vector<float> x = randomValues(rows * n, 1), scale = randomValues(n, 2), bias = randomValues(n, 3);
  for (float &value : x)
    value += 100; // would cost a mean of squares its digits
  std::vector<float> y(rows * n, NAN);
  ASSERT_TRUE(program->run({{x, {rows, n}}, {scale, {n}}, {bias, {n}}, {y, {rows, n}}}));
  EXPECT_LT(reference::relativeRms(y, reference::layerNorm(n, widened(x), widened(scale), widened(bias), 1e-5)), 1e-5);
}

TEST(EmbeddingDefinition, IdsOfAnyRank) {
  auto program = DefinitionProgram::compile(R"(
func.func @run(%im: memref<?x?xi64>, %tm: memref<?x?xf32>, %om: memref<?x?x?xf32>) attributes {llvm.emit_c_interface} {
  %i = bufferization.to_tensor %im restrict : memref<?x?xi64> to tensor<?x?xi64>
  %t = bufferization.to_tensor %tm restrict : memref<?x?xf32> to tensor<?x?xf32>
  %o = bufferization.to_tensor %om restrict writable : memref<?x?x?xf32> to tensor<?x?x?xf32>
  %y = weft.embedding ins(%i, %t : tensor<?x?xi64>, tensor<?x?xf32>) outs(%o : tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  bufferization.materialize_in_destination %y in writable %om : (tensor<?x?x?xf32>, memref<?x?x?xf32>) -> ()
  return
})");
  ASSERT_NE(program, nullptr);
  std::vector<int64_t> ids = {3, 0, 1, 3, 2, 2};
  std::vector<float> table = randomValues(4 * 5, 1), y(6 * 5, NAN);
  ASSERT_TRUE(program->run({{ids, {2, 3}}, {table, {4, 5}}, {y, {2, 3, 5}}}));
  EXPECT_EQ(widened(y), reference::embedding(5, ids, widened(table)));
}

namespace {
void expectProduct(const std::vector<int64_t> &tileSizes) {
  auto program = DefinitionProgram::compile(R"(
func.func @run(%xm: memref<?x?xf32>, %wm: memref<?x?x16xf32>, %bm: memref<?xf32>, %om: memref<?x?xf32>)
    attributes {llvm.emit_c_interface} {
  %x = bufferization.to_tensor %xm restrict : memref<?x?xf32> to tensor<?x?xf32>
  %w = bufferization.to_tensor %wm restrict : memref<?x?x16xf32> to tensor<?x?x16xf32>
  %b = bufferization.to_tensor %bm restrict : memref<?xf32> to tensor<?xf32>
  %o = bufferization.to_tensor %om restrict writable : memref<?x?xf32> to tensor<?x?xf32>
  %y = weft.packed_matmul ins(%x, %w, %b : tensor<?x?xf32>, tensor<?x?x16xf32>, tensor<?xf32>)
                          outs(%o : tensor<?x?xf32>) -> tensor<?x?xf32>
  bufferization.materialize_in_destination %y in writable %om : (tensor<?x?xf32>, memref<?x?xf32>) -> ()
  return
})",
                                            tileSizes);
  ASSERT_NE(program, nullptr);
  int64_t m = 3, n = 20, k = 9;
  std::vector<float> x = randomValues(m * k, 1), bias = randomValues(n, 2), y(m * n, NAN);
  std::vector<double> packed = reference::pack(k, n, 16, widened(randomValues(k * n, 3)));
  std::vector<float> w(packed.begin(), packed.end());
  ASSERT_TRUE(program->run({{x, {m, k}}, {w, {2, k, 16}}, {bias, {n}}, {y, {m, n}}}));
  EXPECT_LT(reference::relativeRms(y, reference::packedMatmul(m, n, k, 16, widened(x), packed, widened(bias))), 1e-6);
}
} // namespace

TEST(PackedMatmulDefinition, LastPanelIsNotFull) { expectProduct({}); }

TEST(PackedMatmulDefinition, TilesStartWithAPanel) {
  expectProduct({2, 16, 0});
  expectProduct({1, 32, 0});
}

// Columns 24 to 47 begin in the middle of a panel.
TEST(PackedMatmulDefinition, TilesThatCutPanelsAreRefused) {
  EXPECT_EQ(DefinitionProgram::compile(R"(
func.func @run(%x: tensor<4x8xf32>, %w: tensor<3x8x16xf32>, %o: tensor<4x48xf32>) {
  %y = weft.packed_matmul ins(%x, %w : tensor<4x8xf32>, tensor<3x8x16xf32>) outs(%o : tensor<4x48xf32>) -> tensor<4x48xf32>
  return
})",
                                       {0, 24, 0}),
            nullptr);
}
