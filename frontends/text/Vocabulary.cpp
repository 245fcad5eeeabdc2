// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tokens and their ids in one table.
#include "frontends/text/Vocabulary.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace weft::text {

/// Eight bytes at a time through multiply and fold, as wyhash does; tokens are short.
static uint64_t hashOf(std::string_view text) {
  auto fold = [](uint64_t a, uint64_t b) {
    auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  uint64_t hash = 0x9E3779B97F4A7C15 ^ text.size();
  const char *data = text.data();
  size_t left = text.size();
  for (; left >= 8; left -= 8, data += 8) {
    uint64_t word;
    std::memcpy(&word, data, 8);
    hash = fold(hash ^ word, 0xE7037ED1A0B428DB);
  }
  uint64_t rest = 0;
  std::memcpy(&rest, data, left);
  return fold(hash ^ rest, 0x8EBC6AF09C88C6E3);
}

Result<Vocabulary> Vocabulary::fromObject(const nlohmann::json &object, const std::string &place) {
  if (!object.is_object())
    return Diagnostic{"W0302", std::string("an object of tokens and ids is expected, not ") + object.type_name(), place,
                      "fetch tokenizer.json again"};
  Vocabulary vocabulary;
  vocabulary.reserve(object.size());
  for (auto it = object.begin(); it != object.end(); ++it) {
    std::optional<TokenId> id = asTokenId(*it);
    if (!id)
      return Diagnostic{
          "W0303", "the token \"" + it.key().substr(0, 100) + "\" has no id from 0 to " + std::to_string(kMaxTokenId),
          place, "fetch tokenizer.json again"};
    vocabulary.add(it.key(), *id);
  }
  return vocabulary;
}

void Vocabulary::reserve(size_t tokens) {
  entries.reserve(tokens);
  texts.reserve(tokens * 8);
  rehash(tokens);
}

size_t Vocabulary::findSlot(std::string_view token) const {
  size_t mask = slots.size() - 1;
  size_t slot = hashOf(token) & mask;
  while (slots[slot] != kNone && textOf(slots[slot]) != token)
    slot = (slot + 1) & mask;
  return slot;
}

void Vocabulary::rehash(size_t wanted) {
  slots.assign(std::bit_ceil(std::max<size_t>(16, wanted * 2)), kNone);
  for (uint32_t entry = 0; entry < entries.size(); ++entry)
    slots[findSlot(textOf(entry))] = entry;
}

void Vocabulary::add(std::string_view token, TokenId id) {
  if (slots.size() < 2 * (entries.size() + 1))
    rehash(2 * (entries.size() + 1));
  uint32_t &slot = slots[findSlot(token)];
  if (slot == kNone) {
    slot = static_cast<uint32_t>(entries.size());
    entries.push_back({static_cast<uint32_t>(texts.size()), static_cast<uint32_t>(token.size()), id});
    texts.append(token);
    longest = std::max(longest, token.size());
  } else {
    entries[slot].id = id;
  }
  if (id >= entryOfId.size())
    entryOfId.resize(std::max<size_t>(id + 1, entryOfId.size() * 2), kNone);
  if (entryOfId[id] == kNone)
    entryOfId[id] = slot;
}

} // namespace weft::text
