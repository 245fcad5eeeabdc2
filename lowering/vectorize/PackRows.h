// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows of a product's left operand → blocks that tiles load.
#ifndef WEFT_LOWERING_VECTORIZE_PACKROWS_H
#define WEFT_LOWERING_VECTORIZE_PACKROWS_H

#include "lowering/analysis/AmxPlan.h"
#include "lowering/analysis/RegisterPlan.h"

#include "mlir/IR/Builders.h"

namespace weft {

/// [blocks, steps, 32, 16 words] for `blocks` blocks of rows of `element`; the words of one step of a row lie together.
mlir::MemRefType packedRowsType(const AmxPlan &plan, int64_t blocks, mlir::Type element);

/// Packs `count` rows of `source` ([m, k], f32, bf16, f16 or i8) from `first` on; f32 and f16 are rounded to bf16. Rows
/// up to the next multiple of 32 repeat the last one. `places` [m], unless null, name the rows of `source` in their
/// stead. What a step shares with the one before it (AmxPlan::firstWord), and what lies behind a row's end, is zero.
void emitPackRows(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &registers, const AmxPlan &plan,
                  mlir::Value source, mlir::Value places, mlir::Value first, mlir::Value count, mlir::Value packed);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_PACKROWS_H
