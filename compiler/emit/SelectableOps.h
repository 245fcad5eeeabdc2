// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which operations of a device module LLVM can select for a GPU. There is no libm there: what is not an instruction,
// and no expansion of LLVM, ends in "Cannot select" or in a call that nothing answers. Asked before LLVM runs, since
// only the module in MLIR knows which layer an operation is of.
#ifndef WEFT_COMPILER_EMIT_SELECTABLEOPS_H
#define WEFT_COMPILER_EMIT_SELECTABLEOPS_H

#include "compiler/Target.h"
#include "mlir/IR/BuiltinOps.h"

namespace weft {

/// `device` holds llvm.funcs in the llvm and nvvm dialects. W0690: names the first operation that cannot be selected,
/// its place, and why.
Result<void> checkSelectable(mlir::ModuleOp device, const Target &target);

} // namespace weft

#endif // WEFT_COMPILER_EMIT_SELECTABLEOPS_H
