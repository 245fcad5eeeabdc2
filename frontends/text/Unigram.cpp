// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Unigram: of all ways to cut a piece into tokens the one whose scores (logarithms of probabilities) sum highest,
// found by the Viterbi recursion over the places where a token can end. Runs of unknown characters become one token,
// or their bytes.
#include "frontends/text/Model.h"
#include "frontends/text/PrefixTree.h"
#include "frontends/text/Utf8.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace weft::text {
namespace {

/// What an unknown character scores below the lowest token.
constexpr double kUnknownPenalty = 10;

/// The reference reads a decimal number as an integer divided by a power of ten, which is one unit in the last place
/// off for some; sums of scores must come out as there for ties to fall alike.
double scoreAsReference(double score) {
  char digits[32];
  auto [end, error] = std::to_chars(digits, digits + sizeof(digits), std::fabs(score), std::chars_format::scientific);
  uint64_t significand = 0;
  int exponent = 0;
  const char *at = digits;
  for (bool fraction = false; at != end && *at != 'e'; ++at) {
    if (*at == '.') {
      fraction = true;
      continue;
    }
    significand = significand * 10 + static_cast<uint64_t>(*at - '0');
    exponent -= fraction;
  }
  int power = 0;
  if (at != end) {
    at += at[1] == '+' ? 2 : 1;
    std::from_chars(at, end, power);
  }
  exponent += power;
  auto value = static_cast<double>(significand);
  double scale = std::pow(10.0, std::min(std::abs(exponent), 308));
  value = exponent >= 0 ? value * scale : value / scale;
  return std::signbit(score) ? -value : value;
}

class Unigram : public Model {
public:
  Unigram(Vocabulary tokens, std::vector<double> tokenScores, PrefixTree prefixTree, std::optional<size_t> unknownId,
          bool byteFallback)
      : Model(std::move(tokens)), scores(std::move(tokenScores)), tree(std::move(prefixTree)) {
    if (unknownId)
      unknown = static_cast<TokenId>(*unknownId);
    if (byteFallback)
      byteTokens = ByteTokens(vocabulary);
    double lowest = std::numeric_limits<double>::infinity();
    for (double score : scores)
      lowest = std::min(lowest, score);
    unknownScore = lowest - kUnknownPenalty;
  }

  size_t size() const override { return scores.size(); }

  Result<void> tokenize(std::string_view piece, std::vector<Token> &tokens) const override {
    std::vector<Node> best(piece.size() + 1);
    if (!findBest(piece, best))
      return missingUnknownToken(piece, "");
    // From the end back to the beginning; a run of unknown nodes is one stretch.
    std::vector<Match> path;
    for (size_t end = piece.size(); end > 0;) {
      const Node &node = best[end];
      bool isUnknown = unknown && node.id == *unknown;
      if (isUnknown && !path.empty() && path.back().isUnknown)
        path.back().begin = node.begin;
      else
        path.push_back({node.begin, static_cast<uint32_t>(end), isUnknown});
      end = node.begin;
    }
    for (auto it = path.rbegin(); it != path.rend(); ++it)
      if (Result<void> added = add(piece, it->begin, it->end, tokens); !added)
        return added;
    return {};
  }

private:
  /// The best way to reach a place: its last token, where that begins, and the sum of scores so far.
  struct Node {
    double score = 0;
    TokenId id = 0;
    uint32_t begin = kNowhere;
  };
  static constexpr uint32_t kNowhere = ~uint32_t(0);
  struct Match {
    uint32_t begin, end;
    bool isUnknown;
  };

  bool findBest(std::string_view piece, std::vector<Node> &best) const {
    for (size_t begin = 0; begin < piece.size();) {
      double sum = best[begin].score;
      size_t character = sequenceLength(piece[begin]);
      auto offer = [&](size_t length, TokenId id, double score) {
        Node &target = best[begin + length];
        if (target.begin == kNowhere || score + sum > target.score)
          target = {score + sum, id, static_cast<uint32_t>(begin)};
      };
      bool hasCharacter = false;
      tree.visitPrefixes(piece.substr(begin), [&](size_t length, TokenId id) {
        offer(length, id, scores[id]);
        hasCharacter |= length == character;
      });
      if (!hasCharacter) {
        if (!unknown)
          return false;
        offer(character, *unknown, unknownScore);
      }
      begin += character;
    }
    return true;
  }

  Result<void> add(std::string_view piece, uint32_t begin, uint32_t end, std::vector<Token> &tokens) const {
    std::string_view text = piece.substr(begin, end - begin);
    if (std::optional<TokenId> id = vocabulary.idOf(text)) {
      tokens.push_back({*id, begin, end});
      return {};
    }
    bool hasBytes = std::all_of(text.begin(), text.end(),
                                [&](char c) { return byteTokens[static_cast<unsigned char>(c)].has_value(); });
    if (hasBytes)
      for (char c : text)
        tokens.push_back({*byteTokens[static_cast<unsigned char>(c)], begin, end});
    else if (unknown)
      tokens.push_back({*unknown, begin, end});
    else
      return missingUnknownToken(text, "");
    return {};
  }

  std::vector<double> scores; ///< by id
  PrefixTree tree;
  ByteTokens byteTokens;
  std::optional<TokenId> unknown;
  double unknownScore = 0;
};

Diagnostic mistake(const std::string &what, const std::string &place) {
  return {"W0303", what, place, "fetch tokenizer.json again"};
}

/// [["token", score], …] into the vocabulary, whose ids are the places in the list.
Result<void> readTokens(const nlohmann::json &list, const std::string &place, Vocabulary &vocabulary,
                        std::vector<double> &scores) {
  if (list.size() > kMaxTokenId)
    return mistake("the vocabulary has more than " + std::to_string(kMaxTokenId) + " tokens", place);
  vocabulary.reserve(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    const nlohmann::json &entry = list[i];
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number())
      return Diagnostic{"W0302", "a token and its score are expected: [\"token\", -1.5]",
                        place + "/" + std::to_string(i), "fetch tokenizer.json again"};
    vocabulary.add(entry[0].get_ref<const std::string &>(), static_cast<TokenId>(i));
    scores.push_back(entry[1].is_number_float() ? scoreAsReference(entry[1].get<double>()) : entry[1].get<double>());
  }
  return {};
}

/// Finds the id under which each token text is known: of equal texts the last.
PrefixTree makeTree(const nlohmann::json &list, const Vocabulary &vocabulary) {
  std::vector<std::pair<std::string_view, uint32_t>> strings;
  strings.reserve(list.size());
  for (const nlohmann::json &entry : list) {
    std::string_view token = entry[0].get_ref<const std::string &>();
    strings.emplace_back(token, *vocabulary.idOf(token));
  }
  return PrefixTree(std::move(strings));
}

} // namespace

Result<std::unique_ptr<Model>> readUnigram(const nlohmann::json &value, const std::string &place) {
  Fields fields(value, place);
  std::optional<size_t> unknown = fields.optionalCount("unk_id");
  bool byteFallback = fields.optionalBoolean("byte_fallback").value_or(false);
  const nlohmann::json &list = fields.array("vocab");
  if (fields.failed())
    return fields.takeError();
  if (unknown && *unknown >= list.size())
    return mistake("unk_id " + std::to_string(*unknown) + " is not in the vocabulary of " +
                       std::to_string(list.size()) + " tokens",
                   fields.placeOf("unk_id"));
  Vocabulary vocabulary;
  std::vector<double> scores;
  if (Result<void> read = readTokens(list, fields.placeOf("vocab"), vocabulary, scores); !read)
    return read.takeError();
  PrefixTree tree = makeTree(list, vocabulary);
  return std::unique_ptr<Model>(
      std::make_unique<Unigram>(std::move(vocabulary), std::move(scores), std::move(tree), unknown, byteFallback));
}

} // namespace weft::text
