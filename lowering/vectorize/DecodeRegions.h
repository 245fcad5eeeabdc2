// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The score and mask regions of decoding, on vectors of (row, key) pairs.
#ifndef WEFT_LOWERING_VECTORIZE_DECODEREGIONS_H
#define WEFT_LOWERING_VECTORIZE_DECODEREGIONS_H

#include "lowering/vectorize/DecodeBytes.h"

namespace weft {

class DecodeRegions : protected DecodeBytes {
protected:
  using DecodeBytes::DecodeBytes;

  /// The keys in [begin, end) that some row of the item may see, as [first, last + 1); empty when last + 1 <= first.
  std::pair<mlir::Value, mlir::Value> visibleKeys(mlir::OpBuilder &b, mlir::Value begin, mlir::Value end);

  /// The rows of `head`'s group that exist.
  mlir::Value rowCount(mlir::OpBuilder &b);
  /// (b, h, i) of a row of `head`'s group.
  mlir::SmallVector<mlir::Value> rowDims(mlir::OpBuilder &b, mlir::Value inGroup);

  /// The score and mask regions on a vector of scores of the keys from `from` on, `count` of them where given; the
  /// result is in units of log 2, −inf for what is hidden or does not exist.
  mlir::Value emitRegions(mlir::OpBuilder &b, mlir::Value score, mlir::Value from, mlir::Value count);
  /// An extra operand's (or factor's) element for each lane: scalars or pieces along the keys, row by row.
  mlir::Value emitExtra(mlir::OpBuilder &b, unsigned operand, mlir::Value from, mlir::Value count);
  mlir::Value multiplied(mlir::OpBuilder &b, mlir::Value x, mlir::Value factor);

  static constexpr float kLog2e = 1.4426950408889634f;
  mlir::Value headCount; ///< of the op

private:
  mlir::Value rowOfBlock(mlir::OpBuilder &b, int64_t r);
  mlir::Value emitRegion(mlir::OpBuilder &b, mlir::Region &region, mlir::ArrayRef<mlir::Value> arguments);
  mlir::SmallVector<mlir::Value> emitIndices(mlir::OpBuilder &b, mlir::Value from);
  bool differsInGroup(mlir::AffineExpr expr);
  mlir::Value emitSpread(mlir::OpBuilder &b, mlir::ArrayRef<mlir::Value> pieces);
};

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_DECODEREGIONS_H
