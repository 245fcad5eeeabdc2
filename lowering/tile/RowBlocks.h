// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows shared out evenly over work items.
#ifndef WEFT_LOWERING_TILE_ROWBLOCKS_H
#define WEFT_LOWERING_TILE_ROWBLOCKS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"

namespace weft {

/// Rows of an item: 128 rows at most 108 at a time in units of 9 are 72 and 56, not 108 and 20, so that threads share
/// them evenly. At least one unit; the last item has what is left.
mlir::OpFoldResult evenRows(mlir::OpBuilder &builder, mlir::Location loc, mlir::OpFoldResult rows, int64_t most,
                            int64_t unit);

} // namespace weft

#endif // WEFT_LOWERING_TILE_ROWBLOCKS_H
