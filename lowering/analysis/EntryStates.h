// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tensors of an entry function that live from call to call.
#ifndef WEFT_LOWERING_ANALYSIS_ENTRYSTATES_H
#define WEFT_LOWERING_ANALYSIS_ENTRYSTATES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace weft {

/// Marks the argument that is a state as the last call left it, and the result that is what it becomes.
inline constexpr llvm::StringLiteral kStateAttribute = "weft.state";

/// One state of an entry function on tensors.
struct EntryState {
  mlir::StringAttr name;
  unsigned argument, result;
};

bool isStateArgument(mlir::Value value);

/// The states in the order of the arguments. Reports an error unless each has a name of its own, one argument and one
/// result, both of one type with the same `weft.dims`, and no `weft.default`.
mlir::FailureOr<llvm::SmallVector<EntryState>> statesOf(mlir::func::FuncOp entry);

/// Reports an error where two entries have a state of one name that differs in its type or its dimensions.
mlir::LogicalResult verifySharedStates(mlir::ModuleOp module);

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_ENTRYSTATES_H
