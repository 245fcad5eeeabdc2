// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.recurrence on memrefs → a loop over time with the value dimension in lanes and S in registers
// (RecurrenceEmitter), or chunks of steps as products of matrices (ChunkedRecurrence).
#include "lowering/cpu/Passes.h"

#include "lowering/cpu/ChunkedRecurrence.h"

namespace weft {
#define GEN_PASS_DEF_VECTORIZERECURRENCE
#include "lowering/cpu/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

struct VectorizeRecurrencePass : impl::VectorizeRecurrenceBase<VectorizeRecurrencePass> {
  void runOnOperation() override {
    FailureOr<RegisterPlan> registers = registerPlanOf(getOperation());
    if (failed(registers))
      return signalPassFailure();
    SmallVector<RecurrenceOp> ops;
    getOperation()->walk([&](RecurrenceOp op) { ops.push_back(op); });
    for (RecurrenceOp op : ops) {
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
