// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a product with a packed weight is cut: into work items, blocks of the sum, and register tiles.
#ifndef WEFT_LOWERING_ANALYSIS_PRODUCTPLAN_H
#define WEFT_LOWERING_ANALYSIS_PRODUCTPLAN_H

#include "lowering/analysis/RegisterPlan.h"

namespace weft {

/// About as many columns as wanted, in equal parts of whole units; 0: all of them.
int64_t evenColumns(int64_t columns, int64_t unit, int64_t wanted);

/// The shapes of register tiles. A tile of r × v accumulators loads r + v values for r · v multiply-adds, so the best
/// tile is near square; one of few rows is wide, which also streams the weight from memory in more places at once.
struct ProductPlan {
  RegisterPlan tall; ///< where there are more rows than few.rows
  RegisterPlan few;  ///< few rows, three vectors or four
  int64_t itemRows;  ///< of a work item, at most: whole tall tiles

  /// The shortest tile that an even cut of more than few.rows rows into tiles of at most tall.rows needs.
  int64_t leastTallRows() const;
  /// Sums of up to this many steps are not cut: the weight's columns of a tile and of the next stay in the second-level
  /// cache.
  static constexpr int64_t kWholeDepth = 1536;
  /// Elements of the left operand in a block of the sum, at most.
  int64_t blockElements() const;
  /// Columns that whole tiles of both shapes and whole panels fill.
  int64_t columnUnit() const;
  /// The same for a result of so many columns, which may be dynamic: a narrow one has no use for tiles wider than
  /// itself.
  ProductPlan narrowedTo(int64_t columns) const;
  /// So many rows in items of at most `most`, as even as whole units allow: the rows of all but the last item.
  static int64_t evenRows(int64_t rows, int64_t most, int64_t unit);
  /// Columns of a work item, in whole register tiles: an eighth of the result's, so that a product of few rows keeps
  /// eight cores busy, 192 at most; 0: all of a narrow one.
  int64_t itemColumns(int64_t columns) const;
  /// Steps of the sum that run before partial sums are put down: all when few, so that the blocks of both operands stay
  /// in the second-level cache (measured: 1024 is within 2 % of the best where sums are longer than 1536).
  static int64_t depthBlock(int64_t depth);

  static ProductPlan forTarget(TargetAttr target);
};

/// The plan for the module's `weft.target`; reports an error when the module has none.
mlir::FailureOr<ProductPlan> productPlanOf(mlir::ModuleOp module);

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_PRODUCTPLAN_H
