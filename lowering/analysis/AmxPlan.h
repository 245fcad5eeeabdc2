// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which ops run on the tiles of AMX, and how a product of theirs is cut.
#ifndef WEFT_LOWERING_ANALYSIS_AMXPLAN_H
#define WEFT_LOWERING_ANALYSIS_AMXPLAN_H

#include "dialects/weft/WeftDialect.h"

#include "mlir/IR/BuiltinOps.h"

namespace weft {

/// Whether the target has the passes for tiles: level `amx`, or `amx-vectors`, which computes the same without them.
bool hasTiles(TargetAttr target);
/// Whether it also has the instructions.
bool hasTileInstructions(TargetAttr target);
/// Whether the target multiplies bf16 faster than f32: on tiles, or in dot products of words of two.
bool hasHalfProducts(TargetAttr target);

/// Whether an op has work for tiles, or for dot products of words: a product in 8-bit integers or with a weight in
/// bf16, and not always of one row.
bool wantsTiles(mlir::Operation *op);
/// Whether attention has: it may round to bf16, and is none of few queries.
bool wantsTiles(AttentionOp op);
/// Whether attention of few queries has: keys and values of 8 bits that three rows or more share, in whole tiles.
bool wantsByteTiles(AttentionOp op);
/// Queries of a head that share the packed keys, and make one work item.
int64_t sharedQueriesOf(AttentionOp op, TargetAttr target);

/// How a product is cut. Two by two tiles of accumulators take four tile registers, and two tiles of either operand the
/// other four: the most multiplications for each load that eight registers hold.
struct AmxPlan {
  static constexpr int64_t kTileRows = 16;           ///< rows of a tile
  static constexpr int64_t kRowBytes = 64;           ///< bytes of a tile's row: sixteen words
  static constexpr int64_t kRows = 2 * kTileRows;    ///< rows of results of a step
  static constexpr int64_t kColumns = 2 * kTileRows; ///< columns of results of a step: two panels

  int64_t words;       ///< 32-bit words of a column of the weight: ceil(depth / values in a word)
  int64_t perWord;     ///< values in a word
  int64_t itemRows;    ///< rows of a work item, whole blocks
  int64_t itemColumns; ///< columns of a work item, about
  bool inPlace;        ///< tiles load the left operand's rows where they are

  /// Steps of up to 16 words; the last one is shifted back, so that all are of 16 words where there are as many.
  int64_t steps() const { return llvm::divideCeilSigned(words, kTileRows); }
  int64_t stepWords() const { return std::min(words, kTileRows); }
  /// The first word of a step.
  int64_t firstWord(int64_t step) const { return std::min(step * kTileRows, words - stepWords()); }

  /// Columns that the rows of an item pass before the next ones: few while the next ones' weight comes, a share by each
  /// block of rows, from further away. Where it has come already, all.
  int64_t passColumns() const;
  static constexpr int64_t kMostPass = 1 << 20;
  /// Rows of results that are stored in a step, beside the multiplications for the next ones.
  int64_t rowsPerStep() const { return steps() < kRows ? 2 : 1; }

  /// Steps whose rows and weight lie in a first-level cache together.
  static constexpr int64_t kNearSteps = 12;
  static constexpr int64_t kLongSteps = 48;
  /// A longer sum of bf16 with results of 32 bits is cut: its stores and the tiles' loads, both from the second-level
  /// cache, are in each other's way. 8 steps of a block of rows and of the weight's pair of panels are 32 KiB, which
  /// stay in the first-level cache beside the sums (measured: 8 to 13 % faster than whole sums; 12 steps 4 % less).
  /// Other sums are whole.
  bool isCut(mlir::Type result) const {
    bool wide = perWord == 2 && result.getIntOrFloatBitWidth() == 32;
    return steps() > (wide ? kNearSteps : kLongSteps);
  }
  int64_t cutSteps() const;
  int64_t cuts() const { return llvm::divideCeilSigned(steps(), cutSteps()); }
  int64_t cutBegin(int64_t cut) const { return cut * cutSteps(); }

  /// The plan of an op that wantsTiles, on tensors or memrefs.
  static AmxPlan forProduct(mlir::Operation *product);
};

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_AMXPLAN_H
