// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where attention on memrefs has a key: keys, values and their factors may lie in pages that a table names.
#ifndef WEFT_LOWERING_ANALYSIS_PAGEPLACE_H
#define WEFT_LOWERING_ANALYSIS_PAGEPLACE_H

#include "dialects/weft/WeftDialect.h"

namespace weft {

/// How many keys there are, an index; of a table, those that its columns have room for.
mlir::Value emitKeyCount(mlir::OpBuilder &b, mlir::Location loc, AttentionOp op);

/// (b, h, i, j, d, e) of a key that exists → the point at which the map of this operand has it: in pages, the page
/// stands for b and the row in it for j.
mlir::SmallVector<mlir::Value> emitPagePlace(mlir::OpBuilder &b, mlir::Location loc, AttentionOp op, unsigned operand,
                                             mlir::SmallVector<mlir::Value> dims);

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_PAGEPLACE_H
