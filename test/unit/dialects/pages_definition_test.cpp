// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Caches in pages by their definition: rows go where the table says, and attention sees them there.
#include "test/reference/attention.h"
#include "test/reference/layer.h"
#include "test/unit/dialects/DefinitionExecution.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace weft;
using namespace weft::test;

namespace {

constexpr int64_t kPages = 6, kLength = 3, kWidth = 5;

const char *kUpdate = R"(
func.func @run(%rm: memref<?x?x?xf32>, %pm: memref<?x?xi64>, %tm: memref<?x?xi64>, %cm: memref<?x?x?xf32>)
    attributes {llvm.emit_c_interface} {
  %r = bufferization.to_tensor %rm restrict : memref<?x?x?xf32> to tensor<?x?x?xf32>
  %p = bufferization.to_tensor %pm restrict : memref<?x?xi64> to tensor<?x?xi64>
  %t = bufferization.to_tensor %tm restrict : memref<?x?xi64> to tensor<?x?xi64>
  %c = bufferization.to_tensor %cm restrict writable : memref<?x?x?xf32> to tensor<?x?x?xf32>
  %y = weft.cache_update {dimension = 1 : i64} ins(%r, %p : tensor<?x?x?xf32>, tensor<?x?xi64>)
    table(%t : tensor<?x?xi64>) outs(%c : tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  bufferization.materialize_in_destination %y in writable %cm : (tensor<?x?x?xf32>, memref<?x?x?xf32>) -> ()
  return
})";

/// What page and slot hold after the rows went to their places, one by one.
std::vector<double> updated(const std::vector<float> &rows, const std::vector<int64_t> &positions,
                            const std::vector<int64_t> &table, int64_t blocks, std::vector<double> cache) {
  for (size_t row = 0; row < positions.size(); ++row) {
    int64_t steps = positions.size() / 2, b = row / steps, p = positions[row];
    if (p < 0 || p / kLength >= blocks)
      continue;
    int64_t page = table[b * blocks + p / kLength];
    for (int64_t i = 0; page >= 0 && page < kPages && i < kWidth; ++i)
      cache[(page * kLength + p % kLength) * kWidth + i] = rows[row * kWidth + i];
  }
  return cache;
}

void expectUpdate(std::vector<int64_t> table, std::vector<int64_t> positions,
                  const std::vector<int64_t> &tileSizes = {}) {
  auto program = DefinitionProgram::compile(kUpdate, tileSizes);
  ASSERT_NE(program, nullptr);
  int64_t steps = positions.size() / 2, blocks = table.size() / 2;
  std::vector<float> rows = randomValues(2 * steps * kWidth, 1), cache = randomValues(kPages * kLength * kWidth, 2);
  std::vector<double> want = updated(rows, positions, table, blocks, widened(cache));
  ASSERT_TRUE(program->run(
      {{rows, {2, steps, kWidth}}, {positions, {2, steps}}, {table, {2, blocks}}, {cache, {kPages, kLength, kWidth}}}));
  EXPECT_EQ(widened(cache), want);
}

TEST(PagesDefinition, RowsGoToTheirPages) {
  expectUpdate({4, 0, 2, 5}, {0, 1, 2, 3, 2, 3, 4, 5});
  expectUpdate({4, 0, 2, 5}, {5, 5, 0, 2, 1, 4, 4, 3}); // the last of a slot's rows stays
  expectUpdate({4, 0, 2, 5}, {0, 1, 2, 3, 2, 3, 4, 5}, {0, 0, 2});
}

TEST(PagesDefinition, NothingGoesBeyondTableOrCache) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min(), kMost = std::numeric_limits<int64_t>::max();
  expectUpdate({-1, kPages, 1, kMost}, {0, 3, 5, 1, 0, 3, 5, 1});
  expectUpdate({4, 0, 2, 5}, {-1, 6, kMost, kLeast, 7, 0, -3, 100});
}

const char *kAttend = R"(
func.func @run(%qm: memref<?x?x?x?xf32>, %km: memref<?x?x3x?xf32>, %tm: memref<?x?xi64>, %om: memref<?x?x?x?xf32>)
    attributes {llvm.emit_c_interface} {
  %q = bufferization.to_tensor %qm restrict : memref<?x?x?x?xf32> to tensor<?x?x?x?xf32>
  %k = bufferization.to_tensor %km restrict : memref<?x?x3x?xf32> to tensor<?x?x3x?xf32>
  %t = bufferization.to_tensor %tm restrict : memref<?x?xi64> to tensor<?x?xi64>
  %o = bufferization.to_tensor %om restrict writable : memref<?x?x?x?xf32> to tensor<?x?x?x?xf32>
  %r = weft.attention {scale = 0.25 : f32, indexing_maps = [
      affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>, affine_map<(b, h, i, j, d, e) -> (b, h floordiv 2, j, d)>,
      affine_map<(b, h, i, j, d, e) -> (b, h floordiv 2, j, e)>, affine_map<(b, h, i, j, d, e) -> (b, j floordiv 3)>,
      affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>]}
    ins(%q, %k, %k : tensor<?x?x?x?xf32>, tensor<?x?x3x?xf32>, tensor<?x?x3x?xf32>) table(%t : tensor<?x?xi64>)
    outs(%o : tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32>
  bufferization.materialize_in_destination %r in writable %om : (tensor<?x?x?x?xf32>, memref<?x?x?x?xf32>) -> ()
  return
})";

TEST(PagesDefinition, AttentionSeesThePagesOfItsText) {
  // Two heads of keys, four of queries; an entry that is no page's is the last one.
  std::vector<int64_t> table = {4, 0, 2, 5, -1, 1};
  const std::vector<int64_t> pages = {4, 0, 2, 5, 5, 1};
  constexpr int64_t kKeys = 3 * kLength, kKeyHeads = 2;
  std::vector<float> k = randomValues(kPages * kKeyHeads * kLength * kWidth, 3),
                     q = randomValues(2 * 4 * 2 * kWidth, 4);
  std::vector<double> inOnePiece(2 * kKeyHeads * kKeys * kWidth);
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t h = 0; h < kKeyHeads; ++h)
      for (int64_t j = 0; j < kKeys; ++j)
        for (int64_t d = 0; d < kWidth; ++d)
          inOnePiece[((b * kKeyHeads + h) * kKeys + j) * kWidth + d] =
              k[((pages[b * 3 + j / kLength] * kKeyHeads + h) * kLength + j % kLength) * kWidth + d];
  for (const std::vector<int64_t> &tileSizes : {std::vector<int64_t>{}, {1, 2, 0, 0, 0, 0}}) {
    auto program = DefinitionProgram::compile(kAttend, tileSizes);
    ASSERT_NE(program, nullptr);
    std::vector<float> output(2 * 4 * 2 * kWidth, NAN);
    ASSERT_TRUE(program->run({{q, {2, 4, 2, kWidth}},
                              {k, {kPages, kKeyHeads, kLength, kWidth}},
                              {table, {2, 3}},
                              {output, {2, 4, 2, kWidth}}}));
    reference::AttentionShape shape{2, 4, kKeyHeads, 2, kKeys, kWidth, kWidth};
    std::vector<double> want = reference::attention(shape, widened(q), inOnePiece, inOnePiece, 0.25, {}, {}).output;
    EXPECT_LT(reference::relativeRms(output, want), 1e-6);
  }
}

} // namespace
