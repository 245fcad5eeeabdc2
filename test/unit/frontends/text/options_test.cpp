// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a caller may ask for other than the file says, and what comes of text that is not UTF-8.
#include "test/unit/frontends/text/Fixtures.h"

#include <gmock/gmock.h>

#include <thread>

using namespace weft;
using namespace weft::text;
using testing::ElementsAre;
using testing::Pair;

using Truncate = EncodeOptions::Truncate;
using Pad = EncodeOptions::Pad;

TEST(Options, TheFileTruncatesAndPads) {
  Tokenizer tokenizer = loadFixture("minilm"); // 128 tokens, fixed
  ASSERT_TRUE(tokenizer.truncation() && tokenizer.padding());
  EXPECT_EQ(tokenizer.truncation()->maxLength, 128u);
  EXPECT_EQ(tokenizer.padding()->length, 128u);
  EXPECT_EQ(tokenizer.encode("hello")->size(), 128u);
  EXPECT_EQ(tokenizer.encode("hello", std::nullopt, plainOptions())->ids, (std::vector<uint32_t>{101, 7592, 102}));
}

TEST(Options, PadsToTheLongestOrToALength) {
  Tokenizer tokenizer = loadFixture("minilm");
  EncodeOptions options;
  options.pad = Pad::Longest;
  auto batch = tokenizer.encodeBatch({"hello", "hello big world"}, options);
  ASSERT_TRUE(batch);
  EXPECT_THAT((*batch)[0].ids, ElementsAre(101, 7592, 102, 0, 0));
  EXPECT_THAT((*batch)[0].attentionMask, ElementsAre(1, 1, 1, 0, 0));
  options.pad = Pad::ToLength;
  options.padLength = 4;
  options.padId = 7;
  EXPECT_THAT(tokenizer.encode("hello", std::nullopt, options)->ids, ElementsAre(101, 7592, 102, 7));
}

TEST(Options, TakesThePadTokenWhereTheFileNamesNone) {
  Tokenizer tokenizer = loadFixture("roberta");
  ASSERT_FALSE(tokenizer.padding());
  EncodeOptions options;
  options.pad = Pad::ToLength;
  options.padLength = 12;
  Result<Encoding> encoding = tokenizer.encode("a", std::nullopt, options);
  EXPECT_EQ(encoding->ids.back(), *tokenizer.tokenToId("<pad>"));
  EXPECT_EQ(encoding->size(), 12u);
}

TEST(Options, EncodesPairsInBatches) {
  Tokenizer tokenizer = loadFixture("minilm");
  EncodeOptions options;
  options.pad = Pad::Longest;
  auto batch = tokenizer.encodePairs({{"a", "b c"}, {"d", "e"}}, options);
  ASSERT_TRUE(batch);
  EXPECT_THAT((*batch)[0].typeIds, ElementsAre(0, 0, 0, 1, 1, 1));
  EXPECT_THAT((*batch)[1].attentionMask, ElementsAre(1, 1, 1, 1, 1, 0));
}

TEST(Options, ALengthWithoutRoomIsRefused) {
  Tokenizer tokenizer = loadFixture("minilm");
  EncodeOptions options = plainOptions();
  options.truncate = Truncate::ToMaxLength;
  options.maxLength = 1;
  Result<Encoding> encoding = tokenizer.encode("hello", std::nullopt, options);
  ASSERT_FALSE(encoding);
  EXPECT_EQ(encoding.error().code, "W0306");
  options.maxLength = 2;
  EXPECT_THAT(tokenizer.encode("hello", std::nullopt, options)->ids, ElementsAre(101, 102));
}

TEST(Options, AMistakeInABatchNamesTheText) {
  auto tokenizer = Tokenizer::fromJson(R"({"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "?"}})", "t");
  ASSERT_TRUE(tokenizer);
  auto batch = tokenizer->encodeBatch({"a", "b"});
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code, "W0305");
  EXPECT_EQ(batch.error().place, "text 2 of 2");
}

TEST(BrokenText, ReadsAsReplacementCharacters) {
  Tokenizer tokenizer = loadFixture("roberta");
  auto ids = [&](const std::string &text) { return tokenizer.encode(text, std::nullopt, plainOptions())->ids; };
  EXPECT_EQ(ids("caf\xe9 x"), ids("caf\uFFFD x"));
  EXPECT_EQ(ids("\xf0\x9f\x98"), ids("\uFFFD")); // one for a sequence that was cut short
  EXPECT_EQ(ids("\xed\xa0\x80"), ids("\uFFFD\uFFFD\uFFFD"));
  EXPECT_EQ(ids("\xc0\xaf"), ids("\uFFFD\uFFFD"));
}

TEST(BrokenText, OffsetsAreThoseOfTheInput) {
  Tokenizer tokenizer = loadFixture("minilm"); // cleaning removes U+FFFD
  Result<Encoding> encoding = tokenizer.encode("a \xf0\x9f\x98 b\xff", std::nullopt, plainOptions());
  ASSERT_TRUE(encoding);
  EXPECT_THAT(encoding->offsets, ElementsAre(Pair(0, 0), Pair(0, 1), Pair(6, 7), Pair(0, 0)));
}

TEST(Tokens, AreFoundByTextAndById) {
  Tokenizer tokenizer = loadFixture("minilm");
  EXPECT_EQ(tokenizer.vocabularySize(), 30522u);
  EXPECT_EQ(tokenizer.tokenToId("[MASK]"), 103u);
  EXPECT_EQ(tokenizer.tokenToId("hello"), 7592u);
  EXPECT_EQ(tokenizer.idToToken(7592), "hello");
  EXPECT_FALSE(tokenizer.tokenToId("no such token"));
  EXPECT_FALSE(tokenizer.idToToken(30522));
  EXPECT_FALSE(tokenizer.idToToken(~0u));
}

TEST(Tokens, UnknownIdsDecodeToNothing) {
  Tokenizer tokenizer = loadFixture("minilm");
  EXPECT_EQ(*tokenizer.decode({7592, 4'000'000'000u, 30522}), "hello");
  EXPECT_EQ(*tokenizer.decode({}), "");
}

TEST(Tokenizer, ServesManyThreads) {
  Tokenizer tokenizer = loadFixture("pattern-bpe");
  std::vector<uint32_t> expected = tokenizer.encode("Isn't 12 enough?")->ids;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round)
        EXPECT_EQ(tokenizer.encode("Isn't 12 enough?")->ids, expected);
    });
  for (std::thread &thread : threads)
    thread.join();
}
