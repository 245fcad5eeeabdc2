// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A loop over items as a launch with a block of threads for each item, whose code is tile ops.
#ifndef WEFT_LOWERING_NVPTX_BLOCKOUTLINE_H
#define WEFT_LOWERING_NVPTX_BLOCKOUTLINE_H

#include "lowering/nvptx/KernelOutline.h"

namespace weft {

/// Whether what an item does beside `ops`, which a block computes, is to find their operands: arithmetic on indices,
/// views, and scratch for what stays in registers.
bool isForBlocks(mlir::scf::ForallOp forall, mlir::ArrayRef<mlir::Operation *> ops);

/// Makes the loop, for which `isForBlocks` holds, a launch and erases it. `emit` writes what stands for `ops` in the
/// device function; its mapping has their operands.
void outlineBlocks(mlir::scf::ForallOp forall, mlir::ArrayRef<mlir::Operation *> ops, BlockShape shape,
                   const mlir::LLVMTypeConverter &types, DeviceModule &device,
                   mlir::function_ref<void(mlir::OpBuilder &, mlir::IRMapping &)> emit);

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_BLOCKOUTLINE_H
