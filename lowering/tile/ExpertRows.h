// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rows of a product's groups, in blocks that lie in one group each, and the dense product of such a block.
#ifndef WEFT_LOWERING_TILE_EXPERTROWS_H
#define WEFT_LOWERING_TILE_EXPERTROWS_H

#include "dialects/weft/RoutingOps.h"

namespace weft {

/// Rows [first, first + count) of the result, all of one group.
struct GroupRows {
  mlir::Value group, first;
  mlir::OpFoldResult count; ///< may be 0
};

class ExpertRows {
public:
  /// `builder` stands before the loops.
  ExpertRows(GroupedMatmulOp product, mlir::OpBuilder &builder);

  /// Blocks of at most `rows` rows that any groups have together, at most.
  mlir::Value mostBlocks(mlir::OpBuilder &builder, int64_t rows);
  /// The block of this number, counted through all groups; beyond the last one an empty block.
  GroupRows blockAt(mlir::OpBuilder &builder, mlir::Value number, int64_t rows, int64_t unit);
  /// All blocks, one after the other: `body` makes the next value of what begins as `init`.
  mlir::Value forEachBlock(mlir::OpBuilder &builder, int64_t rows, int64_t unit, mlir::Value init,
                           llvm::function_ref<mlir::Value(const GroupRows &, mlir::Value)> body);
  /// Columns [column, column + width) of the block's product, into `init`.
  mlir::Value product(mlir::OpBuilder &builder, const GroupRows &block, mlir::Value column, mlir::OpFoldResult width,
                      mlir::Value init);
  /// The block's part of a tensor with an element for each row.
  mlir::Value vectorOf(mlir::OpBuilder &builder, mlir::Value vector, const GroupRows &block);

private:
  struct Range {
    mlir::Value begin, end;
  };
  mlir::Value constant(mlir::OpBuilder &builder, int64_t value);
  /// The group's rows, wherever its offsets lead.
  Range rangeOf(mlir::OpBuilder &builder, mlir::Value group);
  /// The block's rows of `matrix` [t, n], beside each other.
  mlir::Value rowsBeside(mlir::OpBuilder &builder, mlir::Value matrix, const GroupRows &block);
  /// The block's scales of lhs.
  mlir::Value rowScales(mlir::OpBuilder &builder, const GroupRows &block);
  /// [rows of the group at `group`, …] of a weight or bias, without the group.
  mlir::Value sliceOfGroup(mlir::OpBuilder &builder, mlir::Value stacked, mlir::Value group,
                           mlir::ArrayRef<mlir::OpFoldResult> offsets, mlir::ArrayRef<mlir::OpFoldResult> sizes);

  GroupedMatmulOp op;
  mlir::Location loc;
  mlir::Value total; ///< rows of the result
};

} // namespace weft

#endif // WEFT_LOWERING_TILE_EXPERTROWS_H
