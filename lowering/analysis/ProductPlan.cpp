// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// #weft.target → register tiles, work items and blocks of the sum of a product.
#include "lowering/analysis/ProductPlan.h"

#include "lowering/analysis/CostModel.h"

#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;

namespace weft {

static constexpr int64_t kDepthBlock = 1024;

int64_t ProductPlan::leastTallRows() const {
  int64_t least = tall.rows;
  // From three tiles on the even cut is above two thirds of the tallest, which two tiles' is not.
  for (int64_t rows = few.rows + 1; rows <= 3 * tall.rows; ++rows)
    least = std::min(least, rows / llvm::divideCeilSigned(rows, tall.rows));
  return least;
}

int64_t ProductPlan::blockElements() const { return itemRows * kDepthBlock; }

int64_t ProductPlan::columnUnit() const { return std::lcm(std::lcm(tall.columns(), few.columns()), kPanelWidth); }

ProductPlan ProductPlan::narrowedTo(int64_t columns) const {
  ProductPlan plan = *this;
  if (!ShapedType::isDynamic(columns))
    for (RegisterPlan *tile : {&plan.tall, &plan.few})
      tile->vectors = std::clamp<int64_t>(llvm::divideCeilSigned(columns, tile->lanes), 1, tile->vectors);
  return plan;
}

int64_t evenColumns(int64_t columns, int64_t unit, int64_t wanted) {
  if (ShapedType::isDynamic(columns) || columns <= wanted)
    return ShapedType::isDynamic(columns) ? wanted : 0;
  int64_t units = llvm::divideCeilSigned(columns, unit), least = llvm::divideCeilSigned(columns, wanted), parts = least;
  // An even cut leaves no narrow last tile.
  while (parts < units && units % parts != 0 && parts < 2 * least)
    ++parts;
  return llvm::divideCeilSigned(units, parts) * unit;
}

/// Columns of an item at most: wider ones save nothing, half as wide ones cost 1 % with many rows (measured on v4).
static constexpr int64_t kItemColumns = 192;
/// Items across a result where it has room for them: more than this many columns.
static constexpr int64_t kLeastItems = 8;
static constexpr int64_t kNarrow = 128;

int64_t ProductPlan::itemColumns(int64_t columns) const {
  if (!ShapedType::isDynamic(columns) && columns <= kNarrow)
    return 0;
  int64_t unit = columnUnit(), most = llvm::alignTo(kItemColumns, unit);
  int64_t share = ShapedType::isDynamic(columns) ? most : llvm::divideCeilSigned(columns, kLeastItems);
  return evenColumns(columns, unit, std::clamp<int64_t>(llvm::alignTo(share, unit), unit, most));
}

int64_t ProductPlan::evenRows(int64_t rows, int64_t most, int64_t unit) {
  int64_t items = std::max<int64_t>(llvm::divideCeilSigned(rows, most), 1);
  int64_t share = std::max<int64_t>(llvm::divideCeilSigned(rows, items), 1);
  return std::min<int64_t>(llvm::alignTo(share, unit), most);
}

int64_t ProductPlan::depthBlock(int64_t depth) {
  if (depth <= kWholeDepth) // also where it is not known
    return depth;
  int64_t blocks = llvm::divideCeilSigned(depth, kDepthBlock);
  return llvm::alignTo(llvm::divideCeilSigned(depth, blocks), 8);
}

/// The left operand's rows of a block of the sum fill seven sixteenths of the second-level cache; the weight's columns
/// of an item pass beside them.
static int64_t itemRowsFor(const MachineFacts &machine, int64_t tileRows) {
  int64_t bytes = machine.cacheBytes[1] * 7 / 16, rowBytes = kDepthBlock * int64_t(sizeof(float));
  return std::max<int64_t>(bytes / rowBytes / tileRows, 1) * tileRows;
}

ProductPlan ProductPlan::forTarget(TargetAttr target) {
  ProductPlan plan;
  plan.tall = plan.few = RegisterPlan::forTarget(target);
  int64_t registers = target.getRegisters();
  // 32 registers: 9 × 3 accumulators, 3 vectors of the weight, 1 broadcast; 16 registers: 6 × 2 and 2 + 1.
  plan.tall.vectors = registers >= 32 ? 3 : 2;
  plan.tall.rows = (registers - plan.tall.vectors - 1) / plan.tall.vectors;
  plan.tall.unroll = 4; // few rows, streamed, are faster step by step
  if (registers >= 32) {
    plan.few.vectors = plan.tall.vectors;
    plan.few.rows = plan.tall.rows * 2 / 3;
  } else {
    // 2 × 4: either the rows' broadcasts or the weight's vectors stay, whichever are fewer; the others come one by one.
    plan.few.vectors = 4;
    plan.few.rows = 2;
  }
  plan.itemRows = itemRowsFor(MachineFacts::forTarget(target), plan.tall.rows);
  return plan;
}

FailureOr<ProductPlan> productPlanOf(ModuleOp module) {
  FailureOr<TargetAttr> target = targetOf(module);
  if (failed(target))
    return failure();
  return ProductPlan::forTarget(*target);
}

} // namespace weft
