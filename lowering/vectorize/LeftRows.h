// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rows of a product's left operand, as register tiles read them: numbers in f32, or words of two bf16 or four
// bytes.
#ifndef WEFT_LOWERING_VECTORIZE_LEFTROWS_H
#define WEFT_LOWERING_VECTORIZE_LEFTROWS_H

#include "lowering/analysis/RegisterPlan.h"
#include "lowering/vectorize/IndexLoops.h"

#include <functional>

namespace weft {

/// What a row holds for step k of the sum is one number, or a word of two bf16 or four i8: of k = 2 · step and of the
/// next one, and likewise.
class LeftRows : IndexLoops {
public:
  /// `lhs` is a memref [m, k]: of f32, bf16 or f16 where `perStep` is 1 or, with k known, 2; of i8 where it is 4.
  /// `places` [m] of i32, unless null, are the rows of lhs that take its rows' place; those outside are its last one.
  LeftRows(mlir::Location loc, const RegisterPlan &registers, mlir::Value lhs, int64_t perStep,
           mlir::Value places = {});

  /// Makes the scratch for rows that are not read where they are: in another type than tiles read; of `blockSteps`
  /// steps of the sum (dynamic: of all), for tiles of at most `tileRows` rows.
  void allocate(mlir::OpBuilder &builder, int64_t tileRows, int64_t blockSteps);
  /// Before the tiles of steps [begin, begin + steps); `begin` null: 0. Rounds all rows to words, if there is room.
  void beginBlock(mlir::OpBuilder &builder, mlir::Value begin, mlir::OpFoldResult steps);

  /// Steps of the whole sum.
  mlir::OpFoldResult steps(mlir::OpBuilder &builder);

  /// Whether rows go through a scratch.
  bool isConverted() const { return static_cast<bool>(scratch); }

  /// Step k (from the block's begin on) of row r of a tile.
  using Element = std::function<mlir::Value(mlir::OpBuilder &builder, mlir::Value k, int64_t r)>;
  /// A tile of `count` rows from `row` on.
  Element ofTile(mlir::OpBuilder &builder, mlir::Value row, int64_t count, mlir::Value begin, mlir::OpFoldResult steps);

  /// The most rows that the operand can have; dynamic: not known.
  int64_t mostRows() const;

  /// The longest row that can be rounded to words.
  static constexpr int64_t kMostWordDepth = 1 << 15;

private:
  mlir::Value view(mlir::OpBuilder &builder, mlir::OpFoldResult row, mlir::OpFoldResult count, mlir::Value begin,
                   mlir::OpFoldResult steps);
  mlir::OpFoldResult rowCount(mlir::OpBuilder &builder);
  /// The row of lhs that takes the place of this one.
  mlir::Value placeOf(mlir::OpBuilder &builder, mlir::Value row);
  void convert(mlir::OpBuilder &builder, mlir::OpFoldResult row, mlir::OpFoldResult count, mlir::Value begin,
               mlir::OpFoldResult steps);
  void convertRow(mlir::OpBuilder &builder, mlir::Value source, mlir::Value from, mlir::Value to);

  const RegisterPlan &registers;
  mlir::Value lhs, places;
  int64_t perStep;        ///< numbers of k in a step
  bool roundsAll = false; ///< the scratch holds all rows, not a tile's
  mlir::Value scratch;    ///< null: rows are read where they are
};

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_LEFTROWS_H
