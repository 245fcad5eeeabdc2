// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an op on a vector is in one lane.
#ifndef WEFT_LOWERING_NVPTX_LANEPATTERNS_H
#define WEFT_LOWERING_NVPTX_LANEPATTERNS_H

#include "lowering/nvptx/LaneGroup.h"

#include "mlir/Transforms/DialectConversion.h"

namespace weft {

/// Patterns of all ops that the vectorize phase leaves on vectors; `types` takes a vector to its element type.
void populateLanePatterns(const mlir::TypeConverter &types, mlir::RewritePatternSet &patterns, LaneGroup group);

/// Those of them that move data: LaneMemory.cpp reads and writes memory, LaneMoves.cpp moves between lanes.
void populateLaneMemoryPatterns(const mlir::TypeConverter &types, mlir::RewritePatternSet &patterns, LaneGroup group);
void populateLaneMovePatterns(const mlir::TypeConverter &types, mlir::RewritePatternSet &patterns, LaneGroup group);

/// A pattern that knows its group.
template <typename Op> struct LanePattern : mlir::OpConversionPattern<Op> {
  LanePattern(const mlir::TypeConverter &types, mlir::MLIRContext *context, LaneGroup group)
      : mlir::OpConversionPattern<Op>(types, context), group(group) {}

  LaneGroup group;
};

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_LANEPATTERNS_H
