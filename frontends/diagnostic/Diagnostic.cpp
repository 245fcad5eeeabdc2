// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontends/diagnostic/Diagnostic.h"

#include <iterator>

namespace weft {

static const CodeExplanation kCodes[] = {
#define WEFT_CODE(code, title, explanation) {#code, title, explanation},
#include "frontends/diagnostic/Codes.def"
#undef WEFT_CODE
};

std::string Diagnostic::format() const {
  std::string text = "error[" + code + "]: " + message + "\n";
  if (!place.empty())
    text += "  --> " + place + "\n";
  if (!help.empty())
    text += "help: " + help + "\n";
  return text;
}

const CodeExplanation *explainCode(std::string_view code) {
  for (const CodeExplanation &entry : kCodes)
    if (code == entry.code)
      return &entry;
  return nullptr;
}

std::pair<const CodeExplanation *, size_t> allCodes() { return {kCodes, std::size(kCodes)}; }

} // namespace weft
