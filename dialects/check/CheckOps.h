// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef WEFT_DIALECTS_CHECK_CHECKOPS_H
#define WEFT_DIALECTS_CHECK_CHECKOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"

#include "dialects/check/CheckDialect.h.inc"

#define GET_OP_CLASSES
#include "dialects/check/CheckOps.h.inc"

namespace weft::check {
/// Lets one-shot bufferization handle expectations: they read their operands.
void registerBufferizableOpInterfaceExternalModels(mlir::DialectRegistry &registry);
} // namespace weft::check

#endif // WEFT_DIALECTS_CHECK_CHECKOPS_H
