// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A text as the arrays that a model takes, and how long they may and must be.
#ifndef WEFT_FRONTENDS_TEXT_ENCODING_H
#define WEFT_FRONTENDS_TEXT_ENCODING_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace weft::text {

/// One entry per token in each array.
struct Encoding {
  std::vector<uint32_t> ids;
  std::vector<uint32_t> typeIds;           ///< 0 for the first text, 1 for the second, where the model tells them apart
  std::vector<uint32_t> attentionMask;     ///< 0 for padding
  std::vector<uint32_t> specialTokensMask; ///< 1 for padding and for tokens that the tokenizer adds by itself
  /// Bytes [first, second) of the input that a token stands for; (0, 0) for tokens that stand for none.
  std::vector<std::pair<size_t, size_t>> offsets;

  size_t size() const { return ids.size(); }
};

enum class Side { Left, Right };

struct Truncation {
  enum class Strategy { LongestFirst, OnlyFirst, OnlySecond };
  size_t maxLength = 512; ///< special tokens included
  Strategy strategy = Strategy::LongestFirst;
  Side side = Side::Right; ///< where tokens are cut off
};

struct Padding {
  std::optional<size_t> length; ///< none: that of the longest of the batch
  size_t multipleOf = 0;        ///< 0: any length
  Side side = Side::Right;
  uint32_t id = 0;
  uint32_t typeId = 0;
};

void padEncoding(Encoding &encoding, size_t length, const Padding &padding);

/// Pads to the length that the options ask for; a longer encoding stays as it is.
void padBatch(std::vector<Encoding> &batch, const Padding &padding);

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_ENCODING_H
