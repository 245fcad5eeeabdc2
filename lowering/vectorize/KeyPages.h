// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention's operands, read where they are: keys, values and their factors may lie in pages that a table names.
#ifndef WEFT_LOWERING_VECTORIZE_KEYPAGES_H
#define WEFT_LOWERING_VECTORIZE_KEYPAGES_H

#include "lowering/analysis/PagePlace.h"
#include "lowering/vectorize/OperandAccess.h"

namespace weft {

/// The element, or the elements along point.vectorDim, of the operand with this number. The key exists.
mlir::Value emitOperandLoad(mlir::OpBuilder &b, mlir::Location loc, AttentionOp op, unsigned operand,
                            const IterationPoint &point);

/// Asks for the cache line of the operand's element at the point. The key may be beyond the last one.
void emitOperandPrefetch(mlir::OpBuilder &b, mlir::Location loc, AttentionOp op, unsigned operand,
                         const IterationPoint &point, bool intoFirstLevel = false);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_KEYPAGES_H
