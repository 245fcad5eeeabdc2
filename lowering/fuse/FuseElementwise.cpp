// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chains of elementwise linalg ops inside a kernel → one linalg.generic (MLIR's own patterns).
#include "lowering/fuse/Passes.h"

#include "dialects/weft/WeftDialect.h"
#include "lowering/analysis/FusionCost.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace weft {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "lowering/fuse/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

struct FuseElementwisePass : impl::FuseElementwiseBase<FuseElementwisePass> {
  void runOnOperation() override {
    if (!isFusionOn(getOperation()))
      return;
    RewritePatternSet patterns(&getContext());
    // Only within a kernel, and only where the producer has no other reader: nothing is computed in two kernels. A
    // producer of fewer elements would run again for each of its reader's: only if that costs less than a scratch.
    linalg::populateElementwiseOpsFusionPatterns(patterns, [](OpOperand *operand) {
      Operation *producer = operand->get().getDefiningOp();
      return producer && producer->hasOneUse() && producer->getParentOfType<KernelOp>() &&
             estimateInline(producer, operand->getOwner()).pays();
    });
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace weft
