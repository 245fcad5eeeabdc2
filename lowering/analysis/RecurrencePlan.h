// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How much of a recurrence's state stays in registers while time passes.
#ifndef WEFT_LOWERING_ANALYSIS_RECURRENCEPLAN_H
#define WEFT_LOWERING_ANALYSIS_RECURRENCEPLAN_H

#include "dialects/weft/RecurrenceOps.h"
#include "lowering/analysis/RegisterPlan.h"

namespace weft {

/// Which of the values that the step region computes depend on a dimension.
struct StepDependence {
  llvm::DenseSet<mlir::Value> onHead, onKey, onValue;
  /// Results that do not depend on n, and are read by what does or by the terminator: computed once for all n.
  mlir::SmallVector<mlir::Value> shared;

  /// Those of them that do not depend on e either, read by what depends on n or e or by the terminator.
  mlir::SmallVector<mlir::Value> scalars;

  explicit StepDependence(RecurrenceOp op);
};

struct RecurrencePlan {
  int64_t keys;    ///< rows of S: the extent of n
  int64_t rows;    ///< rows of S in registers while a block of time passes
  int64_t vectors; ///< vectors of the value dimension beside each other
  int64_t columns; ///< of the value dimension, at most
  int64_t steps;   ///< of a block of time: what they read stays in the first-level cache while all rows pass
  bool chunks;     ///< kChunk steps at once, as matrix products
  int64_t heads;   ///< of a tile, for which the products of queries and keys are formed once; else 1

  /// Steps of a chunk, for which S passes once. A sum and a value for each of them are in registers meanwhile.
  static constexpr int64_t kChunk = 8;
  /// Columns that a number without e serves, at most: a group of vectors.
  static constexpr int64_t kMostColumns = 64;
  /// Columns of an item that more cores than one would wait for.
  static constexpr int64_t kFewColumns = kMostColumns / 2;

  bool holdsWholeState() const { return rows == keys; }
  /// Value columns of a work item: several groups of vectors, so that a line of an input is not fetched by two cores.
  /// Fewer where the op would be one item, more where steps go one by one and there are many items.
  static int64_t itemColumns(RecurrenceOp op, const RegisterPlan &registers);
  /// Heads of a work item: several where they share their queries and keys, as long as there are many items.
  static int64_t itemHeads(RecurrenceOp op, const RegisterPlan &registers);
  static RecurrencePlan forOp(RecurrenceOp op, const RegisterPlan &registers);
  /// Why an op has no plan; empty where it has one.
  static llvm::StringRef obstacleTo(RecurrenceOp op);
};

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_RECURRENCEPLAN_H
