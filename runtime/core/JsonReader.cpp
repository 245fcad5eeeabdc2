// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/JsonReader.h"

#include <cstring>

namespace weft::runtime {

bool JsonReader::reject(const char *reason) {
  if (!problem)
    problem = reason;
  return false;
}

void JsonReader::skipSpace() {
  while (position < text.size() &&
         (text[position] == ' ' || text[position] == '\n' || text[position] == '\r' || text[position] == '\t'))
    ++position;
}

bool JsonReader::expect(char wanted, const char *reason) {
  skipSpace();
  if (problem || position >= text.size() || text[position] != wanted)
    return reject(reason);
  ++position;
  return true;
}

bool JsonReader::enter(char bracket) {
  if (!expect(bracket, bracket == '{' ? "an object is expected" : "an array is expected"))
    return false;
  if (depth == kMaxDepth)
    return reject("it is nested too deeply");
  ++depth;
  started &= ~(uint64_t(1) << depth);
  return true;
}

bool JsonReader::step(char close) {
  if (problem)
    return false;
  skipSpace();
  uint64_t bit = uint64_t(1) << depth;
  if (peek() == close && position < text.size()) {
    ++position;
    --depth;
    return false;
  }
  if ((started & bit) && !expect(',', "a comma or the end is expected"))
    return false;
  started |= bit;
  return true;
}

bool JsonReader::nextKey(std::string_view &key) {
  return step('}') && readString(key) && expect(':', "a colon is expected after a key");
}

bool JsonReader::readString(std::string_view &value) {
  if (!expect('"', "a string is expected"))
    return false;
  size_t begin = position;
  for (; position < text.size(); ++position) {
    unsigned char byte = static_cast<unsigned char>(text[position]);
    if (byte < 0x20)
      return reject("a string contains a control character");
    if (byte == '\\')
      return readEscapedString(begin, value);
    if (byte == '"') {
      value = {text.data() + begin, position - begin};
      ++position;
      return checkUtf8(value);
    }
  }
  return reject("a string does not end");
}

// Continues at the first escape of a string. A decoded string is never longer
// than its text, so one buffer as long as the text has room for all of them.
bool JsonReader::readEscapedString(size_t begin, std::string_view &value) {
  if (!unescaped)
    unescaped = Array<char>(text.size());
  if (!unescaped)
    return reject("memory is out");
  char *const first = unescaped.get() + unescapedSize;
  memcpy(first, text.data() + begin, position - begin);
  char *out = first + (position - begin);
  while (position < text.size() && text[position] != '"') {
    unsigned char byte = static_cast<unsigned char>(text[position++]);
    if (byte < 0x20)
      return reject("a string contains a control character");
    if (byte != '\\')
      *out++ = static_cast<char>(byte);
    else if (!readEscape(out))
      return false;
  }
  if (position >= text.size())
    return reject("a string does not end");
  ++position;
  value = {first, static_cast<size_t>(out - first)};
  unescapedSize += value.size();
  return checkUtf8(value);
}

bool JsonReader::readHex(uint32_t &value) {
  value = 0;
  for (int digit = 0; digit < 4; ++digit, ++position) {
    char c = peek();
    uint32_t nibble = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : 16;
    if (nibble == 16)
      return reject("four hexadecimal digits are expected after \\u");
    value = value * 16 + nibble;
  }
  return true;
}

static char *appendUtf8(char *out, uint32_t point) {
  if (point < 0x80) {
    *out++ = static_cast<char>(point);
    return out;
  }
  int tail = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  static constexpr uint32_t kLead[] = {0, 0xc0, 0xe0, 0xf0};
  *out++ = static_cast<char>(kLead[tail] | (point >> (6 * tail)));
  while (tail-- > 0)
    *out++ = static_cast<char>(0x80 | ((point >> (6 * tail)) & 0x3f));
  return out;
}

bool JsonReader::readEscape(char *&out) {
  static constexpr char kNames[] = "\"\\/bfnrt";
  static constexpr char kValues[] = "\"\\/\b\f\n\r\t";
  char name = peek();
  ++position;
  if (name != 'u') {
    const char *found = name ? strchr(kNames, name) : nullptr;
    if (!found)
      return reject("an unknown escape");
    *out++ = kValues[found - kNames];
    return true;
  }
  uint32_t point;
  if (!readHex(point))
    return false;
  if (point >= 0xd800 && point < 0xdc00 && peek() == '\\') {
    uint32_t low;
    ++position;
    if (peek() != 'u')
      return reject("half of a surrogate pair");
    ++position;
    if (!readHex(low))
      return false;
    if (low < 0xdc00 || low > 0xdfff)
      return reject("half of a surrogate pair");
    point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
  }
  if (point >= 0xd800 && point <= 0xdfff)
    return reject("half of a surrogate pair");
  if (point == 0)
    return reject("a string contains a NUL");
  out = appendUtf8(out, point);
  return true;
}

bool JsonReader::checkUtf8(std::string_view bytes) {
  for (size_t at = 0; at < bytes.size();) {
    unsigned char lead = static_cast<unsigned char>(bytes[at++]);
    if (lead < 0x80)
      continue;
    int tail = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || bytes.size() - at < size_t(tail))
      return reject("a string is not UTF-8");
    uint32_t point = lead & (0x3f >> tail);
    for (int i = 0; i < tail; ++i, ++at) {
      unsigned char next = static_cast<unsigned char>(bytes[at]);
      if ((next & 0xc0) != 0x80)
        return reject("a string is not UTF-8");
      point = point << 6 | (next & 0x3f);
    }
    static constexpr uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
    if (point < kLeast[tail] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
      return reject("a string is not UTF-8");
  }
  return true;
}

bool JsonReader::readUnsigned(uint64_t &value) {
  skipSpace();
  if (problem)
    return false;
  size_t begin = position;
  value = 0;
  for (; peek() >= '0' && peek() <= '9'; ++position)
    if (__builtin_mul_overflow(value, uint64_t(10), &value) ||
        __builtin_add_overflow(value, uint64_t(peek() - '0'), &value))
      return reject("a number is too large");
  bool leadingZero = position > begin + 1 && text[begin] == '0';
  char after = peek();
  if (position == begin || leadingZero || after == '.' || after == 'e' || after == 'E')
    return reject("a whole number without sign is expected");
  return true;
}

bool JsonReader::skipWord(std::string_view word) {
  if (text.size() - position < word.size() || memcmp(text.data() + position, word.data(), word.size()) != 0)
    return reject("a value is expected");
  position += word.size();
  return true;
}

bool JsonReader::skipNumber() {
  auto digits = [this] {
    size_t begin = position;
    while (peek() >= '0' && peek() <= '9')
      ++position;
    return position > begin;
  };
  if (peek() == '-')
    ++position;
  if (peek() == '0')
    ++position;
  else if (!digits())
    return reject("a value is expected");
  if (peek() == '.' && (++position, !digits()))
    return reject("a digit is expected");
  if (peek() == 'e' || peek() == 'E') {
    ++position;
    if (peek() == '+' || peek() == '-')
      ++position;
    if (!digits())
      return reject("a digit is expected");
  }
  return true;
}

// Depth is bounded by enter(), and so is this recursion.
bool JsonReader::skipValue() {
  skipSpace();
  if (problem)
    return false;
  std::string_view ignored;
  switch (peek()) {
  case '{':
    enterObject();
    while (nextKey(ignored))
      skipValue();
    return !problem;
  case '[':
    enterArray();
    while (nextElement())
      skipValue();
    return !problem;
  case '"':
    return readString(ignored);
  case 't':
    return skipWord("true");
  case 'f':
    return skipWord("false");
  case 'n':
    return skipWord("null");
  default:
    return skipNumber();
  }
}

bool JsonReader::atEnd() {
  skipSpace();
  if (!problem && position != text.size())
    reject("something follows the end");
  return !problem;
}

} // namespace weft::runtime
