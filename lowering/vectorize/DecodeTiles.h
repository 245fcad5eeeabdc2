// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The two register tiles of decoding: query · key with the head dimension in lanes, and weights · values with the value
// dimension in lanes. Keys and values are read where they are, once, ahead of their use.
#ifndef WEFT_LOWERING_VECTORIZE_DECODETILES_H
#define WEFT_LOWERING_VECTORIZE_DECODETILES_H

#include "lowering/analysis/DecodePlan.h"
#include "lowering/vectorize/IndexLoops.h"

namespace weft {

class DecodeTiles : protected IndexLoops {
protected:
  DecodeTiles(AttentionOp op, const DecodePlan &plan, const RegisterPlan &registers, bool bytes);

  /// The scratch that the tiles work on.
  void allocate(mlir::OpBuilder &b);

  /// A row of `queries`: the query of (b, h, i) times `factor`, padded with zeros; its output is 0.
  void emitPackRow(mlir::OpBuilder &b, mlir::Value row, mlir::ArrayRef<mlir::Value> dims, float factor);

  /// The products of the rows with tile.keys keys of the block from `first` on, as tile.sums vectors. A tile that is
  /// not `whole` repeats the item's last key beyond it.
  mlir::SmallVector<mlir::Value> emitDotProducts(mlir::OpBuilder &b, mlir::Value first, bool whole);

  /// output = output · alpha + weights · values of the block's first `count` keys.
  void emitValues(mlir::OpBuilder &b, mlir::Value count, mlir::Value alpha);

  /// The output row of (b, h, i), times `inverse`.
  void emitOutputRow(mlir::OpBuilder &b, mlir::Value row, mlir::ArrayRef<mlir::Value> dims, mlir::Value inverse);

  // --- small things -------------------------------------------------------------------------------------------

  mlir::Value splat(mlir::OpBuilder &b, float value);
  /// Of f32, where no element is given.
  mlir::Value scratch(mlir::OpBuilder &b, mlir::ArrayRef<int64_t> shape, mlir::Type element = {});
  mlir::Value extentOf(mlir::OpBuilder &b, unsigned operand, unsigned dim);
  mlir::Value loadVector(mlir::OpBuilder &b, mlir::Value matrix, mlir::Value row, mlir::Value column = {});
  void storeVector(mlir::OpBuilder &b, mlir::Value value, mlir::Value matrix, mlir::Value row, mlir::Value column = {});
  /// max(x, y) as one instruction; a NaN in x is left out here and shows in the exponential instead.
  mlir::Value maximum(mlir::OpBuilder &b, mlir::Value x, mlir::Value y);
  /// Which lanes of `rows` times keysInVector keys exist, `count` keys of each row.
  mlir::Value keyMask(mlir::OpBuilder &b, mlir::Value count, int64_t rows);
  /// All lanes of a row combined, in each of them.
  mlir::Value emitAcrossKeys(mlir::OpBuilder &b, mlir::Value value,
                             llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> combine);
  /// Asks for `count` elements of a row of keys or values of a head from `first` on.
  void emitPrefetchRow(mlir::OpBuilder &b, unsigned operand, mlir::Value ofHead, mlir::Value at, mlir::Value first,
                       int64_t count);

  AttentionOp op;
  DecodePlan plan;
  RegisterPlan reg;
  DecodeTile tile;
  mlir::VectorType lanes;
  int64_t rowBlocks;   ///< of tile.rows rows, in a group
  int64_t blockKeys;   ///< keys in a block
  mlir::Value weights; ///< [blockKeys · tile.rows]: scores, then weights, in vectors of rows × keysInVector

  mlir::Value queries;                ///< [row block · vectors · tile.rows][lanes]
  mlir::Value output;                 ///< [row][e, whole vectors]
  int64_t queryVectors, valueVectors; ///< of a row

  // Of the item: its batch, the first of its heads, and its last key.
  mlir::Value batch, firstHead, lastKey;
  // Of the place in it: row block, the first head of its group, the first key of the block of keys.
  mlir::Value block, head, key;
  // What comes after it: the group's first head and the first key.
  mlir::Value nextHead, nextKey;

private:
  mlir::Value dotSums; ///< [key of a tile][lanes]

  /// A pass over some vectors of the value dimension for some rows.
  struct ValuePass {
    mlir::Value number, first; ///< of the pass, of its value dimensions
    int64_t passes;            ///< in all
    int64_t vectors;
    int64_t lastLanes; ///< of the last vector that exist
    int64_t firstRow, rows;
  };

  bool isLong(mlir::Value memref, int64_t extent) const;
  mlir::Value loadRow(mlir::OpBuilder &b, unsigned operand, mlir::Value at, mlir::Value first, int64_t left);
  mlir::SmallVector<mlir::Value> emitDotsOf(mlir::OpBuilder &b, mlir::ArrayRef<mlir::Value> keys,
                                            mlir::ArrayRef<mlir::Value> ahead);
  void emitDotStep(mlir::OpBuilder &b, mlir::ArrayRef<mlir::Value> keys, mlir::ArrayRef<mlir::Value> ahead,
                   mlir::Value vector, int64_t left, mlir::MutableArrayRef<mlir::Value> sums);
  void emitValuePass(mlir::OpBuilder &b, const ValuePass &pass, mlir::Value count, mlir::Value alpha);
  mlir::SmallVector<mlir::Value> emitValueKeys(mlir::OpBuilder &b, const ValuePass &pass, mlir::Value begin,
                                               mlir::Value end, int64_t step, mlir::ValueRange acc);
  void emitPrefetchKeys(mlir::OpBuilder &b, const ValuePass &pass, mlir::Value first, int64_t offset);
};

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_DECODETILES_H
