// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The texts of a session: whose pages are whose (TextPages), what they hold (StatePages), and the entries that continue
// texts, prefill and decode.
#ifndef WEFT_RUNTIME_CORE_TEXTS_H
#define WEFT_RUNTIME_CORE_TEXTS_H

#include "runtime/core/StatePages.h"
#include "runtime/core/TextPages.h"
#include "runtime/include/weft/texts.h"

struct weft_texts {
  weft_texts(weft_session &session, int64_t pageCount, int64_t pageLength)
      : session(session), contents(session, pageCount, pageLength) {}

  weft_session &session;
  weft::runtime::TextPages pages;
  weft::runtime::StatePages contents;
  int64_t longest = 0;    ///< tokens of a text
  int64_t vocabulary = 0; ///< scores of a token
  int64_t mostRows = 0;   ///< of a call
  int64_t mostTokens = 0; ///< of a row of prefill
};

namespace weft::runtime {

/// The names by which an entry that continues texts takes tokens, where they are, and in which pages.
inline constexpr const char *kTokens = "input_ids";
inline constexpr const char *kPlaces = "position_ids";
inline constexpr const char *kPagesOfTexts = "block_table";
inline constexpr const char *kScores = "logits";

weft_status failNoTexts(const char *function);
/// The text, or an error that says that there is none.
weft_status findText(const char *function, const weft_texts &texts, weft_text number, TextRow *&text);

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_TEXTS_H
