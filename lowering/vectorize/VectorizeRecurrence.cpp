// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.recurrence on memrefs → a loop over time with the value dimension in lanes and S in registers
// (RecurrenceEmitter), or chunks of steps as products of matrices (ChunkedRecurrence).
#include "lowering/vectorize/Passes.h"

#include "lowering/vectorize/ChunkedRecurrence.h"

#include "mlir/Interfaces/ValueBoundsOpInterface.h"

namespace weft {
#define GEN_PASS_DEF_VECTORIZERECURRENCE
#include "lowering/vectorize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Whether a part's steps are all of the op's.
bool holdsOnePart(RecurrenceOp op) {
  std::optional<int64_t> length = op.getPartLength();
  if (!length)
    return true;
  for (unsigned operand : llvm::seq(op->getNumOperands())) {
    std::optional<unsigned> place =
        op.getIndexingMap(operand).getResultPosition(getAffineDimExpr(RecurrenceOp::Time, op.getContext()));
    if (!place)
      continue;
    FailureOr<int64_t> most = ValueBoundsConstraintSet::computeConstantBound(
        presburger::BoundType::UB, {op->getOperand(operand), *place}, /*stopCondition=*/nullptr, /*closedUB=*/true);
    if (succeeded(most) && *most <= *length)
      return true;
  }
  return op.getStaticExtents()[RecurrenceOp::Time] == 1;
}

struct VectorizeRecurrencePass : impl::VectorizeRecurrenceBase<VectorizeRecurrencePass> {
  void runOnOperation() override {
    FailureOr<RegisterPlan> registers = registerPlanOf(getOperation());
    if (failed(registers))
      return signalPassFailure();
    SmallVector<RecurrenceOp> ops;
    getOperation()->walk([&](RecurrenceOp op) { ops.push_back(op); });
    for (RecurrenceOp op : ops) {
      if (!holdsOnePart(op)) {
        op.emitError("has several parts, each with states of its own: run the tile phase first");
        return signalPassFailure();
      }
      RecurrencePlan plan = RecurrencePlan::forOp(op, *registers);
      if (ShapedType::isDynamic(plan.keys) || ShapedType::isDynamic(plan.columns)) {
        op.emitError("needs extents of n and e that are known or bounded: run the tile phase first");
        return signalPassFailure();
      }
      OpBuilder builder(op);
      if (plan.chunks)
        ChunkedRecurrenceEmitter(op, plan, *registers).emit(builder);
      else
        RecurrenceEmitter(op, plan, *registers).emit(builder);
      op.erase();
    }
  }
};

} // namespace
} // namespace weft
