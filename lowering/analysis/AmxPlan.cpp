// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ops + #weft.target → work for tiles, and its cut.
#include "lowering/analysis/AmxPlan.h"

#include "dialects/weft/RoutingOps.h"
#include "lowering/analysis/DecodePlan.h"
#include "lowering/analysis/RegisterPlan.h"

using namespace mlir;

namespace weft {

/// Rows of a work item: their packed left operand stays in half of a second-level cache of 2 MiB, beside the weight's
/// panels that pass; and a weight from the third level is read once for 128 rows.
static constexpr int64_t kMostItemRows = 128;
static constexpr int64_t kPackedBytes = 1 << 20;
/// Columns of a work item, about: packing its rows is a tenth of its work then. Where rows are not packed, there are as
/// many as keep their weight in a second-level cache while the rows of other items pass.
static constexpr int64_t kItemColumns = 1024;
static constexpr int64_t kItemBytes = 1200 << 10;
static constexpr int64_t kCutSteps = 8;          ///< of a part of a sum
static constexpr int64_t kPassBytes = 100 << 10; ///< of the weight

bool hasTiles(TargetAttr target) { return target && target.getIsa().starts_with("amx"); }

bool hasTileInstructions(TargetAttr target) { return target && target.getIsa() == "amx"; }

bool hasHalfProducts(TargetAttr target) {
  return hasTiles(target) || (target && RegisterPlan::forTarget(target).halfDots);
}

/// The weight of a product for tiles, in panels [panels, words, 16 words]; null: of another op.
static ShapedType weightOf(Operation *op) {
  if (auto matmul = dyn_cast<QuantizedMatmulOp>(op))
    return cast<ShapedType>(matmul.getRhs().getType());
  auto packed = dyn_cast<PackedMatmulOp>(op);
  auto grouped = dyn_cast<GroupedMatmulOp>(op);
  bool isPanels = packed || (grouped && grouped.isPacked() && !grouped.getForm());
  if (!isPanels || (packed ? packed.getPanelWidth() : grouped.getPanelWidth()) != AmxPlan::kTileRows)
    return ShapedType();
  auto type = cast<ShapedType>(op->getOperand(1).getType());
  bool fits = type.getElementType().isBF16() || type.getElementType().isSignlessInteger(8);
  return fits ? type.clone(type.getShape().take_back(3)) : ShapedType(); // of one block
}

/// Whether the rows of the result are rows of the left operand, in their order.
static bool keepsRows(Operation *op) {
  auto packed = dyn_cast<PackedMatmulOp>(op);
  auto grouped = dyn_cast<GroupedMatmulOp>(op);
  return !(packed && packed.getRows()) && !(grouped && grouped.getRows());
}

bool wantsTiles(Operation *op) {
  ShapedType weight = weightOf(op);
  if (!weight || weight.isDynamicDim(1))
    return false;
  auto left = cast<ShapedType>(op->getOperand(0).getType());
  // One row streams its weight, at 92 % of the read rate through vectors and at 76 through tiles.
  return !left.isDynamicDim(1) && left.getDimSize(0) != 1;
}

bool wantsTiles(AttentionOp op) {
  if (op.getKeyScale() || op.getValueScale() || matchDecode(op).plan)
    return false;
  auto all = [&](auto holds) { return holds(op.getKey()) && holds(op.getValue()); };
  bool stored = all([](Value operand) { return getElementTypeOrSelf(operand.getType()).isBF16(); });
  bool floats = all([](Value operand) { return isa<FloatType>(getElementTypeOrSelf(operand.getType())); });
  return stored || (op.getProductType() && floats);
}

bool wantsByteTiles(AttentionOp op) {
  auto isByte = [](Value operand) { return getElementTypeOrSelf(operand.getType()).isSignlessInteger(8); };
  std::optional<DecodePlan> plan = matchDecode(op).plan;
  bool whole =
      plan && !op.getTable() && plan->headDim % AmxPlan::kRowBytes == 0 && plan->valueDim % AmxPlan::kRowBytes == 0;
  // One or two rows keep up with memory in vectors.
  return whole && plan->headDim && plan->valueDim && plan->rows() >= 3 && isByte(op.getKey()) && isByte(op.getValue());
}

int64_t sharedQueriesOf(AttentionOp op, TargetAttr target) {
  if (isDevice(target)) // a group's part of shared memory holds no more
    return RegisterPlan::forTarget(target).columns();
  // With products this fast, packing for 256 would be a sixth of the work.
  return hasHalfProducts(target) && wantsTiles(op) ? 2 * kSharedQueries : kSharedQueries;
}

int64_t AmxPlan::passColumns() const { return std::max(kPassBytes / (words * 4) / kColumns * kColumns, kColumns); }

int64_t AmxPlan::cutSteps() const {
  // Equal parts leave no short last one.
  return llvm::divideCeilSigned(steps(), llvm::divideCeilSigned(steps(), kCutSteps));
}

AmxPlan AmxPlan::forProduct(Operation *product) {
  ShapedType weight = weightOf(product);
  AmxPlan plan;
  plan.words = weight.getDimSize(1);
  plan.perWord = 32 / weight.getElementTypeBitWidth();
  auto left = cast<ShapedType>(product->getOperand(0).getType());
  plan.inPlace = keepsRows(product) && left.getElementType() == weight.getElementType() &&
                 plan.words % kTileRows == 0 && left.getDimSize(1) == plan.words * plan.perWord;
  plan.itemColumns = kItemColumns;
  if (plan.inPlace && plan.steps() <= kLongSteps)
    plan.itemColumns = std::clamp(kItemBytes / (plan.words * 4) / kColumns * kColumns, kItemColumns / 4, kItemColumns);
  int64_t rowBytes = plan.steps() * kRowBytes;
  plan.itemRows = std::clamp(kPackedBytes / rowBytes / kRows * kRows, kRows, kMostItemRows);
  return plan;
}

} // namespace weft
