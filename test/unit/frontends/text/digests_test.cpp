// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every string on every tokenizer: ids and offsets are those of PyPI tokenizers, by digest. generate.py describes the
// files; where a digest differs, it tells what the reference says.
#include "test/unit/frontends/text/Fixtures.h"

#include "frontends/text/Utf8.h"

using namespace weft;
using namespace weft::text;

namespace {

class Digests : public testing::TestWithParam<const char *> {};

std::vector<uint32_t> readWords(const std::string &name) {
  std::string data = readFixture(name);
  std::vector<uint32_t> words(data.size() / 4);
  std::memcpy(words.data(), data.data(), words.size() * 4);
  return words;
}

/// FNV-1a over the bytes of words.
class Digest {
public:
  void add(uint32_t word) {
    for (int shift = 0; shift < 32; shift += 8)
      value = (value ^ (word >> shift & 0xFF)) * 0x01000193;
  }
  uint32_t value = 0x811C9DC5;
};

uint32_t digestIds(const Encoding &encoding) {
  Digest digest;
  for (uint32_t id : encoding.ids)
    digest.add(id);
  return digest.value;
}

uint32_t digestOffsets(const Encoding &encoding) {
  Digest digest;
  for (auto [begin, end] : encoding.offsets) {
    digest.add(static_cast<uint32_t>(begin));
    digest.add(static_cast<uint32_t>(end));
  }
  return digest.value;
}

} // namespace

TEST_P(Digests, AreThoseOfTheReference) {
  Tokenizer tokenizer = loadFixture(GetParam());
  std::vector<std::string> strings = readStrings();
  std::vector<uint32_t> expected = readWords(std::string("expected/") + GetParam() + ".bin");
  ASSERT_GE(strings.size(), 10'000u);
  ASSERT_GE(expected.size(), strings.size());
  size_t withOffsets = expected.size() - strings.size(), wrong = 0;
  for (size_t i = 0; i < strings.size() && wrong < 10; ++i) {
    Result<Encoding> encoding = tokenizer.encode(strings[i], std::nullopt, plainOptions());
    ASSERT_TRUE(encoding) << "string " << i << ": " << encoding.error().format();
    bool sameIds = digestIds(*encoding) == expected[i];
    bool sameOffsets =
        i >= withOffsets || !isUtf8(strings[i]) || digestOffsets(*encoding) == expected[strings.size() + i];
    wrong += !sameIds || !sameOffsets;
    EXPECT_TRUE(sameIds) << "string " << i << ": " << testing::PrintToString(strings[i]) << "\nids "
                         << testing::PrintToString(encoding->ids);
    EXPECT_TRUE(sameOffsets) << "string " << i << ": " << testing::PrintToString(strings[i]) << "\noffsets "
                             << testing::PrintToString(encoding->offsets);
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, Digests,
                         testing::Values("albert", "bert-cased", "byte-fallback-bpe", "byte-fallback-unigram",
                                         "camembert", "gpt2", "minilm", "modernbert", "pattern-bpe", "prefix-bpe",
                                         "roberta", "word-end-bpe", "word-level", "xlm-roberta"),
                         [](const auto &info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });
