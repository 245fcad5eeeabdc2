// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which pages are whose. A page is of as many texts as share it; a text that writes to a page of several gets one of
// its own first. Nothing here touches what pages hold.
#ifndef WEFT_RUNTIME_CORE_TEXTPAGES_H
#define WEFT_RUNTIME_CORE_TEXTPAGES_H

#include "runtime/core/Memory.h"

namespace weft::runtime {

/// A text: the pages of its positions, in order. All zero where there is none.
struct TextRow {
  int64_t number; ///< the caller's name for it; 0: none
  int64_t length; ///< tokens
  int64_t *pages;
  int64_t count, capacity; ///< of pages
};

class TextPages {
public:
  TextPages() = default;
  TextPages(const TextPages &) = delete;
  TextPages &operator=(const TextPages &) = delete;
  ~TextPages();

  /// False when memory is out.
  bool start(int64_t pageCount, int64_t pageLength);

  /// Null: there is none of this number.
  TextRow *find(int64_t number) const;
  /// A new text; null when memory is out.
  TextRow *begin();
  /// `to`, which is empty, begins with the first `length` tokens of `from`. False when memory is out.
  bool share(const TextRow &from, int64_t length, TextRow &to);
  void cut(TextRow &text, int64_t length);
  void end(TextRow &text);

  /// Pages that a text needs for so many more tokens, the copy of a shared one included.
  int64_t pagesFor(const TextRow &text, int64_t tokens) const;
  /// Room in the text's table for these pages. False when memory is out.
  bool reserve(TextRow &text, int64_t tokens);
  /// The page that the next token goes to is of several texts: takes one of its own in its place. Tells both.
  bool splitLast(TextRow &text, int64_t &shared, int64_t &own);
  /// Undoes it: the text has `shared` again.
  void joinLast(TextRow &text, int64_t shared);
  /// Takes free pages for so many more tokens, of which there are enough. The length stays.
  void extend(TextRow &text, int64_t tokens);
  /// Gives back what lies beyond the text's length.
  void trim(TextRow &text);

  int64_t pageLength = 0, pageCount = 0, freeCount = 0, textCount = 0;

private:
  int64_t take();
  void giveBack(int64_t page);
  bool writesToShared(const TextRow &text) const;
  int64_t pagesOf(int64_t tokens) const { return tokens / pageLength + (tokens % pageLength != 0); }

  Array<int32_t> uses;   ///< texts of each page
  Array<int64_t> unused; ///< the free pages, the next one last
  Array<TextRow> rows;
  size_t rowCount = 0;
  int64_t lastNumber = 0;
};

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_TEXTPAGES_H
