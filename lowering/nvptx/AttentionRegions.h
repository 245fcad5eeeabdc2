// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The score and mask regions of an attention whose item is a block of threads: on fragments of scores, and on the
// ranges of indices of a step, which decide what is computed at all.
#ifndef WEFT_LOWERING_NVPTX_ATTENTIONREGIONS_H
#define WEFT_LOWERING_NVPTX_ATTENTIONREGIONS_H

#include "dialects/weft/WeftDialect.h"
#include "lowering/analysis/MaskTiles.h"

#include "mlir/IR/IRMapping.h"

namespace weft {

/// Of one op in a device function: batch and head are those of its views, at index 0.
class AttentionRegions {
public:
  explicit AttentionRegions(AttentionOp op) : op(op), loc(op.getLoc()) {}

  /// Keys that some query of the item sees lie in [first, end); `first` is a multiple of `step`, `end` at most the
  /// number of keys, and at most `first` where there are none. To be emitted once, by all warps of the block together.
  struct Keys {
    mlir::Value first, end;
  };
  Keys visibleKeys(mlir::OpBuilder &b, int64_t step);

  /// Scores (f32, in an accumulator's layout) of queries from `query` on and keys from `key` on → what softmax runs
  /// over, in units of 1 / unit(); −inf where a key does not exist or is not seen. Follows visibleKeys.
  mlir::Value apply(mlir::OpBuilder &b, mlir::Value scores, mlir::Value query, mlir::Value key);

  /// What apply's result is multiplied by so that its exponential is exp2; positive.
  double unit() const;

  mlir::Value queryCount(mlir::OpBuilder &b) { return extentOf(b, 0, AttentionOp::Query); }
  mlir::Value keyCount(mlir::OpBuilder &b) { return extentOf(b, 1, AttentionOp::Key); }

private:
  mlir::Value extentOf(mlir::OpBuilder &b, unsigned operand, unsigned dim);
  bool isScaled() const;
  std::optional<IndexRange> rangeOfExtra(mlir::OpBuilder &b, unsigned extra);
  IndexRange rangeOfWarp(mlir::OpBuilder &b, mlir::Value view, mlir::AffineMap map);
  MaskRanges ranges(IndexRange keys);
  void mapExtras(mlir::OpBuilder &b, mlir::ValueRange arguments, mlir::Value i, mlir::Value j,
                 mlir::IRMapping &mapping);
  mlir::Value emitScore(mlir::OpBuilder &b, mlir::Value scores, mlir::Value query, mlir::Value key);
  mlir::Value emitMask(mlir::OpBuilder &b, mlir::Value scores, mlir::Value query, mlir::Value key, bool checksEnd,
                       mlir::ArrayRef<mlir::Value> decided);

  AttentionOp op;
  mlir::Location loc;
  std::optional<IndexRange> queries;
  mlir::SmallVector<std::optional<IndexRange>> extras; ///< their ranges
  mlir::Value end;                                     ///< the number of keys
};

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_ATTENTIONREGIONS_H
