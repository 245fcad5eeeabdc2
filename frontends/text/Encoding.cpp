// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Encodings cut short and filled up.
#include "frontends/text/EncodedPart.h"

#include <algorithm>
#include <string>

namespace weft::text {
namespace {

template <class T> void keepEnd(std::vector<T> &values, size_t length, Side side) {
  auto dropped = static_cast<std::ptrdiff_t>(values.size() - length);
  if (side == Side::Right)
    values.resize(length);
  else
    values.erase(values.begin(), values.begin() + dropped);
}

template <class T> void fill(std::vector<T> &values, size_t length, Side side, T value) {
  values.insert(side == Side::Right ? values.end() : values.begin(), length - values.size(), value);
}

template <class T> void concatenate(std::vector<T> &values, const std::vector<T> &more) {
  values.insert(values.end(), more.begin(), more.end());
}

/// Lengths of two texts with a sum of at most `total`: the longer one is cut first, then both to halves.
std::pair<size_t, size_t> shareLength(size_t first, size_t second, size_t total) {
  bool swapped = first > second;
  size_t shorter = swapped ? second : first;
  size_t longer = shorter > total ? shorter : std::max(shorter, total - shorter);
  if (shorter + longer > total) {
    shorter = total / 2;
    longer = shorter + total % 2;
  }
  return swapped ? std::pair(longer, shorter) : std::pair(shorter, longer);
}

} // namespace

void EncodedPart::add(uint32_t id, uint32_t typeId, std::pair<size_t, size_t> offset, TrimmedOffsets trim,
                      bool special) {
  ids.push_back(id);
  typeIds.push_back(typeId);
  attentionMask.push_back(1);
  specialTokensMask.push_back(special);
  offsets.push_back(offset);
  trimmed.push_back(trim);
}

void EncodedPart::append(const EncodedPart &other) {
  concatenate(ids, other.ids);
  concatenate(typeIds, other.typeIds);
  concatenate(attentionMask, other.attentionMask);
  concatenate(specialTokensMask, other.specialTokensMask);
  concatenate(offsets, other.offsets);
  concatenate(trimmed, other.trimmed);
}

void EncodedPart::truncate(size_t length, Side side) {
  if (length >= size())
    return;
  keepEnd(ids, length, side);
  keepEnd(typeIds, length, side);
  keepEnd(attentionMask, length, side);
  keepEnd(specialTokensMask, length, side);
  keepEnd(offsets, length, side);
  keepEnd(trimmed, length, side);
}

Result<void> truncateParts(std::vector<EncodedPart> &parts, const Truncation &truncation, size_t maxLength) {
  size_t total = 0;
  for (const EncodedPart &part : parts)
    total += part.size();
  if (total <= maxLength)
    return {};
  if (maxLength == 0 || parts.size() == 1) {
    bool onlySecond = truncation.strategy == Truncation::Strategy::OnlySecond;
    if (maxLength > 0 && onlySecond)
      return Diagnostic{"W0306", "the text is too long, and only a second text may be truncated, which is not given",
                        "", "shorten the text, or truncate the longest first"};
    for (EncodedPart &part : parts)
      part.truncate(maxLength, truncation.side);
    return {};
  }
  if (truncation.strategy == Truncation::Strategy::LongestFirst) {
    auto [first, second] = shareLength(parts[0].size(), parts[1].size(), maxLength);
    parts[0].truncate(first, truncation.side);
    parts[1].truncate(second, truncation.side);
    return {};
  }
  EncodedPart &target = parts[truncation.strategy == Truncation::Strategy::OnlyFirst ? 0 : 1];
  if (target.size() <= total - maxLength)
    return Diagnostic{"W0306",
                      "the text that may be truncated has " + std::to_string(target.size()) + " tokens, and " +
                          std::to_string(total - maxLength) + " must go",
                      "", "raise the maximum length, or truncate the longest first"};
  target.truncate(target.size() - (total - maxLength), truncation.side);
  return {};
}

void padEncoding(Encoding &encoding, size_t length, const Padding &padding) {
  if (encoding.size() >= length)
    return;
  fill(encoding.ids, length, padding.side, padding.id);
  fill(encoding.typeIds, length, padding.side, padding.typeId);
  fill(encoding.attentionMask, length, padding.side, uint32_t(0));
  fill(encoding.specialTokensMask, length, padding.side, uint32_t(1));
  fill(encoding.offsets, length, padding.side, std::pair<size_t, size_t>(0, 0));
}

void padBatch(std::vector<Encoding> &batch, const Padding &padding) {
  size_t length = padding.length.value_or(0);
  if (!padding.length)
    for (const Encoding &encoding : batch)
      length = std::max(length, encoding.size());
  if (padding.multipleOf > 0 && length % padding.multipleOf > 0)
    length += padding.multipleOf - length % padding.multipleOf;
  for (Encoding &encoding : batch)
    padEncoding(encoding, length, padding);
}

} // namespace weft::text
