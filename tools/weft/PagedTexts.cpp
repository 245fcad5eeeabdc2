// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/weft/PagedTexts.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace weft::cli {

bool isPaged(const Entry &entry) { return entry.input("block_table") != nullptr; }

Result<PagedTexts> PagedTexts::make(const Runner &runner, int64_t rows) {
  PagedTexts made;
  weft_texts *texts = nullptr;
  if (weft_texts_new(runner.handle(), &texts) != WEFT_OK)
    return runtimeError();
  made.texts.reset(texts);
  if (Result<void> begun = made.begin(rows); !begun)
    return begun.takeError();
  return made;
}

Result<void> PagedTexts::begin(int64_t count) {
  weft_texts_info info;
  if (weft_texts_describe(texts.get(), &info) != WEFT_OK)
    return runtimeError();
  scores = Array::of<float>("logits", {count, info.vocabulary}, std::vector<float>(count * info.vocabulary));
  rows.resize(count);
  for (weft_text &row : rows)
    if (weft_text_begin(texts.get(), &row) != WEFT_OK)
      return runtimeError();
  return {};
}

Result<const Array *> PagedTexts::step(const std::vector<std::vector<int64_t>> &tokens) {
  std::vector<weft_text_part> parts;
  std::vector<size_t> places;
  for (size_t row = 0; row < rows.size(); ++row) {
    if (!rows[row])
      continue;
    if (tokens[row].empty()) {
      if (weft_text_end(texts.get(), std::exchange(rows[row], 0)) != WEFT_OK)
        return runtimeError();
      continue;
    }
    parts.push_back({rows[row], tokens[row].data(), int64_t(tokens[row].size())});
    places.push_back(row);
  }
  size_t vocabulary = scores.shape[1];
  results.resize(parts.size() * vocabulary);
  if (weft_texts_step(texts.get(), parts.data(), parts.size(), results.data(), results.size() * sizeof(float)) !=
      WEFT_OK)
    return runtimeError();
  for (size_t part = 0; part < parts.size(); ++part)
    std::memcpy(scores.bytes.data() + places[part] * vocabulary * sizeof(float), &results[part * vocabulary],
                vocabulary * sizeof(float));
  return &scores;
}

} // namespace weft::cli
