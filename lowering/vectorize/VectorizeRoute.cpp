// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.route on memrefs → for each token, one after the other, the best expert below the last one:
//   scf.for %t { scores → scratch;  scf.for %j iter_args(%last) { scf.for %e step lanes { the largest key < %last } … }
//   }
// A key is an integer that orders numbers and, among equal ones, places, so that no choice is a tie and nothing has to
// be taken out of the row.
#include "lowering/vectorize/Passes.h"

#include "lowering/vectorize/RouteEmitter.h"

namespace weft {
#define GEN_PASS_DEF_VECTORIZEROUTE
#include "lowering/vectorize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

struct VectorizeRoutePass : impl::VectorizeRouteBase<VectorizeRoutePass> {
  void runOnOperation() override {
    FailureOr<TargetAttr> target = targetOf(getOperation());
    if (failed(target))
      return signalPassFailure();
    RegisterPlan registers = RegisterPlan::forTarget(*target);
    SmallVector<RouteOp> ops;
    getOperation()->walk([&](RouteOp op) { ops.push_back(op); });
    for (RouteOp op : ops) {
      if (op.getScores().getType().isDynamicDim(1) && op.getScoring() != "none") {
        op.emitError(
            "scores of an unknown number of experts cannot be scored: give the experts' dimension an extent, or "
            "apply softmax or sigmoid before");
        return signalPassFailure();
      }
      RouteEmitter(op, registers).emit();
    }
  }
};

} // namespace
} // namespace weft
