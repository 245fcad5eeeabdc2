// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes from and to code points.
#include "frontends/text/Utf8.h"

#include <algorithm>

namespace weft::text {

void appendUtf8(std::string &text, char32_t codePoint) {
  auto put = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (codePoint < 0x80) {
    put(codePoint);
  } else if (codePoint < 0x800) {
    put(0xC0 | codePoint >> 6);
    put(0x80 | (codePoint & 0x3F));
  } else if (codePoint < 0x10000) {
    put(0xE0 | codePoint >> 12);
    put(0x80 | (codePoint >> 6 & 0x3F));
    put(0x80 | (codePoint & 0x3F));
  } else {
    put(0xF0 | codePoint >> 18);
    put(0x80 | (codePoint >> 12 & 0x3F));
    put(0x80 | (codePoint >> 6 & 0x3F));
    put(0x80 | (codePoint & 0x3F));
  }
}

size_t countCodePoints(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !isContinuation(c); }));
}

bool isAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// What the second byte may be: this excludes overlong forms, surrogates and what lies above U+10FFFF.
static bool isSecondByte(unsigned char lead, unsigned char second) {
  unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  return second >= low && second <= high;
}

Utf8Step stepUtf8(std::string_view text, size_t position) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[position + i]); };
  unsigned char lead = byte(0);
  if (lead < 0x80)
    return {1, true};
  if (lead < 0xC2 || lead > 0xF4)
    return {1, false};
  size_t wanted = sequenceLength(text[position]), have = text.size() - position;
  if (have < 2 || !isSecondByte(lead, byte(1)))
    return {1, false};
  size_t length = 2;
  while (length < wanted && length < have && isContinuation(text[position + length]))
    ++length;
  return {length, length == wanted};
}

bool isUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    Utf8Step step = stepUtf8(text, i);
    if (!step.valid)
      return false;
    i += step.length;
  }
  return true;
}

std::string repairUtf8(std::string_view text) {
  std::string repaired;
  repaired.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    Utf8Step step = stepUtf8(text, i);
    if (step.valid)
      repaired.append(text, i, step.length);
    else
      appendUtf8(repaired, kReplacement);
    i += step.length;
  }
  return repaired;
}

} // namespace weft::text
