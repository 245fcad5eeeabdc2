// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The alphabet of bytes and the cut into words. The expression is matched by hand: it is on the way of most text, and
// the classes of letters are those of the reference.
#include "frontends/text/ByteLevel.h"

#include "frontends/text/CharacterClass.h"
#include "frontends/text/Utf8.h"

#include <array>

namespace weft::text {
namespace {

constexpr bool isVisible(unsigned byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr std::array<char32_t, 256> makeAlphabet() {
  std::array<char32_t, 256> alphabet{};
  char32_t next = 256;
  for (unsigned byte = 0; byte < 256; ++byte)
    alphabet[byte] = isVisible(byte) ? byte : next++;
  return alphabet;
}

constexpr std::array<char32_t, 256> kAlphabet = makeAlphabet();
static_assert(kAlphabet[' '] == kByteBlank);

constexpr size_t kAlphabetEnd = 256 + 68; // 68 bytes are not visible

constexpr std::array<int16_t, kAlphabetEnd> makeInverse() {
  std::array<int16_t, kAlphabetEnd> inverse{};
  inverse.fill(-1);
  for (unsigned byte = 0; byte < 256; ++byte)
    inverse[kAlphabet[byte]] = static_cast<int16_t>(byte);
  return inverse;
}

constexpr std::array<int16_t, kAlphabetEnd> kInverse = makeInverse();

enum class Kind { Letter, Number, Space, Sign };

Kind kindOf(char32_t c) {
  if (isPatternLetter(c))
    return Kind::Letter;
  if (isWhitespace(c))
    return Kind::Space;
  return isPatternNumber(c) ? Kind::Number : Kind::Sign;
}

Kind kindAt(std::string_view text, size_t position) { return kindOf(nextCodePoint(text, position)); }

size_t endOfRun(std::string_view text, size_t position, Kind kind) {
  for (size_t next = position; next < text.size() && kindOf(nextCodePoint(text, next)) == kind;)
    position = next;
  return position;
}

/// The length of an English contraction at an apostrophe, or 0.
size_t contractionAt(std::string_view text, size_t position) {
  for (std::string_view form : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
    if (text.substr(position).starts_with(form))
      return form.size();
  return 0;
}

/// White space up to the last before a word, which goes with the word if it is a blank.
size_t endOfSpace(std::string_view text, size_t position) {
  size_t end = endOfRun(text, position, Kind::Space);
  if (end == text.size())
    return end;
  size_t last = position + lastCharacter(text.substr(position, end - position));
  return last > position ? last : end;
}

size_t endOfWord(std::string_view text, size_t position) {
  if (text[position] == '\'')
    if (size_t length = contractionAt(text, position))
      return position + length;
  size_t start = position;
  if (text[position] == ' ' && position + 1 < text.size())
    ++start;
  Kind kind = kindAt(text, start);
  return kind == Kind::Space ? endOfSpace(text, position) : endOfRun(text, start, kind);
}

} // namespace

char32_t characterOfByte(unsigned char byte) { return kAlphabet[byte]; }

std::optional<unsigned char> byteOfCharacter(char32_t c) {
  if (c >= kAlphabetEnd || kInverse[c] < 0)
    return std::nullopt;
  return static_cast<unsigned char>(kInverse[c]);
}

void matchGpt2Words(std::string_view text, std::vector<Match> &matches) {
  for (size_t begin = 0; begin < text.size();) {
    size_t end = endOfWord(text, begin);
    matches.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end), true});
    begin = end;
  }
}

} // namespace weft::text
