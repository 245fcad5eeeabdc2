// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The weft dialect with its attributes and ops.
#ifndef WEFT_DIALECTS_WEFT_WEFTDIALECT_H
#define WEFT_DIALECTS_WEFT_WEFTDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/TilingInterface.h"

#include "dialects/weft/GroupForm.h"
#include "dialects/weft/WeftDialect.h.inc"
#include "dialects/weft/WeftInterfaces.h.inc"

namespace weft {
class RecurrenceOp; // dialects/weft/RecurrenceOps.h

/// Elements of a panel that share a 32-bit word: one column's next values of k. 1 for types of 32 bits and more.
int64_t stepsPerWord(mlir::Type element);
} // namespace weft

#define GET_ATTRDEF_CLASSES
#include "dialects/weft/WeftAttrs.h.inc"

#define GET_OP_CLASSES
#include "dialects/weft/WeftOps.h.inc"

namespace weft {
/// Lets one-shot bufferization handle the structured weft ops (their tensors become memrefs, in place).
void registerBufferizableOpInterfaceExternalModels(mlir::DialectRegistry &registry);
} // namespace weft

#endif // WEFT_DIALECTS_WEFT_WEFTDIALECT_H
