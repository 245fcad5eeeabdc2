// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes into a file that is on the disk when the call returns.
#ifndef WEFT_COMPILER_EMIT_DURABLEFILE_H
#define WEFT_COMPILER_EMIT_DURABLEFILE_H

#include "frontends/diagnostic/Diagnostic.h"

#include <filesystem>
#include <string_view>

namespace weft {

/// What errno says about writing `path`: W0630.
Diagnostic cannotWrite(const std::filesystem::path &path, int error);

/// Writes a new file. Errors: W0630.
Result<void> writeFile(const std::filesystem::path &path, std::string_view bytes);

/// Has the disk keep what the directory or file holds. Errors: W0630.
Result<void> flushToDisk(const std::filesystem::path &path);

} // namespace weft

#endif // WEFT_COMPILER_EMIT_DURABLEFILE_H
