// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.attention of few queries, their number known when compiling (decoding): against float64 for each level, and
// against the same attention of many queries.
#include "test/conformance/AttentionCase.h"

#include "gtest/gtest.h"

#include <algorithm>

namespace weft::test {
namespace {

/// Around vectors, register tiles and blocks of keys; a prime; a long context.
constexpr int64_t kContexts[] = {1, 2, 3, 4, 5, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 255, 257, 1031, 4096};

class DecodeConformance : public testing::TestWithParam<AttentionCase> {};

std::vector<AttentionExtents> extentsFor(const AttentionCase &c) {
  std::vector<AttentionExtents> all = {{2, c.queries, 0}, {0, c.queries, 3}};
  for (int64_t context : kContexts)
    if (context < 1000 || c.heads * c.headDim <= 256)
      all.push_back({context < 100 ? 1 + context % 3 : 1, c.queries, context});
  return all;
}

void check(CompiledModule &module, const AttentionCase &c, Accuracy &output, Accuracy &lse, const std::string &variant,
           const Arrays &inputs, const AttentionValues &expected) {
  Arrays results = module.run(variant, "attend", inputs);
  EXPECT_EQ(output.check(asFloats(results[0]), expected.output, expected.plainOutput), "");
  if (c.lse)
    EXPECT_EQ(lse.check(results[1], expected.lse, expected.plainLse), "");
  for (RunOptions options : {RunOptions{1, Flush::AtStart}, RunOptions{2, Flush::AtEnd}}) {
    Arrays again = module.run(variant, "attend", inputs, options);
    for (size_t i = 0; i < results.size(); ++i)
      EXPECT_TRUE(sameBits(results[i], again[i])) << "other bits at other addresses, or with other threads";
  }
}

TEST_P(DecodeConformance, IsWithinBoundsOfFloat64) {
  const AttentionCase &c = GetParam();
  CompiledModule module(c.text());
  std::map<std::string, Accuracy> outputs, lses;
  Numbers numbers(60);
  for (AttentionExtents extents : extentsFor(c)) {
    Arrays inputs = makeInputs(c, extents, numbers);
    AttentionValues expected = expectedOf(c, extents, inputs);
    for (const std::string &variant : module.variants()) {
      SCOPED_TRACE(variant + ", batch " + std::to_string(extents.batch) + ", keys " + std::to_string(extents.keys));
      lses[variant].bound = 1e-5;
      outputs[variant].bound = c.computed == ElementType::BF16 ? 4e-3 : c.computed == ElementType::F16 ? 6e-4 : 1e-5;
      check(module, c, outputs[variant], lses[variant], variant, inputs, expected);
      if (HasFailure())
        return;
    }
  }
  for (auto &[variant, accuracy] : outputs)
    EXPECT_TRUE(c.computed != ElementType::F32 || accuracy.withinTwicePlain())
        << variant << " output: " << accuracy.text();
  for (auto &[variant, accuracy] : lses)
    EXPECT_TRUE(accuracy.withinTwicePlain()) << variant << " lse: " << accuracy.text();
}

const AttentionCase kCases[] = {
    // Group sizes, in both layouts.
    {.name = "Group1", .heads = 2, .keyHeads = 2, .headDim = 32, .valueDim = 32, .queries = 1},
    {.name = "Group2", .heads = 4, .keyHeads = 2, .headDim = 64, .valueDim = 64, .sequenceFirst = false, .queries = 1},
    {.name = "Group3", .heads = 6, .keyHeads = 2, .headDim = 32, .valueDim = 32, .queries = 1},
    {.name = "Group4", .heads = 8, .keyHeads = 2, .headDim = 32, .valueDim = 32, .queries = 1},
    {.name = "Group4HeadsFirst",
     .heads = 8,
     .keyHeads = 2,
     .headDim = 128,
     .valueDim = 128,
     .sequenceFirst = false,
     .queries = 1},
    {.name = "Group7", .heads = 14, .keyHeads = 2, .headDim = 16, .valueDim = 16, .sequenceFirst = false, .queries = 1},
    {.name = "Group8", .heads = 8, .keyHeads = 1, .headDim = 64, .valueDim = 64, .queries = 1},
    // A few queries.
    {.name = "Queries2", .heads = 2, .keyHeads = 2, .headDim = 16, .valueDim = 16, .queries = 2},
    {.name = "Queries3",
     .heads = 4,
     .keyHeads = 2,
     .headDim = 16,
     .valueDim = 16,
     .sequenceFirst = false,
     .queries = 3},
    {.name = "Queries4", .heads = 4, .keyHeads = 2, .headDim = 32, .valueDim = 32, .queries = 4},
    // Dimensions.
    {.name = "Dim1", .headDim = 1, .valueDim = 1, .queries = 1},
    {.name = "Dim20", .headDim = 20, .valueDim = 20, .sequenceFirst = false, .queries = 1},
    {.name = "Dim80", .heads = 4, .headDim = 80, .valueDim = 80, .queries = 1},
    {.name = "Dim256",
     .heads = 2,
     .keyHeads = 1,
     .headDim = 256,
     .valueDim = 256,
     .sequenceFirst = false,
     .lse = false,
     .queries = 1},
    {.name = "ValuesWider", .headDim = 8, .valueDim = 52, .queries = 2},
    {.name = "ValuesNarrower", .headDim = 64, .valueDim = 3, .sequenceFirst = false, .queries = 1},
    // Stored numbers.
    {.name = "Bfloat",
     .heads = 8,
     .keyHeads = 2,
     .headDim = 64,
     .valueDim = 64,
     .queries = 1,
     .stored = ElementType::BF16},
    {.name = "BfloatOdd",
     .heads = 2,
     .keyHeads = 2,
     .headDim = 20,
     .valueDim = 12,
     .sequenceFirst = false,
     .queries = 2,
     .stored = ElementType::BF16,
     .computed = ElementType::BF16},
    {.name = "Half",
     .heads = 8,
     .keyHeads = 2,
     .headDim = 128,
     .valueDim = 128,
     .sequenceFirst = false,
     .queries = 1,
     .stored = ElementType::F16},
    {.name = "HalfOdd",
     .heads = 6,
     .keyHeads = 2,
     .headDim = 12,
     .valueDim = 33,
     .queries = 1,
     .stored = ElementType::F16,
     .computed = ElementType::F16},
    {.name = "Bytes",
     .heads = 8,
     .keyHeads = 2,
     .headDim = 64,
     .valueDim = 64,
     .queries = 1,
     .stored = ElementType::I8},
    {.name = "BytesHeadsFirst",
     .heads = 4,
     .keyHeads = 4,
     .headDim = 32,
     .valueDim = 32,
     .sequenceFirst = false,
     .mask = MaskKind::Padding,
     .queries = 2,
     .stored = ElementType::I8},
    {.name = "BytesBias",
     .heads = 14,
     .keyHeads = 2,
     .headDim = 20,
     .valueDim = 20,
     .score = ScoreKind::BiasOfHeads,
     .queries = 1,
     .stored = ElementType::I8},
    // In whole tiles: two blocks of rows a head of the keys; a row that repeats another; regions.
    {.name = "BytesRowBlocks",
     .heads = 12,
     .keyHeads = 2,
     .headDim = 64,
     .valueDim = 128,
     .queries = 1,
     .stored = ElementType::I8},
    {.name = "BytesLength",
     .heads = 4,
     .keyHeads = 1,
     .headDim = 128,
     .valueDim = 64,
     .sequenceFirst = false,
     .mask = MaskKind::Length,
     .queries = 1,
     .stored = ElementType::I8},
    {.name = "BytesThreeRows",
     .heads = 2,
     .keyHeads = 2,
     .headDim = 64,
     .valueDim = 64,
     .sequenceFirst = false,
     .mask = MaskKind::PaddingCausal,
     .score = ScoreKind::Alibi,
     .queries = 3,
     .stored = ElementType::I8},
    // Masks and scores.
    {.name = "Causal", .heads = 4, .headDim = 16, .valueDim = 16, .mask = MaskKind::Causal, .queries = 3},
    {.name = "Window", .headDim = 16, .valueDim = 16, .mask = MaskKind::Window, .queries = 4},
    {.name = "Padding", .heads = 8, .headDim = 16, .valueDim = 16, .mask = MaskKind::Padding, .queries = 1},
    {.name = "PaddingHeadsFirst", .sequenceFirst = false, .mask = MaskKind::Padding, .queries = 2},
    {.name = "Length",
     .heads = 4,
     .keyHeads = 1,
     .headDim = 32,
     .valueDim = 32,
     .mask = MaskKind::Length,
     .queries = 1},
    {.name = "LengthHeadsFirst",
     .heads = 6,
     .headDim = 16,
     .valueDim = 16,
     .sequenceFirst = false,
     .mask = MaskKind::Length,
     .queries = 2},
    {.name = "Position",
     .heads = 4,
     .keyHeads = 1,
     .headDim = 16,
     .valueDim = 16,
     .mask = MaskKind::Position,
     .queries = 3},
    {.name = "PositionOfOne", .heads = 4, .headDim = 32, .valueDim = 32, .mask = MaskKind::Position, .queries = 1},
    {.name = "BiasOfBatch", .heads = 4, .score = ScoreKind::BiasOfBatch, .queries = 2},
    {.name = "BiasOfHeads", .heads = 6, .mask = MaskKind::Padding, .score = ScoreKind::BiasOfHeads, .queries = 1},
    {.name = "SoftCap", .score = ScoreKind::SoftCap, .queries = 1},
    {.name = "Alibi", .heads = 4, .mask = MaskKind::PaddingCausal, .score = ScoreKind::Alibi, .queries = 3},
};

INSTANTIATE_TEST_SUITE_P(Cases, DecodeConformance, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<AttentionCase> &info) { return info.param.name; });

/// A query alone in the compiled shape gives what it gives among many, but for rounding.
TEST(DecodeRelations, StepsArePrefill) {
  AttentionCase prefill = {.name = "Prefill", .heads = 4, .keyHeads = 2, .headDim = 32, .valueDim = 32};
  AttentionCase decode = prefill;
  decode.queries = 1;
  CompiledModule all(prefill.text()), one(decode.text());
  Numbers numbers(61);
  Arrays inputs = makeInputs(prefill, {1, 9, 133}, numbers);
  int64_t row = inputs[0].bytes.size() / 9;
  for (const std::string &variant : all.variants()) {
    Array outputs = all.run(variant, "attend", inputs)[0];
    for (int64_t i = 0; i < 9; ++i) {
      Arrays step = inputs;
      step[0].shape[1] = 1;
      step[0].bytes.assign(inputs[0].bytes.begin() + i * row, inputs[0].bytes.begin() + (i + 1) * row);
      std::vector<float> expected = floatsOf(outputs);
      RelativeError error;
      error.add(floatsOf(one.run(variant, "attend", step)[0]),
                widen(std::vector<float>(expected.begin() + i * 4 * 32, expected.begin() + (i + 1) * 4 * 32)));
      EXPECT_LE(error.value(), 2e-6) << variant << ", query " << i;
    }
  }
}

/// Query heads that share a key give what each gives with a copy of it, but for rounding: rows are tiled otherwise.
TEST(DecodeRelations, GroupedHeadsAreRepeatedKeyHeads) {
  AttentionCase grouped = {.name = "Grouped",
                           .heads = 6,
                           .keyHeads = 2,
                           .headDim = 32,
                           .valueDim = 20,
                           .sequenceFirst = false,
                           .queries = 1};
  AttentionCase repeated = grouped;
  repeated.keyHeads = 6;
  CompiledModule one(grouped.text()), other(repeated.text());
  Numbers numbers(63);
  for (int64_t context : {1, 17, 300, 2100}) {
    Arrays inputs = makeInputs(grouped, {1, 1, context}, numbers), all = inputs;
    for (size_t i : {1, 2}) {
      all[i].shape[1] = 6;
      all[i].bytes.clear();
      size_t head = inputs[i].bytes.size() / 2;
      for (size_t h = 0; h < 6; ++h)
        all[i].bytes.insert(all[i].bytes.end(), inputs[i].bytes.begin() + h / 3 * head,
                            inputs[i].bytes.begin() + (h / 3 + 1) * head);
    }
    for (const std::string &variant : one.variants()) {
      RelativeError error;
      error.add(floatsOf(one.run(variant, "attend", inputs)[0]), widen(other.run(variant, "attend", all)[0]));
      EXPECT_LE(error.value(), 2e-6) << variant << ", context " << context;
    }
  }
}

/// Keys that nobody sees, at the end, do not change a bit: caches may be longer than what they hold.
TEST(DecodeRelations, HiddenKeysAreAsIfAbsent) {
  for (bool sequenceFirst : {true, false}) {
    AttentionCase c = {.name = "Padded",
                       .heads = 4,
                       .keyHeads = 1,
                       .headDim = 20,
                       .valueDim = 12,
                       .sequenceFirst = sequenceFirst,
                       .mask = MaskKind::Padding,
                       .queries = 1};
    CompiledModule module(c.text());
    Numbers numbers(62);
    for (int64_t visible : {1, 14, 64, 130, 300}) {
      Arrays all = makeInputs(c, {1, 1, 301}, numbers);
      std::vector<int64_t> mask(301);
      std::fill_n(mask.begin(), visible, 1);
      all[3] = Array::of<int64_t>("padding", {1, 301}, mask);
      Arrays few = all;
      for (size_t i : {1, 2}) {
        // One head of keys: both layouts are [sequence, dim].
        few[i].shape[sequenceFirst ? 1 : 2] = visible;
        few[i].bytes.resize(all[i].bytes.size() / 301 * visible);
      }
      few[3] = Array::of<int64_t>("padding", {1, visible}, std::vector<int64_t>(visible, 1));
      for (const std::string &variant : module.variants()) {
        Arrays a = module.run(variant, "attend", all), b = module.run(variant, "attend", few);
        for (size_t i = 0; i < a.size(); ++i)
          EXPECT_TRUE(sameBits(a[i], b[i])) << variant << ", visible " << visible;
      }
    }
  }
}

} // namespace
} // namespace weft::test
