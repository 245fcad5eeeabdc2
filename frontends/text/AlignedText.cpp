// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A text whose bytes know where they came from.
#include "frontends/text/AlignedText.h"

#include <algorithm>

namespace weft::text {

AlignedText AlignedText::fromInput(std::string_view input) {
  AlignedText result;
  result.text.reserve(input.size());
  result.origin.reserve(input.size());
  for (size_t i = 0; i < input.size();) {
    if (static_cast<unsigned char>(input[i]) < 0x80) {
      result.appendByte(input[i], {static_cast<uint32_t>(i), static_cast<uint32_t>(i + 1)});
      ++i;
      continue;
    }
    Utf8Step step = stepUtf8(input, i);
    Span span{static_cast<uint32_t>(i), static_cast<uint32_t>(i + step.length)};
    if (step.valid)
      result.text.append(input, i, step.length);
    else
      appendUtf8(result.text, kReplacement);
    result.origin.resize(result.text.size(), span);
    i += step.length;
  }
  return result;
}

AlignedText AlignedText::slice(size_t begin, size_t end) const {
  AlignedText part;
  part.append(*this, begin, end);
  return part;
}

void AlignedText::append(const AlignedText &other, size_t begin, size_t end) {
  text.append(other.text, begin, end - begin);
  origin.insert(origin.end(), other.origin.begin() + static_cast<std::ptrdiff_t>(begin),
                other.origin.begin() + static_cast<std::ptrdiff_t>(end));
}

Rewrite::Rewrite(const AlignedText &source, size_t skipped) : source(source) {
  target.text.reserve(source.text.size());
  target.origin.reserve(source.text.size());
  skip(skipped);
}

void Rewrite::skip(size_t characters) {
  for (; characters > 0 && position < source.text.size(); --characters)
    position += sequenceLength(source.text[position]);
}

void Rewrite::put(char32_t codePoint, int change) {
  Span span{0, 0};
  if (!source.origin.empty()) {
    size_t neighbour = change > 0 && position > 0 ? position - 1 : position;
    span = source.origin[std::min(neighbour, source.origin.size() - 1)];
  }
  appendUtf8(target.text, codePoint);
  target.origin.resize(target.text.size(), span);
  if (change <= 0)
    skip(1 + static_cast<size_t>(-change));
}

} // namespace weft::text
