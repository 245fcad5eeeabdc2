// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows of a product's left operand that are read where they are, in another order than the result's.
#ifndef WEFT_LOWERING_VECTORIZE_ROWPLACES_H
#define WEFT_LOWERING_VECTORIZE_ROWPLACES_H

#include "mlir/IR/Builders.h"

namespace weft {

/// The row of `matrix` [t, k] that row `row` of `places` [m], i32, names; its last one, where that is none of its rows:
/// an index from data is never an address unchecked.
mlir::Value emitRowPlace(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value places, mlir::Value row,
                         mlir::Value matrix);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_ROWPLACES_H
