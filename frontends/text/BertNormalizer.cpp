// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text as BERT's vocabularies want it. "Ça  va, 東京?" -> "ca  va,  東  京 ?"
#include "frontends/text/Normalizer.h"

#include "frontends/text/CharacterClass.h"
#include "frontends/text/UnicodeForm.h"

#include <algorithm>

namespace weft::text {
namespace {

/// The CJK ideographs as the reference counts them; 2B820 to 2B91F are left out there too.
bool isIdeograph(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x2F800 && c <= 0x2FA1F);
}

bool isKept(char32_t c) { return c != 0 && c != kReplacement && !isControl(c); }
char32_t blankWhitespace(char32_t c) { return isWhitespace(c) ? U' ' : c; }

void setIdeographsApart(AlignedText &text) {
  // All ideographs have a lead byte of 0xE3 or more.
  if (std::none_of(text.text.begin(), text.text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0xE3; }))
    return;
  Rewrite rewrite(text);
  for (size_t i = 0; i < text.text.size();) {
    char32_t c = nextCodePoint(text.text, i);
    if (!isIdeograph(c)) {
      rewrite.put(c, 0);
      continue;
    }
    rewrite.put(U' ', 0);
    rewrite.put(c, 1);
    rewrite.put(U' ', 1);
  }
  text = rewrite.take();
}

class BertNormalizer : public Normalizer {
public:
  explicit BertNormalizer(BertNormalizerOptions options) : options(options) {}

  Result<void> normalize(AlignedText &text) const override {
    if (options.cleanText) {
      filterText(text, isKept);
      mapText(text, blankWhitespace);
    }
    if (options.handleChineseChars)
      setIdeographsApart(text);
    if (options.stripAccents) {
      toUnicodeForm(text, UnicodeForm::Nfd);
      filterText(text, [](char32_t c) { return !isNonspacingMark(c); });
    }
    if (options.lowercase)
      lowercaseText(text);
    return {};
  }

private:
  BertNormalizerOptions options;
};

} // namespace

std::unique_ptr<Normalizer> makeBertNormalizer(BertNormalizerOptions options) {
  return std::make_unique<BertNormalizer>(options);
}

} // namespace weft::text
