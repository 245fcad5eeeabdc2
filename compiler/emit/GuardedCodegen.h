// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM's optimiser and code generators end the process when they meet code that they cannot select. Here they run so
// that it lives and learns the reason.
#ifndef WEFT_COMPILER_EMIT_GUARDEDCODEGEN_H
#define WEFT_COMPILER_EMIT_GUARDEDCODEGEN_H

#include "frontends/diagnostic/Diagnostic.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"

#include <string>

namespace llvm {
class LLVMContext;
} // namespace llvm

namespace weft {

/// How a guarded run ended.
struct GuardedRun {
  bool survived;      ///< false: what the work used is in an unknown state, and is better leaked than destroyed
  std::string errors; ///< what LLVM said was wrong; empty with `survived`: nothing
};

/// Runs `work`, which may crash or call LLVM's fatal errors, and collects the errors of `context`. Any number of
/// threads may do so at once.
GuardedRun runGuarded(llvm::LLVMContext &context, llvm::function_ref<void()> work);

/// W0690: `name` is the target, the kernel or the layer that machine code could not be made for.
Diagnostic emissionFailed(llvm::StringRef name, llvm::StringRef reason);

} // namespace weft

#endif // WEFT_COMPILER_EMIT_GUARDEDCODEGEN_H
