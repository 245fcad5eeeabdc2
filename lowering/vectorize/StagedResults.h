// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Results of a product on tiles: its sums wait in staging tiles for all that follows them.
#ifndef WEFT_LOWERING_VECTORIZE_STAGEDRESULTS_H
#define WEFT_LOWERING_VECTORIZE_STAGEDRESULTS_H

#include "lowering/analysis/RegisterPlan.h"
#include "lowering/vectorize/AmxTiles.h"
#include "lowering/vectorize/IndexLoops.h"
#include "lowering/vectorize/MatmulEpilogue.h"

namespace weft {

class StagedResults : IndexLoops {
public:
  /// What a product does to its sums.
  struct Operands {
    mlir::Value bias;                    ///< may be null
    mlir::Value rowScales, columnScales; ///< null: sums are f32 and have no scales
  };

  /// A block of results whose sums are in a staging tile.
  struct Waiting {
    mlir::Value row, column; ///< of the first result
    mlir::Value count;       ///< rows
    mlir::Value slot;        ///< which staging tile

    mlir::SmallVector<mlir::Value> values() const { return {row, column, count, slot}; }
    static Waiting of(mlir::ValueRange values) { return {values[0], values[1], values[2], values[3]}; }
  };

  StagedResults(mlir::Location loc, const RegisterPlan &registers, MatmulEpilogue &epilogue, const Operands &operands)
      : IndexLoops(loc), registers(registers), epilogue(epilogue), operands(operands) {}

  /// Makes so many staging tiles, before all else.
  void allocate(mlir::OpBuilder &builder, int64_t slots);
  TilePlace tile(mlir::OpBuilder &builder, mlir::Value slot);

  /// Rows [begin, end) of what waits, through scales, bias and the epilogue.
  void emit(mlir::OpBuilder &builder, const Waiting &waiting, mlir::Value begin, mlir::Value end);
  void emitRow(mlir::OpBuilder &builder, const Waiting &waiting, mlir::Value r);

  /// Hints for the lines that a block's results go to, given while the tiles multiply (measured: 1.5 times as fast
  /// where a result of 512 × 3072 has left the second-level cache, no loss where it is there).
  void askForLines(mlir::OpBuilder &builder, mlir::Value row, mlir::Value column);
  /// Hints for a row of a staging tile.
  void askForTile(mlir::OpBuilder &builder, mlir::Value slot, mlir::Value r);

private:
  const RegisterPlan &registers;
  MatmulEpilogue &epilogue;
  Operands operands;
  mlir::Value staging, columns;
};

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_STAGEDRESULTS_H
