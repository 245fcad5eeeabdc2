// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A pattern as tokenizer.json writes it: {"String": "…"} or {"Regex": "…"}.
#ifndef WEFT_FRONTENDS_TEXT_PATTERNFIELD_H
#define WEFT_FRONTENDS_TEXT_PATTERNFIELD_H

#include "frontends/text/Fields.h"
#include "frontends/text/Pattern.h"

namespace weft::text {

inline Result<Pattern> readPattern(Fields &fields, const char *name) {
  const nlohmann::json &value = fields.value(name);
  if (fields.failed())
    return fields.takeError();
  Fields pattern(value, fields.placeOf(name));
  if (std::optional<std::string> literal = pattern.optionalString("String"))
    return Pattern::literal(std::move(*literal));
  std::string source = pattern.string("Regex");
  if (pattern.failed())
    return pattern.takeError();
  return Pattern::regex(source, fields.placeOf(name));
}

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_PATTERNFIELD_H
