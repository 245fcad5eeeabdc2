// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.dispatch compiled for each level: exactly what the reference says.
#include "test/conformance/RouteCase.h"

#include "gtest/gtest.h"

#include <limits>

namespace weft::test {
namespace {

struct DispatchCase {
  int64_t experts, top;
  std::optional<int64_t> capacity = std::nullopt;
  std::string entry() const {
    return "dispatch_" + std::to_string(experts) + "_" + std::to_string(top) +
           (capacity ? "_" + std::to_string(*capacity) : "");
  }
};

constexpr DispatchCase kCases[] = {
    {1, 1},  {4, 1},    {8, 2},     {8, 2, 0}, {8, 2, 3}, {13, 3, 40}, {5, 2, int64_t(1) << 32},
    {64, 8}, {512, 10}, {128, 8, 1}};

/// `rows` holds as many elements as there are entries: its extent is that of the results.
constexpr const char *kDispatch = R"(
func.func @@ENTRY(%experts: tensor<?x@Kxi32> {weft.name = "experts", weft.dims = ["tokens", ""]},
                  %weights: tensor<?x@Kxf32> {weft.name = "weights", weft.dims = ["tokens", ""]},
                  %like: tensor<?xi8> {weft.name = "rows", weft.dims = ["rows"]})
    -> (tensor<?xi32> {weft.name = "sorted_tokens", weft.dims = ["rows"]},
        tensor<?xf32> {weft.name = "sorted_weights", weft.dims = ["rows"]},
        tensor<@ENDxi32> {weft.name = "offsets"}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %rows = tensor.dim %like, %zero : tensor<?xi8>
  %t = tensor.empty(%rows) : tensor<?xi32>
  %w = tensor.empty(%rows) : tensor<?xf32>
  %o = tensor.empty() : tensor<@ENDxi32>
  %tokens, %sorted, %offsets = weft.dispatch @CAPACITY ins(%experts, %weights : tensor<?x@Kxi32>, tensor<?x@Kxf32>)
      outs(%t, %w, %o : tensor<?xi32>, tensor<?xf32>, tensor<@ENDxi32>)
      -> tensor<?xi32>, tensor<?xf32>, tensor<@ENDxi32>
  return %tokens, %sorted, %offsets : tensor<?xi32>, tensor<?xf32>, tensor<@ENDxi32>
}
)";

std::string textOf(const DispatchCase &c) {
  return replaced(kDispatch,
                  {{"@ENTRY", c.entry()},
                   {"@K", std::to_string(c.top)},
                   {"@END", std::to_string(c.experts + 1)},
                   {"@CAPACITY", c.capacity ? "{capacity = " + std::to_string(*c.capacity) + " : i64}" : ""}});
}

Arrays inputsOf(const DispatchCase &c, const std::vector<int32_t> &chosen, Numbers &numbers) {
  int64_t tokens = int64_t(chosen.size()) / c.top;
  return {Array::of<int32_t>("experts", {tokens, c.top}, chosen), numbers.array("weights", {tokens, c.top}),
          Array::of<int8_t>("rows", {tokens * c.top}, std::vector<int8_t>(tokens * c.top))};
}

reference::Dispatched expectedOf(const DispatchCase &c, const Arrays &in) {
  return reference::dispatch(c.experts, c.top, integersOf(in[0]), widen(in[1]), c.capacity);
}

/// Σ over the experts of what fits.
int64_t keptOf(const DispatchCase &c, const std::vector<int32_t> &chosen) {
  std::map<int32_t, int64_t> counts;
  for (int32_t expert : chosen)
    if (expert >= 0 && expert < c.experts)
      ++counts[expert];
  int64_t kept = 0;
  for (auto [expert, count] : counts)
    kept += c.capacity ? std::min(count, *c.capacity) : count;
  return kept;
}

struct DispatchConformance : testing::Test {
  static void SetUpTestSuite() {
    std::string text =
        "module attributes {weft.dim_bounds = {tokens = array<i64: 0, 16384>, rows = array<i64: 0, 163840>}} {";
    for (const DispatchCase &c : kCases)
      text += textOf(c);
    module = std::make_unique<CompiledModule>(text + "}\n");
  }
  static void TearDownTestSuite() { module.reset(); }

  static void expectExact(const DispatchCase &c, const std::vector<int32_t> &chosen, Numbers &numbers) {
    Arrays in = inputsOf(c, chosen, numbers);
    reference::Dispatched want = expectedOf(c, in);
    for (const std::string &variant : module->variants())
      for (RunOptions options : {RunOptions{}, RunOptions{2, Flush::AtStart}, RunOptions{3}}) {
        SCOPED_TRACE(variant + " " + c.entry() + ", entries " + std::to_string(chosen.size()));
        Arrays out = module->run(variant, c.entry(), in, options);
        EXPECT_EQ(integersOf(out[0]), want.tokens);
        EXPECT_EQ(widen(out[1]), want.weights);
        EXPECT_EQ(integersOf(out[2]), want.offsets);
        EXPECT_EQ(integersOf(out[2]).back(), keptOf(c, chosen));
      }
  }

  static inline std::unique_ptr<CompiledModule> module;
};

TEST_F(DispatchConformance, SortsStablyByExpert) {
  Numbers numbers(90);
  for (const DispatchCase &c : kCases)
    for (int64_t tokens : {0, 1, 2, 15, 16, 17, 37, 257}) {
      std::vector<int32_t> chosen(tokens * c.top);
      for (int32_t &expert : chosen)
        expert = int32_t(numbers.below(c.experts));
      expectExact(c, chosen, numbers);
    }
}

TEST_F(DispatchConformance, TensOfThousandsOfEntries) {
  Numbers numbers(91);
  for (const DispatchCase &c : {kCases[2], kCases[7]}) {
    std::vector<int32_t> chosen(10007 * c.top);
    for (int32_t &expert : chosen)
      expert = int32_t(numbers.below(c.experts));
    expectExact(c, chosen, numbers);
  }
}

TEST_F(DispatchConformance, ExpertsWithoutTokensAndWithAllOfThem) {
  Numbers numbers(92);
  for (const DispatchCase &c : kCases)
    for (int64_t expert : {int64_t(0), c.experts / 2, c.experts - 1})
      expectExact(c, std::vector<int32_t>(53 * c.top, int32_t(expert)), numbers);
}

// What is no expert is dropped, wherever it stands.
TEST_F(DispatchConformance, ExpertsOutOfRangeAreDropped) {
  Numbers numbers(93);
  for (const DispatchCase &c : kCases) {
    const int32_t hostile[] = {-1, int32_t(c.experts), std::numeric_limits<int32_t>::min(),
                               std::numeric_limits<int32_t>::max(), int32_t(c.experts) + 1};
    std::vector<int32_t> chosen(41 * c.top);
    for (int32_t &expert : chosen)
      expert = numbers.below(2) ? hostile[numbers.below(5)] : int32_t(numbers.below(c.experts));
    expectExact(c, chosen, numbers);
    for (int32_t expert : hostile)
      expectExact(c, std::vector<int32_t>(3 * c.top, expert), numbers);
  }
}

TEST_F(DispatchConformance, WeightsAreMovedBitForBit) {
  const DispatchCase &c = kCases[2];
  std::vector<int32_t> bits = {0x7fc00001, -1, std::numeric_limits<int32_t>::min(), 1, 0x7f800000, -0x00800000};
  Arrays in = {Array::of<int32_t>("experts", {3, 2}, std::vector<int32_t>{5, 4, 3, 2, 1, 0}),
               Array::of<int32_t>("weights", {3, 2}, bits), Array::of<int8_t>("rows", {6}, std::vector<int8_t>(6))};
  in[1].type = ElementType::F32;
  for (const std::string &variant : module->variants()) {
    Array sorted = module->run(variant, c.entry(), in)[1];
    sorted.type = ElementType::I32;
    std::vector<int32_t> moved = integersOf(sorted);
    for (size_t i = 0; i < bits.size(); ++i)
      EXPECT_EQ(moved[i], bits[5 - i]) << variant;
  }
}

} // namespace
} // namespace weft::test
