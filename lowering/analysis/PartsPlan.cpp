// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Work items of a recurrence in one piece, and the work of two passes over it → parts or none.
#include "lowering/analysis/PartsPlan.h"

#include "lowering/analysis/CostModel.h"
#include "lowering/analysis/RecurrencePlan.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace weft {

/// Steps of a part. With 256, what combines parts costs two threads another 7 % where S has 64 × 32 elements.
static constexpr int64_t kPartLength = 512;

/// Below, a second thread gains a tenth at least: it would wait for more than this much work of both.
static constexpr double kMostWork = 1.8;

/// The ops of the step region that these values are computed by.
static SetVector<Operation *> opsBehind(RecurrenceOp op, ValueRange values) {
  SetVector<Operation *> ops;
  BackwardSliceOptions options;
  options.inclusive = true;
  options.filter = [&](Operation *inner) { return inner->getParentRegion() == &op.getStep(); };
  for (Value value : values)
    if (Operation *inner = value.getDefiningOp()) {
      LogicalResult found = getBackwardSlice(inner, &ops, options);
      assert(succeeded(found) && "the region is one block");
      (void)found;
    }
  return ops;
}

SmallVector<unsigned> inputsBehind(RecurrenceOp op, ValueRange values) {
  llvm::BitVector found(op.getInputs().size());
  auto look = [&](Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value))
      found.set(argument.getArgNumber());
  };
  llvm::for_each(values, look);
  for (Operation *inner : opsBehind(op, values))
    llvm::for_each(inner->getOperands(), look);
  return llvm::to_vector(llvm::map_range(found.set_bits(), [](unsigned input) { return input; }));
}

/// Cycles of a step for a vector of values and all n, by the table of level v3: the numbers, and so many multiply-adds
/// for each element of S.
static double stepCycles(RecurrenceOp op, const StepDependence &dependence, ValueRange numbers, double products) {
  double keys = assumedExtent(op.getStaticExtents()[RecurrenceOp::Key]);
  Work work;
  for (Operation *inner : opsBehind(op, numbers)) {
    bool onValue = dependence.onValue.contains(inner->getResult(0)),
         onKey = dependence.onKey.contains(inner->getResult(0));
    // Without e it is computed once for all vectors.
    work += Work::ofOpInRegion(inner) * ((onKey ? keys : 1) * (onValue ? 1.0 : 1.0 / RecurrencePlan::kMostColumns));
  }
  work.multiplyAdds += products * keys * (op.isComplex() ? 4 : 1);
  return CostModel(TargetAttr::get(op.getContext(), "v3", 8, 16, "x86-64-v3", "")).arithmetic(work);
}

/// Work of both passes over that of one.
static double workOf(RecurrenceOp op) {
  StepDependence dependence(op);
  StepOp step = op.getStepOp();
  SmallVector<Value> decay(step.getDecay()), local(decay);
  llvm::append_range(local, step.getKey());
  llvm::append_range(local, step.getValue());
  double whole = stepCycles(op, dependence, step->getOperands(), 3), first = stepCycles(op, dependence, local, 2);
  // The decays of a part are multiplied apart from S, as many as there are.
  double parts = 0, keys = assumedExtent(op.getStaticExtents()[RecurrenceOp::Key]);
  if (!decay.empty()) {
    bool onKey = llvm::any_of(decay, [&](Value value) { return dependence.onKey.contains(value); });
    bool onValue = llvm::any_of(decay, [&](Value value) { return dependence.onValue.contains(value); });
    parts = stepCycles(op, dependence, decay,
                       (onKey ? 1 : 1 / keys) * (onValue ? 1.0 : 1.0 / RecurrencePlan::kMostColumns));
  }
  return (whole + first + parts) / whole;
}

/// Items that the op would be in one piece, of as few columns as pay; extents that are not known count as one.
static int64_t itemsOf(RecurrenceOp op) {
  SmallVector<int64_t> extents = op.getStaticExtents();
  auto known = [&](unsigned dim) { return ShapedType::isDynamic(extents[dim]) ? 1 : extents[dim]; };
  return known(RecurrenceOp::Batch) * known(RecurrenceOp::Head) *
         llvm::divideCeil(known(RecurrenceOp::Value), RecurrencePlan::kFewColumns);
}

PartsMatch matchParts(RecurrenceOp op) {
  auto wanted = op->getParentOfType<ModuleOp>()->getAttrOfType<IntegerAttr>("weft.part_length");
  int64_t length = wanted ? wanted.getInt() : kPartLength;
  int64_t steps = op.getStaticExtents()[RecurrenceOp::Time];
  bool isLong = ShapedType::isDynamic(steps) || steps >= 2 * length;
  if (length < 2 || !isLong || op.getPartLength() || !op.hasPureTensorSemantics() || (!wanted && itemsOf(op) > 1))
    return {};
  if (op.getReset())
    return {std::nullopt, "a sequence that starts anew must give the bits that it gives alone"};
  if (!op.getStepOp().getLowRank().empty())
    return {std::nullopt, "with a term of low rank, what a part does to S is a matrix for each head"};
  if (ShapedType::isDynamic(op.getStaticExtents()[RecurrenceOp::Key]))
    return {std::nullopt, "the extent of n is not known"};
  double work = workOf(op);
  if (!wanted && work > kMostWork)
    return {std::nullopt,
            llvm::formatv("in parts it takes {0:F2} times the work, and two threads would gain little", work)};
  return {PartsPlan{length, work}, ""};
}

} // namespace weft
