// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Queries, keys or values in shared memory, in the type that matrix instructions multiply.
#ifndef WEFT_LOWERING_NVPTX_ATTENTIONFACTOR_H
#define WEFT_LOWERING_NVPTX_ATTENTIONFACTOR_H

#include "dialects/tile/TileOps.h"
#include "lowering/analysis/BlockAttention.h"
#include "lowering/nvptx/GlobalMatrix.h"

namespace weft {

/// A matrix in global memory whose rows pass through a buffer of the block.
class AttentionFactor {
public:
  /// Makes the buffer, `rows` × the columns in whole tiles. `operand` is 0 for queries, 1 for keys, 2 for values.
  AttentionFactor(mlir::OpBuilder &b, const BlockAttention &plan, unsigned operand, int64_t rows,
                  const mlir::IRMapping &mapping);

  mlir::Value buffer() const { return place; }
  /// Whether numbers are copied as they are (cp.async); else they go through registers, where they are rounded.
  bool isCopied() const { return piece != 0; }
  /// Rows from `row` (index) on; what does not exist is 0. Copies are to be committed and awaited, else the buffer is
  /// written when a barrier of the block has been passed.
  void bring(mlir::OpBuilder &b, mlir::Value row) const;

private:
  mlir::Location loc;
  mlir::Type stored, product;
  tile::BufferType type;
  GlobalMatrix matrix;
  mlir::Value place;
  int64_t piece = 0; ///< bytes of a copy

  void bringPanel(mlir::OpBuilder &b, mlir::Value row, int64_t column) const;
};

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_ATTENTIONFACTOR_H
