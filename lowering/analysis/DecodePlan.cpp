// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.attention → whether few queries meet many keys, and the group of heads that share a key.
#include "lowering/analysis/DecodePlan.h"

using namespace mlir;

namespace weft {
namespace {

/// Queries a head up to which decoding is taken: above, lanes full of queries (weft-vectorize-attention) waste less.
constexpr int64_t kMostQueries = 4;
/// Rows that share a key; more are better off with queries in lanes.
constexpr int64_t kMostRows = 64;
/// Outputs of an item, a scratch on the stack.
constexpr int64_t kMostOutputs = 32 << 10;

int64_t extentOf(AttentionOp op, unsigned operand, unsigned dim) {
  AffineExpr expr = getAffineDimExpr(dim, op.getContext());
  std::optional<unsigned> position = op.getIndexingMap(operand).getResultPosition(expr);
  return position ? cast<ShapedType>(op->getOperand(operand).getType()).getDimSize(*position) : 1;
}

/// Query heads that share one head of the operand; dynamic where that is all heads and their number is not known.
int64_t groupOf(AttentionOp op, unsigned operand) {
  for (AffineExpr expr : op.getIndexingMap(operand).getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      if (dim.getPosition() == AttentionOp::Head)
        return 1;
      continue;
    }
    auto division = cast<AffineBinaryOpExpr>(expr);
    if (division.getLHS() == getAffineDimExpr(AttentionOp::Head, op.getContext()))
      return cast<AffineConstantExpr>(division.getRHS()).getValue();
  }
  return extentOf(op, /*query*/ 0, AttentionOp::Head);
}

/// Groups in an item: all where the heads of a key lie side by side, as in [batch, sequence, heads, d]; on a GPU one,
/// since only many items keep it busy.
int64_t groupsOf(AttentionOp op, const DecodePlan &plan) {
  auto module = op->getParentOfType<ModuleOp>();
  auto target = module ? module->getAttrOfType<TargetAttr>("weft.target") : TargetAttr();
  if (module && (module->hasAttr("weft.device") || (target && isDevice(target))))
    return 1;
  std::optional<unsigned> key;
  bool sideBySide = false;
  for (auto [position, expr] : llvm::enumerate(op.getIndexingMap(/*key*/ 1).getResults())) {
    if (expr == getAffineDimExpr(AttentionOp::Key, op.getContext()))
      key = position;
    sideBySide |= key && expr.isFunctionOfDim(AttentionOp::Head);
  }
  int64_t heads = extentOf(op, /*query*/ 0, AttentionOp::Head);
  bool fits =
      !ShapedType::isDynamic(heads) && heads % plan.group == 0 && heads * plan.queries * plan.valueDim <= kMostOutputs;
  return sideBySide && fits ? std::max<int64_t>(1, heads / plan.group) : 1;
}

/// Whether a row (the last of the operand's indices is `dim`) lies in one piece.
bool hasRows(AttentionOp op, unsigned operand, unsigned dim) {
  if (op.getIndexingMap(operand).getResults().back() != getAffineDimExpr(dim, op.getContext()))
    return false;
  auto memref = dyn_cast<MemRefType>(op->getOperand(operand).getType());
  if (!memref)
    return true;
  SmallVector<int64_t> strides;
  int64_t offset;
  return succeeded(memref.getStridesAndOffset(strides, offset)) && strides.back() == 1;
}

} // namespace

DecodeMatch matchDecode(AttentionOp op) {
  DecodePlan plan{1, 1, extentOf(op, 0, AttentionOp::Query), extentOf(op, 0, AttentionOp::HeadDim),
                  extentOf(op, 2, AttentionOp::ValueDim)};
  if (ShapedType::isDynamic(plan.headDim) || ShapedType::isDynamic(plan.valueDim) || plan.queries == 0)
    return {};
  if (ShapedType::isDynamic(plan.queries))
    return {std::nullopt, "the number of queries is not known: few of them would leave lanes idle"};
  if (plan.queries > kMostQueries)
    return {};
  if (!hasRows(op, 1, AttentionOp::HeadDim) || !hasRows(op, 2, AttentionOp::ValueDim))
    return {std::nullopt, "a key or a value is not contiguous in memory"};
  int64_t keyGroup = groupOf(op, 1), valueGroup = groupOf(op, 2);
  if (ShapedType::isDynamic(keyGroup) || ShapedType::isDynamic(valueGroup))
    return {std::nullopt, "the number of heads that share a key is not known"};
  // Groups within groups are cut at the smaller ones.
  int64_t small = std::min(keyGroup, valueGroup), large = std::max(keyGroup, valueGroup);
  plan.group = small > 0 && large % small == 0 ? small : 1;
  if (plan.group * plan.queries > kMostRows)
    return {std::nullopt, "more queries share a key than its kernel holds"};
  plan.groups = groupsOf(op, plan);
  return {plan, {}};
}

DecodeTile::DecodeTile(const DecodePlan &plan, const RegisterPlan &registers, bool bytes) : bytes(bytes) {
  rows = std::min<int64_t>(4, llvm::PowerOf2Ceil(plan.rows()));
  keysInVector = registers.lanes / rows;
  // Eight accumulators are the least that keep two multiply-add units busy.
  sums = bytes ? 16 / keysInVector : std::max<int64_t>(1, 8 / registers.lanes);
  keys = keysInVector * sums;
  // Accumulators take half of the registers; the rest holds values and weights.
  int64_t accumulators = registers.rows >= 8 ? 16 : 8;
  valueVectors = accumulators / rows;
}

} // namespace weft
