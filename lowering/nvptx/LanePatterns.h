// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an op on a vector is in one lane. A vector of up to 16 elements is one value of each lane; of 16 · k elements, k
// values: lane l has elements l · k … l · k + k − 1, so that words of 32 bits stay with their lane whatever they hold.
#ifndef WEFT_LOWERING_NVPTX_LANEPATTERNS_H
#define WEFT_LOWERING_NVPTX_LANEPATTERNS_H

#include "lowering/nvptx/LaneGroup.h"

#include "mlir/Transforms/DialectConversion.h"

namespace weft {

/// Elements of a vector that a lane has; 0: lanes cannot share them.
int64_t elementsOfLane(mlir::VectorType type);

/// Patterns of all ops that the vectorize phase leaves on vectors; `types` takes a vector to a lane's values.
void populateLanePatterns(const mlir::TypeConverter &types, mlir::RewritePatternSet &patterns, LaneGroup group);

/// Those of them that move data: LaneMemory.cpp reads and writes memory, LaneMoves.cpp moves between lanes.
void populateLaneMemoryPatterns(const mlir::TypeConverter &types, mlir::RewritePatternSet &patterns, LaneGroup group);
void populateLaneMovePatterns(const mlir::TypeConverter &types, mlir::RewritePatternSet &patterns, LaneGroup group);

/// A pattern that knows its group.
template <typename Op> struct LanePattern : mlir::OpConversionPattern<Op> {
  using Base = LanePattern;
  using Values = typename mlir::OpConversionPattern<Op>::OneToNOpAdaptor;

  LanePattern(const mlir::TypeConverter &types, mlir::MLIRContext *context, LaneGroup group)
      : mlir::OpConversionPattern<Op>(types, context), group(group) {}

  /// Replaces the op's result, a vector, by this lane's values.
  static mlir::LogicalResult replace(Op op, mlir::ConversionPatternRewriter &rewriter,
                                     mlir::ArrayRef<mlir::Value> values) {
    rewriter.replaceOpWithMultiple(op, mlir::ArrayRef<mlir::ValueRange>{values});
    return mlir::success();
  }

  LaneGroup group;
};

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_LANEPATTERNS_H
