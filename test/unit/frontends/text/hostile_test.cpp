// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files from strangers: whatever is in them, a Diagnostic or a tokenizer comes out, and neither crashes.
#include "test/unit/frontends/text/Fixtures.h"

#include "frontends/diagnostic/StrictJson.h"

#include <gmock/gmock.h>

using namespace weft;
using namespace weft::text;
using nlohmann::json;

namespace {

std::string codeOf(const std::string &text) {
  Result<Tokenizer> tokenizer = Tokenizer::fromJson(text, "tokenizer.json");
  return tokenizer ? "" : tokenizer.error().code;
}

/// Uses all of a tokenizer that could be made.
void exercise(const Tokenizer &tokenizer) {
  for (const char *text : {"", "Hello <mask> [MASK] wörld 東京 1,234", "\xff\xe4\xbd a"}) {
    EncodeOptions options;
    if (Result<Encoding> encoding = tokenizer.encode(text, std::nullopt, options)) {
      std::vector<uint32_t> ids(encoding->ids.begin(), encoding->ids.begin() + std::min<size_t>(encoding->size(), 50));
      Result<std::string> decoded = tokenizer.decode(ids, false);
      EXPECT_TRUE(decoded || !decoded.error().code.empty());
    }
    if (Result<Encoding> pair = tokenizer.encode(text, "second", plainOptions()); !pair)
      EXPECT_FALSE(pair.error().code.empty());
  }
}

void tryText(const std::string &text) {
  Result<Tokenizer> tokenizer = Tokenizer::fromJson(text, "tokenizer.json");
  if (tokenizer)
    exercise(*tokenizer);
  else
    EXPECT_THAT(tokenizer.error().code, testing::StartsWith("W0"));
}

/// Puts each of the values into each place of a tree, one at a time. Of long lists only the ends are tried.
void mutate(json &root, json &node, const std::vector<json> &values) {
  json original = node;
  for (const json &value : values) {
    node = value;
    tryText(root.dump());
  }
  node = original;
  size_t index = 0, last = node.is_structured() ? node.size() - 1 : 0;
  if (node.is_structured())
    for (auto it = node.begin(); it != node.end(); ++it, ++index)
      if (index < 4 || index == last)
        mutate(root, *it, values);
}

class Hostile : public testing::TestWithParam<const char *> {};

} // namespace

TEST_P(Hostile, AnyValueInAnyPlace) {
  json root = *parseStrictJson(readFixture(std::string("fixtures/") + GetParam() + ".json"), "f");
  std::vector<json> values = {nullptr, true, -1, 4294967295u, 1e300, "", "x", json::array(), json::object()};
  mutate(root, root, values);
}

TEST_P(Hostile, AnyPlaceMissing) {
  json root = *parseStrictJson(readFixture(std::string("fixtures/") + GetParam() + ".json"), "f");
  for (const auto &[name, part] : root.items()) {
    json without = root;
    without.erase(name);
    tryText(without.dump());
    for (size_t i = 0; part.is_object() && i < part.size(); ++i) {
      json thinner = root;
      thinner[name].erase(std::next(part.begin(), static_cast<std::ptrdiff_t>(i)).key());
      tryText(thinner.dump());
    }
  }
}

TEST_P(Hostile, AnyTruncation) {
  std::string text = readFixture(std::string("fixtures/") + GetParam() + ".json");
  for (size_t i = 0; i < 40; ++i)
    EXPECT_EQ(codeOf(text.substr(0, text.size() * i / 40)), "W0110");
}

INSTANTIATE_TEST_SUITE_P(Fixtures, Hostile,
                         testing::Values("word-level", "prefix-bpe", "word-end-bpe", "camembert", "gpt2"),
                         [](const auto &info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(HostileFile, Json) {
  EXPECT_EQ(codeOf(""), "W0110");
  EXPECT_EQ(codeOf("[]"), "W0302");
  EXPECT_EQ(codeOf("{}"), "W0302");
  EXPECT_EQ(codeOf(std::string(1'000'000, '[')), "W0111");
  EXPECT_EQ(codeOf(R"({"model":{"type":"WordLevel","unk_token":"?","vocab":{"?":0,"a":1,"a":2}}})"), "W0112");
}

TEST(HostileFile, SequencesOfSequences) {
  std::string open, close;
  for (int i = 0; i < 25; ++i) {
    open += R"({"type":"Sequence","normalizers":[)";
    close += "]}";
  }
  std::string model = R"("model":{"type":"WordLevel","unk_token":"?","vocab":{"?":0}})";
  EXPECT_EQ(codeOf("{\"normalizer\":" + open + close + "," + model + "}"), "");
  EXPECT_EQ(codeOf("{\"normalizer\":" + open + open + close + close + "," + model + "}"), "W0111");
}

TEST(HostileFile, Ids) {
  auto withId = [](const std::string &id) {
    return codeOf(R"({"model":{"type":"WordLevel","unk_token":"?","vocab":{"?":0,"a":)" + id + "}}}");
  };
  EXPECT_EQ(withId("16777215"), "");
  for (const char *id : {"16777216", "4294967296", "18446744073709551616", "-1", "1.5", "\"1\"", "null"})
    EXPECT_EQ(withId(id), "W0303") << id;
}

TEST(HostileFile, Merges) {
  auto withMerges = [](const std::string &merges) {
    return codeOf(R"({"model":{"type":"BPE","vocab":{"a":0,"aa":1,"aaa":2,"":3},"merges":)" + merges + "}}");
  };
  EXPECT_EQ(withMerges(R"([["a","a"],["aa","a"],["a","aa"],["a","a"],["","a"],["a",""]])"), "");
  EXPECT_EQ(withMerges(R"([["a","b"]])"), "W0303");
  EXPECT_EQ(withMerges(R"([["aa","aa"]])"), "W0303");
  for (const char *merges : {R"(["a"])", R"(["a a a"])", R"([["a"]])", R"([[1,2]])", R"([null])", "{}", "3"})
    EXPECT_EQ(withMerges(merges), "W0302") << merges;
}

TEST(HostileFile, MergesThatMakeTheirOwnParts) {
  auto tokenizer = Tokenizer::fromJson(
      R"({"model":{"type":"BPE","vocab":{"a":0,"aa":1,"":2},"merges":[["a",""],["","a"],["a","a"]]}})", "t");
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ(tokenizer->encode(std::string(5000, 'a'))->size(), 2500u);
}

TEST(HostileFile, CharacterMaps) {
  auto withMap = [](const std::string &base64) {
    return codeOf(R"({"normalizer":{"type":"Precompiled","precompiled_charsmap":")" + base64 +
                  R"("},"model":{"type":"WordLevel","unk_token":"?","vocab":{"?":0}}})");
  };
  for (const char *map : {"", "!", "AAAA", "AAAAAA==", "/////wAAAAA=", "BAAAAA=="})
    EXPECT_EQ(withMap(map), "W0303") << map;
  // A trie of one unit that leads out of itself, and strings that are not there.
  std::string text = R"({"normalizer":{"type":"Precompiled","precompiled_charsmap":"BAAAAP////8="},)"
                     R"("model":{"type":"WordLevel","unk_token":"?","vocab":{"?":0}}})";
  tryText(text);
}

TEST(HostileFile, FilesThatAreNone) {
  EXPECT_EQ(Tokenizer::fromFile("/no/such/tokenizer.json").error().code, "W0101");
  EXPECT_EQ(Tokenizer::fromFile(fixtureFolder()).error().code, "W0101");
  EXPECT_EQ(Tokenizer::fromFile(fixtureFolder() + "strings.bin").error().code, "W0110");
}

TEST(HostileText, LongWordsAndRuns) {
  for (const char *name : {"bert-cased", "roberta", "xlm-roberta", "byte-fallback-bpe", "word-end-bpe"}) {
    Tokenizer tokenizer = loadFixture(name);
    for (const char *unit : {"a", " ", "\u0301", "漢", "😀", "\xff", "ab "}) {
      std::string text;
      while (text.size() < 30'000)
        text += unit;
      Result<Encoding> encoding = tokenizer.encode(text, std::nullopt, plainOptions());
      EXPECT_TRUE(encoding) << name << ": " << encoding.error().format();
    }
  }
}
