// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The shape of the step region and the target's registers → rows and vectors.
#include "lowering/analysis/RecurrencePlan.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;

namespace weft {

StepDependence::StepDependence(RecurrenceOp op) {
  Block &body = op.getStep().front();
  for (auto [index, argument] : llvm::enumerate(body.getArguments())) {
    AffineMap map = op.getIndexingMap(index);
    if (map.isFunctionOfDim(RecurrenceOp::Key))
      onKey.insert(argument);
    if (map.isFunctionOfDim(RecurrenceOp::Value))
      onValue.insert(argument);
  }
  for (Operation &inner : body.without_terminator())
    for (DenseSet<Value> *set : {&onKey, &onValue})
      if (llvm::any_of(inner.getOperands(), [&](Value value) { return set->contains(value); }))
        set->insert(inner.result_begin(), inner.result_end());
  for (Operation &inner : body.without_terminator()) {
    if (inner.getNumResults() != 1 || inner.hasTrait<OpTrait::ConstantLike>())
      continue;
    Value result = inner.getResult(0);
    bool isRead = llvm::any_of(result.getUsers(), [&](Operation *user) {
      return isa<StepOp>(user) || (user->getNumResults() && onKey.contains(user->getResult(0)));
    });
    if (isRead && !onKey.contains(result) && result.getType().isF32())
      shared.push_back(result);
  }
}

/// Steps of a block of time.
static constexpr int64_t kSteps = 32;

/// A vector register for each of: key, query, value, decay, product, and what an exponential needs.
static int64_t accumulators(const RegisterPlan &registers) { return registers.avx512 ? 16 : 8; }

int64_t RecurrencePlan::itemColumns(const RegisterPlan &registers) { return 4 * registers.lanes; }

/// Whether a number takes an exponential or its like for each element of S.
static bool hasCostlyElements(RecurrenceOp op, const StepDependence &dependence) {
  return llvm::any_of(op.getStep().front().without_terminator(), [&](Operation &inner) {
    return isa<math::MathDialect>(inner.getDialect()) && inner.getNumResults() &&
           dependence.onKey.contains(inner.getResult(0)) && dependence.onValue.contains(inner.getResult(0));
  });
}

/// Whether each op of a region works lane by lane.
static bool isElementwise(Region &region) {
  return region.empty() || llvm::all_of(region.front().without_terminator(), [](Operation &inner) {
           return inner.getNumRegions() == 0 &&
                  (OpTrait::hasElementwiseMappableTraits(&inner) || inner.hasTrait<OpTrait::ConstantLike>());
         });
}

StringRef RecurrencePlan::obstacleTo(RecurrenceOp op) {
  if (ShapedType::isDynamic(op.getStaticExtents()[RecurrenceOp::Key]))
    return "the extent of n is not known";
  if (!isElementwise(op.getStep()) || !isElementwise(op.getOutput()))
    return "a region has an op that does not work lane by lane";
  return "";
}

/// The extent of the value dimension or, in a tile that is cut short at the end, what bounds it.
static int64_t mostColumns(RecurrenceOp op) {
  int64_t known = op.getStaticExtents()[RecurrenceOp::Value];
  if (!ShapedType::isDynamic(known))
    return known;
  for (unsigned operand : llvm::seq(op->getNumOperands())) {
    AffineExpr e = getAffineDimExpr(RecurrenceOp::Value, op.getContext());
    std::optional<unsigned> place = op.getIndexingMap(operand).getResultPosition(e);
    if (!place)
      continue;
    FailureOr<int64_t> bound = ValueBoundsConstraintSet::computeConstantBound(
        presburger::BoundType::UB, {op->getOperand(operand), *place}, /*stopCondition=*/nullptr, /*closedUB=*/true);
    if (succeeded(bound))
      return *bound;
  }
  return ShapedType::kDynamic;
}

RecurrencePlan RecurrencePlan::forOp(RecurrenceOp op, const RegisterPlan &registers) {
  SmallVector<int64_t> extents = op.getStaticExtents();
  RecurrencePlan plan;
  plan.keys = extents[RecurrenceOp::Key];
  plan.columns = mostColumns(op);
  int64_t parts = op.isComplex() ? 2 : 1, budget = accumulators(registers) / parts;
  int64_t most = ShapedType::isDynamic(plan.columns) ? 4 : llvm::divideCeil(plan.columns, registers.lanes);
  bool costly = hasCostlyElements(op, StepDependence(op));
  plan.rows = std::min(plan.keys, budget);
  // Where not all of S stays in registers, a key and a query that are read once serve several vectors.
  if (plan.rows < plan.keys && !costly)
    plan.rows = std::max<int64_t>(1, budget / std::clamp<int64_t>(most, 1, 4));
  plan.vectors = costly ? 1 : std::clamp<int64_t>(std::min(budget / plan.rows, most), 1, 4);
  int64_t steps = extents[RecurrenceOp::Time];
  plan.steps = ShapedType::isDynamic(steps) ? kSteps : std::min(kSteps, steps);
  return plan;
}

} // namespace weft
