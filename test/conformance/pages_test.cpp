// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Keys and values in pages: which pages are a text's changes no bit, no table leads out of the cache, and attention is
// that of one text in one piece.
#include "test/conformance/CompiledModule.h"
#include "test/conformance/Numbers.h"
#include "test/reference/attention.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace weft::test {
namespace {

constexpr int64_t kPages = 90, kTexts = 2, kHeads = 4, kKeyHeads = 2, kWidth = 24, kLength = 41;

/// Causal attention of heads that share heads of keys, which are their own values. The state has PAGE keys in a page.
constexpr const char *kAttend = R"(
#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, e)>
#p = affine_map<(b, h, i, j, d, e) -> (b, i)>
#t = affine_map<(b, h, i, j, d, e) -> (b, j floordiv PAGE)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
module attributes {weft.dim_bounds = {pages = array<i64: 1, 90>}} {
func.func @attend(%q: tensor<?xSTEPSx4x24xf32> {weft.name = "q", weft.dims = ["batch", "sequence", "", ""]},
                  %x: tensor<?xSTEPSx2x24xf32> {weft.name = "x", weft.dims = ["batch", "sequence", "", ""]},
                  %p: tensor<?xSTEPSxi64> {weft.name = "positions", weft.dims = ["batch", "sequence"]},
                  %t: tensor<?x?xi64> {weft.name = "table", weft.dims = ["batch", "blocks"]},
                  %s: tensor<?xPAGEx2x24xf32> {weft.name = "cache", weft.dims = ["pages", "", "", ""], weft.state})
    -> (tensor<?xSTEPSx4x24xf32> {weft.name = "y", weft.dims = ["batch", "sequence", "", ""]},
        tensor<?xPAGEx2x24xf32> {weft.name = "cache", weft.dims = ["pages", "", "", ""], weft.state})
    attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %batch = tensor.dim %q, %zero : tensor<?xSTEPSx4x24xf32>
  %steps = tensor.dim %q, %one : tensor<?xSTEPSx4x24xf32>
  %c = weft.cache_update {dimension = 1 : i64} ins(%x, %p : tensor<?xSTEPSx2x24xf32>, tensor<?xSTEPSxi64>)
       table(%t : tensor<?x?xi64>) outs(%s : tensor<?xPAGEx2x24xf32>) -> tensor<?xPAGEx2x24xf32>
  %e = tensor.empty(EXTENTS) : tensor<?xSTEPSx4x24xf32>
  %y = weft.attention {scale = 0.2 : f32, indexing_maps = [#q, #k, #v, #p, #t, #o]}
       ins(%q, %c, %c, %p : tensor<?xSTEPSx4x24xf32>, tensor<?xPAGEx2x24xf32>, tensor<?xPAGEx2x24xf32>, tensor<?xSTEPSxi64>)
       table(%t : tensor<?x?xi64>) outs(%e : tensor<?xSTEPSx4x24xf32>)
       mask {
       ^bb0(%b: index, %h: index, %i: index, %j: index, %last: i64):
         %end = arith.index_cast %last : i64 to index
         %visible = arith.cmpi sle, %j, %end : index
         weft.yield %visible : i1
       } -> tensor<?xSTEPSx4x24xf32>
  return %y, %c : tensor<?xSTEPSx4x24xf32>, tensor<?xPAGEx2x24xf32>
}
})";

std::string attendTo(int64_t page, bool oneToken) {
  return replaced(kAttend, {{"PAGE", std::to_string(page)},
                            {"STEPS", oneToken ? "1" : "?"},
                            {"EXTENTS", oneToken ? "%batch" : "%batch, %steps"}});
}

/// Pages of both texts, all different, in an order that the seed gives; `spare` more columns name some page again.
Array tableOf(int64_t page, uint32_t seed, int64_t spare = 0) {
  int64_t blocks = (kLength + page - 1) / page;
  std::vector<int64_t> pages(kPages), table;
  std::iota(pages.begin(), pages.end(), 0);
  Numbers numbers(seed);
  for (int64_t i = kPages - 1; seed && i > 0; --i)
    std::swap(pages[i], pages[numbers.below(i + 1)]);
  for (int64_t text = 0; text < kTexts; ++text) {
    table.insert(table.end(), pages.begin() + text * blocks, pages.begin() + (text + 1) * blocks);
    table.insert(table.end(), spare, 0);
  }
  return Array::of<int64_t>("table", {kTexts, blocks + spare}, table);
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
  std::vector<int64_t> positions(kTexts * count);
  for (int64_t i = 0; i < kTexts * count; ++i)
    positions[i] = first + i % count;
  return Array::of<int64_t>("positions", {kTexts, count}, positions);
}

/// Two texts that come in parts of so many tokens.
struct Texts {
  Numbers numbers{11};
  Array q = numbers.array("q", {kTexts, kLength, kHeads, kWidth});
  Array x = numbers.array("x", {kTexts, kLength, kKeyHeads, kWidth});

  /// The results of the parts, in order.
  Arrays run(CompiledModule &module, const std::string &variant, int64_t part, const Array &table) const {
    Arrays results;
    for (int64_t first = 0; first < kLength; first += part) {
      int64_t count = std::min(part, kLength - first);
      Arrays inputs{stepsOf(q, first, count), stepsOf(x, first, count), positionsOf(first, count), table};
      results.push_back(module.run(variant, "attend", inputs)[0]);
    }
    module.reset(variant);
    return results;
  }

  /// [text, token, head, d] of the whole, in float64.
  std::vector<double> expected() const {
    auto headsFirst = [](const Array &array) {
      int64_t heads = array.shape[2];
      std::vector<double> values = widen(array), turned(values.size());
      for (int64_t b = 0; b < kTexts; ++b)
        for (int64_t t = 0; t < kLength; ++t)
          for (int64_t h = 0; h < heads; ++h)
            std::copy_n(&values[((b * kLength + t) * heads + h) * kWidth], kWidth,
                        &turned[((b * heads + h) * kLength + t) * kWidth]);
      return turned;
    };
    auto causal = [](int64_t, int64_t, int64_t i, int64_t j) { return j <= i; };
    std::vector<double> byHead = reference::attention({kTexts, kHeads, kKeyHeads, kLength, kLength, kWidth, kWidth},
                                                      headsFirst(q), headsFirst(x), headsFirst(x), 0.2f, {}, causal)
                                     .output;
    std::vector<double> result(byHead.size());
    for (int64_t b = 0; b < kTexts; ++b)
      for (int64_t t = 0; t < kLength; ++t)
        for (int64_t h = 0; h < kHeads; ++h)
          std::copy_n(&byHead[((b * kHeads + h) * kLength + t) * kWidth], kWidth,
                      &result[((b * kLength + t) * kHeads + h) * kWidth]);
    return result;
  }
};

void expectTexts(int64_t page, int64_t part, bool oneToken) {
  CompiledModule module(attendTo(page, oneToken));
  Texts texts;
  std::vector<double> want = texts.expected();
  for (const std::string &variant : module.variants()) {
    Arrays plain = texts.run(module, variant, part, tableOf(page, 0));
    RelativeError error;
    for (int64_t first = 0, call = 0; first < kLength; first += part, ++call)
      for (int64_t b = 0, count = std::min(part, kLength - first); b < kTexts; ++b) {
        std::vector<float> values = floatsOf(plain[call]);
        int64_t row = kHeads * kWidth;
        error.add({values.begin() + b * count * row, values.begin() + (b + 1) * count * row},
                  {want.begin() + (b * kLength + first) * row, want.begin() + (b * kLength + first + count) * row});
      }
    EXPECT_LT(error.value(), 1e-6) << variant << ", pages of " << page;
    for (const Array &table : {tableOf(page, 3), tableOf(page, 4, /*spare=*/3)}) {
      Arrays other = texts.run(module, variant, part, table);
      for (size_t call = 0; call < plain.size(); ++call)
        ASSERT_TRUE(sameBits(plain[call], other[call])) << variant << ", pages of " << page << ", call " << call;
    }
  }
}

TEST(Pages, AnyOrderOfPagesGivesTheBitsOfOneText) {
  for (int64_t page : {1, 3, 16, 64})
    expectTexts(page, 17, /*oneToken=*/false);
}

TEST(Pages, SoDoesAnyOrderForOneToken) {
  for (int64_t page : {1, 3, 16, 64})
    expectTexts(page, 1, /*oneToken=*/true);
}

/// Entries beyond the cache and positions beyond the table write nothing and read what is there: no access faults.
TEST(Pages, NoTableLeadsOutOfTheCache) {
  const int64_t wrong[] = {-1, kPages, int64_t(1) << 40, std::numeric_limits<int64_t>::min(),
                           std::numeric_limits<int64_t>::max()};
  for (bool oneToken : {false, true}) {
    CompiledModule module(attendTo(4, oneToken));
    for (const std::string &variant : module.variants()) {
      Numbers numbers(5);
      for (int64_t call = 0; call < 6; ++call) {
        int64_t steps = oneToken ? 1 : 1 + 7 * call, blocks = 3;
        std::vector<int64_t> table(kTexts * blocks), positions(kTexts * steps);
        for (int64_t &entry : table)
          entry = wrong[numbers.below(5)];
        for (int64_t &position : positions)
          position = numbers.below(2) ? wrong[numbers.below(5)] : numbers.below(20);
        Arrays inputs{numbers.array("q", {kTexts, steps, kHeads, kWidth}),
                      numbers.array("x", {kTexts, steps, kKeyHeads, kWidth}),
                      Array::of<int64_t>("positions", {kTexts, steps}, positions),
                      Array::of<int64_t>("table", {kTexts, blocks}, table)};
        Array y = module.run(variant, "attend", inputs)[0];
        // Nothing was ever written, so every mean is one of zeros.
        for (float value : floatsOf(y))
          ASSERT_EQ(value, 0.0f) << variant;
      }
      module.reset(variant);
    }
  }
}

/// One query of 4 heads to 8-bit keys with factors, which lie as MAPS say.
constexpr const char *kBytes = R"(
#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, e)>
#f = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2)>
#t = affine_map<(b, h, i, j, d, e) -> (b, j floordiv 16)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
func.func @attend(%q: tensor<?x1x4x24xf32> {weft.name = "q", weft.dims = ["batch", "", "", ""]},
                  %k: tensor<?xKEYSx2x24xi8> {weft.name = "k", weft.dims = ["rows", "KEYDIM", "", ""]},
                  %f: tensor<?xKEYSx2xf32> {weft.name = "f", weft.dims = ["rows", "KEYDIM", ""]},
                  %t: tensor<?x?xi64> {weft.name = "table", weft.dims = ["batch", "blocks"]})
    -> (tensor<?x1x4x24xf32> {weft.name = "y", weft.dims = ["batch", "", "", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %batch = tensor.dim %q, %zero : tensor<?x1x4x24xf32>
  %e = tensor.empty(%batch) : tensor<?x1x4x24xf32>
  %y = weft.attention {scale = 0.02 : f32, indexing_maps = [#q, #k, #v, #f, #f, TABLEMAP #o]}
       ins(%q, %k, %k : tensor<?x1x4x24xf32>, tensor<?xKEYSx2x24xi8>, tensor<?xKEYSx2x24xi8>)
       key_scale(%f : tensor<?xKEYSx2xf32>) value_scale(%f : tensor<?xKEYSx2xf32>) TABLEUSE
       outs(%e : tensor<?x1x4x24xf32>) -> tensor<?x1x4x24xf32>
  return %y : tensor<?x1x4x24xf32>
})";

TEST(Pages, BytesWithFactorsHaveTheBitsOfOnePiece) {
  CompiledModule paged(replaced(
      kBytes, {{"KEYS", "16"}, {"KEYDIM", ""}, {"TABLEMAP", "#t,"}, {"TABLEUSE", "table(%t : tensor<?x?xi64>)"}}));
  CompiledModule whole(replaced(kBytes, {{"KEYS", "?"}, {"KEYDIM", "keys"}, {"TABLEMAP", ""}, {"TABLEUSE", ""}}));
  Numbers numbers(9);
  constexpr int64_t kBlocks = 3, kRow = 2 * 24;
  const std::vector<int64_t> table = {4, 0, 6, 1, 5, 3};
  std::vector<int8_t> keys(7 * 16 * kRow), gathered;
  for (int8_t &key : keys)
    key = int8_t(numbers.below(256) - 128);
  std::vector<float> factors = numbers.normals(7 * 16 * 2), gatheredFactors;
  for (int64_t page : table) {
    gathered.insert(gathered.end(), keys.begin() + page * 16 * kRow, keys.begin() + (page + 1) * 16 * kRow);
    gatheredFactors.insert(gatheredFactors.end(), factors.begin() + page * 32, factors.begin() + (page + 1) * 32);
  }
  Array q = numbers.array("q", {2, 1, 4, 24}), entries = Array::of<int64_t>("table", {2, kBlocks}, table);
  for (const std::string &variant : paged.variants()) {
    Array a = paged.run(
        variant, "attend",
        {q, Array::of<int8_t>("k", {7, 16, 2, 24}, keys), Array::of<float>("f", {7, 16, 2}, factors), entries})[0];
    Array b = whole.run(variant, "attend",
                        {q, Array::of<int8_t>("k", {2, 48, 2, 24}, gathered),
                         Array::of<float>("f", {2, 48, 2}, gatheredFactors), entries})[0];
    EXPECT_TRUE(sameBits(a, b)) << variant;
  }
}

} // namespace
} // namespace weft::test
