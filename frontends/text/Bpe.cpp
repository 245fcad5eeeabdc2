// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Byte-pair encoding: a word starts as its characters, and the pair of neighbours with the lowest rank is merged until
// no neighbours form a pair. Ranks are the places in "merges". Written after the reference, to the order of its queue.
#include "frontends/text/Model.h"
#include "frontends/text/Utf8.h"

#include <algorithm>
#include <array>
#include <bit>
#include <queue>

namespace weft::text {
namespace {

struct Merge {
  uint32_t rank;
  TokenId merged;
};

/// What two neighbouring tokens become; open-addressed, as it is asked for every pair of every word.
class MergeTable {
public:
  explicit MergeTable(size_t merges) : slots(std::bit_ceil(std::max<size_t>(16, merges * 2))) {}

  void set(TokenId left, TokenId right, Merge merge) { slots[find(keyOf(left, right))] = {keyOf(left, right), merge}; }

  const Merge *get(TokenId left, TokenId right) const {
    const Slot &slot = slots[find(keyOf(left, right))];
    return slot.key == kEmpty ? nullptr : &slot.merge;
  }

private:
  static constexpr uint64_t kEmpty = ~uint64_t(0); // no pair: ids are below 2^24
  struct Slot {
    uint64_t key = kEmpty;
    Merge merge{};
  };

  static uint64_t keyOf(TokenId left, TokenId right) { return static_cast<uint64_t>(left) << 32 | right; }

  size_t find(uint64_t key) const {
    size_t mask = slots.size() - 1;
    size_t slot = (key * 0x9E3779B97F4A7C15 >> 32) & mask;
    while (slots[slot].key != kEmpty && slots[slot].key != key)
      slot = (slot + 1) & mask;
    return slot;
  }

  std::vector<Slot> slots;
};

/// A token of the word so far, in a list linked by indices. A length of 0 means merged into the one before.
struct Symbol {
  TokenId id;
  uint32_t length;
  int32_t previous, next;
};

/// A merge that was possible when it was noted. Lowest rank first, then leftmost.
struct Candidate {
  uint32_t rank;
  int32_t position;
  TokenId merged;
  bool operator<(const Candidate &other) const {
    return rank != other.rank ? rank > other.rank : position > other.position;
  }
};

class Word {
public:
  void add(TokenId id, size_t length) {
    auto position = static_cast<int32_t>(symbols.size());
    if (position > 0)
      symbols.back().next = position;
    symbols.push_back({id, static_cast<uint32_t>(length), position - 1, -1});
  }

  void mergeAll(const MergeTable &merges) {
    for (size_t i = 0; i + 1 < symbols.size(); ++i)
      note(static_cast<int32_t>(i), merges);
    while (!queue.empty()) {
      Candidate top = queue.top();
      queue.pop();
      if (isCurrent(top, merges))
        apply(top, merges);
    }
  }

  void appendTo(std::vector<Token> &tokens) const {
    uint32_t begin = 0;
    for (const Symbol &symbol : symbols) {
      if (symbol.length == 0)
        continue;
      tokens.push_back({symbol.id, begin, begin + symbol.length});
      begin += symbol.length;
    }
  }

private:
  Symbol &at(int32_t position) { return symbols[static_cast<size_t>(position)]; }

  /// Notes the merge of a symbol with its successor, if there is one.
  void note(int32_t position, const MergeTable &merges) {
    const Symbol &left = at(position);
    if (const Merge *merge = merges.get(left.id, at(left.next).id))
      queue.push({merge->rank, position, merge->merged});
  }

  /// Whether what was noted still holds: earlier merges may have taken either symbol.
  bool isCurrent(const Candidate &candidate, const MergeTable &merges) {
    const Symbol &left = at(candidate.position);
    if (left.length == 0 || left.next < 0)
      return false;
    const Merge *merge = merges.get(left.id, at(left.next).id);
    return merge && merge->merged == candidate.merged;
  }

  void apply(const Candidate &candidate, const MergeTable &merges) {
    Symbol &left = at(candidate.position);
    Symbol &right = at(left.next);
    left.id = candidate.merged;
    left.length += right.length;
    left.next = right.next;
    right.length = 0;
    if (left.next >= 0)
      at(left.next).previous = candidate.position;
    if (left.previous >= 0)
      note(left.previous, merges);
    if (left.next >= 0)
      note(candidate.position, merges);
  }

  std::vector<Symbol> symbols;
  std::priority_queue<Candidate> queue;
};

struct BpeOptions {
  std::optional<std::string> unknown, prefix, suffix;
  bool fuseUnknown = false, byteFallback = false, ignoreMerges = false;
};

class Bpe : public Model {
public:
  Bpe(Vocabulary tokens, MergeTable table, BpeOptions bpeOptions)
      : Model(std::move(tokens)), merges(std::move(table)), options(std::move(bpeOptions)) {
    if (options.byteFallback)
      byteTokens = ByteTokens(vocabulary);
    if (options.unknown)
      unknown = vocabulary.idOf(*options.unknown);
    for (size_t c = 0; c < plainIds.size(); ++c) {
      std::string text;
      appendUtf8(text, static_cast<char32_t>(c));
      plainIds[c] = vocabulary.idOf(text);
    }
  }

  Result<void> tokenize(std::string_view piece, std::vector<Token> &tokens) const override {
    if (options.ignoreMerges)
      if (std::optional<TokenId> id = vocabulary.idOf(piece)) {
        tokens.push_back({*id, 0, static_cast<uint32_t>(piece.size())});
        return {};
      }
    Word word;
    if (Result<void> filled = fill(piece, word); !filled)
      return filled;
    word.mergeAll(merges);
    word.appendTo(tokens);
    return {};
  }

private:
  /// The characters of a piece as tokens. Unknown ones are held back so that neighbours can be fused.
  Result<void> fill(std::string_view piece, Word &word) const {
    size_t held = 0; // bytes of unknown text that are not in the word yet
    std::string scratch;
    for (size_t begin = 0, end = 0; begin < piece.size(); begin = end) {
      end = begin + sequenceLength(piece[begin]);
      std::string_view text = spell(piece, begin, end, scratch);
      if (std::optional<TokenId> id = idOfCharacter(text)) {
        addUnknown(held, word);
        word.add(*id, end - begin);
      } else if (!addBytes(text, word) && options.unknown) {
        if (!unknown)
          return missingUnknownToken(text, *options.unknown);
        if (!options.fuseUnknown)
          addUnknown(held, word);
        held += end - begin;
      }
    }
    addUnknown(held, word);
    return {};
  }

  void addUnknown(size_t &held, Word &word) const {
    if (held > 0)
      word.add(*unknown, held);
    held = 0;
  }

  /// A character as the vocabulary spells it in this place of the word.
  std::string_view spell(std::string_view piece, size_t begin, size_t end, std::string &scratch) const {
    bool hasPrefix = begin > 0 && options.prefix, hasSuffix = end == piece.size() && options.suffix;
    std::string_view character = piece.substr(begin, end - begin);
    if (!hasPrefix && !hasSuffix)
      return character;
    scratch.assign(hasPrefix ? *options.prefix : "").append(character).append(hasSuffix ? *options.suffix : "");
    return scratch;
  }

  std::optional<TokenId> idOfCharacter(std::string_view text) const {
    if (text.size() <= 2 && text.size() == sequenceLength(text[0]))
      if (char32_t c = firstCodePoint(text); c < plainIds.size())
        return plainIds[c];
    return vocabulary.idOf(text);
  }

  /// Spells a text in byte tokens, if there is one for each of its bytes.
  bool addBytes(std::string_view text, Word &word) const {
    for (char c : text)
      if (!byteTokens[static_cast<unsigned char>(c)])
        return false;
    for (char c : text)
      word.add(*byteTokens[static_cast<unsigned char>(c)], 1);
    return true;
  }

  MergeTable merges;
  BpeOptions options;
  ByteTokens byteTokens;
  std::optional<TokenId> unknown;
  std::array<std::optional<TokenId>, 0x180> plainIds; ///< of single characters; the byte alphabet ends below
};

using TokenPair = std::pair<std::string, std::string>;

/// ["a", "b"], or "a b" in older files.
std::optional<TokenPair> readPair(const nlohmann::json &value) {
  if (value.is_array() && value.size() == 2 && value[0].is_string() && value[1].is_string())
    return TokenPair(value[0].get<std::string>(), value[1].get<std::string>());
  if (!value.is_string())
    return std::nullopt;
  const auto &text = value.get_ref<const std::string &>();
  size_t blank = text.find(' ');
  if (blank == std::string::npos || text.find(' ', blank + 1) != std::string::npos)
    return std::nullopt;
  return TokenPair(text.substr(0, blank), text.substr(blank + 1));
}

bool isVersionLine(const nlohmann::json &value) {
  return value.is_string() && value.get_ref<const std::string &>().starts_with("#version");
}

Result<MergeTable> readMerges(const nlohmann::json &list, const Vocabulary &vocabulary, size_t prefix,
                              const std::string &place) {
  MergeTable table(list.size());
  uint32_t rank = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    if (isVersionLine(list[i]))
      continue;
    auto mistake = [&](const char *code, const std::string &what) {
      return Diagnostic{code, what, place + "/" + std::to_string(i), "fetch tokenizer.json again"};
    };
    std::optional<TokenPair> pair = readPair(list[i]);
    if (!pair)
      return mistake("W0302", "a merge must be two tokens: [\"a\", \"b\"] or \"a b\"");
    const auto &[left, right] = *pair;
    if (right.size() < prefix)
      return mistake("W0303", "the second token of the merge is shorter than continuing_subword_prefix");
    std::optional<TokenId> leftId = vocabulary.idOf(left), rightId = vocabulary.idOf(right);
    std::optional<TokenId> merged = vocabulary.idOf(left + right.substr(prefix));
    if (!leftId || !rightId || !merged)
      return mistake("W0303", "the merge of \"" + left.substr(0, 60) + "\" and \"" + right.substr(0, 60) +
                                  "\" names a token that is not in the vocabulary");
    table.set(*leftId, *rightId, {rank++, *merged});
  }
  return table;
}

} // namespace

Result<std::unique_ptr<Model>> readBpe(const nlohmann::json &value, const std::string &place) {
  Fields fields(value, place);
  BpeOptions options;
  options.unknown = fields.optionalString("unk_token");
  options.prefix = fields.optionalString("continuing_subword_prefix");
  options.suffix = fields.optionalString("end_of_word_suffix");
  options.fuseUnknown = fields.optionalBoolean("fuse_unk").value_or(false);
  options.byteFallback = fields.optionalBoolean("byte_fallback").value_or(false);
  options.ignoreMerges = fields.optionalBoolean("ignore_merges").value_or(false);
  if (const nlohmann::json *dropout = fields.optionalValue("dropout"); dropout && *dropout != 0.0)
    fields.fail("W0301", "dropout", "dropout of merges is not supported: its results are random",
                "set it to null for inference");
  const nlohmann::json &tokens = fields.value("vocab"), &merges = fields.array("merges");
  if (fields.failed())
    return fields.takeError();
  Result<Vocabulary> vocabulary = Vocabulary::fromObject(tokens, fields.placeOf("vocab"));
  if (!vocabulary)
    return vocabulary.takeError();
  size_t prefix = options.prefix ? options.prefix->size() : 0;
  Result<MergeTable> table = readMerges(merges, *vocabulary, prefix, fields.placeOf("merges"));
  if (!table)
    return table.takeError();
  return std::unique_ptr<Model>(std::make_unique<Bpe>(std::move(*vocabulary), std::move(*table), std::move(options)));
}

} // namespace weft::text
