// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tokens that are found in the text as they stand, before the model sees it: special ones such as [MASK], and words
// that were added to a finished vocabulary.
#ifndef WEFT_FRONTENDS_TEXT_ADDEDTOKENS_H
#define WEFT_FRONTENDS_TEXT_ADDEDTOKENS_H

#include "frontends/text/Model.h"
#include "frontends/text/Normalizer.h"
#include "frontends/text/Pieces.h"
#include "frontends/text/PrefixTree.h"

#include <unordered_map>
#include <unordered_set>

namespace weft::text {

struct AddedToken {
  std::string content;
  std::string normalizedContent; ///< what the normalizer makes of it, where it is to be found in normalized text
  bool singleWord = false;       ///< only where no word goes on before or behind it
  bool stripLeft = false;        ///< takes the white space before it
  bool stripRight = false;       ///< takes the white space behind it
  bool normalized = false;       ///< found in the normalized text instead of the raw one
  bool special = false;          ///< left out by decode on request
};

class AddedTokens {
public:
  /// Reads "added_tokens". Ids are those of the model's vocabulary, or the next free ones in order, as the reference
  /// gives them; the ids of the file are for its readers. `normalizer` may be null.
  static Result<AddedTokens> read(const nlohmann::json &list, const std::string &place, const Model &model,
                                  const Normalizer *normalizer);

  /// Cuts the input at added tokens and normalizes what is between them (step one of tokenizing).
  Result<Pieces> extract(AlignedText input, const Normalizer *normalizer) const;

  std::optional<TokenId> idOf(const std::string &content) const;
  /// The token of an id, in the form in which a decoder takes it.
  std::optional<std::string_view> decodedToken(TokenId id) const;
  bool isSpecial(std::string_view token) const { return specials.contains(std::string(token)); }

  /// Added tokens that the model's vocabulary lacks.
  size_t countBeyond(const Vocabulary &vocabulary) const;

private:
  struct Found {
    std::optional<TokenId> id; ///< none: text between added tokens
    size_t begin, end;
  };

  Result<void> add(AddedToken token, const Model &model, const Normalizer *normalizer, TokenId &nextId);
  void buildTrees();
  std::vector<Found> find(std::string_view text, const PrefixTree &tree) const;
  Result<void> extractNormalized(AlignedText part, const Normalizer *normalizer, Pieces &pieces) const;

  std::unordered_map<std::string, TokenId> ids;
  std::unordered_map<TokenId, AddedToken> tokens;
  std::unordered_set<std::string> specials;
  PrefixTree rawTree, normalizedTree;
};

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_ADDEDTOKENS_H
