// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention of many queries that a block of a GPU's threads computes by matrix instructions: which ops that is, and how
// they are cut.
#ifndef WEFT_LOWERING_ANALYSIS_BLOCKATTENTION_H
#define WEFT_LOWERING_ANALYSIS_BLOCKATTENTION_H

#include "dialects/weft/WeftDialect.h"

#include <optional>

namespace weft {

/// One batch, one head, a block of queries, and keys step by step, after FlashAttention-2 (arXiv 2307.08691): a step's
/// scores stay in registers from the first product to the second.
///
/// The op's regions run on each element of a step's scores, in `tile.map`: `i` is the element's row, `j` its column
/// plus the step's first key (`tile.coordinate`), an extra operand is read where its map says (lowering/nvptx/
/// AttentionRegions.h). Steps that the mask hides whole are not visited; where it shows a step whole, it is not
/// evaluated.
struct BlockAttention {
  AttentionOp op;
  int64_t headDim;    ///< d
  int64_t valueDim;   ///< e
  mlir::Type product; ///< bf16 or f16: factors are rounded to it; f32: a product is three of tf32

  /// Queries of an item, which is a block of threads.
  static constexpr int64_t kQueries = 64;
  /// The largest head dimensions: sums of kQueries × e stay in registers.
  static constexpr int64_t kMostHeadDim = 256;

  /// d and e in whole tiles of matrix instructions; what is beyond d and e is 0.
  int64_t headColumns() const { return llvm::alignTo(headDim, kTile); }
  int64_t valueColumns() const { return llvm::alignTo(valueDim, kTile); }

  bool isRounded() const { return !product.isF32(); }

  /// Whether blocks of warp groups compute it (sm_90a, weft-warp-group-attention): queries, keys and values hold what
  /// is multiplied, and rows lie on multiples of 16 bytes, so that bulk copies bring them.
  bool usesWarpGroups(TargetAttr target) const;
  /// Queries of an item of warp groups, and the largest head dimensions.
  static constexpr int64_t kWarpGroupQueries = 128, kMostWarpGroupDim = 128;
  int64_t itemQueries(TargetAttr target) const { return usesWarpGroups(target) ? kWarpGroupQueries : kQueries; }

private:
  static constexpr int64_t kTile = 16;
};

/// The attention in a kernel, or in one item of it, on tensors or memrefs; where a block does not compute it, why. Few
/// queries (DecodePlan.h) and keys that are cut into splits are no matter of this plan.
struct BlockAttentionMatch {
  std::optional<BlockAttention> plan;
  llvm::StringRef obstacle; ///< empty where there is no attention of many queries
};
BlockAttentionMatch matchBlockAttention(mlir::Operation *kernel);

/// Whether the views of an op in an item are at most so many queries of one batch and one head.
bool isItemOf(AttentionOp op, int64_t queries);

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_BLOCKATTENTION_H
