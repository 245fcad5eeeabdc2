// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The iterations of an scf.forall as items in one order, which threads of a CPU and of a GPU share.
#ifndef WEFT_LOWERING_ANALYSIS_ITEMSPACE_H
#define WEFT_LOWERING_ANALYSIS_ITEMSPACE_H

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

namespace weft {

/// Number of steps of each loop, as index. Bounds are looked up in `mapping`, which is empty where the loop stands.
mlir::SmallVector<mlir::Value> emitItemCounts(mlir::OpBuilder &builder, mlir::scf::ForallOp forall,
                                              const mlir::IRMapping &mapping);

/// Maps the loop's induction variables for item number `item` (index): the last loop runs fastest, or the first where
/// the loop says `weft.first_fastest`. `counts` are those of emitItemCounts.
void mapItem(mlir::OpBuilder &builder, mlir::scf::ForallOp forall, mlir::IRMapping &mapping,
             mlir::ArrayRef<mlir::Value> counts, mlir::Value item);

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_ITEMSPACE_H
