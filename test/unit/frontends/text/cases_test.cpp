// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pairs, truncation, padding and decoding as PyPI tokenizers has them: cases.json, which generate.py describes.
#include "test/unit/frontends/text/Fixtures.h"

#include "frontends/diagnostic/StrictJson.h"

#include <map>

using namespace weft;
using namespace weft::text;
using nlohmann::json;

namespace {

std::vector<uint32_t> words(const json &value) { return value.get<std::vector<uint32_t>>(); }

void expectArrays(const Encoding &encoding, const json &expected, const std::string &what) {
  EXPECT_EQ(encoding.ids, words(expected["ids"])) << what;
  EXPECT_EQ(encoding.typeIds, words(expected["type_ids"])) << what;
  EXPECT_EQ(encoding.attentionMask, words(expected["attention_mask"])) << what;
  EXPECT_EQ(encoding.specialTokensMask, words(expected["special_tokens_mask"])) << what;
  EXPECT_EQ(encoding.offsets.size(), encoding.ids.size()) << what;
}

EncodeOptions optionsOf(const json &value) {
  EncodeOptions options = value.contains("plain") ? plainOptions() : EncodeOptions();
  options.addSpecialTokens = value["special"];
  if (value.contains("max_length")) {
    options.truncate = EncodeOptions::Truncate::ToMaxLength;
    options.maxLength = value["max_length"];
    options.pad = EncodeOptions::Pad::Never;
  }
  return options;
}

void checkText(const Tokenizer &tokenizer, const json &value) {
  std::string text = value["text"];
  std::optional<std::string> pair;
  if (value["pair"].is_string())
    pair = value["pair"];
  Result<Encoding> encoding = tokenizer.encode(text, pair, optionsOf(value));
  ASSERT_EQ(static_cast<bool>(encoding), !value.contains("error")) << value;
  if (encoding)
    expectArrays(*encoding, value, value.dump());
}

void checkDecoding(const Tokenizer &tokenizer, const json &value) {
  Result<std::string> text = tokenizer.decode(words(value["decode"]), value["skip"]);
  ASSERT_TRUE(text) << text.error().format();
  EXPECT_EQ(*text, value["decoded"].get<std::string>()) << value;
}

void checkBatch(const Tokenizer &tokenizer, const json &value) {
  auto batch = tokenizer.encodeBatch(value["batch"].get<std::vector<std::string>>());
  ASSERT_TRUE(batch) << batch.error().format();
  ASSERT_EQ(batch->size(), value["arrays"].size());
  for (size_t i = 0; i < batch->size(); ++i)
    expectArrays((*batch)[i], value["arrays"][i], value.dump());
}

const json &allCases() {
  static const json cases = *parseStrictJson(readFixture("cases.json"), "cases.json");
  return cases;
}

/// Runs the cases that have a field on their tokenizers.
template <class Check> void forCasesWith(const char *field, Check check) {
  std::map<std::string, Tokenizer> tokenizers;
  size_t count = 0;
  for (const json &value : allCases()) {
    if (!value.contains(field))
      continue;
    std::string name = value["fixture"];
    auto it = tokenizers.find(name);
    if (it == tokenizers.end())
      it = tokenizers.emplace(name, loadFixture(name)).first;
    SCOPED_TRACE(name);
    check(it->second, value);
    ++count;
  }
  EXPECT_GT(count, 0u) << "no case has " << field;
}

} // namespace

TEST(Cases, TextsAndPairs) { forCasesWith("text", checkText); }
TEST(Cases, Decoding) { forCasesWith("decoded", checkDecoding); }
TEST(Cases, Batches) { forCasesWith("batch", checkBatch); }

TEST(Cases, VocabularySizes) {
  forCasesWith("vocabulary", [](const Tokenizer &tokenizer, const json &value) {
    EXPECT_EQ(tokenizer.vocabularySize(), value["vocabulary"].get<size_t>());
  });
}
