// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.attention by its definition, whole and in tiles, against float64.
#include "test/reference/attention.h"
#include "test/reference/layer.h"
#include "test/unit/dialects/DefinitionExecution.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace weft;
using namespace weft::test;

namespace {

/// A function @run of attention over [b, h, s, d], with these regions.
std::string program(int group, const std::string &regions) {
  std::string grouped = group == 1 ? "h" : "h floordiv " + std::to_string(group);
  return R"(
func.func @run(%qm: memref<?x?x?x?xf32>, %km: memref<?x?x?x?xf32>, %vm: memref<?x?x?x?xf32>, %mm: memref<?x?xi64>,
               %om: memref<?x?x?x?xf32>, %lm: memref<?x?x?xf32>) attributes {llvm.emit_c_interface} {
  %q = bufferization.to_tensor %qm restrict : memref<?x?x?x?xf32> to tensor<?x?x?x?xf32>
  %k = bufferization.to_tensor %km restrict : memref<?x?x?x?xf32> to tensor<?x?x?x?xf32>
  %v = bufferization.to_tensor %vm restrict : memref<?x?x?x?xf32> to tensor<?x?x?x?xf32>
  %m = bufferization.to_tensor %mm restrict : memref<?x?xi64> to tensor<?x?xi64>
  %o = bufferization.to_tensor %om restrict writable : memref<?x?x?x?xf32> to tensor<?x?x?x?xf32>
  %l = bufferization.to_tensor %lm restrict writable : memref<?x?x?xf32> to tensor<?x?x?xf32>
  %r:2 = weft.attention {scale = 0.25 : f32, indexing_maps = [
      affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>, affine_map<(b, h, i, j, d, e) -> (b, )" +
         grouped + R"(, j, d)>,
      affine_map<(b, h, i, j, d, e) -> (b, )" +
         grouped + R"(, j, e)>, affine_map<(b, h, i, j, d, e) -> (b, j)>,
      affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>, affine_map<(b, h, i, j, d, e) -> (b, h, i)>]}
    ins(%q, %k, %v, %m : tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?xi64>)
    outs(%o, %l : tensor<?x?x?x?xf32>, tensor<?x?x?xf32>))" +
         regions + R"( -> tensor<?x?x?x?xf32>, tensor<?x?x?xf32>
  bufferization.materialize_in_destination %r#0 in writable %om : (tensor<?x?x?x?xf32>, memref<?x?x?x?xf32>) -> ()
  bufferization.materialize_in_destination %r#1 in writable %lm : (tensor<?x?x?xf32>, memref<?x?x?xf32>) -> ()
  return
})";
}

struct Case {
  reference::AttentionShape shape;
  std::string regions;
  reference::Score score;
  reference::Mask mask;
  std::vector<int64_t> tileSizes = {};
};

/// Padding hides every third key of batch 0, and all keys of batch 1.
std::vector<int64_t> paddingOf(const reference::AttentionShape &s) {
  std::vector<int64_t> padding(s.batch * s.keys, 0);
  for (int64_t j = 0; j < s.keys; ++j)
    padding[j] = j % 3 != 2;
  return padding;
}

void expectDefinition(const Case &c) {
  const reference::AttentionShape &s = c.shape;
  auto compiled = DefinitionProgram::compile(program(s.heads / s.keyHeads, c.regions), c.tileSizes);
  ASSERT_NE(compiled, nullptr);
  std::vector<float> q = randomValues(s.batch * s.heads * s.queries * s.headDim, 1);
  std::vector<float> k = randomValues(s.batch * s.keyHeads * s.keys * s.headDim, 2);
  std::vector<float> v = randomValues(s.batch * s.keyHeads * s.keys * s.valueDim, 3);
  std::vector<int64_t> padding = paddingOf(s);
  // What the destinations hold must not matter.
  std::vector<float> output(s.batch * s.heads * s.queries * s.valueDim, NAN), lse(s.batch * s.heads * s.queries, NAN);
  ASSERT_TRUE(compiled->run({{q, {s.batch, s.heads, s.queries, s.headDim}},
                             {k, {s.batch, s.keyHeads, s.keys, s.headDim}},
                             {v, {s.batch, s.keyHeads, s.keys, s.valueDim}},
                             {padding, {s.batch, s.keys}},
                             {output, {s.batch, s.heads, s.queries, s.valueDim}},
                             {lse, {s.batch, s.heads, s.queries}}}));
  reference::AttentionResult expected =
      reference::attention(s, widened(q), widened(k), widened(v), 0.25, c.score, c.mask);
  EXPECT_LT(reference::relativeRms(output, expected.output), 1e-6);
  EXPECT_LT(reference::relativeRms(lse, expected.lse), 1e-6);
}

/// Linear biases that grow with the head, and a causal mask: they see h, i and j.
Case causalWithBiasOfHead(const reference::AttentionShape &shape) {
  return {shape,
          R"( score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %p: i64):
      %distance = arith.subi %j, %i : index
      %scaled = arith.muli %distance, %h : index
      %integer = arith.index_cast %scaled : index to i64
      %bias = arith.sitofp %integer : i64 to f32
      %biased = arith.addf %s, %bias : f32
      weft.yield %biased : f32
    } mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index, %p: i64):
      %visible = arith.cmpi sge, %i, %j : index
      weft.yield %visible : i1
    })",
          [](double s, int64_t, int64_t h, int64_t i, int64_t j) { return s + double((j - i) * h); },
          [](int64_t, int64_t, int64_t i, int64_t j) { return i >= j; }};
}

} // namespace

TEST(AttentionDefinition, WithoutRegions) { expectDefinition({{2, 3, 3, 5, 7, 4, 6}, "", {}, {}}); }

TEST(AttentionDefinition, OneElement) { expectDefinition({{1, 1, 1, 1, 1, 1, 1}, "", {}, {}}); }

TEST(AttentionDefinition, GroupedHeads) { expectDefinition({{1, 6, 2, 4, 5, 3, 3}, "", {}, {}}); }

TEST(AttentionDefinition, CausalWithBiasOfHead) { expectDefinition(causalWithBiasOfHead({1, 4, 4, 6, 6, 4, 4})); }

// 7 queries in tiles of 3: the last tile is smaller. The regions see the indices of the whole op.
TEST(AttentionDefinition, TilesOfQueriesAndHeads) {
  Case tiled = causalWithBiasOfHead({2, 4, 4, 7, 7, 4, 4});
  tiled.tileSizes = {1, 1, 3};
  expectDefinition(tiled);
}

TEST(AttentionDefinition, TilesWithinAGroupAndOfWholeGroups) {
  Case tiled = causalWithBiasOfHead({1, 8, 2, 5, 5, 4, 4});
  for (int64_t heads : {1, 2, 4, 8}) {
    tiled.tileSizes = {0, heads, 2};
    expectDefinition(tiled);
  }
}

// Batch 1 is all padding: its rows are 0, its log-sum-exp is −∞.
TEST(AttentionDefinition, PaddingAndFullyMaskedRows) {
  reference::AttentionShape shape{2, 2, 2, 3, 5, 4, 4};
  std::vector<int64_t> padding = paddingOf(shape);
  expectDefinition({shape,
                    R"( mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index, %p: i64):
      %zero = arith.constant 0 : i64
      %visible = arith.cmpi ne, %p, %zero : i64
      weft.yield %visible : i1
    })",
                    {},
                    [=](int64_t b, int64_t, int64_t, int64_t j) { return padding[b * shape.keys + j] != 0; }});
}
