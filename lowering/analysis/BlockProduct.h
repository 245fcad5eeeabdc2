// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products that a block of a GPU's threads computes by matrix instructions: which ops that is, and how they are cut.
#ifndef WEFT_LOWERING_ANALYSIS_BLOCKPRODUCT_H
#define WEFT_LOWERING_ANALYSIS_BLOCKPRODUCT_H

#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <optional>

namespace weft {

/// Panels of weights for devices: one column, so that the weight is the matrix [N, K], rows of K after
/// each other, as matrix instructions want their right factor (ldmatrix) and as 16-byte copies want their source.
constexpr int64_t kBlockPanelWidth = 1;

/// A product of f32 rows with a weight in f32, bf16 or f16, and the elementwise op that reads its result.
struct BlockProduct {
  PackedMatmulOp product;
  mlir::linalg::GenericOp epilogue; ///< null: none

  /// Of an item.
  static constexpr int64_t kRows = 128;
  /// Of what a block of threads computes, where items are divided and there are many rows.
  static constexpr int64_t kColumns = 64;
  /// Up to so many rows the time is that of reading the weight: blocks are small, so that many of them read.
  static constexpr int64_t kFewRows = 16;

  /// Steps of the sum, with those that fill a pair.
  int64_t depth();
  /// Of an item, when items are made: those of a block, or of the widest block of warp groups, which others divide.
  int64_t itemColumns(TargetAttr target);
  /// The same in an item of the loop.
  int64_t itemColumns(mlir::scf::ForallOp forall);
  /// Rows of all items of the loop.
  mlir::OpFoldResult rows(mlir::scf::ForallOp forall);
  /// Whether it is on Hopper, of a weight in halves.
  bool isForWarpGroups(TargetAttr target);
  /// Whether warp groups of Hopper compute it, however many rows there are: a weight in halves whose rows bulk copies
  /// can take.
  bool usesWarpGroups(TargetAttr target);
  /// Where the result goes: the product's destination, or the epilogue's.
  mlir::Value destination();
  /// What the block's code stands for.
  mlir::SmallVector<mlir::Operation *, 2> ops();
};

/// Whether a product's weight lies as a block wants it.
bool hasBlockPanels(PackedMatmulOp product);

/// The product in a kernel, or in one item of it, on tensors or memrefs; where a block does not compute it, why.
struct BlockMatch {
  std::optional<BlockProduct> plan;
  llvm::StringRef obstacle; ///< empty where there is no product for a block
};
BlockMatch matchBlockProduct(mlir::Operation *kernel);

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_BLOCKPRODUCT_H
