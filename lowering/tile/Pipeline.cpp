// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tile phase: kernel functions → parallel loops over tiles, still on tensors.
#include "lowering/tile/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace weft {

#define GEN_PASS_REGISTRATION
#include "lowering/tile/Passes.h.inc"

void registerTilePasses() { registerWeftTilePasses(); }

void buildTilePhase(OpPassManager &pm) {
  pm.addPass(createMarkExperts());
  pm.addPass(createTileExperts());
  pm.addPass(createTileKernels());
  // After tiling, so that a definition's intermediate values are rows, not tensors.
  pm.addPass(createDecomposeOps());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

} // namespace weft
