// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A weight as a graph has it → the same weight in panels, as products read it.
#ifndef WEFT_LOWERING_NORMALIZE_PACKEDWEIGHT_H
#define WEFT_LOWERING_NORMALIZE_PACKEDWEIGHT_H

#include "dialects/weft/WeftDialect.h"

#include "mlir/IR/Builders.h"

namespace weft {

/// The weight [N, K] (`outByIn`) or [K, N] in panels, or each of the matrices behind a dimension of blocks or groups.
/// It is stored as numbers of `element`, in panels of `width` columns.
mlir::Value packWeight(mlir::OpBuilder &builder, ParameterOp weight, bool outByIn, mlir::Type element,
                       int64_t width = kPanelWidth);

/// What products' weights are stored in: the type that the module names as `weft.dtype`, or as the graph has it.
mlir::Type storedTypeOf(ParameterOp weight);

} // namespace weft

#endif // WEFT_LOWERING_NORMALIZE_PACKEDWEIGHT_H
