// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The first stage of a tokenizer: raw text into the form that its vocabulary was made from.
#ifndef WEFT_FRONTENDS_TEXT_NORMALIZER_H
#define WEFT_FRONTENDS_TEXT_NORMALIZER_H

#include "frontends/diagnostic/Diagnostic.h"
#include "frontends/text/AlignedText.h"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>

namespace weft::text {

class Normalizer {
public:
  virtual ~Normalizer() = default;
  virtual Result<void> normalize(AlignedText &text) const = 0;
};

/// Reads "normalizer" of tokenizer.json.
Result<std::unique_ptr<Normalizer>> readNormalizer(const nlohmann::json &value, const std::string &place);

/// What BERT does to text: cleans it, sets CJK characters apart, strips accents, lowers case.
struct BertNormalizerOptions {
  bool cleanText, handleChineseChars, stripAccents, lowercase;
};
std::unique_ptr<Normalizer> makeBertNormalizer(BertNormalizerOptions options);

// Steps that more than one normalizer takes.
void lowercaseText(AlignedText &text);
void filterText(AlignedText &text, bool (*keep)(char32_t));
void mapText(AlignedText &text, char32_t (*map)(char32_t));

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_NORMALIZER_H
