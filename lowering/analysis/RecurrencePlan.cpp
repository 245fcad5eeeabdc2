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
    auto operand = cast<ShapedType>(op.getInputs()[index].getType());
    for (auto [expr, extent] : llvm::zip_equal(map.getResults(), operand.getShape()))
      if (expr.isFunctionOfDim(RecurrenceOp::Head) && extent != 1) // of one group, all heads read the same
        onHead.insert(argument);
    if (map.isFunctionOfDim(RecurrenceOp::Key))
      onKey.insert(argument);
    if (map.isFunctionOfDim(RecurrenceOp::Value))
      onValue.insert(argument);
  }
  for (Operation &inner : body.without_terminator())
    for (DenseSet<Value> *set : {&onHead, &onKey, &onValue})
      if (llvm::any_of(inner.getOperands(), [&](Value value) { return set->contains(value); }))
        set->insert(inner.result_begin(), inner.result_end());
  for (Operation &inner : body.without_terminator()) {
    if (inner.getNumResults() != 1 || inner.hasTrait<OpTrait::ConstantLike>())
      continue;
    Value result = inner.getResult(0);
    bool isRead = llvm::any_of(result.getUsers(), [&](Operation *user) {
      return isa<StepOp>(user) || (user->getNumResults() && onKey.contains(user->getResult(0)));
    });
    if (onKey.contains(result) || !result.getType().isF32())
      continue;
    if (isRead)
      shared.push_back(result);
    bool isReadByVectors = isRead || llvm::any_of(result.getUsers(), [&](Operation *user) {
                             return user->getNumResults() && onValue.contains(user->getResult(0));
                           });
    if (isReadByVectors && !onValue.contains(result))
      scalars.push_back(result);
  }
}

/// Steps of a block of time.
static constexpr int64_t kSteps = 32;

/// 32 of them, not 16. With 16, a chunk has room for one vector beside each other, and would load a number for each of
/// its multiplications.
static bool hasManyRegisters(const RegisterPlan &registers) { return registers.rows >= 8; }

/// A vector register for each of: key, query, value, decay, product, and what an exponential needs.
static int64_t accumulators(const RegisterPlan &registers) { return hasManyRegisters(registers) ? 16 : 8; }

/// Heads of an item, at most; and items that a batch must have then, so that a few cores have work.
static constexpr int64_t kMostHeads = 4, kManyItems = 6;

/// Vectors beside each other that an item's columns are at least.
static constexpr int64_t kVectors = 4;
/// Columns of an item, at most: half a page of a row. A step's rows are on other pages than the next one's, and each
/// item visits all of them: Mamba of 1536 columns and 32768 steps takes 1.5 times as long in items of 64 as in items
/// of 256 (Zen 4). The S of an item stays in the second-level cache.
static constexpr int64_t kWidestItem = 512, kStateElements = 1 << 14;

/// Items of so many columns; extents that are not known count as one.
static int64_t itemsOf(ArrayRef<int64_t> extents, int64_t columns) {
  auto known = [&](unsigned dim) { return ShapedType::isDynamic(extents[dim]) ? 1 : extents[dim]; };
  return known(RecurrenceOp::Batch) * known(RecurrenceOp::Head) * llvm::divideCeil(known(RecurrenceOp::Value), columns);
}

int64_t RecurrencePlan::itemColumns(RecurrenceOp op, const RegisterPlan &registers) {
  SmallVector<int64_t> extents = op.getStaticExtents();
  int64_t columns = kVectors * registers.lanes;
  if (ShapedType::isDynamic(extents[RecurrenceOp::Value]) || extents[RecurrenceOp::Time] == 1 || op.getPartLength())
    return columns;
  if (itemsOf(extents, columns) == 1)
    return std::min(columns, kFewColumns);
  if (forOp(op, registers).chunks || ShapedType::isDynamic(extents[RecurrenceOp::Key]))
    return columns;
  auto mayDouble = [&] {
    return 2 * columns <= kWidestItem && itemsOf(extents, 2 * columns) >= kManyItems &&
           extents[RecurrenceOp::Key] * 2 * columns <= kStateElements;
  };
  while (mayDouble())
    columns *= 2;
  return columns;
}

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

/// Whether none of the numbers depends on the dimension whose set this is.
static bool isNoneIn(OperandRange numbers, const DenseSet<Value> &set) {
  return llvm::none_of(numbers, [&](Value number) { return set.contains(number); });
}

/// Whether a step is made of vectors over n and vectors over e: then several of them are products of matrices.
static bool isSeparable(RecurrenceOp op, const StepDependence &dependence) {
  StepOp step = op.getStepOp();
  return !op.isComplex() && isNoneIn(step.getQuery(), dependence.onValue) &&
         isNoneIn(step.getKey(), dependence.onValue) && isNoneIn(step.getDecay(), dependence.onValue) &&
         isNoneIn(step.getLowRank(), dependence.onValue) && isNoneIn(step.getValue(), dependence.onKey);
}

/// Whether the chunk's products of queries and keys are the same for all heads: no n has a decay of its own.
static bool sharesPairs(RecurrenceOp op, const StepDependence &dependence) {
  StepOp step = op.getStepOp();
  return isNoneIn(step.getQuery(), dependence.onHead) && isNoneIn(step.getKey(), dependence.onHead) &&
         isNoneIn(step.getLowRank(), dependence.onHead) && isNoneIn(step.getDecay(), dependence.onKey);
}

/// Vector instructions of a step, one by one and in chunks of c: the former multiply S by the decay, add key times
/// value and a term of low rank, and sum up query and the other vector times S; the latter do the multiplication once
/// for c.
static bool areChunksShorter(RecurrenceOp op, const RecurrencePlan &plan, const RegisterPlan &registers) {
  double c = RecurrencePlan::kChunk, lowRank = op.getStepOp().getLowRank().empty() ? 0 : 1;
  double sums = op.getOutputs().empty() ? 0 : 1; // whether there is a query
  double columns = llvm::divideCeil(plan.columns, registers.lanes), keys = llvm::divideCeil(plan.keys, registers.lanes);
  double one = (2 + sums + 2 * lowRank) * plan.keys * columns;
  if (!plan.holdsWholeState())
    one += 2 * sums * plan.keys / plan.rows * columns;
  double products = (1 + sums + 2 * lowRank + 1 / c) * plan.keys * columns;
  // The products of all pairs of steps, and their sums over lanes in the end.
  double pairs = (sums + (1 + 2 * sums) * lowRank) * ((c + 1) / 2 * keys + 2 * c) + (sums + lowRank) * c * columns;
  return products + pairs < one;
}

RecurrencePlan RecurrencePlan::forOp(RecurrenceOp op, const RegisterPlan &registers) {
  SmallVector<int64_t> extents = op.getStaticExtents();
  StepDependence dependence(op);
  RecurrencePlan plan;
  plan.keys = extents[RecurrenceOp::Key];
  plan.columns = mostColumns(op);
  int64_t parts = op.isComplex() ? 2 : 1, budget = accumulators(registers) / parts;
  int64_t most = ShapedType::isDynamic(plan.columns) ? 4 : llvm::divideCeil(plan.columns, registers.lanes);
  bool costly = hasCostlyElements(op, dependence);
  plan.rows = std::min(plan.keys, budget);
  // Where not all of S stays in registers, a key and a query that are read once serve several vectors.
  if (plan.rows < plan.keys && !costly)
    plan.rows = std::max<int64_t>(1, budget / std::clamp<int64_t>(most, 1, 4));
  plan.vectors = costly ? 1 : std::clamp<int64_t>(std::min(budget / plan.rows, most), 1, 4);
  int64_t steps = extents[RecurrenceOp::Time];
  plan.steps = ShapedType::isDynamic(steps) ? kSteps : std::min(kSteps, steps);
  plan.chunks = hasManyRegisters(registers) && plan.steps >= kChunk && isSeparable(op, dependence) &&
                areChunksShorter(op, plan, registers);
  plan.heads = 1;
  if (!plan.chunks)
    return plan;
  plan.vectors = 1;
  int64_t heads = extents[RecurrenceOp::Head];
  if (!ShapedType::isDynamic(heads) && heads <= kMostHeads && sharesPairs(op, dependence))
    plan.heads = heads;
  return plan;
}

/// The heads that read the same queries and keys: those of a group, or all.
static int64_t headsOfGroup(RecurrenceOp op) {
  StepDependence dependence(op);
  int64_t group = op.getStaticExtents()[RecurrenceOp::Head];
  for (auto [index, argument] : llvm::enumerate(op.getStep().getArguments()))
    for (AffineExpr expr : op.getIndexingMap(index).getResults())
      if (std::optional<int64_t> size = headGroupOf(expr); size && dependence.onKey.contains(argument))
        group = *size;
      else if (dependence.onKey.contains(argument) && expr.isFunctionOfDim(RecurrenceOp::Head))
        return 1;
  return group;
}

int64_t RecurrencePlan::itemHeads(RecurrenceOp op, const RegisterPlan &registers) {
  SmallVector<int64_t> extents = op.getStaticExtents();
  int64_t heads = extents[RecurrenceOp::Head], columns = extents[RecurrenceOp::Value];
  if (ShapedType::isDynamic(heads) || ShapedType::isDynamic(columns) || !forOp(op, registers).chunks ||
      !isNoneIn(op.getStepOp().getDecay(), StepDependence(op).onKey))
    return 1;
  int64_t group = headsOfGroup(op);
  for (int64_t count = kMostHeads; count > 1; --count)
    if (group % count == 0 && heads / count * llvm::divideCeil(columns, itemColumns(op, registers)) >= kManyItems)
      return count;
  return 1;
}

} // namespace weft
