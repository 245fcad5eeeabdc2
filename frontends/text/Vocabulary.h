// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tokens and their ids, both ways. One buffer holds all texts and one open-addressed table finds them: a vocabulary of
// 30,000 tokens is built in a millisecond or two and looked up without an allocation.
#ifndef WEFT_FRONTENDS_TEXT_VOCABULARY_H
#define WEFT_FRONTENDS_TEXT_VOCABULARY_H

#include "frontends/text/Fields.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft::text {

class Vocabulary {
public:
  /// From {"token": id, …}.
  static Result<Vocabulary> fromObject(const nlohmann::json &object, const std::string &place);

  void reserve(size_t tokens);
  /// Adds a token; a text that is there gets the new id.
  void add(std::string_view token, TokenId id);

  std::optional<TokenId> idOf(std::string_view token) const {
    uint32_t entry = slots.empty() ? kNone : slots[findSlot(token)];
    return entry == kNone ? std::nullopt : std::optional(entries[entry].id);
  }
  /// The token of an id: the first one added.
  std::optional<std::string_view> tokenOf(TokenId id) const {
    uint32_t entry = id < entryOfId.size() ? entryOfId[id] : kNone;
    return entry == kNone ? std::nullopt : std::optional(textOf(entry));
  }

  size_t size() const { return entries.size(); }  ///< different tokens
  size_t longestToken() const { return longest; } ///< in bytes

private:
  static constexpr uint32_t kNone = ~uint32_t(0);
  struct Entry {
    uint32_t offset, length;
    TokenId id;
  };

  std::string_view textOf(uint32_t entry) const {
    return std::string_view(texts).substr(entries[entry].offset, entries[entry].length);
  }
  size_t findSlot(std::string_view token) const;
  void rehash(size_t wanted);

  std::string texts;
  std::vector<Entry> entries;
  std::vector<uint32_t> slots;     ///< indices of entries; a power of two in size
  std::vector<uint32_t> entryOfId; ///< by id
  size_t longest = 0;
};

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_VOCABULARY_H
