// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of blocks on the tiles of AMX (Intel SDM, volume 1, chapter 18), or in vectors: dot products of two bf16
// where a target has them, others where it has the passes for tiles but not the instructions. The only file that names
// the amx dialect, with ConvertTiles.
#ifndef WEFT_LOWERING_VECTORIZE_AMXTILES_H
#define WEFT_LOWERING_VECTORIZE_AMXTILES_H

#include "lowering/analysis/RegisterPlan.h"

#include "mlir/IR/Builders.h"

#include <functional>

namespace weft {

/// Where a tile begins in a memref whose last dimension holds a tile's row and whose last but one counts the rows.
struct TilePlace {
  mlir::Value memref;
  mlir::SmallVector<mlir::Value> indices;
};

/// The place of tile `index` (0 or 1) of an operand at a step.
using TileOperand = std::function<TilePlace(mlir::OpBuilder &builder, mlir::Value step, int64_t index)>;

/// sums[leftRows·i + r, 16·j + c] (+)= Σ over steps and words w: left tile i, row r, word w · right tile j, row w, word
/// c. A word of 32 bits holds four i8 (sums are i32, exact) or two bf16 (sums are f32; both operands' subnormal numbers
/// count as zero).
struct TileProduct {
  mlir::Type element;                    ///< i8 or bf16
  int64_t leftTiles = 2, rightTiles = 2; ///< one or two each
  int64_t leftRows = 16;                 ///< of a left tile; fewer take less time
  int64_t words = 16;                    ///< words of a left tile's rows, rows of a right tile: 1 to 16
  mlir::Value steps;                     ///< how many, an index
  TileOperand left;                      ///< [leftRows, words] of the element's type
  TileOperand right;                     ///< [words, 16 columns] of words
  TilePlace sums;                        ///< where [leftRows·leftTiles, 16·rightTiles] sums begin
  bool accumulate = false;               ///< begin with what `sums` holds instead of zero
  std::function<void(mlir::OpBuilder &builder, mlir::Value step)>
      beforeStep; ///< other work, between the multiplications; may be null
};

/// Emits the product; `instructions` says whether the target has tiles, `registers` its vectors otherwise.
void emitTileProduct(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &registers, bool instructions,
                     const TileProduct &product);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_AMXTILES_H
