// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A recurrence on memrefs → loops over batch, head, blocks of time and vectors of the value dimension.
#ifndef WEFT_LOWERING_VECTORIZE_RECURRENCEEMITTER_H
#define WEFT_LOWERING_VECTORIZE_RECURRENCEEMITTER_H

#include "lowering/analysis/RecurrencePlan.h"
#include "lowering/vectorize/IndexLoops.h"
#include "lowering/vectorize/OperandAccess.h"

#include "mlir/IR/IRMapping.h"

namespace weft {

class RecurrenceEmitter : protected IndexLoops {
public:
  RecurrenceEmitter(RecurrenceOp op, const RecurrencePlan &plan, const RegisterPlan &registers);
  virtual ~RecurrenceEmitter() = default;
  void emit(mlir::OpBuilder &b);

protected:
  using Values = mlir::SmallVector<mlir::Value>;
  /// Vectors beside each other from column `e` on; `mask` says which lanes of the one vector exist, null: all.
  struct Columns {
    mlir::Value e;
    int64_t vectors;
    mlir::Value mask;
  };
  /// The numbers of a step for one row and one vector; a number that the region does not give is empty.
  struct Numbers {
    Values query, key, value, decay, lowRank;
  };
  /// A scratch that holds one of StepDependence::shared for each step of a block.
  struct Shared {
    mlir::Value value, scratch;
    bool isVector;
  };

  using RowBody = llvm::function_ref<Values(mlir::OpBuilder &, mlir::Value row, mlir::ValueRange held)>;

  // --- loops (RecurrenceEmitter.cpp)
  virtual void allocateScratch(mlir::OpBuilder &b);
  /// All steps of a head, S being in the scratch.
  virtual void emitSteps(mlir::OpBuilder &b);
  /// All heads of a batch.
  virtual void emitHeads(mlir::OpBuilder &b);
  /// `body` for groups of plan.vectors, then for single vectors, the last of them masked.
  void forEachColumns(mlir::OpBuilder &b, llvm::function_ref<void(mlir::OpBuilder &, const Columns &)> body);
  void emitBlock(mlir::OpBuilder &b, const Columns &columns, mlir::Value first, mlir::Value count);
  void emitWholeState(mlir::OpBuilder &b, const Columns &columns, mlir::Value first, mlir::Value count);
  Values stepOfVector(mlir::OpBuilder &b, mlir::Value time, const Columns &columns, int64_t v, mlir::ValueRange before);
  void emitInBlocksOfRows(mlir::OpBuilder &b, const Columns &columns, mlir::Value first, mlir::Value count);
  void emitRows(mlir::OpBuilder &b, const Columns &columns, mlir::Value first, mlir::Value count, mlir::Value row,
                int64_t rows);
  void emitLowRank(mlir::OpBuilder &b, const Columns &columns, mlir::Value first, mlir::Value count);
  /// Values that `body` changes from row to row of S.
  Values forRows(mlir::OpBuilder &b, mlir::ValueRange start, RowBody body);
  void resetRows(mlir::OpBuilder &b, mlir::Value time, const Columns &columns);
  void emitOutputs(mlir::OpBuilder &b, const Columns &columns, mlir::Value first, mlir::Value count);
  mlir::Value timeOf(mlir::OpBuilder &b, mlir::Value step);

  // --- numbers and states (RecurrenceNumbers.cpp)
  IterationPoint pointAt(mlir::OpBuilder &b, mlir::Value time, mlir::Value row, const Columns &columns, int64_t v);
  /// The step region's arguments as the inputs' elements.
  mlir::IRMapping elementsAt(mlir::OpBuilder &b, const IterationPoint &point);
  /// `place` is the step's place in the block, where what all rows share was stored; null: it is computed.
  Numbers numbersAt(mlir::OpBuilder &b, const IterationPoint &point, mlir::Value place, int64_t v);
  void emitShared(mlir::OpBuilder &b, const Columns &columns, mlir::Value first, mlir::Value count);
  /// x · y + z of numbers of one or two parts; an empty x is 1, an empty z is 0.
  Values multiplyAdd(mlir::OpBuilder &b, mlir::ValueRange x, mlir::ValueRange y, mlir::ValueRange z);
  Values nextState(mlir::OpBuilder &b, const Numbers &numbers, mlir::ValueRange state, mlir::Value lowRank);
  mlir::Value isReset(mlir::OpBuilder &b, mlir::Value time);
  Values afterReset(mlir::OpBuilder &b, mlir::Value time, mlir::ValueRange states);
  void storeOutputs(mlir::OpBuilder &b, const IterationPoint &point, mlir::ValueRange sums);
  /// Asks for what later steps read along the point's vectors.
  void prefetch(mlir::OpBuilder &b, const IterationPoint &point);
  /// Asks for a line of the next block of time: while this block passes, vector by vector, for all rows of the next,
  /// each from its begin to its end, as memory gives them. Rows of the outputs too, which are written vector by vector.
  void prefetchNextBlock(mlir::OpBuilder &b, mlir::Value first, mlir::Value place, const Columns &columns, int64_t v);
  void prefetchAt(mlir::OpBuilder &b, const IterationPoint &ahead, unsigned operands);

  /// Parts of S at a row and a vector: in the scratch, or where time is one step in the state operands.
  Values loadState(mlir::OpBuilder &b, mlir::Value row, const Columns &columns, int64_t v);
  void storeState(mlir::OpBuilder &b, mlir::Value row, const Columns &columns, int64_t v, mlir::ValueRange state);
  void storeAt(mlir::OpBuilder &b, mlir::Value value, mlir::Value operand, mlir::AffineMap map,
               const IterationPoint &point);
  void copyState(mlir::OpBuilder &b, bool toScratch);
  Values scratchIndex(mlir::OpBuilder &b, mlir::Value row, const Columns &columns, int64_t v, int64_t part);

  Values loadSums(mlir::OpBuilder &b, mlir::Value place, int64_t v);
  void storeSums(mlir::OpBuilder &b, mlir::Value place, int64_t v, mlir::ValueRange values);

  int64_t vectorsOfHead() const { return (plan.columns + registers.lanes - 1) / registers.lanes; }
  mlir::Value allocate(mlir::OpBuilder &b, mlir::ArrayRef<int64_t> shape);
  mlir::Value zeros(mlir::OpBuilder &b);
  mlir::Value loadScratch(mlir::OpBuilder &b, mlir::Value scratch, mlir::ArrayRef<mlir::Value> index);
  void storeScratch(mlir::OpBuilder &b, mlir::Value value, mlir::Value scratch, mlir::ArrayRef<mlir::Value> index);
  mlir::Value extentOf(mlir::OpBuilder &b, unsigned dim);

  RecurrenceOp op;
  RecurrencePlan plan;
  RegisterPlan registers;
  StepDependence dependence;
  mlir::VectorType lane;
  int64_t parts;     ///< of S: 1, or 2 for a complex one
  mlir::Value state; ///< scratch [heads · vectors, parts · keys, lanes]; null where the operands serve
  mlir::Value sums;  ///< scratch of o, [parts, steps, vectors, lanes]; null where there are no outputs
  mlir::SmallVector<Shared> shared;
  mlir::Value batch, head, columnCount, stepCount;
  mlir::Value stateHead; ///< the head whose S is meant, where the scratch holds several; null: there is one
};

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_RECURRENCEEMITTER_H
