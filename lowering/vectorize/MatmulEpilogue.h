// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What follows a product and runs on its sums before they are stored: shared by every kind of product.
#ifndef WEFT_LOWERING_VECTORIZE_MATMULEPILOGUE_H
#define WEFT_LOWERING_VECTORIZE_MATMULEPILOGUE_H

#include "lowering/vectorize/OperandAccess.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace weft {

/// The elementwise op that alone reads a product's scratch, and applies to its sums while they are in registers.
struct MatmulEpilogue {
  mlir::Value sums;                                ///< what the product writes: a memref [m, n]
  mlir::linalg::GenericOp generic;                 ///< null: the sums are stored as they are
  mlir::SmallVector<mlir::Operation *> superseded; ///< the scratch between the two, with its uses

  /// Where results go: the generic's output, or the product's own.
  mlir::Value output();

  /// The op in whose place all is emitted.
  mlir::Operation *anchor(mlir::Operation *product);

  /// Whether there is a body whose code for each accumulator is longer than a detour through a buffer: more than two
  /// ops.
  bool wantsStaging();

  /// Erases the product and what stood between.
  void eraseWith(mlir::Operation *product);
};

/// Finds the epilogue of a product that writes `sums`: a scratch that only one generic in the same block reads.
MatmulEpilogue matchMatmulEpilogue(mlir::Operation *product, mlir::Value sums);

/// The place of `lanes` columns from `column` on in `row`; unless `columns` is null, lanes beyond it are masked.
IterationPoint columnsAt(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value row, mlir::Value column,
                         int64_t lanes, mlir::Value columns);

/// Exact sums in i32 as f32, times the row's scale, times the columns': each step rounds, in this order.
mlir::Value emitScaledSums(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value sums, mlir::Value rowScales,
                           mlir::Value columnScales, const IterationPoint &point);

/// Applies the epilogue's body to one vector of sums at `point` ([row, column], lanes along columns) and stores it.
void emitMatmulResult(mlir::OpBuilder &builder, mlir::Location loc, MatmulEpilogue &epilogue, mlir::Value sums,
                      const IterationPoint &point);

/// Sums of a register tile, put down in a buffer of their own: [rows, vectors · lanes].
struct StagedTile {
  mlir::Value sums;
  int64_t rows, vectors, lanes;
  mlir::Value row, column; ///< of the result, where the tile begins
  mlir::Value columns;     ///< of the whole result; null: the tile is known to lie within them
};

/// The epilogue of such a tile row by row, so that its code stands once and not once an accumulator. Some four vectors
/// are worked on together, which share constants. Only a tile at the end of the columns has masks, and no vector
/// beyond.
void emitStagedEpilogue(mlir::OpBuilder &builder, mlir::Location loc, MatmulEpilogue &epilogue, const StagedTile &tile);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_MATMULEPILOGUE_H
