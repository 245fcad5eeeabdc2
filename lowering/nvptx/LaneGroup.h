// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The threads that run one item: half a warp, each with a lane of the item's vectors.
#ifndef WEFT_LOWERING_NVPTX_LANEGROUP_H
#define WEFT_LOWERING_NVPTX_LANEGROUP_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

namespace weft {

/// Lanes of a vector: a panel of a packed weight is as wide.
constexpr int64_t kGroupLanes = 16;

/// A group's numbers in a thread, as i32. Emitted at the top of a device function; equal ones merge.
struct LaneGroup {
  mlir::Value lane; ///< 0 ≤ lane < kGroupLanes
  mlir::Value mask; ///< the group's lanes among the warp's 32, as shuffles and barriers name them

  static LaneGroup emit(mlir::OpBuilder &builder, mlir::Location loc);
};

/// Functions of `gpu.module @kernels` whose items are for groups, not for whole blocks of threads.
mlir::SmallVector<mlir::func::FuncOp> laneFunctions(mlir::ModuleOp module);

/// The buffer that a view is of: views of different numbers do not overlap; −1 may overlap with any.
int64_t rootOf(mlir::Value memref);

/// Where OutlineLaunches leaves a buffer's number.
constexpr const char *kRootAttribute = "weft.root";

/// Bytes of a block of a function that asks for scratch in global memory.
constexpr const char *kScratchAttribute = "weft.scratch_bytes";

/// What marks a device function whose items are for whole blocks of threads.
constexpr const char *kBlockAttribute = "weft.block";

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_LANEGROUP_H
