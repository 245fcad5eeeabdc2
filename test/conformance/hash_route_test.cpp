// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Experts by a token's id alone, as the builder makes them, on every level: exactly those of SplitMix64.
#include "frontends/builder/MixtureOfExperts.h"
#include "test/conformance/RouteCase.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

#include <algorithm>
#include <set>
#include <span>

namespace weft::test {
namespace {

constexpr int64_t kVocabulary = 1 << 20;

struct HashCase {
  std::string name;
  int64_t experts, top;
  uint64_t seed;
};
constexpr auto kMost = ~uint64_t(0);
const HashCase kCases[] = {{"one", 1, 1, 0},    {"two", 4, 2, 7},      {"other_seed", 4, 2, 8},     {"all", 5, 5, 1},
                           {"many", 64, 8, 77}, {"most", 512, 10, 77}, {"large_seed", 16, 1, kMost}};

struct NoParameters : ParameterSource {
  std::optional<StoredTensor> find(std::string_view) const override { return std::nullopt; }
  std::string place() const override { return "nowhere"; }
};

std::string textOf() {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  NoParameters none;
  GraphBuilder graph(context, none, "hashed");
  graph.bound("batch", 1, 4);
  graph.bound("sequence", 1, 8192);
  for (const HashCase &c : kCases) {
    graph.beginEntry(c.name, {{"ids", {"batch", "sequence"}, kVocabulary}}, {}, {});
    Routing routing = buildHashRoute(graph, graph.tokenIds("ids"), c.experts, c.top, c.seed);
    graph.output("experts", graph.splitTokens(routing.experts), {"batch", "sequence", ""});
    graph.output("weights", graph.splitTokens(routing.weights), {"batch", "sequence", ""});
    graph.endEntry();
  }
  auto module = graph.finish();
  EXPECT_TRUE(module) << module.error().format();
  std::string text;
  llvm::raw_string_ostream(text) << **module;
  return text;
}

/// SplitMix64 (Steele, Lea and Flood 2014), its n-th number.
uint64_t splitMix(uint64_t seed, uint64_t n) {
  uint64_t z = seed + (n + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/// The experts whose numbers, of 24 bits, are the largest.
std::vector<int32_t> expectedOf(const HashCase &c, const std::vector<int64_t> &ids) {
  std::vector<double> scores;
  for (int64_t id : ids)
    for (int64_t e = 0; e < c.experts; ++e)
      scores.push_back(double(splitMix(c.seed, uint64_t(id * c.experts + e)) >> 40));
  return reference::route({c.experts, c.top}, scores).experts;
}

struct HashRoute : testing::Test {
  static void SetUpTestSuite() { module = std::make_unique<CompiledModule>(textOf()); }
  static void TearDownTestSuite() { module.reset(); }

  static Array idsOf(const std::vector<int64_t> &ids) { return Array::of("ids", {1, int64_t(ids.size())}, ids); }
  static std::vector<int32_t> experts(const HashCase &c, const std::vector<int64_t> &ids) {
    return integersOf(module->run(module->variants().front(), c.name, {idsOf(ids)})[0]);
  }
  static std::vector<int64_t> firstIds(int64_t count) {
    std::vector<int64_t> ids(count);
    for (int64_t i = 0; i < count; ++i)
      ids[i] = i;
    return ids;
  }

  static inline std::unique_ptr<CompiledModule> module;
};

TEST_F(HashRoute, IsSplitMixOnEveryLevel) {
  Numbers numbers(130);
  std::vector<int64_t> ids = {0, 1, kVocabulary - 1};
  for (int64_t i = 0; i < 200; ++i)
    ids.push_back(numbers.below(kVocabulary));
  for (const HashCase &c : kCases)
    for (const std::string &variant : module->variants())
      for (RunOptions options : {RunOptions{1}, RunOptions{3, Flush::AtStart}}) {
        Arrays out = module->run(variant, c.name, {idsOf(ids)}, options);
        EXPECT_EQ(integersOf(out[0]), expectedOf(c, ids)) << variant << " " << c.name;
        for (float weight : floatsOf(out[1]))
          EXPECT_EQ(weight, 1.0f / float(c.top)) << variant << " " << c.name;
      }
}

TEST_F(HashRoute, ExpertsOfATokenAreDistinctAndInRange) {
  for (const HashCase &c : kCases) {
    std::vector<int32_t> all = experts(c, firstIds(500));
    for (size_t i = 0; i < all.size(); i += c.top) {
      std::set<int32_t> own(all.begin() + i, all.begin() + i + c.top);
      EXPECT_EQ(int64_t(own.size()), c.top) << c.name;
      EXPECT_TRUE(*own.begin() >= 0 && *own.rbegin() < c.experts) << c.name;
    }
  }
}

// A token's experts depend on its id and the seed alone.
TEST_F(HashRoute, DependsOnTheIdAndTheSeed) {
  const HashCase &c = kCases[1], &other = kCases[2];
  std::vector<int32_t> all = experts(c, firstIds(300));
  EXPECT_NE(all, experts(other, firstIds(300)));
  for (int64_t id : {0, 17, 299}) {
    auto of = [&](int64_t token) { return std::span(all).subspan(token * c.top, c.top); };
    std::vector<int32_t> among = experts(c, {5, id, 5}), alone = experts(c, {id});
    EXPECT_TRUE(std::ranges::equal(alone, of(id)));
    EXPECT_TRUE(std::ranges::equal(std::span(among).first(c.top), of(5)));
    EXPECT_TRUE(std::ranges::equal(std::span(among).subspan(c.top, c.top), of(id)));
    EXPECT_TRUE(std::ranges::equal(std::span(among).last(c.top), of(5)));
  }
}

// χ² of each place's experts over 8192 tokens: below its mean by more than 5 or above it by more than 6 standard
// deviations it is not that of a uniform choice.
TEST_F(HashRoute, ExpertsAreUniform) {
  for (const HashCase &c : kCases) {
    if (c.experts == 1)
      continue;
    std::vector<int32_t> all = experts(c, firstIds(8192));
    for (int64_t place = 0; place < c.top; ++place) {
      std::vector<double> counts(c.experts);
      for (size_t i = place; i < all.size(); i += c.top)
        ++counts[all[i]];
      double mean = 8192.0 / double(c.experts), chi = 0, freedom = double(c.experts - 1);
      for (double count : counts)
        chi += (count - mean) * (count - mean) / mean;
      EXPECT_LT(chi, freedom + 6 * std::sqrt(2 * freedom)) << c.name << ", place " << place;
      EXPECT_GT(chi, freedom - 5 * std::sqrt(2 * freedom)) << c.name << ", place " << place;
    }
  }
}

} // namespace
} // namespace weft::test
