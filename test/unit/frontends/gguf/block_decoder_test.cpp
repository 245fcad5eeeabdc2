// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each block format against the values of PyPI gguf (test/frontends/gguf/blocks.py), and the table against itself.
#include "frontends/gguf/BlockFormat.h"
#include "frontends/weights/FloatValues.h"

#include <gtest/gtest.h>

#include <set>

namespace weft::gguf {
namespace {

class BlockDecoderTest : public testing::TestWithParam<BlockFormat> {};

TEST_P(BlockDecoderTest, GivesTheValuesOfTheReference) {
  const BlockFormat &format = GetParam();
  Result<SafetensorsFile> file = SafetensorsFile::open(WEFT_TEST_SOURCE_DIR "/frontends/gguf/blocks.safetensors");
  ASSERT_TRUE(file) << file.error().format();
  const TensorView *blocks = file->find(std::string(format.name) + ".blocks");
  const TensorView *values = file->find(std::string(format.name) + ".values");
  ASSERT_TRUE(blocks && values);
  std::vector<float> expected = values->values<float>(), got(expected.size(), -1);
  ASSERT_EQ(expected.size() / format.elements * format.bytes, blocks->bytes.size());
  BlockDecoder(format).decode(blocks->bytes, got);
  EXPECT_EQ(got, expected);
}

/// Every bit of a block belongs to one number, but for those that a byte of a real has.
TEST_P(BlockDecoderTest, EveryBitIsReadOnce) {
  const BlockFormat &format = GetParam();
  std::vector<int> uses(format.bytes * 8);
  auto count = [&](const Integers &integers, uint32_t numbers) {
    for (const BitField &field : {integers.low, integers.high})
      for (uint32_t index = 0; field.width && index < numbers; ++index)
        for (uint32_t bit = 0; bit < field.width; ++bit)
          ++uses.at(field.bitOf(index) + bit);
  };
  auto countReal = [&](Real real) {
    int bytes[] = {0, 4, 2, 2, 1};
    for (int bit = 0; bit < bytes[static_cast<int>(real.type)] * 8; ++bit)
      ++uses.at(real.byte * 8 + bit);
  };
  count(format.code, format.elements);
  count(format.subScale, format.group ? format.elements / format.group : 0);
  count(format.subMinimum, format.group ? format.elements / format.group : 0);
  countReal(format.scale);
  countReal(format.minimum);
  EXPECT_EQ(uses, std::vector<int>(format.bytes * 8, 1));
}

INSTANTIATE_TEST_SUITE_P(Formats, BlockDecoderTest, testing::ValuesIn(blockFormats().begin(), blockFormats().end()),
                         [](const testing::TestParamInfo<BlockFormat> &info) { return info.param.name; });

TEST(BlockFormatsTest, NumbersAreGivenOnce) {
  std::set<uint32_t> ids;
  for (const BlockFormat &format : blockFormats())
    EXPECT_TRUE(ids.insert(format.id).second) << format.name;
  EXPECT_EQ(ids.size(), 16u);
  EXPECT_EQ(blockFormatName(12), "Q4_K");
  EXPECT_EQ(blockFormatName(29), "IQ1_M");
  EXPECT_EQ(findBlockFormat(29), nullptr);
  EXPECT_EQ(blockFormatName(5), "");
}

} // namespace
} // namespace weft::gguf
