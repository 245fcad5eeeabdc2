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

/// Whether an op has work for tiles: a product in 8-bit integers or with a weight in bf16, and not always of one row.
bool wantsTiles(mlir::Operation *op);
/// Whether attention has: it may round to bf16, and is none of few queries.
bool wantsTiles(AttentionOp op);
/// Whether attention of few queries has: keys and values of 8 bits that three rows or more share, in whole tiles.
bool wantsByteTiles(AttentionOp op);
/// Queries of a head that share the packed keys, and make one work item.
int64_t sharedQueriesOf(AttentionOp op, TargetAttr target);
/// Whether any op below does.
bool anyWantsTiles(mlir::Operation *root);

/// How a product is cut. Two by two tiles of accumulators take four tile registers, and two tiles of either operand the
/// other four: the most multiplications for each load that eight registers hold.
struct AmxPlan {
  static constexpr int64_t kTileRows = 16;           ///< rows of a tile
  static constexpr int64_t kRowBytes = 64;           ///< bytes of a tile's row: sixteen words
  static constexpr int64_t kRows = 2 * kTileRows;    ///< rows of results of a step
  static constexpr int64_t kColumns = 2 * kTileRows; ///< columns of results of a step: two panels
  /// Columns of a work item, about: packing its rows is a tenth of its work then.
  static constexpr int64_t kItemColumns = 1024;

  int64_t words;    ///< 32-bit words of a column of the weight: ceil(depth / values in a word)
  int64_t perWord;  ///< values in a word
  int64_t itemRows; ///< rows of a work item, whole steps

  /// Steps of up to 16 words; the last one is shifted back, so that all are of 16 words where there are as many.
  int64_t steps() const { return llvm::divideCeilSigned(words, kTileRows); }
  int64_t stepWords() const { return std::min(words, kTileRows); }
  /// The first word of a step.
  int64_t firstWord(int64_t step) const { return std::min(step * kTileRows, words - stepWords()); }

  /// A longer sum is cut: 8 steps of two blocks of rows and of the weight's pair of panels are 32 KiB, which stay in a
  /// first-level cache of 48 KiB beside the sums (measured: 8 steps are 13 to 19 % faster than no cut at 768 columns
  /// and more, 12 and 16 steps half of that).
  int64_t cutSteps() const;
  int64_t cuts() const { return llvm::divideCeilSigned(steps(), cutSteps()); }
  int64_t cutBegin(int64_t cut) const { return cut * cutSteps(); }
  bool isCut() const { return cuts() > 1; }

  /// The plan of an op that wantsTiles, on tensors or memrefs.
  static AmxPlan forProduct(mlir::Operation *product);
};

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_AMXPLAN_H
