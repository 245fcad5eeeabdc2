// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows of a product's left operand in half precision → the same in f32.
#ifndef WEFT_LOWERING_CPU_WIDENROWS_H
#define WEFT_LOWERING_CPU_WIDENROWS_H

#include "lowering/analysis/RegisterPlan.h"

#include "mlir/IR/Builders.h"

#include <optional>

namespace weft {

/// A scratch for `rows` rows of `source`, of `depth` values (null: all of them), in f32; null where they are f32, not
/// known, or too many.
mlir::Value emitWideScratch(mlir::OpBuilder &builder, mlir::Value source, int64_t rows,
                            std::optional<int64_t> depth = std::nullopt);

/// Copies `rows` rows of `source`, of its extent, into the scratch; returns it, or `source` where that is null.
mlir::Value emitWidenRows(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &registers,
                          mlir::Value source, int64_t rows, mlir::Value scratch);

} // namespace weft

#endif // WEFT_LOWERING_CPU_WIDENROWS_H
