// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The classes of characters that tokenizers tell apart, as the reference (PyPI tokenizers) has them: each from the
// Unicode version of the library it was built with. CharacterTables.inc holds them.
#ifndef WEFT_FRONTENDS_TEXT_CHARACTERCLASS_H
#define WEFT_FRONTENDS_TEXT_CHARACTERCLASS_H

#include <string>

namespace weft::text {

bool isWhitespace(char32_t c);     ///< White_Space
bool isControl(char32_t c);        ///< Cc, Cf, Co, but for tab and line ends
bool isNonspacingMark(char32_t c); ///< Mn
bool isCombiningMark(char32_t c);  ///< M
bool isPunctuation(char32_t c);    ///< P and what ASCII calls punctuation
bool isNumeric(char32_t c);        ///< N
bool isPatternLetter(char32_t c);  ///< \p{L}
bool isPatternNumber(char32_t c);  ///< \p{N}
bool isPatternWord(char32_t c);    ///< \w

/// Decomposes or reorders only in Unicode versions later than that of the reference's normal forms.
bool isNewToNormalForms(char32_t c);

/// Goes on a grapheme (a mark, most often), and is too new for utf8proc to know.
bool isNewExtension(char32_t c);

/// What the reference's patterns have in a class and PCRE2 10.42 does not know yet, as PCRE2 writes it in brackets.
/// The class is 'L' or 'N' for \p{L} and \p{N}, 'd' or 'w' for \d and \w.
std::string newPatternCharacters(char name);

/// The simple lower case. U+0130 has two characters in lower case and is left to the caller.
char32_t lowercase(char32_t c);

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_CHARACTERCLASS_H
