// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The outline phase: kernels → functions.
#include "lowering/outline/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace weft {

#define GEN_PASS_REGISTRATION
#include "lowering/outline/Passes.h.inc"

void registerOutlinePasses() { registerWeftOutlinePasses(); }

void buildOutlinePhase(OpPassManager &pm) {
  pm.addPass(createOutlineKernels());
  pm.addPass(createCanonicalizerPass());
}

} // namespace weft
