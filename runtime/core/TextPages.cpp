// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/TextPages.h"

#include <cassert>

namespace weft::runtime {

TextPages::~TextPages() {
  for (size_t i = 0; i < rowCount; ++i)
    free(rows[i].pages);
}

bool TextPages::start(int64_t count, int64_t length) {
  uses = Array<int32_t>(size_t(count));
  unused = Array<int64_t>(size_t(count));
  if (!uses || !unused)
    return false;
  for (int64_t page = 0; page < count; ++page) // the first page is the first to be taken
    unused[size_t(page)] = count - 1 - page;
  pageCount = freeCount = count;
  pageLength = length;
  return true;
}

TextRow *TextPages::find(int64_t number) const {
  for (size_t i = 0; number > 0 && i < rowCount; ++i)
    if (rows[i].number == number)
      return &rows.get()[i];
  return nullptr;
}

TextRow *TextPages::begin() {
  size_t place = 0;
  while (place < rowCount && rows[place].number != 0)
    ++place;
  if (place == rowCount) {
    size_t grown = rowCount ? 2 * rowCount : 8;
    Array<TextRow> more(grown);
    if (!more)
      return nullptr;
    if (rowCount)
      memcpy(more.get(), rows.get(), rowCount * sizeof(TextRow));
    rows = static_cast<Array<TextRow> &&>(more);
    rowCount = grown;
  }
  TextRow &text = rows[place];
  text.number = ++lastNumber;
  text.length = text.count = 0;
  ++textCount;
  return &text;
}

bool TextPages::reserve(TextRow &text, int64_t tokens) {
  int64_t count = pagesOf(text.length + tokens);
  if (count <= text.capacity)
    return true;
  int64_t capacity = count > 2 * text.capacity ? count : 2 * text.capacity;
  void *grown = realloc(text.pages, size_t(capacity) * sizeof(int64_t));
  if (!grown)
    return false;
  text.pages = static_cast<int64_t *>(grown);
  text.capacity = capacity;
  return true;
}

bool TextPages::share(const TextRow &from, int64_t length, TextRow &to) {
  assert(to.count == 0 && length <= from.length && "a new text takes tokens that are there");
  if (!reserve(to, length))
    return false;
  to.count = pagesOf(length);
  to.length = length;
  for (int64_t i = 0; i < to.count; ++i) {
    to.pages[i] = from.pages[i];
    ++uses[size_t(to.pages[i])];
  }
  return true;
}

void TextPages::cut(TextRow &text, int64_t length) {
  text.length = length;
  trim(text);
}

void TextPages::end(TextRow &text) {
  cut(text, 0);
  text.number = 0; // its table is the next one's
  --textCount;
}

bool TextPages::writesToShared(const TextRow &text) const {
  return text.length % pageLength != 0 && uses[size_t(text.pages[text.length / pageLength])] > 1;
}

int64_t TextPages::pagesFor(const TextRow &text, int64_t tokens) const {
  return pagesOf(text.length + tokens) - text.count + writesToShared(text);
}

bool TextPages::splitLast(TextRow &text, int64_t &shared, int64_t &own) {
  if (!writesToShared(text))
    return false;
  int64_t &page = text.pages[text.length / pageLength];
  shared = page;
  page = own = take();
  --uses[size_t(shared)];
  return true;
}

void TextPages::joinLast(TextRow &text, int64_t shared) {
  int64_t &page = text.pages[text.length / pageLength];
  giveBack(page);
  page = shared;
  ++uses[size_t(shared)];
}

void TextPages::extend(TextRow &text, int64_t tokens) {
  for (int64_t count = pagesOf(text.length + tokens); text.count < count; ++text.count)
    text.pages[text.count] = take();
}

void TextPages::trim(TextRow &text) {
  for (int64_t count = pagesOf(text.length); text.count > count; --text.count)
    giveBack(text.pages[text.count - 1]);
}

int64_t TextPages::take() {
  assert(freeCount > 0 && "whoever takes pages has counted them");
  int64_t page = unused[size_t(--freeCount)];
  uses[size_t(page)] = 1;
  return page;
}

void TextPages::giveBack(int64_t page) {
  if (--uses[size_t(page)] == 0)
    unused[size_t(freeCount++)] = page;
}

} // namespace weft::runtime
