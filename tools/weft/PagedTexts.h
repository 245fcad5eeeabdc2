// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rows of a batch as texts of a session whose keys and values lie in pages (weft/texts.h).
#ifndef WEFT_TOOLS_WEFT_PAGEDTEXTS_H
#define WEFT_TOOLS_WEFT_PAGEDTEXTS_H

#include "runtime/include/weft/texts.h"
#include "tools/weft/Model.h"

namespace weft::cli {

/// Whether the entry takes the pages of its texts.
bool isPaged(const Entry &entry);

class PagedTexts {
public:
  /// Empty texts in the runner's session. W04xx: the session keeps none in pages.
  static Result<PagedTexts> make(const Runner &runner, int64_t rows);

  /// Appends tokens to the rows: scores [rows, vocabulary] of what follows. A row without tokens ends; its scores are
  /// those that it had. W04xx: tokens or room are lacking.
  Result<const Array *> step(const std::vector<std::vector<int64_t>> &tokens);

private:
  struct Free {
    void operator()(weft_texts *texts) const { weft_texts_free(texts); }
  };
  Result<void> begin(int64_t rows);

  std::unique_ptr<weft_texts, Free> texts;
  std::vector<weft_text> rows; ///< 0: ended
  Array scores;
  std::vector<float> results; ///< of a step's rows
};

} // namespace weft::cli

#endif // WEFT_TOOLS_WEFT_PAGEDTEXTS_H
