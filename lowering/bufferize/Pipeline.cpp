// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bufferize phase: tensors → memory, all of it planned.
#include "lowering/bufferize/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace weft {

#define GEN_PASS_REGISTRATION
#include "lowering/bufferize/Passes.h.inc"

void registerBufferizePasses() { registerWeftBufferizePasses(); }

void buildBufferizePhase(OpPassManager &pm) {
  pm.addPass(createBufferizeKernels());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  // After CSE, so that equal extents are one value.
  pm.addPass(createBufferizeArena());
  pm.addPass(createCanonicalizerPass());
}

} // namespace weft
