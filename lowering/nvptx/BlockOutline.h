// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A loop over items as a launch with a block of threads for each item, whose code is tile ops.
#ifndef WEFT_LOWERING_NVPTX_BLOCKOUTLINE_H
#define WEFT_LOWERING_NVPTX_BLOCKOUTLINE_H

#include "lowering/nvptx/KernelOutline.h"

#include <functional>

namespace weft {

/// Whether what an item does beside `ops`, which a block computes, is to find their operands: arithmetic on indices,
/// views, and scratch for what stays in registers.
bool isForBlocks(mlir::scf::ForallOp forall, mlir::ArrayRef<mlir::Operation *> ops);

/// For loops that may run a few times only: ptxas unrolls these, whatever that takes in registers.
void keepRolled(mlir::scf::ForOp loop);

/// Blocks of threads and their code: `emit` writes what stands for the ops in the device function; its mapping has
/// their operands.
struct BlockProgram {
  BlockShape shape;
  llvm::StringRef suffix; ///< of the function's name
  std::function<void(mlir::OpBuilder &, mlir::IRMapping &)> emit;
  llvm::SmallVector<TensorMapPlan> maps = {}; ///< the function's last parameters
};

/// One of several programs: for a count of at most `most`, where no earlier one is.
struct BlockChoice {
  BlockProgram program;
  int64_t most; ///< of the last one not read
};

/// Makes the loop, for which `isForBlocks` holds, a launch and erases it.
void outlineBlocks(mlir::scf::ForallOp forall, mlir::ArrayRef<mlir::Operation *> ops, const BlockProgram &program,
                   const mlir::LLVMTypeConverter &types, DeviceModule &device);
/// The same of the program for `count`; where that is not known, all are functions, and the host chooses.
void outlineBlocks(mlir::scf::ForallOp forall, mlir::ArrayRef<mlir::Operation *> ops, mlir::OpFoldResult count,
                   mlir::ArrayRef<BlockChoice> choices, const mlir::LLVMTypeConverter &types, DeviceModule &device);
inline void outlineBlocks(mlir::scf::ForallOp forall, mlir::ArrayRef<mlir::Operation *> ops, BlockShape shape,
                          const mlir::LLVMTypeConverter &types, DeviceModule &device,
                          mlir::function_ref<void(mlir::OpBuilder &, mlir::IRMapping &)> emit) {
  outlineBlocks(forall, ops, BlockProgram{shape, "", emit}, types, device);
}

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_BLOCKOUTLINE_H
