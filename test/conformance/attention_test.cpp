// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.attention compiled for each level against float64: head dimensions, layouts, masks, scores, extents. One
// compilation serves all extents.
#include "test/conformance/AttentionCase.h"

#include "gtest/gtest.h"

namespace weft::test {
namespace {

/// Lengths around vectors, register tiles (12 and 6 rows), tiles of queries (32), blocks of keys (96), queries (256).
std::vector<AttentionExtents> extentsFor(const AttentionCase &c) {
  std::vector<AttentionExtents> all;
  for (int64_t length = 1; length <= 40; ++length)
    all.push_back({1 + length % 3, length, length});
  for (int64_t length : {127, 128, 129, 257})
    all.push_back({length == 129 ? 2 : 1, length, length});
  // Queries and keys of different number, in both directions.
  for (auto [queries, keys] : {std::pair<int64_t, int64_t>{1, 97}, {1, 130}, {5, 131}, {33, 1}, {64, 7}, {17, 256}})
    all.push_back({2, queries, keys});
  // Nothing to compute; queries without any key.
  all.insert(all.end(), {{2, 0, 5}, {0, 4, 4}, {2, 5, 0}});
  if (c.headDim <= 32)
    all.insert(all.end(), {{1, 511, 512}, {1, 512, 511}});
  return all;
}

class AttentionConformance : public testing::TestWithParam<AttentionCase> {};

void check(CompiledModule &module, const AttentionCase &c, Accuracy &output, Accuracy &lse, const std::string &variant,
           const Arrays &inputs, const AttentionValues &expected) {
  Arrays results = module.run(variant, "attend", inputs);
  EXPECT_EQ(output.check(asFloats(results[0]), expected.output, expected.plainOutput), "");
  if (c.lse)
    EXPECT_EQ(lse.check(results[1], expected.lse, expected.plainLse), "");
  Arrays again = module.run(variant, "attend", inputs, {1, Flush::AtStart});
  for (size_t i = 0; i < results.size(); ++i)
    EXPECT_TRUE(sameBits(results[i], again[i])) << "other bits with the arrays at other addresses";
}

void checkCase(const AttentionCase &c, const std::string &targets) {
  CompiledModule module(c.text(), {}, targets);
  std::map<std::string, Accuracy> outputs, lses;
  Numbers numbers(20);
  for (AttentionExtents extents : extentsFor(c)) {
    Arrays inputs = makeInputs(c, extents, numbers);
    AttentionValues expected = expectedOf(c, extents, inputs);
    for (const std::string &variant : module.variants()) {
      SCOPED_TRACE(variant + ", batch " + std::to_string(extents.batch) + ", queries " +
                   std::to_string(extents.queries) + ", keys " + std::to_string(extents.keys));
      // Weights of softmax in bf16 are off by up to 2^-8; so is an output.
      bool rounds = c.computed == ElementType::BF16 || roundsProducts(c, variant);
      outputs[variant].bound = rounds ? 6e-3 : 1e-5;
      // A query in f16 is off by up to 2^-12, and a score of one key, whose terms cancel, is its lse.
      lses[variant].bound = !rounds ? 1e-5 : c.stored == ElementType::F16 ? 1e-3 : 1e-4;
      check(module, c, outputs[variant], lses[variant], variant, inputs, expected);
      if (testing::Test::HasFailure())
        return;
    }
  }
  auto exact = [&](const std::string &variant) {
    return c.computed == ElementType::F32 && !roundsProducts(c, variant);
  };
  for (auto &[variant, accuracy] : outputs)
    EXPECT_TRUE(!exact(variant) || accuracy.withinTwicePlain()) << variant << " output: " << accuracy.text();
  for (auto &[variant, accuracy] : lses)
    EXPECT_TRUE(!exact(variant) || accuracy.withinTwicePlain()) << variant << " lse: " << accuracy.text();
}

TEST_P(AttentionConformance, IsWithinBoundsOfFloat64) { checkCase(GetParam(), ""); }

// Machines with the instruction run its code instead in the other cases.
TEST(EmulatedAttention, DotProductsOfBf16AreWithinBoundsOfFloat64) {
  checkCase({.name = "Emulated", .headDim = 20, .valueDim = 36, .mask = MaskKind::Causal, .rounded = true},
            "cpu:v4-bf16-vectors");
}

const AttentionCase kCases[] = {
    // Head and value dimensions.
    {.name = "Dim1", .headDim = 1, .valueDim = 1},
    {.name = "Dim3", .headDim = 3, .valueDim = 3},
    {.name = "Dim12", .headDim = 12, .valueDim = 12, .sequenceFirst = false},
    {.name = "Dim16NoLse", .headDim = 16, .valueDim = 16, .lse = false},
    {.name = "Dim20", .headDim = 20, .valueDim = 20, .sequenceFirst = false},
    {.name = "Dim32", .headDim = 32, .valueDim = 32},
    {.name = "Dim64", .headDim = 64, .valueDim = 64},
    {.name = "Dim80", .heads = 1, .keyHeads = 1, .headDim = 80, .valueDim = 80},
    {.name = "Dim128", .heads = 1, .keyHeads = 1, .headDim = 128, .valueDim = 128},
    {.name = "Dim256", .heads = 1, .keyHeads = 1, .headDim = 256, .valueDim = 256, .sequenceFirst = false},
    {.name = "Dim576", .heads = 1, .keyHeads = 1, .headDim = 576, .valueDim = 512},
    {.name = "ValuesWider", .headDim = 8, .valueDim = 20},
    {.name = "ValuesNarrower", .headDim = 32, .valueDim = 3, .sequenceFirst = false},
    // Heads that share keys.
    {.name = "Grouped", .heads = 6, .keyHeads = 2, .headDim = 8, .valueDim = 8},
    {.name = "GroupedHeadsFirst", .heads = 4, .keyHeads = 1, .headDim = 12, .valueDim = 16, .sequenceFirst = false},
    // Stored numbers.
    {.name = "KeysBf16", .headDim = 20, .valueDim = 12, .stored = ElementType::BF16, .rounded = true},
    {.name = "KeysF16", .heads = 4, .mask = MaskKind::Causal, .stored = ElementType::F16},
    {.name = "KeysBytes", .heads = 4, .sequenceFirst = false, .mask = MaskKind::Padding, .stored = ElementType::I8},
    // Products of bf16.
    {.name = "Bf16Dim1", .headDim = 1, .valueDim = 1, .rounded = true},
    {.name = "Bf16Dim20", .headDim = 20, .valueDim = 36, .sequenceFirst = false, .rounded = true},
    {.name = "Bf16Dim32", .headDim = 32, .valueDim = 32, .lse = false, .rounded = true},
    {.name = "Bf16Dim64", .headDim = 64, .valueDim = 64, .stored = ElementType::BF16, .computed = ElementType::BF16},
    {.name = "Bf16Dim80",
     .heads = 1,
     .keyHeads = 1,
     .headDim = 80,
     .valueDim = 80,
     .mask = MaskKind::Causal,
     .rounded = true},
    {.name = "Bf16Dim256",
     .heads = 1,
     .keyHeads = 1,
     .headDim = 256,
     .valueDim = 256,
     .stored = ElementType::BF16,
     .rounded = true},
    {.name = "Bf16Grouped", .heads = 6, .keyHeads = 2, .mask = MaskKind::PaddingCausal, .rounded = true},
    {.name = "Bf16Window", .mask = MaskKind::Window, .rounded = true},
    {.name = "Bf16Chunks", .headDim = 16, .valueDim = 16, .mask = MaskKind::Chunks, .rounded = true},
    {.name = "Bf16Prefix", .mask = MaskKind::Prefix, .rounded = true},
    {.name = "Bf16Padding", .headDim = 16, .valueDim = 16, .mask = MaskKind::Padding, .rounded = true},
    {.name = "Bf16Length", .mask = MaskKind::Length, .rounded = true},
    {.name = "Bf16Position", .mask = MaskKind::Position, .rounded = true},
    {.name = "Bf16Bias", .mask = MaskKind::Padding, .score = ScoreKind::BiasOfHeads, .rounded = true},
    {.name = "Bf16SoftCap", .mask = MaskKind::Causal, .score = ScoreKind::SoftCap, .rounded = true},
    {.name = "Bf16Alibi", .sequenceFirst = false, .score = ScoreKind::Alibi, .rounded = true},
    // Queries in halves, too: on Hopper by warp groups.
    {.name = "HalfDim80Causal",
     .heads = 1,
     .keyHeads = 1,
     .headDim = 80,
     .valueDim = 48,
     .mask = MaskKind::Causal,
     .stored = ElementType::BF16,
     .computed = ElementType::BF16},
    {.name = "HalfDim128Grouped",
     .heads = 2,
     .keyHeads = 1,
     .headDim = 128,
     .valueDim = 128,
     .sequenceFirst = false,
     .mask = MaskKind::PaddingCausal,
     .stored = ElementType::BF16,
     .computed = ElementType::BF16},
    {.name = "HalfWindow",
     .headDim = 32,
     .valueDim = 64,
     .mask = MaskKind::Window,
     .stored = ElementType::BF16,
     .computed = ElementType::BF16},
    {.name = "HalfPosition",
     .headDim = 64,
     .valueDim = 32,
     .mask = MaskKind::Position,
     .stored = ElementType::BF16,
     .computed = ElementType::BF16},
    {.name = "HalfBias",
     .headDim = 16,
     .valueDim = 16,
     .mask = MaskKind::Length,
     .score = ScoreKind::BiasOfHeads,
     .stored = ElementType::BF16,
     .computed = ElementType::BF16},
    // Masks.
    {.name = "Causal", .mask = MaskKind::Causal},
    {.name = "Window", .headDim = 12, .valueDim = 12, .mask = MaskKind::Window},
    {.name = "Chunks", .headDim = 16, .valueDim = 16, .mask = MaskKind::Chunks},
    {.name = "Prefix", .mask = MaskKind::Prefix},
    {.name = "Position", .heads = 4, .keyHeads = 2, .mask = MaskKind::Position},
    {.name = "Padding", .headDim = 16, .valueDim = 16, .mask = MaskKind::Padding},
    {.name = "PaddingHeadsFirst", .sequenceFirst = false, .mask = MaskKind::Padding},
    {.name = "PaddingCausal", .heads = 4, .keyHeads = 2, .mask = MaskKind::PaddingCausal},
    // Scores.
    {.name = "BiasOfBatch", .score = ScoreKind::BiasOfBatch},
    {.name = "BiasOfHeads", .headDim = 16, .valueDim = 16, .mask = MaskKind::Padding, .score = ScoreKind::BiasOfHeads},
    {.name = "BiasCausal", .mask = MaskKind::Causal, .score = ScoreKind::BiasOfHeads},
    {.name = "SoftCap", .mask = MaskKind::Causal, .score = ScoreKind::SoftCap},
    {.name = "Alibi", .mask = MaskKind::PaddingCausal, .score = ScoreKind::Alibi},
    {.name = "AlibiHeadsFirst", .sequenceFirst = false, .score = ScoreKind::Alibi},
};

INSTANTIATE_TEST_SUITE_P(Cases, AttentionConformance, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<AttentionCase> &info) { return info.param.name; });

} // namespace
} // namespace weft::test
