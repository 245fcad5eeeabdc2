// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// WordPiece: the longest token that a word starts with, then the longest that goes on, and so on; a word with a rest
// that no token starts is unknown as a whole. "unaffable" -> "un", "##aff", "##able"
// WordLevel: a word is a token or unknown.
#include "frontends/text/Model.h"
#include "frontends/text/Utf8.h"

#include <algorithm>

namespace weft::text {
namespace {

class WordPiece : public Model {
public:
  WordPiece(Vocabulary words, std::string unknownName, std::string prefix, size_t maxCharacters)
      : Model(std::move(words)), unknownName(std::move(unknownName)), prefix(std::move(prefix)),
        maxCharacters(maxCharacters), unknown(vocabulary.idOf(this->unknownName)) {}

  Result<void> tokenize(std::string_view word, std::vector<Token> &tokens) const override {
    size_t kept = tokens.size();
    if (word.size() > maxCharacters && countCodePoints(word) > maxCharacters)
      return addUnknown(word, tokens);
    std::string scratch;
    for (size_t begin = 0; begin < word.size();) {
      std::optional<Token> token = longestAt(word, begin, scratch);
      if (!token) {
        tokens.resize(kept);
        return addUnknown(word, tokens);
      }
      tokens.push_back(*token);
      begin = token->end;
    }
    return {};
  }

private:
  /// The longest token that the word has at `begin`; one that goes on is looked up behind the prefix.
  std::optional<Token> longestAt(std::string_view word, size_t begin, std::string &scratch) const {
    size_t end = std::min(word.size(), begin + vocabulary.longestToken());
    std::string_view key = word.substr(begin, end - begin);
    if (begin > 0) {
      scratch.assign(prefix).append(key);
      key = scratch;
    }
    size_t shift = begin > 0 ? prefix.size() : 0;
    for (; end > begin; --end) {
      if (end < word.size() && isContinuation(word[end]))
        continue;
      if (std::optional<TokenId> id = vocabulary.idOf(key.substr(0, shift + end - begin)))
        return Token{*id, static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
    }
    return std::nullopt;
  }

  Result<void> addUnknown(std::string_view word, std::vector<Token> &tokens) const {
    if (!unknown)
      return missingUnknownToken(word, unknownName);
    tokens.push_back({*unknown, 0, static_cast<uint32_t>(word.size())});
    return {};
  }

  std::string unknownName, prefix;
  size_t maxCharacters;
  std::optional<TokenId> unknown;
};

class WordLevel : public Model {
public:
  WordLevel(Vocabulary words, std::string unknownName)
      : Model(std::move(words)), unknownName(std::move(unknownName)), unknown(vocabulary.idOf(this->unknownName)) {}

  Result<void> tokenize(std::string_view word, std::vector<Token> &tokens) const override {
    std::optional<TokenId> id = vocabulary.idOf(word);
    if (!id)
      id = unknown;
    if (!id)
      return missingUnknownToken(word, unknownName);
    tokens.push_back({*id, 0, static_cast<uint32_t>(word.size())});
    return {};
  }

private:
  std::string unknownName;
  std::optional<TokenId> unknown;
};

} // namespace

Result<std::unique_ptr<Model>> readWordPiece(const nlohmann::json &value, const std::string &place) {
  Fields fields(value, place);
  std::string unknown = fields.string("unk_token"), prefix = fields.string("continuing_subword_prefix");
  size_t maxCharacters = fields.count("max_input_chars_per_word");
  const nlohmann::json &words = fields.value("vocab");
  if (fields.failed())
    return fields.takeError();
  Result<Vocabulary> vocabulary = Vocabulary::fromObject(words, fields.placeOf("vocab"));
  if (!vocabulary)
    return vocabulary.takeError();
  return std::unique_ptr<Model>(
      std::make_unique<WordPiece>(std::move(*vocabulary), std::move(unknown), std::move(prefix), maxCharacters));
}

Result<std::unique_ptr<Model>> readWordLevel(const nlohmann::json &value, const std::string &place) {
  Fields fields(value, place);
  std::string unknown = fields.string("unk_token");
  const nlohmann::json &words = fields.value("vocab");
  if (fields.failed())
    return fields.takeError();
  Result<Vocabulary> vocabulary = Vocabulary::fromObject(words, fields.placeOf("vocab"));
  if (!vocabulary)
    return vocabulary.takeError();
  return std::unique_ptr<Model>(std::make_unique<WordLevel>(std::move(*vocabulary), std::move(unknown)));
}

} // namespace weft::text
