// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fuse phase: canonical ops → weft.kernel regions.
#include "lowering/fuse/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace weft {

#define GEN_PASS_REGISTRATION
#include "lowering/fuse/Passes.h.inc"

void registerFusePasses() { registerWeftFusePasses(); }

void buildFusePhase(OpPassManager &pm) {
  // Products first: a merged product is one kernel where its parts would be several.
  pm.addPass(createFuseProjections());
  // Merged products first, so that what they read is rounded once.
  pm.addPass(createQuantizeProducts());
  pm.addPass(createQuantizeExperts());
  // Before grouping, since the parts of a split attention are kernels of their own.
  pm.addPass(createSplitAttention());
  // Equal computations become one here: of two equal kernels that are both results, each needs its own output.
  pm.addPass(createCSEPass());
  // Before grouping, which sees what is left.
  pm.addPass(createAbsorbElementwise());
  // After that, which leaves regions as they will be, and before kernels: parts are several.
  pm.addPass(createSplitRecurrence());
  // After CSE, which would make one of two copies, and right before the order of kernels follows from that of ops.
  pm.addPass(createBindStates());
  pm.addPass(createFuseKernels());
  pm.addPass(createFuseElementwise());
  pm.addPass(createCanonicalizerPass());
}

} // namespace weft
