// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Caches that a session owns: rows go where their positions say and nowhere else, and attention to the tokens of many
// calls is attention to one text.
#include "test/conformance/CompiledModule.h"
#include "test/conformance/Numbers.h"
#include "test/reference/attention.h"
#include "test/reference/sequence.h"

#include "gtest/gtest.h"

#include <limits>

namespace weft::test {
namespace {

/// Rows of 2 · 21 elements into 7 slots; what the cache holds then comes out too.
constexpr const char *kUpdate = R"(
#all = affine_map<(b, s, h, d) -> (b, s, h, d)>
module {
func.func @update(%x: tensor<?x?x2x21xf32> {weft.name = "x", weft.dims = ["batch", "sequence", "", ""]},
                  %p: tensor<?x?xi64> {weft.name = "positions", weft.dims = ["batch", "sequence"]},
                  %s: tensor<?x7x2x21xf32> {weft.name = "cache", weft.dims = ["batch", "", "", ""], weft.state})
    -> (tensor<?x7x2x21xf32> {weft.name = "cache", weft.dims = ["batch", "", "", ""], weft.state},
        tensor<?x7x2x21xf32> {weft.name = "now", weft.dims = ["batch", "", "", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %batch = tensor.dim %x, %zero : tensor<?x?x2x21xf32>
  %c = weft.cache_update {dimension = 1 : i64, RING} ins(%x, %p : tensor<?x?x2x21xf32>, tensor<?x?xi64>)
       outs(%s : tensor<?x7x2x21xf32>) -> tensor<?x7x2x21xf32>
  %e = tensor.empty(%batch) : tensor<?x7x2x21xf32>
  %now = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
         ins(%c : tensor<?x7x2x21xf32>) outs(%e : tensor<?x7x2x21xf32>) {
  ^bb0(%a: f32, %o: f32):
    %n = arith.negf %a : f32
    linalg.yield %n : f32
  } -> tensor<?x7x2x21xf32>
  return %c, %now : tensor<?x7x2x21xf32>, tensor<?x7x2x21xf32>
}
})";

std::vector<int64_t> hostilePositions(Numbers &numbers, int64_t count) {
  std::vector<int64_t> positions(count);
  for (int64_t &position : positions) {
    const int64_t wrong[] = {-1, 7, 1 << 20, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};
    position = numbers.below(3) ? numbers.below(7) : wrong[numbers.below(5)];
  }
  return positions;
}

void expectUpdates(bool ring) {
  CompiledModule module(replaced(kUpdate, {{"RING", ring ? "ring" : "unused"}}));
  for (const std::string &variant : module.variants()) {
    Numbers numbers(7);
    std::vector<double> cache(3 * 7 * 42);
    for (int64_t steps : {1, 5, 1, 19, 2}) {
      Array x = numbers.array("x", {3, steps, 2, 21});
      std::vector<int64_t> positions = hostilePositions(numbers, 3 * steps);
      cache = reference::cacheUpdate({3, steps, 7, 42, ring}, widen(x), positions, cache);
      Arrays inputs{x, Array::of<int64_t>("positions", {3, steps}, positions)};
      std::vector<double> now = widen(module.run(variant, "update", inputs, {2})[0]);
      ASSERT_EQ(now.size(), cache.size());
      for (size_t i = 0; i < now.size(); ++i)
        ASSERT_EQ(now[i], -cache[i]) << variant << ", element " << i;
    }
  }
}

TEST(CacheUpdate, NeverLeavesTheCache) { expectUpdates(false); }
TEST(CacheUpdate, GoesRoundARing) { expectUpdates(true); }

/// Causal attention of 4 heads that share 2 heads of keys, over a cache; the keys are their own values. `STEPS` is the
/// sequence's extent.
constexpr const char *kAttend = R"(
#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, e)>
#p = affine_map<(b, h, i, j, d, e) -> (b, i)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
module attributes {weft.dim_bounds = {context = array<i64: 1, 50>}} {
func.func @attend(%q: tensor<?xSTEPSx4x24xf32> {weft.name = "q", weft.dims = ["batch", "sequence", "", ""]},
                  %x: tensor<?xSTEPSx2x24xf32> {weft.name = "x", weft.dims = ["batch", "sequence", "", ""]},
                  %p: tensor<?xSTEPSxi64> {weft.name = "positions", weft.dims = ["batch", "sequence"]},
                  %s: tensor<?x?x2x24xf32> {weft.name = "cache", weft.dims = ["batch", "context", "", ""], weft.state})
    -> (tensor<?xSTEPSx4x24xf32> {weft.name = "y", weft.dims = ["batch", "sequence", "", ""]},
        tensor<?x?x2x24xf32> {weft.name = "cache", weft.dims = ["batch", "context", "", ""], weft.state})
    attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %batch = tensor.dim %q, %zero : tensor<?xSTEPSx4x24xf32>
  %steps = tensor.dim %q, %one : tensor<?xSTEPSx4x24xf32>
  %c = weft.cache_update {dimension = 1 : i64} ins(%x, %p : tensor<?xSTEPSx2x24xf32>, tensor<?xSTEPSxi64>)
       outs(%s : tensor<?x?x2x24xf32>) -> tensor<?x?x2x24xf32>
  %e = tensor.empty(EXTENTS) : tensor<?xSTEPSx4x24xf32>
  %y = weft.attention {scale = 0.2 : f32, indexing_maps = [#q, #k, #v, #p, #o]}
       ins(%q, %c, %c, %p : tensor<?xSTEPSx4x24xf32>, tensor<?x?x2x24xf32>, tensor<?x?x2x24xf32>, tensor<?xSTEPSxi64>)
       outs(%e : tensor<?xSTEPSx4x24xf32>)
       mask {
       ^bb0(%b: index, %h: index, %i: index, %j: index, %last: i64):
         %end = arith.index_cast %last : i64 to index
         %visible = arith.cmpi sle, %j, %end : index
         weft.yield %visible : i1
       } -> tensor<?xSTEPSx4x24xf32>
  return %y, %c : tensor<?xSTEPSx4x24xf32>, tensor<?x?x2x24xf32>
}
})";

/// [batch, steps, heads, 24] as [batch, heads, steps, 24].
std::vector<double> headsFirst(const Array &array) {
  int64_t batch = array.shape[0], steps = array.shape[1], heads = array.shape[2];
  std::vector<double> values = widen(array), turned(values.size());
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t t = 0; t < steps; ++t)
      for (int64_t h = 0; h < heads; ++h)
        for (int64_t d = 0; d < 24; ++d)
          turned[((b * heads + h) * steps + t) * 24 + d] = values[((b * steps + t) * heads + h) * 24 + d];
  return turned;
}

Array stepsOf(const Array &array, int64_t first, int64_t count) {
  std::vector<float> values = floatsOf(array), part;
  int64_t row = array.shape[2] * array.shape[3];
  for (int64_t b = 0; b < array.shape[0]; ++b) {
    auto from = values.begin() + (b * array.shape[1] + first) * row;
    part.insert(part.end(), from, from + count * row);
  }
  return Array::of<float>(array.name, {array.shape[0], count, array.shape[2], array.shape[3]}, part);
}

Array positionsOf(int64_t first, int64_t count) {
  std::vector<int64_t> positions(2 * count);
  for (int64_t i = 0; i < 2 * count; ++i)
    positions[i] = first + i % count;
  return Array::of<int64_t>("positions", {2, count}, positions);
}

/// A text of 50 tokens that comes in parts of these lengths, over and over.
void expectOneText(const std::string &text, const std::vector<int64_t> &lengths) {
  CompiledModule module(text);
  Numbers numbers(11);
  Array q = numbers.array("q", {2, 50, 4, 24}), x = numbers.array("x", {2, 50, 2, 24});
  auto causal = [](int64_t, int64_t, int64_t i, int64_t j) { return j <= i; };
  std::vector<double> want =
      reference::attention({2, 4, 2, 50, 50, 24, 24}, headsFirst(q), headsFirst(x), headsFirst(x), 0.2f, {}, causal)
          .output;
  for (const std::string &variant : module.variants()) {
    RelativeError error;
    for (int64_t first = 0, call = 0; first < 50; ++call) {
      int64_t count = std::min<int64_t>(50 - first, lengths[call % lengths.size()]);
      Arrays inputs{stepsOf(q, first, count), stepsOf(x, first, count), positionsOf(first, count)};
      Array y = module.run(variant, "attend", inputs, {2})[0];
      std::vector<double> part;
      for (int64_t row = 0; row < 2 * 4; ++row)
        part.insert(part.end(), want.begin() + (row * 50 + first) * 24, want.begin() + (row * 50 + first + count) * 24);
      Array turned = Array::of<float>("y", {2, count, 4, 24}, floatsOf(y));
      std::vector<double> actual = headsFirst(turned);
      error.add(std::vector<float>(actual.begin(), actual.end()), part);
      first += count;
    }
    EXPECT_LT(error.value(), 1e-6) << variant;
  }
}

TEST(CacheUpdate, AttentionSeesTheTokensOfAllCalls) {
  std::string text = replaced(kAttend, {{"STEPS", "?"}, {"EXTENTS", "%batch, %steps"}});
  expectOneText(text, {50});
  expectOneText(text, {1, 17, 6});
}

TEST(CacheUpdate, AttentionOfOneTokenSeesThemToo) {
  expectOneText(replaced(kAttend, {{"STEPS", "1"}, {"EXTENTS", "%batch"}}), {1});
}

} // namespace
} // namespace weft::test
