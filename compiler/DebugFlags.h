// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef WEFT_COMPILER_DEBUGFLAGS_H
#define WEFT_COMPILER_DEBUGFLAGS_H

namespace weft {
/// Adds --debug-only=TYPE,… to a tool, before its command line is parsed.
void registerDebugFlags();
} // namespace weft

#endif // WEFT_COMPILER_DEBUGFLAGS_H
