// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A short run of LLVM's optimiser, of processors and GPUs alike.
#ifndef WEFT_COMPILER_EMIT_OPTIMIZER_H
#define WEFT_COMPILER_EMIT_OPTIMIZER_H

#include "llvm/Passes/OptimizationLevel.h"

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace weft {

/// LLVM's vectorisers stay off: the phases made the vector code. Without `unrollsLoops` loops keep their shape unless
/// they ask to be unrolled themselves.
void optimize(llvm::Module &module, llvm::TargetMachine &machine, llvm::OptimizationLevel level, bool unrollsLoops);

} // namespace weft

#endif // WEFT_COMPILER_EMIT_OPTIMIZER_H
