// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tile dialect: what one thread block of a GPU does.
#ifndef WEFT_DIALECTS_TILE_TILEOPS_H
#define WEFT_DIALECTS_TILE_TILEOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/LLVMIR/LLVMTypes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/tile/TileDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/tile/TileAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/tile/TileTypes.h.inc"

#define GET_OP_CLASSES
#include "dialects/tile/TileOps.h.inc"

namespace weft::tile {

/// The warps that run `op` together: four in a consumer's role, else those of the `weft.threads` of the function;
/// nothing where neither says.
std::optional<int64_t> warpsOfGroup(mlir::Operation *op);

/// That `warps` warps run `op` (tile_group_c1), where that is known.
mlir::LogicalResult verifyGroup(mlir::Operation *op, int64_t warps);

/// A tile.map of `inputs`, fragments; `emit` gives an element of `result` for one of each.
mlir::Value emitMap(mlir::OpBuilder &builder, mlir::Location loc, mlir::Type result, mlir::ValueRange inputs,
                    mlir::function_ref<mlir::Value(mlir::ValueRange)> emit);

} // namespace weft::tile

#endif // WEFT_DIALECTS_TILE_TILEOPS_H
