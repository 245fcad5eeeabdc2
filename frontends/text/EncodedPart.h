// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An encoding on its way through the post-processors: that of one of the texts, or of special tokens between them.
#ifndef WEFT_FRONTENDS_TEXT_ENCODEDPART_H
#define WEFT_FRONTENDS_TEXT_ENCODEDPART_H

#include "frontends/diagnostic/Diagnostic.h"
#include "frontends/text/Encoding.h"

namespace weft::text {

/// The offsets of a token without the white space at the ends of its text. A blank in the byte alphabet is white
/// space. Each character of it takes one off the input, whether it stood there or was put there.
struct TrimmedOffsets {
  size_t leading = 0; ///< characters of white space at the beginning
  size_t begin = 0;   ///< without those
  size_t end = 0;     ///< without those at the end; may lie before the beginning
};

struct EncodedPart : Encoding {
  std::vector<TrimmedOffsets> trimmed; ///< one per token

  void add(uint32_t id, uint32_t typeId, std::pair<size_t, size_t> offset, TrimmedOffsets trim = {},
           bool special = false);
  void append(const EncodedPart &other);
  void truncate(size_t length, Side side);
};

/// Cuts one or two parts down to a sum of `maxLength` tokens. W0306 when the strategy cannot do that.
Result<void> truncateParts(std::vector<EncodedPart> &parts, const Truncation &truncation, size_t maxLength);

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_ENCODEDPART_H
