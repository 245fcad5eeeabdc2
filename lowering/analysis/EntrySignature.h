// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an entry function's signature must be before it can be compiled.
#ifndef WEFT_LOWERING_ANALYSIS_ENTRYSIGNATURE_H
#define WEFT_LOWERING_ANALYSIS_ENTRYSIGNATURE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace weft {

/// Reports an error unless the function has a body of one block, its arguments and results are ranked tensors of
/// numbers with extents of at least one, `weft.dims`, where given, has a name or "" for each dimension, and its states
/// are in order (lowering/analysis/EntryStates).
mlir::LogicalResult verifyEntry(mlir::func::FuncOp entry);

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_ENTRYSIGNATURE_H
