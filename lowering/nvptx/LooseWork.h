// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a kernel function does to memory outside of its loops over items: the host, which calls it, has none of it.
#ifndef WEFT_LOWERING_NVPTX_LOOSEWORK_H
#define WEFT_LOWERING_NVPTX_LOOSEWORK_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft {

/// Work before and after a loop that writes buffers of the caller's, the copy of a state to where it is updated say,
/// becomes a loop of one item: all items of the next loop see it done, once.
void separateLooseWork(mlir::func::FuncOp kernel);

/// What else stands before the loop, a table in its scratch or a vector, every item does for itself.
void sinkPrologue(mlir::scf::ForallOp forall);

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_LOOSEWORK_H
