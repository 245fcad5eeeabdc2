// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The input on its way through the pre-tokenizers: one text and the pieces it is cut into.
#ifndef WEFT_FRONTENDS_TEXT_PIECES_H
#define WEFT_FRONTENDS_TEXT_PIECES_H

#include "frontends/text/AlignedText.h"
#include "frontends/text/Pattern.h"

#include <functional>
#include <string_view>
#include <vector>

namespace weft::text {

/// What becomes of the matches when a text is split at them.
enum class SplitBehavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };

/// Bytes [begin, end) of the text. A piece with an id is an added token, and nothing splits or rewrites it.
struct Piece {
  uint32_t begin;
  uint32_t end;
  int64_t id = -1;
};

class Pieces {
public:
  AlignedText text;
  std::vector<Piece> list;

  std::string_view view(const Piece &piece) const {
    return std::string_view(text.text).substr(piece.begin, piece.end - piece.begin);
  }

  /// Whether the piece begins where the input does.
  bool startsInput(const Piece &piece) const { return text.origin[piece.begin].begin == 0; }

  /// Finds matches that cover a piece, with offsets in it.
  using Matcher = std::function<Result<void>(std::string_view, std::vector<Match> &)>;
  Result<void> split(const Matcher &matcher, SplitBehavior behavior);

  /// Splits around (or at) the characters of a class.
  void splitAtCharacters(bool (*isDelimiter)(char32_t), SplitBehavior behavior);
};

/// Turns matches into the pieces that a behaviour asks for: those to keep are left, in order.
void applyBehavior(std::vector<Match> &matches, SplitBehavior behavior);

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_PIECES_H
