// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The extents of tensors, without asking the ops that compute them.
#ifndef WEFT_LOWERING_ANALYSIS_TENSOREXTENTS_H
#define WEFT_LOWERING_ANALYSIS_TENSOREXTENTS_H

#include "mlir/IR/Builders.h"

namespace weft {

/// A tensor's extents, taken from what made it: kernels must not be asked for the extents of their results.
mlir::SmallVector<mlir::OpFoldResult> extentsOfTensor(mlir::OpBuilder &b, mlir::Value value);

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_TENSOREXTENTS_H
