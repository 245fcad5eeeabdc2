// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tokenizers in GGUF files, by what they make of texts.
#include "GgufBytes.h"

#include "frontends/gguf/GgufFile.h"
#include "frontends/gguf/TokenizerJson.h"
#include "frontends/text/Tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::gguf {
namespace {

using test::array;
using test::raw;
using test::text;
using testing::HasSubstr;

std::string word(const char *key, const char *value) { return test::value(key, ValueType::String, text(value)); }
std::string number(const char *key, uint32_t value) { return test::value(key, ValueType::U32, raw(value)); }
std::string flag(const char *key, bool value) { return test::value(key, ValueType::Bool, std::string(1, value)); }
std::string texts(const char *key, const std::vector<std::string> &list) {
  std::string bytes;
  for (const std::string &each : list)
    bytes += text(each);
  return array(key, ValueType::String, list.size(), bytes);
}
std::string types(const std::vector<int32_t> &list) {
  std::string bytes;
  for (int32_t each : list)
    bytes += raw(each);
  return array("tokenizer.ggml.token_type", ValueType::I32, list.size(), bytes);
}
std::string scores(size_t count) { // the earlier, the better
  std::string bytes;
  for (size_t index = 0; index < count; ++index)
    bytes += raw(-static_cast<float>(index));
  return array("tokenizer.ggml.scores", ValueType::F32, count, bytes);
}

Result<std::string> jsonOf(const std::vector<std::string> &values) {
  std::string bytes = test::file(values);
  Result<GgufContent> content = parseGguf(std::as_bytes(std::span(bytes)), "model.gguf");
  EXPECT_TRUE(content) << content.error().format();
  return tokenizerJson(content->metadata, "model.gguf");
}

text::Tokenizer tokenizerOf(const std::vector<std::string> &values) {
  Result<std::string> json = jsonOf(values);
  EXPECT_TRUE(json) << json.error().format();
  Result<text::Tokenizer> tokenizer = text::Tokenizer::fromJson(*json, "model.gguf");
  EXPECT_TRUE(tokenizer) << tokenizer.error().format();
  return std::move(*tokenizer);
}

std::vector<uint32_t> idsOf(const text::Tokenizer &tokenizer, const std::string &text) {
  auto encoding = tokenizer.encode(text);
  EXPECT_TRUE(encoding) << encoding.error().format();
  return encoding->ids;
}

/// Pieces with scores: <unk> <s> </s> <0x21> ▁ a b ▁a ab ▁ab [T]
std::vector<std::string> pieces(bool hasPrefix) {
  std::string blank = "\xE2\x96\x81";
  return {word("tokenizer.ggml.model", "llama"),
          texts("tokenizer.ggml.tokens",
                {"<unk>", "<s>", "</s>", "<0x21>", blank, "a", "b", blank + "a", "ab", blank + "ab", "[T]"}),
          scores(11),
          types({2, 3, 3, 6, 1, 1, 1, 1, 1, 1, 4}),
          number("tokenizer.ggml.bos_token_id", 1),
          number("tokenizer.ggml.eos_token_id", 2),
          number("tokenizer.ggml.unknown_token_id", 0),
          flag("tokenizer.ggml.add_space_prefix", hasPrefix)};
}

TEST(GgufTokenizerTest, PiecesMergeByScore) {
  text::Tokenizer tokenizer = tokenizerOf(pieces(false));
  EXPECT_EQ(idsOf(tokenizer, "ab"), (std::vector<uint32_t>{1, 8}));
  EXPECT_EQ(idsOf(tokenizer, " ab"), (std::vector<uint32_t>{1, 9}));
  EXPECT_EQ(idsOf(tokenizer, " aab"), (std::vector<uint32_t>{1, 7, 8}));
  EXPECT_EQ(idsOf(tokenizer, "a!"), (std::vector<uint32_t>{1, 5, 3}));
  EXPECT_EQ(idsOf(tokenizer, "?"), (std::vector<uint32_t>{1, 0}));
  EXPECT_EQ(idsOf(tokenizer, "a[T]b"), (std::vector<uint32_t>{1, 5, 10, 6}));
}

TEST(GgufTokenizerTest, ABlankBeforeTheText) {
  text::Tokenizer tokenizer = tokenizerOf(pieces(true));
  EXPECT_EQ(idsOf(tokenizer, "ab"), (std::vector<uint32_t>{1, 9}));
  EXPECT_EQ(*tokenizer.decode({1, 9}), "ab");
  EXPECT_EQ(*tokenizer.decode({7, 3, 4, 5}), "a! a");
}

std::vector<std::string> bytes(const char *rule) {
  std::string blank = "\xC4\xA0";
  return {word("tokenizer.ggml.model", "gpt2"),
          word("tokenizer.ggml.pre", rule),
          texts("tokenizer.ggml.tokens", {"a", "b", "1", blank, blank + "a", "11", "<end>", "aa"}),
          texts("tokenizer.ggml.merges", {blank + " a", "1 1", "a a"}),
          types({1, 1, 1, 1, 1, 1, 3, 1}),
          number("tokenizer.ggml.eos_token_id", 6),
          flag("tokenizer.ggml.add_eos_token", true)};
}

TEST(GgufTokenizerTest, BytesMergeByRank) {
  text::Tokenizer tokenizer = tokenizerOf(bytes("gpt-2"));
  EXPECT_EQ(idsOf(tokenizer, "b a11<end>"), (std::vector<uint32_t>{1, 4, 5, 6, 6}));
  EXPECT_EQ(*tokenizer.decode({1, 4, 5}), "b a11");
}

TEST(GgufTokenizerTest, TheRuleCutsTheText) {
  EXPECT_EQ(idsOf(tokenizerOf(bytes("qwen2")), "11"), (std::vector<uint32_t>{2, 2, 6}));
  EXPECT_EQ(idsOf(tokenizerOf(bytes("smollm")), "11"), (std::vector<uint32_t>{2, 2, 6}));
  EXPECT_EQ(idsOf(tokenizerOf(bytes("llama-bpe")), "11"), (std::vector<uint32_t>{5, 6}));
}

TEST(GgufTokenizerTest, NoTokenizer) {
  EXPECT_EQ(*jsonOf({}), "");
  EXPECT_EQ(*jsonOf({word("tokenizer.ggml.model", "none")}), "");
}

struct Refused {
  std::vector<std::string> values;
  const char *message;
};

TEST(GgufTokenizerTest, Refusals) {
  std::string gpt2 = word("tokenizer.ggml.model", "gpt2"), llama = word("tokenizer.ggml.model", "llama");
  std::string tokens = texts("tokenizer.ggml.tokens", {"a", "b"});
  std::vector<Refused> table = {
      {{word("tokenizer.ggml.model", "t5")}, "\"t5\" are not supported; supported are llama and gpt2"},
      {{gpt2}, "no list of tokens"},
      {{gpt2, number("tokenizer.ggml.tokens", 1)}, "no list of tokens"},
      {{gpt2, tokens, types({1})}, "not one for each token"},
      {{gpt2, tokens}, "no list of merges"},
      {{gpt2, tokens, word("tokenizer.ggml.pre", "odd")}, "\"odd\" cuts a text into words is not supported"},
      {{llama, tokens}, "scores are not one for each token"},
      {{llama, tokens, scores(3)}, "scores are not one for each token"},
  };
  for (const Refused &refused : table) {
    Result<std::string> json = jsonOf(refused.values);
    ASSERT_FALSE(json) << refused.message;
    EXPECT_EQ(json.error().code, "W0163");
    EXPECT_THAT(json.error().message, HasSubstr(refused.message));
    EXPECT_THAT(json.error().place, HasSubstr("model.gguf"));
  }
}

} // namespace
} // namespace weft::gguf
