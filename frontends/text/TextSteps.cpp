// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Steps shared by normalizers. Each first looks whether there is anything to do: most text is plain.
#include "frontends/text/CharacterClass.h"
#include "frontends/text/Normalizer.h"

namespace weft::text {

void lowercaseText(AlignedText &text) {
  if (isAscii(text.text)) {
    for (char &c : text.text)
      c = static_cast<char>(lowercase(static_cast<unsigned char>(c)));
    return;
  }
  Rewrite rewrite(text);
  for (size_t i = 0; i < text.text.size();) {
    char32_t c = nextCodePoint(text.text, i);
    if (c == 0x130) { // capital I with a dot: i and a combining dot
      rewrite.put(U'i', 0);
      rewrite.put(0x307, 1);
    } else {
      rewrite.put(lowercase(c), 0);
    }
  }
  text = rewrite.take();
}

static bool keepsAll(std::string_view text, bool (*keep)(char32_t)) {
  for (size_t i = 0; i < text.size();)
    if (!keep(nextCodePoint(text, i)))
      return false;
  return true;
}

void filterText(AlignedText &text, bool (*keep)(char32_t)) {
  std::string_view source = text.text;
  if (keepsAll(source, keep))
    return;
  size_t position = 0;
  auto skipRemoved = [&] {
    int removed = 0;
    for (size_t next = position; next < source.size() && !keep(nextCodePoint(source, next)); position = next)
      ++removed;
    return removed;
  };
  // A character takes the place of those removed behind it; those at the beginning have none before them.
  Rewrite rewrite(text, static_cast<size_t>(skipRemoved()));
  while (position < source.size()) {
    char32_t kept = nextCodePoint(source, position);
    rewrite.put(kept, -skipRemoved());
  }
  text = rewrite.take();
}

void mapText(AlignedText &text, char32_t (*map)(char32_t)) {
  bool changes = false;
  for (size_t i = 0; i < text.text.size() && !changes;) {
    char32_t c = nextCodePoint(text.text, i);
    changes = map(c) != c;
  }
  if (!changes)
    return;
  Rewrite rewrite(text);
  for (size_t i = 0; i < text.text.size();)
    rewrite.put(map(nextCodePoint(text.text, i)), 0);
  text = rewrite.take();
}

} // namespace weft::text
