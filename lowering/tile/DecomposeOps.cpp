// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Row-wise weft ops on tiles → their definitions in linalg, which vectorise as they are (layer_norm: a mean, a variance
// and an elementwise op over one row that stays in the first-level cache).
#include "lowering/tile/Passes.h"

#include "dialects/weft/RecurrenceOps.h"
#include "dialects/weft/RoutingOps.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"

namespace weft {
#define GEN_PASS_DEF_DECOMPOSEOPS
#include "lowering/tile/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

struct DecomposeOpsPass : impl::DecomposeOpsBase<DecomposeOpsPass> {
  void runOnOperation() override {
    bool byDefinition = getOperation()->hasAttr("weft.definitions");
    SmallVector<DecomposableOpInterface> ops;
    getOperation()->walk([&](DecomposableOpInterface op) {
      if (isa<LayerNormOp, RmsNormOp, QuantizeRowsOp>(op) ||
          (byDefinition && isa<RecurrenceOp, RouteOp, DispatchOp, GroupedMatmulOp, CombineOp>(op)))
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (DecomposableOpInterface op : ops) {
      rewriter.setInsertionPoint(op);
      FailureOr<SmallVector<Value>> values = op.decompose(rewriter);
      if (failed(values)) {
        op->emitError("cannot be decomposed");
        return signalPassFailure();
      }
      rewriter.replaceOp(op, *values);
    }
  }
};

} // namespace
} // namespace weft
