// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PTX text -> tokens.
#ifndef WEFT_TOOLS_PTXSIM_LEXER_H
#define WEFT_TOOLS_PTXSIM_LEXER_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::ptxsim {

struct Token {
  enum class Kind : uint8_t {
    Word,      ///< ld, %r1, $L__BB0_1, _
    Directive, ///< .global, .L1::no_allocate; text has no dot
    Integer,   ///< value
    Real,      ///< value: the bits of a double
    String,
    Mark, ///< one character
    End,
  };
  Kind kind;
  std::string_view text;
  int line;
  uint64_t value = 0;
  bool adjacent = false; ///< nothing stands between it and the token before
};

/// Throws a Fault where the text is none. .loc, .file and @@DWARF lines are left out.
std::vector<Token> tokenize(std::string_view text);

} // namespace weft::ptxsim

#endif // WEFT_TOOLS_PTXSIM_LEXER_H
