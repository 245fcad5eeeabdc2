// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A weight in panels → the same weight, or a part of it, as integers.
#ifndef WEFT_LOWERING_FUSE_ROUNDEDWEIGHT_H
#define WEFT_LOWERING_FUSE_ROUNDEDWEIGHT_H

#include "dialects/weft/WeftDialect.h"

#include "mlir/IR/Builders.h"

namespace weft {

/// The sources of `weight` as another parameter, whose name has this suffix.
mlir::Value roundedWeight(mlir::OpBuilder &builder, ParameterOp weight, const llvm::Twine &suffix,
                          mlir::RankedTensorType type, PanelsAttr layout);

/// The weight's panels, [panels, k, 16] behind any dimensions, as bytes of groups along k.
mlir::Value roundedInGroups(mlir::OpBuilder &builder, ParameterOp weight, const NamedGroupForm &form);

} // namespace weft

#endif // WEFT_LOWERING_FUSE_ROUNDEDWEIGHT_H
