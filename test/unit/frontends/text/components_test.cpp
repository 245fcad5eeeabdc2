// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Components that no fixture has, old spellings of others, and how what is unknown is named.
#include "test/unit/frontends/text/Fixtures.h"

#include <gmock/gmock.h>

using namespace weft;
using namespace weft::text;
using testing::HasSubstr;

namespace {

/// A tokenizer with one token for each letter and some signs, and the parts given.
std::string withParts(const std::string &parts) {
  std::string vocabulary;
  uint32_t id = 0;
  for (std::string token : {"?", "a", "b", "c", "▁", "▁a", "▁b", "ab", "abc", "1", "12", ".", " ", "ca", "bc"})
    vocabulary += (id ? ",\"" : "\"") + token + "\":" + std::to_string(id), ++id;
  return R"({"model":{"type":"WordLevel","unk_token":"?","vocab":{)" + vocabulary + "}}" +
         (parts.empty() ? "" : "," + parts) + "}";
}

/// The tokens of a text, or the code of what went wrong.
std::string tokensOf(const std::string &parts, const std::string &text) {
  Result<Tokenizer> tokenizer = Tokenizer::fromJson(withParts(parts), "tokenizer.json");
  if (!tokenizer)
    return tokenizer.error().format();
  Result<Encoding> encoding = tokenizer->encode(text);
  if (!encoding)
    return encoding.error().format();
  std::string tokens;
  for (uint32_t id : encoding->ids)
    tokens += (tokens.empty() ? "" : "|") + tokenizer->idToToken(id).value_or("none");
  return tokens;
}

std::string preTokens(const std::string &preTokenizer, const std::string &text) {
  return tokensOf("\"pre_tokenizer\":" + preTokenizer, text);
}

Diagnostic errorOf(const std::string &parts) {
  Result<Tokenizer> tokenizer = Tokenizer::fromJson(withParts(parts), "tokenizer.json");
  return tokenizer ? Diagnostic{} : tokenizer.takeError();
}

std::string decoded(const std::string &decoder, const std::vector<uint32_t> &ids) {
  Result<Tokenizer> tokenizer = Tokenizer::fromJson(withParts("\"decoder\":" + decoder), "tokenizer.json");
  return tokenizer ? *tokenizer->decode(ids) : tokenizer.error().format();
}

} // namespace

TEST(Components, WithoutStagesATextIsOnePiece) { EXPECT_EQ(tokensOf("", "abc"), "abc"); }

TEST(Components, OldMetaspace) {
  const char *before = R"({"type":"Metaspace","replacement":"▁","add_prefix_space":true,"str_rep":"▁"})";
  EXPECT_EQ(preTokens(before, "a b"), "▁a|▁b");
  const char *never = R"({"type":"Metaspace","replacement":"▁","add_prefix_space":false,"prepend_scheme":"never"})";
  EXPECT_EQ(preTokens(never, "a b"), "a|▁b");
  const char *contradiction =
      R"({"type":"Metaspace","replacement":"▁","add_prefix_space":false,"prepend_scheme":"always"})";
  EXPECT_THAT(preTokens(contradiction, "a"), HasSubstr("W0302"));
}

TEST(Components, PreTokenizersOfOneCut) {
  EXPECT_EQ(preTokens(R"({"type":"CharDelimiterSplit","delimiter":"."})", "ab.c"), "ab|c");
  EXPECT_EQ(preTokens(R"({"type":"FixedLength","length":2})", "abca"), "ab|ca");
  EXPECT_EQ(preTokens(R"({"type":"Digits","individual_digits":false})", "a12b"), "a|12|b");
  EXPECT_EQ(preTokens(R"({"type":"WhitespaceSplit"})", " ab  c "), "ab|c");
  EXPECT_EQ(preTokens(R"({"type":"Punctuation","behavior":"Removed"})", "ab.c"), "ab|c");
}

TEST(Components, SplitCanBeInverted) {
  EXPECT_EQ(preTokens(R"({"type":"Split","pattern":{"Regex":"[ab]+"},"behavior":"Removed","invert":true})", "ab1b"),
            "ab|b");
}

TEST(Components, ModelsWithoutATypeAreKnownByTheirFields) {
  auto encode = [](const char *model) {
    auto tokenizer = Tokenizer::fromJson(std::string("{\"model\":") + model + "}", "t");
    return tokenizer ? tokenizer->encode("ab")->ids : std::vector<uint32_t>();
  };
  EXPECT_EQ(encode(R"({"vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]})"), std::vector<uint32_t>{2});
  EXPECT_EQ(encode(R"({"vocab":{"?":0,"ab":1},"unk_token":"?"})"), std::vector<uint32_t>{1});
  EXPECT_EQ(encode(R"({"vocab":[["?",0],["ab",-1]],"unk_id":0})"), std::vector<uint32_t>{1});
  EXPECT_EQ(encode(R"({"vocab":{"?":0,"a":1,"#b":2},"unk_token":"?","continuing_subword_prefix":"#",)"
                   R"("max_input_chars_per_word":9})"),
            (std::vector<uint32_t>{1, 2}));
}

TEST(Components, AddedTokensGetTheNextFreeIds) {
  std::string flags = R"("single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true)";
  std::string added =
      R"("added_tokens":[{"id":90,"content":"<x>",)" + flags + R"(},{"id":1,"content":"a",)" + flags + "}]";
  Result<Tokenizer> tokenizer = Tokenizer::fromJson(withParts(added), "t");
  ASSERT_TRUE(tokenizer) << tokenizer.error().format();
  EXPECT_EQ(tokenizer->tokenToId("<x>"), 15u);
  EXPECT_EQ(tokenizer->tokenToId("a"), 1u);
  EXPECT_EQ(tokenizer->vocabularySize(), 16u);
  EXPECT_EQ(*tokenizer->decode({15, 2}), "b");
  EXPECT_EQ(*tokenizer->decode({15, 2}, false), "<x> b");
}

TEST(Components, DecodersOfOneStep) {
  EXPECT_EQ(decoded(R"({"type":"Fuse"})", {1, 2}), "ab");
  EXPECT_EQ(decoded(R"({"type":"BPEDecoder","suffix":"b"})", {7, 7}), "a a");
  EXPECT_EQ(decoded(R"({"type":"CTC","pad_token":"a","word_delimiter_token":"▁","cleanup":true})", {2, 2, 1, 2, 4}),
            "bb ");
  EXPECT_EQ(decoded(R"({"type":"Strip","content":"a","start":1,"stop":0})", {7, 1}), "b");
  EXPECT_EQ(decoded(R"({"type":"Replace","pattern":{"String":"b"},"content":"-"})", {7}), "a-");
}

TEST(Components, WhatIsUnknownIsNamedWithWhatIsKnown) {
  struct {
    const char *part, *place, *known;
  } mistakes[] = {{R"("normalizer":{"type":"Magic"})", "/normalizer", "BertNormalizer"},
                  {R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"UnicodeScripts"}]})",
                   "/pre_tokenizer/pretokenizers/0", "BertPreTokenizer"},
                  {R"("post_processor":{"type":"Magic"})", "/post_processor", "TemplateProcessing"},
                  {R"("decoder":{"type":"Magic"})", "/decoder", "ByteFallback"},
                  {R"("version":"2.0")", "/version", "1.0"}};
  for (const auto &mistake : mistakes) {
    Diagnostic error = errorOf(mistake.part);
    EXPECT_EQ(error.code, "W0301") << mistake.part;
    EXPECT_EQ(error.place, std::string("tokenizer.json at ") + mistake.place);
    EXPECT_THAT(error.help, HasSubstr(mistake.known));
  }
}

TEST(Components, EveryCodeIsExplained) {
  for (const char *code : {"W0301", "W0302", "W0303", "W0304", "W0305", "W0306", "W0307"})
    EXPECT_NE(explainCode(code), nullptr) << code;
}
