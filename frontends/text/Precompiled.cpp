// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SentencePiece's replacements. The reading of the trie follows Darts' unit layout: bits 0-7 the label, bit 8 "has a
// leaf", bit 9 the scale of the offset, bits 10-30 the offset; a leaf holds a value in its low 31 bits.
#include "frontends/text/Precompiled.h"

#include "frontends/text/CharacterClass.h"

#include <utf8proc.h>

namespace weft::text {
namespace {

/// Replacements look at a whole grapheme only up to this many bytes, as the reference does.
constexpr size_t kGraphemeBytes = 5;

uint32_t offsetOf(uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }

std::optional<std::string> decodeBase64(std::string_view text) {
  auto valueOf = [](char c) {
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t value = kDigits.find(c);
    return value == std::string_view::npos ? -1 : static_cast<int>(value);
  };
  while (text.ends_with('='))
    text.remove_suffix(1);
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  uint32_t buffer = 0, bits = 0;
  for (char c : text) {
    int value = valueOf(c);
    if (value < 0)
      return std::nullopt;
    buffer = buffer << 6 | static_cast<uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<char>(buffer >> bits & 0xFF));
    }
  }
  return bytes;
}

uint32_t littleEndian(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i)
    value |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  return value;
}

/// Writes what replaces `old`, with the changes that the reference notes: what is more comes beside, what is less is
/// counted as removed behind the last character. An empty replacement moves the rest, there as here.
class Replacements {
public:
  void keep(char32_t c) { changes.push_back({c, 0}); }

  void replace(std::string_view old, std::string_view with) {
    auto difference = static_cast<int>(countCodePoints(with)) - static_cast<int>(countCodePoints(old));
    for (size_t i = 0; i < with.size();)
      changes.push_back({nextCodePoint(with, i), 0});
    for (int i = 0; i < difference; ++i)
      changes[changes.size() - 1 - static_cast<size_t>(i)].change = 1;
    if (difference < 0 && !changes.empty())
      changes.back().change += difference;
  }

  AlignedText write(const AlignedText &source) const {
    Rewrite rewrite(source);
    for (const Change &change : changes)
      rewrite.put(change.codePoint, change.change);
    return rewrite.take();
  }

private:
  struct Change {
    char32_t codePoint;
    int change;
  };
  std::vector<Change> changes;
};

/// A character that nothing joins.
bool isControlBound(utf8proc_int32_t c) {
  auto bound = static_cast<utf8proc_boundclass_t>(utf8proc_get_property(c)->boundclass);
  return bound == UTF8PROC_BOUNDCLASS_CR || bound == UTF8PROC_BOUNDCLASS_LF || bound == UTF8PROC_BOUNDCLASS_CONTROL;
}

/// Where the grapheme that begins at `begin` ends.
size_t endOfGrapheme(std::string_view text, size_t begin) {
  size_t position = begin;
  utf8proc_int32_t state = 0;
  auto previous = static_cast<utf8proc_int32_t>(nextCodePoint(text, position));
  while (position < text.size()) {
    size_t next = position;
    auto current = static_cast<utf8proc_int32_t>(nextCodePoint(text, next));
    bool breaks = utf8proc_grapheme_break_stateful(previous, current, &state);
    if (breaks && (isControlBound(previous) || !isNewExtension(static_cast<char32_t>(current))))
      break;
    previous = current;
    position = next;
  }
  return position;
}

} // namespace

Result<CharacterMap> CharacterMap::fromBase64(std::string_view base64, const std::string &place) {
  auto broken = [&](const char *why) {
    return Diagnostic{"W0303", std::string("the precompiled character map ") + why, place,
                      "fetch tokenizer.json again"};
  };
  std::optional<std::string> bytes = decodeBase64(base64);
  if (!bytes)
    return broken("is not base64");
  if (bytes->size() < 4)
    return broken("is empty");
  size_t trieBytes = littleEndian(*bytes, 0) / 4 * size_t(4);
  if (trieBytes == 0 || trieBytes > bytes->size() - 4)
    return broken("is cut short");
  CharacterMap map;
  for (size_t at = 4; at < 4 + trieBytes; at += 4)
    map.units.push_back(littleEndian(*bytes, at));
  map.strings = bytes->substr(4 + trieBytes);
  if (!isUtf8(map.strings))
    return broken("holds strings that are not UTF-8");
  for (size_t c = 1; c < map.isAsciiKey.size(); ++c)
    map.isAsciiKey[c] = map.replacement(std::string(1, static_cast<char>(c))).has_value();
  return map;
}

std::optional<std::string_view> CharacterMap::replacement(std::string_view text) const {
  size_t node = offsetOf(units[0]);
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    node ^= byte;
    if (byte == 0 || node >= units.size())
      return std::nullopt;
    uint32_t unit = units[node];
    if ((unit & (1u << 31 | 0xFF)) != byte)
      return std::nullopt;
    node ^= offsetOf(unit);
    if (!(unit >> 8 & 1))
      continue;
    size_t begin = node < units.size() ? units[node] & 0x7FFFFFFF : strings.size();
    if (begin >= strings.size() || isContinuation(strings[begin]))
      return std::nullopt; // only in a table that no one made
    return std::string_view(strings).substr(begin, strings.find('\0', begin) - begin);
  }
  return std::nullopt;
}

bool CharacterMap::isUntouched(std::string_view text) const {
  for (char c : text)
    if (static_cast<unsigned char>(c) >= 0x80 || isAsciiKey[static_cast<size_t>(c)])
      return false;
  return true;
}

void CharacterMap::apply(AlignedText &text) const {
  if (isUntouched(text.text))
    return;
  Replacements replacements;
  std::string_view source = text.text;
  bool modified = false;
  auto replace = [&](std::string_view part) {
    std::optional<std::string_view> found = replacement(part);
    if (found) {
      replacements.replace(part, *found);
      modified = true;
    }
    return found.has_value();
  };
  for (size_t begin = 0, end; begin < source.size(); begin = end) {
    end = endOfGrapheme(source, begin);
    if (end - begin <= kGraphemeBytes && replace(source.substr(begin, end - begin)))
      continue;
    for (size_t at = begin; at < end;) {
      size_t next = at;
      char32_t c = nextCodePoint(source, next);
      if (!replace(source.substr(at, next - at)))
        replacements.keep(c);
      at = next;
    }
  }
  if (modified)
    text = replacements.write(text);
}

} // namespace weft::text
