// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bounds of named dimensions, which ride on the module: weft.dim_bounds = {batch = array<i64: 1, 64>}.
#ifndef WEFT_COMPILER_DIMBOUNDS_H
#define WEFT_COMPILER_DIMBOUNDS_H

#include "compiler/include/weft/Compiler.h"
#include "mlir/IR/BuiltinOps.h"

namespace weft {

std::map<std::string, DimBounds> readDims(mlir::ModuleOp module);

/// Sets narrower bounds. Errors: W0611 (no dimension of this name), W0612 (not within the model's bounds).
Result<void> narrowDims(mlir::ModuleOp module, const std::map<std::string, DimBounds> &bounds);

} // namespace weft

#endif // WEFT_COMPILER_DIMBOUNDS_H
