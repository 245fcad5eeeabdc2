// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What stands where a safetensors file should be: told by the first bytes, so that the user hears how to mend it and
// not that a number is too large.
#ifndef WEFT_FRONTENDS_WEIGHTS_FOREIGNCONTENT_H
#define WEFT_FRONTENDS_WEIGHTS_FOREIGNCONTENT_H

#include "frontends/diagnostic/Diagnostic.h"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace weft {

/// W0102 for a Git LFS pointer, a web page or another known format, W0131 for a pickle; nothing for all else. For files
/// whose first eight bytes cannot be the length of a header: those of some of these formats could be.
std::optional<Diagnostic> recogniseForeignContent(std::span<const std::byte> bytes, const std::string &path);

/// W0131 with the way to convert.
Diagnostic refusePickle(const std::filesystem::path &file);

} // namespace weft

#endif // WEFT_FRONTENDS_WEIGHTS_FOREIGNCONTENT_H
