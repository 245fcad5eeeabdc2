// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A recurrence on memrefs, several steps at once: the products of the steps with S, and those of the steps among
// themselves.
#ifndef WEFT_LOWERING_VECTORIZE_CHUNKEDRECURRENCE_H
#define WEFT_LOWERING_VECTORIZE_CHUNKEDRECURRENCE_H

#include "lowering/vectorize/RecurrenceEmitter.h"

namespace weft {

class ChunkedRecurrenceEmitter : public RecurrenceEmitter {
public:
  ChunkedRecurrenceEmitter(RecurrenceOp op, const RecurrencePlan &plan, const RegisterPlan &registers);

protected:
  void allocateScratch(mlir::OpBuilder &b) override;
  void emitHeads(mlir::OpBuilder &b) override;
  void emitSteps(mlir::OpBuilder &b) override;

private:
  static constexpr int64_t kChunk = RecurrencePlan::kChunk;
  /// Vectors over n, one for each step of a chunk.
  enum Row : unsigned { Query, Key, A, B, Decay, NumRows };
  /// Sums over n of products of two steps' vectors, (later step i, earlier step j).
  enum PairKind : unsigned { QueryKey, QueryB, AKey, AB };
  struct Pair {
    PairKind kind;
    int64_t i, j;
  };
  using Registers = mlir::SmallVector<Values>; ///< [step][vector]

  /// Whether as many steps as a chunk has come before the next reset and the end.
  mlir::Value isWhole(mlir::OpBuilder &b, mlir::Value step);
  void emitChunk(mlir::OpBuilder &b, mlir::Value step);

  // --- vectors over n (ChunkRows.cpp)
  /// Numbers of each step that depend on neither n nor e.
  void storeScalars(mlir::OpBuilder &b, mlir::Value step);
  void storeRows(mlir::OpBuilder &b, mlir::Value step);
  void storeRowsAt(mlir::OpBuilder &b, mlir::Value place, mlir::Value time, mlir::Value n, mlir::Value mask);
  /// Each vector with the decays between its step and the chunk's begin or end.
  void scaleRows(mlir::OpBuilder &b);
  void storePairs(mlir::OpBuilder &b);
  /// The sums of pairs with this head's decays between their steps.
  void scalePairs(mlir::OpBuilder &b);
  /// `body` for this head, or for each of those that share their pairs.
  void forEachHead(mlir::OpBuilder &b, llvm::function_ref<void(mlir::OpBuilder &)> body);
  /// The sums of step j's vectors with those of later steps, lane by lane, in the order of pairsOf.
  Values sumPairs(mlir::OpBuilder &b, int64_t j);
  mlir::SmallVector<Pair> pairsOf(int64_t j) const;
  /// Decays that are one number for all n: products of those of steps first … last.
  void multiplyDecays(mlir::OpBuilder &b);

  // --- vectors over e (ChunkedRecurrence.cpp)
  void emitColumns(mlir::OpBuilder &b, const Columns &columns, mlir::Value step);
  Registers valuesOf(mlir::OpBuilder &b, const Columns &columns, mlir::Value step);
  /// o of S before the chunk, where there are outputs; S after it, where there is no term of low rank.
  Registers passState(mlir::OpBuilder &b, const Columns &columns, const Registers &values, Registers *recalled);
  void updateState(mlir::OpBuilder &b, const Columns &columns, const Registers &values, const Registers &recalled);
  void updateRow(mlir::OpBuilder &b, const Columns &columns, mlir::Value n, const Registers &values,
                 const Registers &recalled);
  /// What the earlier steps of the chunk add to a step's sum.
  void addPairs(mlir::OpBuilder &b, Registers &sums, PairKind kind, const Registers &of);
  /// Each step's vectors times a number, where decays are one number for all n.
  Registers scale(mlir::OpBuilder &b, const Registers &of, mlir::ArrayRef<mlir::Value> factors);

  mlir::Value decayAt(mlir::OpBuilder &b, int64_t step);
  /// Where this head's scalars of a step of the chunk lie.
  mlir::Value scalarPlace(mlir::OpBuilder &b, int64_t step);
  mlir::Value loadRow(mlir::OpBuilder &b, mlir::Value rows, Row row, int64_t step, mlir::Value n);
  mlir::Value scalar(mlir::OpBuilder &b, Row row, int64_t step, mlir::Value n);
  mlir::Value fma(mlir::OpBuilder &b, mlir::Value x, mlir::Value y, mlir::Value z);
  mlir::Value multiply(mlir::OpBuilder &b, mlir::Value x, mlir::Value y);

  bool hasLowRank, hasDecay, hasOutputs;
  bool uniform; ///< decays do not depend on n
  int64_t paddedKeys;
  mlir::SmallVector<Pair> pairs;
  mlir::SmallVector<Shared> scalars;
  mlir::Value chunkStart;  ///< the chunk's first step
  mlir::Value raw;         ///< scratch [row, step, n]
  mlir::Value scaled;      ///< the same, with decays; row Decay of step 0 is that of the whole chunk. raw where uniform
  mlir::Value sumsOfPairs; ///< scratch [pair]
  mlir::Value decayedPairs;            ///< the same, with this head's uniform decays
  Values fromBegin, beforeStep, toEnd; ///< products of uniform decays, for each step
  mlir::Value decays;                  ///< scratch [pair]: products of uniform decays between its steps
};

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_CHUNKEDRECURRENCE_H
