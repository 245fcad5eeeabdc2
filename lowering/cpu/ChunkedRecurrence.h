// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A recurrence on memrefs, several steps at once: the products of the steps with S, and those of the steps among
// themselves.
#ifndef WEFT_LOWERING_CPU_CHUNKEDRECURRENCE_H
#define WEFT_LOWERING_CPU_CHUNKEDRECURRENCE_H

#include "lowering/cpu/RecurrenceEmitter.h"

namespace weft {

class ChunkedRecurrenceEmitter : public RecurrenceEmitter {
public:
  using RecurrenceEmitter::RecurrenceEmitter;

protected:
  void allocateScratch(mlir::OpBuilder &b) override;
  void emitSteps(mlir::OpBuilder &b) override;

private:
  static constexpr int64_t kChunk = RecurrencePlan::kChunk;
  /// Vectors over n, one for each step of a chunk.
  enum Row : unsigned { Query, Key, Decay, A, B, NumRows };
  /// Sums over n of products of two steps' vectors, (later step i, earlier step j).
  enum Pair : unsigned { QueryKey, QueryB, AKey, AB, NumPairs };
  using Registers = mlir::SmallVector<Values>; ///< [step][vector]

  /// Steps of the chunk that begins with `step`: to the next reset or the last step, kChunk at most.
  mlir::Value lengthOf(mlir::OpBuilder &b, mlir::Value step);
  void emitChunk(mlir::OpBuilder &b, mlir::Value step, mlir::Value length);
  void storeRows(mlir::OpBuilder &b, mlir::Value step, mlir::Value length);
  void storeRowsAt(mlir::OpBuilder &b, mlir::Value place, mlir::Value time, mlir::Value n, mlir::Value mask);
  /// Each vector with the decays between its step and the chunk's begin or end.
  void scaleRows(mlir::OpBuilder &b);
  void storePairs(mlir::OpBuilder &b);
  Values pairsOf(mlir::OpBuilder &b, int64_t j);
  void emitColumns(mlir::OpBuilder &b, const Columns &columns, mlir::Value step, mlir::Value length);
  Registers valuesOf(mlir::OpBuilder &b, const Columns &columns, mlir::Value step, mlir::Value length);
  /// o of S before the chunk; S after it, where there is no term of low rank.
  Registers passState(mlir::OpBuilder &b, const Columns &columns, const Registers &values, Registers *recalled);
  void updateState(mlir::OpBuilder &b, const Columns &columns, const Registers &values, const Registers &recalled);
  void updateRow(mlir::OpBuilder &b, const Columns &columns, mlir::Value n, const Registers &values,
                 const Registers &recalled);
  /// What the earlier steps of the chunk add to a step's sum.
  void addPairs(mlir::OpBuilder &b, Registers &sums, Pair pair, const Registers &of, bool itself);

  bool hasLowRank() { return !op.getStepOp().getLowRank().empty(); }
  mlir::Value loadRow(mlir::OpBuilder &b, mlir::Value rows, Row row, int64_t step, mlir::Value n);
  mlir::Value scalar(mlir::OpBuilder &b, Row row, int64_t step, mlir::Value n);
  mlir::Value fma(mlir::OpBuilder &b, mlir::Value x, mlir::Value y, mlir::Value z);
  /// The pairs (i, j) of kind, and their places in the scratch.
  static bool isPair(Pair pair, int64_t i, int64_t j) { return pair < AKey ? j <= i : j < i; }
  static int64_t placeOf(Pair pair, int64_t i, int64_t j) { return (pair * kChunk + i) * kChunk + j; }

  int64_t paddedKeys = 0;
  mlir::Value raw;    ///< scratch [row, step, n]
  mlir::Value scaled; ///< the same, with decays; Decay's first row is that of the whole chunk
  mlir::Value pairs;  ///< scratch of the sums, by placeOf
  mlir::Value values; ///< scratch [step, vector, lanes]
};

} // namespace weft

#endif // WEFT_LOWERING_CPU_CHUNKEDRECURRENCE_H
