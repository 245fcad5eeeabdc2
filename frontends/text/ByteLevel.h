// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Byte-level tokenizers, as GPT-2 introduced them: every byte has a visible character, and text is cut into words by
// one fixed expression.
#ifndef WEFT_FRONTENDS_TEXT_BYTELEVEL_H
#define WEFT_FRONTENDS_TEXT_BYTELEVEL_H

#include "frontends/text/Pattern.h"

#include <optional>

namespace weft::text {

/// The character that stands for a byte: itself where it is a visible Latin-1 character, else 256 and on.
char32_t characterOfByte(unsigned char byte);

/// The byte that a character stands for.
std::optional<unsigned char> byteOfCharacter(char32_t c);

/// The stand-in for the blank, which vocabularies show as the first character of a word.
constexpr char32_t kByteBlank = 0x120;

/// Cuts a text as GPT-2's expression does:
///   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
void matchGpt2Words(std::string_view text, std::vector<Match> &matches);

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_BYTELEVEL_H
