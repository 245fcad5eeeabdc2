// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// JSON text from outside into a tree, or into a Diagnostic. A model folder
// comes from a stranger, so what JSON leaves open is refused here once for all
// readers: nesting without end and one key given twice.
#ifndef WEFT_FRONTENDS_DIAGNOSTIC_STRICTJSON_H
#define WEFT_FRONTENDS_DIAGNOSTIC_STRICTJSON_H

#include "frontends/diagnostic/Diagnostic.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace weft {

/// No file of a published model nests deeper than about ten levels.
constexpr size_t kMaxJsonDepth = 64;

/// Parses the whole of `text`; `place` names the file in diagnostics. Errors:
/// W0110 (not JSON, with line and column), W0111 (nested deeper than
/// `maxDepth`), W0112 (a key twice in one object).
Result<nlohmann::json> parseStrictJson(std::string_view text, const std::string &place,
                                       size_t maxDepth = kMaxJsonDepth);

} // namespace weft

#endif // WEFT_FRONTENDS_DIAGNOSTIC_STRICTJSON_H
