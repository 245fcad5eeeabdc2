// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Normal forms: utf8proc's decompositions, combining classes and compositions, less what is younger than the
// Unicode version of the reference, in the algorithm of UAX 15 written out here to keep each character's place.
#include "frontends/text/UnicodeForm.h"

#include "frontends/text/CharacterClass.h"

#include <utf8proc.h>

#include <algorithm>
#include <vector>

namespace weft::text {
namespace {

struct Mark {
  char32_t codePoint;
  int change; ///< as Rewrite::put takes it
  uint8_t combiningClass;
  uint32_t order; ///< place before sorting
};

uint8_t combiningClass(char32_t c) {
  if (c < 0x300 || isNewToNormalForms(c))
    return 0;
  return static_cast<uint8_t>(utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class);
}

void decompose(char32_t c, bool compatible, std::vector<Mark> &marks) {
  utf8proc_int32_t parts[32]; // the longest decomposition has 18 characters
  utf8proc_ssize_t count = 1;
  parts[0] = static_cast<utf8proc_int32_t>(c);
  if (c >= 0x80 && !isNewToNormalForms(c)) {
    int boundClass = 0;
    int options = UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0);
    count = utf8proc_decompose_char(parts[0], parts, std::size(parts), static_cast<utf8proc_option_t>(options),
                                    &boundClass);
  }
  for (utf8proc_ssize_t i = 0; i < count; ++i) {
    auto part = static_cast<char32_t>(parts[i]);
    marks.push_back({part, i == 0 ? 0 : 1, combiningClass(part), static_cast<uint32_t>(marks.size())});
  }
}

/// Each run of marks between starters into the order of their classes.
void orderMarks(std::vector<Mark> &marks) {
  for (auto run = marks.begin(); run != marks.end();) {
    auto end = std::find_if(run + 1, marks.end(), [](const Mark &mark) { return mark.combiningClass == 0; });
    std::sort(run, end, [](const Mark &a, const Mark &b) {
      return std::pair(a.combiningClass, a.order) < std::pair(b.combiningClass, b.order);
    });
    run = end;
  }
}

/// The primary composite of two characters; 0 when there is none.
char32_t composePair(char32_t first, char32_t second) {
  if (first < 0x80 && second < 0x80)
    return 0;
  if (second == 0x11A7) // the place before the first final consonant of Hangul, which utf8proc 2.8 composes
    return 0;
  utf8proc_int32_t pair[2] = {static_cast<utf8proc_int32_t>(first), static_cast<utf8proc_int32_t>(second)};
  auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
  if (utf8proc_normalize_utf32(pair, 2, options) != 1)
    return 0;
  auto composite = static_cast<char32_t>(pair[0]);
  return isNewToNormalForms(composite) ? 0 : composite;
}

/// Composes in place: a mark joins the starter before it unless a mark between them blocks it.
void compose(std::vector<Mark> &marks) {
  size_t kept = 0;
  std::ptrdiff_t starter = -1; // index in the kept part
  for (size_t i = 0; i < marks.size(); ++i) {
    Mark mark = marks[i];
    if (starter >= 0) {
      bool adjacent = kept == static_cast<size_t>(starter) + 1;
      bool blocked = !adjacent && marks[kept - 1].combiningClass >= mark.combiningClass;
      Mark &base = marks[static_cast<size_t>(starter)];
      if (char32_t composite = blocked ? 0 : composePair(base.codePoint, mark.codePoint)) {
        base.codePoint = composite;
        base.change += mark.change - 1;
        continue;
      }
    }
    if (mark.combiningClass == 0)
      starter = static_cast<std::ptrdiff_t>(kept);
    marks[kept++] = mark;
  }
  marks.resize(kept);
}

bool isInForm(std::string_view text, UnicodeForm form) {
  // Composition leaves everything below U+0300 alone; the other forms leave ASCII alone.
  auto limit = static_cast<unsigned char>(form == UnicodeForm::Nfc ? 0xCC : 0x80);
  return std::all_of(text.begin(), text.end(), [&](char c) { return static_cast<unsigned char>(c) < limit; });
}

} // namespace

void toUnicodeForm(AlignedText &text, UnicodeForm form) {
  if (isInForm(text.text, form))
    return;
  bool compatible = form == UnicodeForm::Nfkc || form == UnicodeForm::Nfkd;
  std::vector<Mark> marks;
  marks.reserve(text.text.size());
  for (size_t i = 0; i < text.text.size();)
    decompose(nextCodePoint(text.text, i), compatible, marks);
  orderMarks(marks);
  if (form == UnicodeForm::Nfc || form == UnicodeForm::Nfkc)
    compose(marks);
  Rewrite rewrite(text);
  for (const Mark &mark : marks)
    rewrite.put(mark.codePoint, mark.change);
  text = rewrite.take();
}

} // namespace weft::text
