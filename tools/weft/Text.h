// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Texts into the inputs of a model, by its own tokenizer, and tokens back into text.
#ifndef WEFT_TOOLS_WEFT_TEXT_H
#define WEFT_TOOLS_WEFT_TEXT_H

#include "frontends/text/Tokenizer.h"
#include "tools/weft/Model.h"

#include <string>
#include <vector>

namespace weft::cli {

/// A batch with a row for each text, padded to the longest; on the left where the entry goes on from states. W0507: the
/// model takes no text; W0511: a text is empty or too long; W03xx: the tokenizer.
Result<std::vector<Array>> encodeTexts(const Model &model, const Entry &entry, const std::vector<std::string> &texts);

/// The same for texts that are to be continued: padded on the left.
Result<std::vector<Array>> encodePrompts(const Model &model, const Entry &entry,
                                         const std::vector<std::string> &prompts);

/// Tokens of one text that come one by one, as text. Parts of a character wait for the rest of it.
class TextStream {
public:
  /// A stream that goes on after the tokens `before`. The errors of the tokenizer's file.
  static Result<TextStream> make(const Model &model, std::vector<uint32_t> before);

  /// What is known of the text now and was not before.
  Result<std::string> next(uint32_t token);
  /// What is left: of broken characters a sign for each.
  Result<std::string> finish();

private:
  TextStream(text::Tokenizer tokenizer, std::vector<uint32_t> before)
      : tokenizer(std::move(tokenizer)), tokens(std::move(before)), shown(tokens.size()) {}
  Result<std::string> tail(bool whole);

  text::Tokenizer tokenizer;
  std::vector<uint32_t> tokens; ///< from the last ones that were shown on: how they are spelled depends on those before
  size_t shown = 0;             ///< of `tokens`, how many have been shown
};

/// Cosine of rows i and j of an array [rows, n].
double cosine(const Array &rows, int64_t i, int64_t j);

} // namespace weft::cli

#endif // WEFT_TOOLS_WEFT_TEXT_H
