// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Objects into model.so, through the system's linker. Equal objects give equal bytes: no build id, no paths, no time.
#ifndef WEFT_COMPILER_EMIT_SHAREDLIBRARY_H
#define WEFT_COMPILER_EMIT_SHAREDLIBRARY_H

#include "compiler/emit/ObjectEmitter.h"

#include <filesystem>
#include <vector>

namespace weft {

/// Links `objects` into `output`, which exports the descriptor alone. Files for the linker are written beside `output`
/// and removed. Errors: W0620 (no linker), W0621 (the linker failed), W0630 (a file cannot be written).
Result<void> linkSharedLibrary(const std::vector<Object> &objects, const std::filesystem::path &output);

} // namespace weft

#endif // WEFT_COMPILER_EMIT_SHAREDLIBRARY_H
