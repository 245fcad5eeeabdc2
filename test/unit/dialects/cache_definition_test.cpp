// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cache_update by its definition, whole and in tiles, against float64.
#include "test/reference/sequence.h"
#include "test/unit/dialects/DefinitionExecution.h"

#include "gtest/gtest.h"

#include <limits>

using namespace weft;
using namespace weft::test;

namespace {
const char *kUpdate = R"(
func.func @run(%rm: memref<?x?x?xf32>, %pm: memref<?x?xi64>, %cm: memref<?x?x?xf32>) attributes {llvm.emit_c_interface} {
  %r = bufferization.to_tensor %rm restrict : memref<?x?x?xf32> to tensor<?x?x?xf32>
  %p = bufferization.to_tensor %pm restrict : memref<?x?xi64> to tensor<?x?xi64>
  %c = bufferization.to_tensor %cm restrict writable : memref<?x?x?xf32> to tensor<?x?x?xf32>
  %y = weft.cache_update {dimension = 1 : i64, RING} ins(%r, %p : tensor<?x?x?xf32>, tensor<?x?xi64>)
    outs(%c : tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  bufferization.materialize_in_destination %y in writable %cm : (tensor<?x?x?xf32>, memref<?x?x?xf32>) -> ()
  return
})";

/// Positions up and down, twice the same, and beyond both ends.
std::vector<int64_t> positionsOf(int64_t count) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min(), kMost = std::numeric_limits<int64_t>::max();
  const std::vector<int64_t> pattern = {3, 0, 4, 3, -1, 5, kLeast, 1, kMost, 9, 1};
  std::vector<int64_t> positions(count);
  for (int64_t i = 0; i < count; ++i)
    positions[i] = pattern[i % pattern.size()];
  return positions;
}

void expectUpdate(bool ring, int64_t rows, const std::vector<int64_t> &tileSizes) {
  std::string text = kUpdate;
  text.replace(text.find("RING"), 4, ring ? "ring" : "unused");
  auto program = DefinitionProgram::compile(text, tileSizes);
  ASSERT_NE(program, nullptr);
  reference::CacheShape shape{3, rows, 5, 7, ring};
  std::vector<float> x = randomValues(3 * rows * 7, 1), cache = randomValues(3 * 5 * 7, 2);
  std::vector<int64_t> positions = positionsOf(3 * rows);
  std::vector<double> want = reference::cacheUpdate(shape, widened(x), positions, widened(cache));
  ASSERT_TRUE(program->run({{x, {3, rows, 7}}, {positions, {3, rows}}, {cache, {3, 5, 7}}}));
  EXPECT_EQ(widened(cache), want) << rows;
}

TEST(CacheUpdateDefinition, WritesRowsInOrder) {
  for (int64_t rows : {1, 2, 13})
    expectUpdate(false, rows, {});
}

TEST(CacheUpdateDefinition, GoesRoundARing) {
  for (int64_t rows : {1, 13})
    expectUpdate(true, rows, {});
}

TEST(CacheUpdateDefinition, IsThatOfItsTiles) {
  expectUpdate(false, 13, {2, 0, 3});
  expectUpdate(true, 13, {1, 0, 4});
}
} // namespace
