// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes from and to code points. Functions that take no length check assume valid UTF-8: text becomes valid when
// it enters (repairUtf8), JSON strings are valid already.
#ifndef WEFT_FRONTENDS_TEXT_UTF8_H
#define WEFT_FRONTENDS_TEXT_UTF8_H

#include <cstddef>
#include <string>
#include <string_view>

namespace weft::text {

/// Stands for each part of the input that is not UTF-8.
constexpr char32_t kReplacement = 0xFFFD;

/// Bytes of the sequence that starts with this byte.
inline size_t sequenceLength(char lead) {
  auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

/// The code point at `position`, which moves past it.
inline char32_t nextCodePoint(std::string_view text, size_t &position) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[position + i]); };
  char32_t lead = byte(0);
  if (lead < 0x80) {
    ++position;
    return lead;
  }
  char32_t value;
  if (lead < 0xE0)
    value = (lead & 0x1F) << 6 | (byte(1) & 0x3F);
  else if (lead < 0xF0)
    value = (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
  else
    value = (lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
  position += sequenceLength(text[position]);
  return value;
}

/// The first code point of a text that is not empty.
inline char32_t firstCodePoint(std::string_view text) {
  size_t position = 0;
  return nextCodePoint(text, position);
}

inline bool isContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// Where the last character of a text that is not empty begins.
inline size_t lastCharacter(std::string_view text) {
  size_t position = text.size() - 1;
  while (position > 0 && isContinuation(text[position]))
    --position;
  return position;
}

void appendUtf8(std::string &text, char32_t codePoint);
size_t countCodePoints(std::string_view text);
bool isAscii(std::string_view text);

/// Length of the longest prefix of `text` from `position` that is UTF-8: a whole sequence (`valid`), or the
/// maximal part of a broken one, for which the Unicode standard (3.9, U+FFFD Substitution of Maximal Subparts)
/// and Python's bytes.decode('utf-8', 'replace') put one U+FFFD.
struct Utf8Step {
  size_t length;
  bool valid;
};
Utf8Step stepUtf8(std::string_view text, size_t position);

/// Whether all of the text is UTF-8.
bool isUtf8(std::string_view text);

/// The text with U+FFFD for what is not UTF-8.
std::string repairUtf8(std::string_view text);

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_UTF8_H
