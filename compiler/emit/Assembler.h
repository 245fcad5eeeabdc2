// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PTX into a GPU's machine code by NVIDIA's ptxas, where there is one. Without it the driver assembles, when a kernel
// is launched first.
#ifndef WEFT_COMPILER_EMIT_ASSEMBLER_H
#define WEFT_COMPILER_EMIT_ASSEMBLER_H

#include "compiler/emit/PtxEmitter.h"

#include <optional>

namespace weft {

/// What ptxas made of a kernel.
struct AssembledKernel {
  std::string cubin;
  int32_t registers;   ///< of a thread
  int32_t spillBytes;  ///< stored and loaded again for want of registers
  int32_t stackBytes;  ///< of local memory, of a thread
  int32_t sharedBytes; ///< of the kernel's own, without what its launch adds
};

/// WEFT_PTXAS, else ptxas on the PATH; nullopt: neither.
std::optional<std::string> findPtxas();

/// W0623: ptxas cannot be run, or refuses the kernel.
Result<AssembledKernel> assembleKernel(const Kernel &kernel, const std::string &ptxas);

} // namespace weft

#endif // WEFT_COMPILER_EMIT_ASSEMBLER_H
