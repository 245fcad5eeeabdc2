// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SentencePiece's table of replacements ("precompiled_charsmap"): a double-array trie (Darts) over UTF-8 and the
// strings that its leaves point at.
#ifndef WEFT_FRONTENDS_TEXT_PRECOMPILED_H
#define WEFT_FRONTENDS_TEXT_PRECOMPILED_H

#include "frontends/diagnostic/Diagnostic.h"
#include "frontends/text/AlignedText.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft::text {

class CharacterMap {
public:
  /// From base64: a little-endian size of the trie in bytes, the trie's 32-bit units, then the strings, each ended
  /// by a NUL. W0303 when it is not that.
  static Result<CharacterMap> fromBase64(std::string_view base64, const std::string &place);

  /// The replacement of the shortest key that `text` starts with.
  std::optional<std::string_view> replacement(std::string_view text) const;

  /// Replaces in a text as the reference does: grapheme by grapheme where short, else character by character.
  void apply(AlignedText &text) const;

private:
  bool isUntouched(std::string_view text) const;

  std::vector<uint32_t> units;
  std::string strings;
  std::array<bool, 128> isAsciiKey{};
};

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_PRECOMPILED_H
