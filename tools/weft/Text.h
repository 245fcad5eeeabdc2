// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sentences into the inputs of a model, by its own tokenizer.
#ifndef WEFT_TOOLS_WEFT_TEXT_H
#define WEFT_TOOLS_WEFT_TEXT_H

#include "tools/weft/Model.h"

#include <string>
#include <vector>

namespace weft::cli {

/// A batch with a row for each text, padded to the longest. W0507: the model takes no text; W0511: a text is empty or
/// too long; W03xx: the tokenizer.
Result<std::vector<Array>> encodeTexts(const Model &model, const Entry &entry, const std::vector<std::string> &texts);

/// Cosine of rows i and j of an array [rows, n].
double cosine(const Array &rows, int64_t i, int64_t j);

} // namespace weft::cli

#endif // WEFT_TOOLS_WEFT_TEXT_H
