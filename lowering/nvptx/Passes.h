// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes of the phases blocks and nvptx; see README.md for what holds before and after.
#ifndef WEFT_LOWERING_NVPTX_PASSES_H
#define WEFT_LOWERING_NVPTX_PASSES_H

#include "mlir/Pass/Pass.h"

namespace weft {

#define GEN_PASS_DECL
#include "lowering/nvptx/Passes.h.inc"

/// Append the phases to a pipeline that runs on a module: items for whole blocks of threads, before items become vector
/// code; all others, after.
void buildBlocksPhase(mlir::OpPassManager &pm);
void buildNvptxPhase(mlir::OpPassManager &pm);

/// Registers the phase's passes with weft-opt.
void registerNvptxPasses();

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_PASSES_H
