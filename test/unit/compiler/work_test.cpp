// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "TemporaryFolder.h"
#include "compiler/include/weft/Compiler.h"

#include "gtest/gtest.h"

namespace weft {
namespace {

/// Rows of tokens, two for each, that each meet one of eight matrices [20, 4].
const std::string kExperts = R"(
func.func @run(%x: tensor<?x4xf32> {weft.name = "x", weft.dims = ["tokens", ""]}, %o: tensor<9xi32> {weft.name = "o"})
    -> (tensor<?x2x20xf32> {weft.name = "y", weft.dims = ["tokens", "", ""]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %t = tensor.dim %x, %c0 : tensor<?x4xf32>
  %r = arith.muli %t, %c2 : index
  %w = weft.parameter "w" : tensor<8x20x4xf32>
  %tokens = tensor.empty(%r) : tensor<?xi32>
  %init = tensor.empty(%r) : tensor<?x20xf32>
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<?x4xf32>, tensor<8x20x4xf32>, tensor<9xi32>)
       rows(%tokens : tensor<?xi32>) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  %z = tensor.expand_shape %y [[0, 1], [2]] output_shape [%t, 2, 20] : tensor<?x20xf32> into tensor<?x2x20xf32>
  return %z : tensor<?x2x20xf32>
})";

TEST(WorkTest, RowsOfExpertsCountOnceForEachChoice) {
  TemporaryFolder folder;
  Context context;
  Result<Graph> graph = import(context, folder.write("experts.mlir", kExperts));
  ASSERT_TRUE(graph) << graph.error().format();
  Work work = graph->work("run");
  EXPECT_EQ(work.flops({{"tokens", 1}}), 2 * 2 * 20 * 4);
  EXPECT_EQ(work.flops({{"tokens", 100}}), 2 * 200 * 20 * 4);
}

TEST(WorkTest, NoMoreExpertsAreReadThanThereAreRows) {
  TemporaryFolder folder;
  Context context;
  Result<Graph> graph = import(context, folder.write("experts.mlir", kExperts));
  ASSERT_TRUE(graph) << graph.error().format();
  Work work = graph->work("run");
  constexpr double kExpert = 20 * 4 * sizeof(float);
  EXPECT_EQ(work.weightBytes, 8 * kExpert);
  EXPECT_EQ(work.bytesRead({{"tokens", 1}}), 2 * kExpert);
  EXPECT_EQ(work.bytesRead({{"tokens", 3}}), 6 * kExpert);
  EXPECT_EQ(work.bytesRead({{"tokens", 100}}), 8 * kExpert);
  work.shrinkWeights(0.5);
  EXPECT_EQ(work.bytesRead({{"tokens", 1}}), kExpert);
}

} // namespace
} // namespace weft
