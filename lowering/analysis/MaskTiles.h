// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which tiles of scores a mask region lets through whole, in part, or not at all: decided from the ranges of the tile's
// indices, without evaluating the region on its elements.
#ifndef WEFT_LOWERING_ANALYSIS_MASKTILES_H
#define WEFT_LOWERING_ANALYSIS_MASKTILES_H

#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseMap.h"

#include <optional>

namespace weft {

/// The values from `low` to `high`, both included; the same value twice is a point.
struct IndexRange {
  mlir::Value low, high;
  bool isPoint() const { return low == high; }
};

/// The range of integers that come from data, with ends that no arithmetic of a mask carries beyond 64 bits: where one
/// is no position of anything, either sign is possible for all.
IndexRange boundedRange(mlir::OpBuilder &builder, mlir::Location loc, IndexRange range);

/// A tile as its region sees it: a range for each block argument; none for one that differs from element to element in
/// a way that nobody knows (a padding mask).
using MaskRanges = mlir::SmallVector<std::optional<IndexRange>>;

/// What is known of an i1 on a whole tile; null where nothing is. At most one of the two holds.
struct TileTruth {
  mlir::Value always; ///< i1: true on every element
  mlir::Value never;  ///< i1: false on every element
};

/// Reads a mask region for one tile, emitting scalar arithmetic at `builder`'s insertion point. Sums, differences,
/// products and quotients by constants, minima and maxima of indices are followed, through comparisons and logic;
/// scalars from outside of the region count as points. Anything else is unknown.
class MaskTile {
public:
  MaskTile(mlir::OpBuilder &builder, mlir::Block &mask, const MaskRanges &ranges);

  /// The whole mask.
  TileTruth truth();

  /// The largest parts of the mask whose truth is known, and whether all of them are always true: such a tile needs
  /// only the rest of the mask, with these values replaced by true. No parts: `always` is null.
  struct Parts {
    mlir::SmallVector<mlir::Value> values;
    mlir::Value always;
  };
  Parts knownParts();

  /// The elements of argument `key` that some element of the tile may see: from the comparisons that are linear in it
  /// with a factor of 1 or −1 and must all hold. Within the argument's own range; `high` is below `low` when there are
  /// none.
  IndexRange visibleKeys(unsigned key);

private:
  std::optional<IndexRange> rangeOf(mlir::Value value);
  std::optional<IndexRange> rangeOfOp(mlir::Operation *op);
  std::optional<IndexRange> quotientOf(mlir::Operation *op);
  TileTruth truthOf(mlir::Value value);
  TileTruth truthOfComparison(mlir::Operation *op);
  void collectParts(mlir::Value value, mlir::SmallVectorImpl<mlir::Value> &parts);
  bool isNonNegative(mlir::Value value);

  mlir::Value both(mlir::Value a, mlir::Value b);
  mlir::Value either(mlir::Value a, mlir::Value b);

  /// factor · key + rest
  struct Linear {
    int64_t factor;
    IndexRange rest;
  };
  std::optional<Linear> linearIn(mlir::Value value, mlir::Value key);
  void narrow(mlir::Value condition, mlir::Value key, IndexRange &keys);
  void narrowToNonPositive(const Linear &difference, bool strict, IndexRange &keys);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  mlir::Block &mask;
  llvm::DenseMap<mlir::Value, std::optional<IndexRange>> ranges;
  llvm::DenseMap<mlir::Value, TileTruth> truths;
};

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_MASKTILES_H
