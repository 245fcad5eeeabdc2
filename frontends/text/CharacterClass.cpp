// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Classes of characters by table; ASCII, which is most text, by comparison.
#include "frontends/text/CharacterClass.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace weft::text {
namespace {

struct CodePointRange {
  char32_t first;
  char32_t last;
};

#include "frontends/text/CharacterTables.inc"

template <size_t size> bool contains(const CodePointRange (&ranges)[size], char32_t c) {
  const CodePointRange *found =
      std::lower_bound(std::begin(ranges), std::end(ranges), c,
                       [](const CodePointRange &range, char32_t value) { return range.last < value; });
  return found != std::end(ranges) && found->first <= c;
}

bool isAsciiLetter(char32_t c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
bool isAsciiDigit(char32_t c) { return c >= '0' && c <= '9'; }

} // namespace

bool isWhitespace(char32_t c) {
  if (c < 0x80)
    return c == ' ' || (c >= 9 && c <= 13);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000;
}

bool isControl(char32_t c) {
  if (c < 0x80)
    return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
  return contains(kOther, c);
}

bool isNonspacingMark(char32_t c) { return c >= 0x300 && contains(kNonspacingMark, c); }
bool isCombiningMark(char32_t c) { return c >= 0x300 && contains(kCombiningMark, c); }

bool isPunctuation(char32_t c) {
  if (c < 0x80)
    return c > ' ' && c < 0x7F && !isAsciiLetter(c) && !isAsciiDigit(c);
  return contains(kPunctuation, c);
}

bool isNumeric(char32_t c) { return c < 0x80 ? isAsciiDigit(c) : contains(kNumeric, c); }
bool isPatternLetter(char32_t c) { return c < 0x80 ? isAsciiLetter(c) : contains(kLetter, c); }
bool isPatternNumber(char32_t c) { return c < 0x80 ? isAsciiDigit(c) : contains(kNumber, c); }

bool isPatternWord(char32_t c) {
  return c < 0x80 ? isAsciiLetter(c) || isAsciiDigit(c) || c == '_' : contains(kWord, c);
}

bool isNewToNormalForms(char32_t c) { return c >= 0x300 && contains(kNewToNormalForms, c); }

bool isNewExtension(char32_t c) { return c >= 0x300 && contains(kNewExtension, c); }

template <size_t size> static std::string writeRanges(const CodePointRange (&ranges)[size]) {
  std::string text;
  char buffer[40];
  for (const CodePointRange &range : ranges) {
    std::snprintf(buffer, sizeof(buffer), "\\x{%X}-\\x{%X}", static_cast<unsigned>(range.first),
                  static_cast<unsigned>(range.last));
    text += buffer;
  }
  return text;
}

std::string newPatternCharacters(char name) {
  switch (name) {
  case 'L':
    return writeRanges(kNewLetter);
  case 'N':
    return writeRanges(kNewNumber);
  case 'd':
    return writeRanges(kNewDigit);
  default:
    return writeRanges(kNewWord);
  }
}

char32_t lowercase(char32_t c) {
  if (c < 0x80)
    return c >= 'A' && c <= 'Z' ? c + 0x20 : c;
  const CodePointRange *found =
      std::lower_bound(std::begin(kLowercase), std::end(kLowercase), c,
                       [](const CodePointRange &entry, char32_t value) { return entry.first < value; });
  if (found != std::end(kLowercase) && found->first == c)
    return found->last;
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

} // namespace weft::text
