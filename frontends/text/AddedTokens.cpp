// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Added tokens: leftmost, then longest, first in the raw text and then in the normalized text between those.
#include "frontends/text/AddedTokens.h"

#include "frontends/text/CharacterClass.h"

#include <algorithm>

namespace weft::text {
namespace {

Result<AddedToken> readToken(const nlohmann::json &value, const std::string &place) {
  Fields fields(value, place);
  AddedToken token;
  fields.tokenId("id");
  token.content = fields.string("content");
  token.singleWord = fields.boolean("single_word");
  token.stripLeft = fields.boolean("lstrip");
  token.stripRight = fields.boolean("rstrip");
  token.normalized = fields.boolean("normalized");
  token.special = fields.boolean("special");
  if (fields.failed())
    return fields.takeError();
  return token;
}

bool endsWithWord(std::string_view text) {
  return !text.empty() && isPatternWord(firstCodePoint(text.substr(lastCharacter(text))));
}

bool startsWithWord(std::string_view text) { return !text.empty() && isPatternWord(firstCodePoint(text)); }

size_t startOfTrailingSpace(std::string_view text) {
  size_t end = text.size();
  while (end > 0) {
    size_t last = lastCharacter(text.substr(0, end));
    if (!isWhitespace(firstCodePoint(text.substr(last))))
      break;
    end = last;
  }
  return end;
}

size_t lengthOfLeadingSpace(std::string_view text) {
  size_t length = 0;
  for (size_t next = 0; next < text.size() && isWhitespace(nextCodePoint(text, next));)
    length = next;
  return length;
}

void appendPiece(Pieces &pieces, const AlignedText &part, size_t begin, size_t end, std::optional<TokenId> id) {
  if (begin == end)
    return;
  auto start = static_cast<uint32_t>(pieces.text.text.size());
  pieces.text.append(part, begin, end);
  pieces.list.push_back({start, static_cast<uint32_t>(pieces.text.text.size()), id ? int64_t(*id) : -1});
}

} // namespace

Result<AddedTokens> AddedTokens::read(const nlohmann::json &list, const std::string &place, const Model &model,
                                      const Normalizer *normalizer) {
  if (!list.is_array())
    return Diagnostic{"W0302", std::string("an array is expected, not ") + list.type_name(), place,
                      "fetch tokenizer.json again"};
  AddedTokens added;
  auto nextId = static_cast<TokenId>(model.size());
  for (size_t i = 0; i < list.size(); ++i) {
    Result<AddedToken> token = readToken(list[i], place + "/" + std::to_string(i));
    if (!token)
      return token.takeError();
    if (Result<void> done = added.add(std::move(*token), model, normalizer, nextId); !done)
      return done.takeError();
  }
  added.buildTrees();
  return added;
}

Result<void> AddedTokens::add(AddedToken token, const Model &model, const Normalizer *normalizer, TokenId &nextId) {
  if (token.content.empty())
    return {};
  TokenId id;
  if (auto known = ids.find(token.content); known != ids.end())
    id = known->second;
  else if (std::optional<TokenId> inModel = model.vocabulary.idOf(token.content))
    id = *inModel;
  else
    id = nextId++;
  token.normalizedContent = token.content;
  if (token.normalized && normalizer) {
    AlignedText text = AlignedText::fromInput(token.content);
    if (Result<void> done = normalizer->normalize(text); !done)
      return done;
    token.normalizedContent = text.text;
  }
  ids[token.content] = id;
  if (token.special)
    specials.insert(token.content);
  tokens[id] = std::move(token);
  return {};
}

void AddedTokens::buildTrees() {
  std::vector<std::pair<std::string_view, uint32_t>> raw, normalized;
  for (const auto &[id, token] : tokens)
    (token.normalized ? normalized : raw).emplace_back(token.normalizedContent, id);
  if (!raw.empty())
    rawTree = PrefixTree(std::move(raw));
  if (!normalized.empty())
    normalizedTree = PrefixTree(std::move(normalized));
}

std::optional<TokenId> AddedTokens::idOf(const std::string &content) const {
  auto it = ids.find(content);
  return it == ids.end() ? std::nullopt : std::optional(it->second);
}

std::optional<std::string_view> AddedTokens::decodedToken(TokenId id) const {
  auto it = tokens.find(id);
  return it == tokens.end() ? std::nullopt : std::optional<std::string_view>(it->second.normalizedContent);
}

size_t AddedTokens::countBeyond(const Vocabulary &vocabulary) const {
  auto isBeyond = [&](const auto &entry) { return !vocabulary.idOf(entry.first); };
  return static_cast<size_t>(std::count_if(ids.begin(), ids.end(), isBeyond));
}

std::vector<AddedTokens::Found> AddedTokens::find(std::string_view text, const PrefixTree &tree) const {
  std::vector<Found> found;
  size_t covered = 0;
  for (size_t at = 0; at < text.size() && !tree.empty();) {
    size_t length = 0;
    TokenId id = 0;
    tree.visitPrefixes(text.substr(at), [&](size_t matched, TokenId value) {
      length = matched;
      id = value;
    });
    if (length == 0) {
      ++at;
      continue;
    }
    size_t begin = at, end = at + length;
    at = end;
    const AddedToken &token = tokens.at(id);
    if (token.singleWord && (endsWithWord(text.substr(0, begin)) || startsWithWord(text.substr(end))))
      continue;
    if (token.stripLeft) // the token before may have taken the space already
      begin = std::max(startOfTrailingSpace(text.substr(0, begin)), covered);
    if (token.stripRight)
      end += lengthOfLeadingSpace(text.substr(end));
    if (covered < begin)
      found.push_back({std::nullopt, covered, begin});
    found.push_back({id, begin, end});
    covered = end;
  }
  if (covered != text.size())
    found.push_back({std::nullopt, covered, text.size()});
  return found;
}

Result<void> AddedTokens::extractNormalized(AlignedText part, const Normalizer *normalizer, Pieces &pieces) const {
  if (normalizer)
    if (Result<void> done = normalizer->normalize(part); !done)
      return done;
  if (part.text.size() + pieces.text.text.size() > kMaxTextBytes)
    return Diagnostic{"W0307", "the text grows beyond 256 MiB while it is normalized", "", "shorten the text"};
  std::vector<Found> found = find(part.text, normalizedTree);
  if (found.size() == 1 && !found[0].id && pieces.list.empty()) { // most often: no added token at all
    pieces.list.push_back({0, static_cast<uint32_t>(part.text.size())});
    pieces.text = std::move(part);
    return {};
  }
  for (const Found &entry : found)
    appendPiece(pieces, part, entry.begin, entry.end, entry.id);
  return {};
}

Result<Pieces> AddedTokens::extract(AlignedText input, const Normalizer *normalizer) const {
  Pieces pieces;
  std::vector<Found> found = find(input.text, rawTree);
  if (found.size() == 1 && !found[0].id) {
    if (Result<void> done = extractNormalized(std::move(input), normalizer, pieces); !done)
      return done.takeError();
    return pieces;
  }
  for (const Found &entry : found) {
    if (entry.id) {
      appendPiece(pieces, input, entry.begin, entry.end, entry.id);
      continue;
    }
    AlignedText part = input.slice(entry.begin, entry.end);
    if (Result<void> done = extractNormalized(std::move(part), normalizer, pieces); !done)
      return done.takeError();
  }
  return pieces;
}

} // namespace weft::text
