// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A text on its way from the user's bytes to tokens: every byte of it knows which bytes of the input it came from,
// so that a token can name its place in the input whatever was rewritten before.
#ifndef WEFT_FRONTENDS_TEXT_ALIGNEDTEXT_H
#define WEFT_FRONTENDS_TEXT_ALIGNEDTEXT_H

#include "frontends/text/Utf8.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::text {

/// Bytes [begin, end) of the input.
struct Span {
  uint32_t begin;
  uint32_t end;
};

/// What a text may grow to while it is rewritten; an input may have a quarter of it.
constexpr size_t kMaxTextBytes = size_t(1) << 28;

class AlignedText {
public:
  AlignedText() = default;

  /// The input, U+FFFD in the place of what is not UTF-8; one U+FFFD spans the bytes it replaces.
  static AlignedText fromInput(std::string_view input);

  /// A part of it that keeps its places in the input.
  AlignedText slice(size_t begin, size_t end) const;
  void append(const AlignedText &other, size_t begin, size_t end);
  void appendByte(char byte, Span span) {
    text.push_back(byte);
    origin.push_back(span);
  }

  std::string text;         ///< valid UTF-8
  std::vector<Span> origin; ///< one for each byte of `text`
};

/// Writes a changed copy of a text, character by character, in the terms of the reference's
/// NormalizedString::transform: this decides which input bytes a written character is said to come from.
class Rewrite {
public:
  /// Starts after `skipped` characters that have no successor.
  explicit Rewrite(const AlignedText &source, size_t skipped = 0);

  /// Writes a character. `change` 0: in the place of the next one of the source. -n: in the place of the next one
  /// and n more after it. 1: beside what was written last.
  void put(char32_t codePoint, int change);

  /// The result in the place of the source.
  AlignedText take() { return std::move(target); }

private:
  void skip(size_t characters);

  const AlignedText &source;
  AlignedText target;
  size_t position = 0; ///< bytes of the source that are used up
};

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_ALIGNEDTEXT_H
