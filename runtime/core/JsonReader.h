// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads JSON as a walk over the text: the caller says what it expects next.
//
//   reader.enterObject();
//   while (reader.nextKey(key))
//     if (key == "bytes") reader.readUnsigned(bytes); else reader.skipValue();
//
// Nothing is built, nesting is bounded, and after the first error every step
// fails, so that only the end of a walk needs a check.
#ifndef WEFT_RUNTIME_CORE_JSONREADER_H
#define WEFT_RUNTIME_CORE_JSONREADER_H

#include "runtime/core/Memory.h"

#include <cstdint>
#include <string_view>

namespace weft::runtime {

class JsonReader {
public:
  /// The text must outlive the reader and the strings that it gives.
  explicit JsonReader(std::string_view text) : text(text) {}

  bool enterObject() { return enter('{'); }
  bool enterArray() { return enter('['); }

  /// Steps to the next member and reads its key, or to the end of the object.
  bool nextKey(std::string_view &key);
  /// Steps to the next element, or to the end of the array.
  bool nextElement() { return step(']'); }

  /// Strings live as long as the reader and its text.
  bool readString(std::string_view &value);
  /// A whole number without sign, fraction or exponent.
  bool readUnsigned(uint64_t &value);
  bool skipValue();

  /// Only white space is left.
  bool atEnd();

  /// Fails the walk: the text is JSON, but not what the caller expects.
  bool reject(const char *reason);

  /// Null when all went well so far.
  const char *error() const { return problem; }
  /// Bytes before the place of the error, or before the next step.
  size_t offset() const { return position; }

private:
  static constexpr int kMaxDepth = 60; // levels; one bit each in `started`

  bool enter(char bracket);
  bool step(char close);
  bool expect(char wanted, const char *reason);
  bool readEscapedString(size_t begin, std::string_view &value);
  bool readEscape(char *&out);
  bool readHex(uint32_t &value);
  bool checkUtf8(std::string_view bytes);
  bool skipNumber();
  bool skipWord(std::string_view word);
  void skipSpace();
  char peek() const { return position < text.size() ? text[position] : '\0'; }

  std::string_view text;
  size_t position = 0;
  int depth = 0;
  uint64_t started = 0; // bit d: the container at depth d has a first element
  const char *problem = nullptr;
  Array<char> unescaped; // room for the strings that contain escapes
  size_t unescapedSize = 0;
};

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_JSONREADER_H
