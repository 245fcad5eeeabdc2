// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The third stage of a tokenizer: a piece of text into tokens of a vocabulary.
#ifndef WEFT_FRONTENDS_TEXT_MODEL_H
#define WEFT_FRONTENDS_TEXT_MODEL_H

#include "frontends/text/Vocabulary.h"

#include <memory>
#include <vector>

namespace weft::text {

/// A token and the bytes [begin, end) of the piece that it stands for.
struct Token {
  TokenId id;
  uint32_t begin;
  uint32_t end;
};

class Model {
public:
  explicit Model(Vocabulary vocabulary) : vocabulary(std::move(vocabulary)) {}
  virtual ~Model() = default;

  /// Appends the tokens of a piece that is not empty. W0305 when part of it has no token.
  virtual Result<void> tokenize(std::string_view piece, std::vector<Token> &tokens) const = 0;

  /// How many tokens the reference counts, duplicates included: added tokens get their ids from here on.
  virtual size_t size() const { return vocabulary.size(); }

  const Vocabulary vocabulary;
};

/// Reads "model" of tokenizer.json.
Result<std::unique_ptr<Model>> readModel(const nlohmann::json &value, const std::string &place);

// The kinds of models, each in a file of its own.
Result<std::unique_ptr<Model>> readWordPiece(const nlohmann::json &value, const std::string &place);
Result<std::unique_ptr<Model>> readWordLevel(const nlohmann::json &value, const std::string &place);
Result<std::unique_ptr<Model>> readBpe(const nlohmann::json &value, const std::string &place);
Result<std::unique_ptr<Model>> readUnigram(const nlohmann::json &value, const std::string &place);

/// W0305: a part of the text has no token, and there is none for the unknown.
Diagnostic missingUnknownToken(std::string_view part, const std::string &unknown);

/// The ids of "<0x00>" to "<0xFF>", which spell what has no token of its own.
class ByteTokens {
public:
  ByteTokens() = default;
  explicit ByteTokens(const Vocabulary &vocabulary);
  std::optional<TokenId> operator[](unsigned char byte) const { return ids.empty() ? std::nullopt : ids[byte]; }

private:
  std::vector<std::optional<TokenId>> ids;
};

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_MODEL_H
