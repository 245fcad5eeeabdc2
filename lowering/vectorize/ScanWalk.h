// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks over the scanned dimension of a weft.scan on memrefs: for a panel of lanes, the accumulators in registers.
#ifndef WEFT_LOWERING_VECTORIZE_SCANWALK_H
#define WEFT_LOWERING_VECTORIZE_SCANWALK_H

#include "dialects/weft/SequenceOps.h"
#include "lowering/analysis/RegisterPlan.h"
#include "lowering/vectorize/IndexLoops.h"
#include "lowering/vectorize/OperandAccess.h"

namespace weft {

/// The dimension that lies in lanes: another than the scanned one, contiguous in all operands that it indexes; −1 where
/// there is none.
int64_t scanLaneDim(ScanOp op);

/// Vectors of a panel, which are walked together: a step waits for the one before it, so several chains run at once,
/// and a step's cache lines lie beside each other. 8 where the accumulators leave registers for the rest, else 4. (A
/// sum of 512 steps of 1536 lanes on Zen 4: 34 GB/s with 4, 62 with 8.)
int64_t scanVectors(ScanOp op, TargetAttr target);

/// The lanes [begin, begin + vectors · lanes) of a walk; or one element where nothing lies in lanes.
struct ScanPanel {
  mlir::SmallVector<mlir::Value> dims; ///< the place of the panel; the scanned dimension is the walk's
  int64_t vectors = 1;
  mlir::Value mask; ///< lanes that exist, in a panel of one vector; null: all
};

class ScanWalk : IndexLoops {
public:
  /// By accumulator and vector; accumulators that the lanes do not index have one scalar.
  using Accumulators = mlir::SmallVector<mlir::SmallVector<mlir::Value>>;

  ScanWalk(ScanOp op, const RegisterPlan &reg);

  /// Whether the accumulator is the same for all lanes.
  bool isShared(unsigned accumulator) const;

  /// The steps [begin, end) in the order of time, at least one. A walk that starts anew does so without `before`, or
  /// where `fresh` (which may be null) holds. Outputs are stored where `stores` is set. Returns the last accumulators.
  Accumulators emit(mlir::OpBuilder &b, const ScanPanel &panel, mlir::Value begin, mlir::Value end,
                    const Accumulators *before, mlir::Value fresh, bool stores);

  /// The states of the shared accumulators; nothing of others, and of an op without states.
  Accumulators loadShared(mlir::OpBuilder &b, const ScanPanel &panel);
  /// All states of a panel, of which the shared ones are given; nothing of an op without states.
  Accumulators loadStates(mlir::OpBuilder &b, const ScanPanel &panel, const Accumulators &shared);
  /// Does nothing to an op without states.
  void storeStates(mlir::OpBuilder &b, const ScanPanel &panel, const Accumulators &values);
  /// combine(before, now).
  Accumulators combined(mlir::OpBuilder &b, const Accumulators &before, const Accumulators &now);
  /// `yes` where the condition holds, else `no`.
  Accumulators selected(mlir::OpBuilder &b, mlir::Value condition, const Accumulators &yes, const Accumulators &no);

  static mlir::SmallVector<mlir::Value> flat(const Accumulators &values);
  Accumulators shaped(mlir::ValueRange values, int64_t vectors) const;

  const int64_t laneDim;

private:
  IterationPoint pointAt(mlir::OpBuilder &b, const ScanPanel &panel, mlir::Value step, int64_t vector);
  mlir::Value positionOf(mlir::OpBuilder &b, mlir::Value step);
  Accumulators loadStep(mlir::OpBuilder &b, const ScanPanel &panel, mlir::Value position);
  void storeStep(mlir::OpBuilder &b, const ScanPanel &panel, mlir::Value position, const Accumulators &values);
  Accumulators step(mlir::OpBuilder &b, const ScanPanel &panel, mlir::Value i, const Accumulators *carried,
                    mlir::Value fresh, bool stores);
  void prefetch(mlir::OpBuilder &b, const ScanPanel &panel, mlir::Value i);
  mlir::Value startsAt(mlir::OpBuilder &b, const ScanPanel &panel, mlir::Value position);

  ScanOp op;
  RegisterPlan reg;
  unsigned count;
};

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_SCANWALK_H
