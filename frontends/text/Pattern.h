// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What Split and Replace look for: a plain string or a regular expression in the syntax of Oniguruma, which the
// reference uses.
#ifndef WEFT_FRONTENDS_TEXT_PATTERN_H
#define WEFT_FRONTENDS_TEXT_PATTERN_H

#include "frontends/diagnostic/Diagnostic.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft::text {

/// A stretch of text, and whether the pattern matched it.
struct Match {
  uint32_t begin;
  uint32_t end;
  bool matched;
};

class Pattern {
public:
  static Pattern literal(std::string text);
  /// `place` goes into the Diagnostic (W0304) for what PCRE2 cannot do.
  static Result<Pattern> regex(const std::string &source, const std::string &place);

  /// Cuts all of `text` into matches and what lies between them, in order.
  Result<void> findAll(std::string_view text, std::vector<Match> &matches) const;

private:
  void findLiteral(std::string_view text, std::vector<Match> &matches) const;

  std::string text; ///< the plain string, or the expression as written
  std::shared_ptr<const void> code;
};

/// The same expression in PCRE2's syntax (with PCRE2_UCP and PCRE2_MULTILINE); W0304 for what has no counterpart.
Result<std::string> translateOniguruma(std::string_view source, const std::string &place);

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_PATTERN_H
