// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How much an entry computes, by its named dimensions: what a measured time is a speed of.
#ifndef WEFT_COMPILER_WORK_H
#define WEFT_COMPILER_WORK_H

#include "compiler/include/weft/Compiler.h"
#include "mlir/IR/BuiltinOps.h"

namespace weft {

/// Counts the matrix products and attentions of the entry `name`, as imported. Work whose extents are not products of
/// dimensions is left out.
Work countWork(mlir::ModuleOp module, const std::string &name);

} // namespace weft

#endif // WEFT_COMPILER_WORK_H
