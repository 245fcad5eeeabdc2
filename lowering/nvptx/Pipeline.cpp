// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The phases for GPUs, as tables of contents. blocks: items for whole blocks of threads → launches. nvptx: other loops
// over items → launches; vectors → one lane a thread.
#include "lowering/nvptx/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace weft {

#define GEN_PASS_REGISTRATION
#include "lowering/nvptx/Passes.h.inc"

void registerNvptxPasses() { registerWeftNvptxPasses(); }

void buildBlocksPhase(OpPassManager &pm) {
  pm.addPass(createWarpGroupProducts());
  pm.addPass(createBlockProducts());
  pm.addPass(createBlockDecode());
  pm.addPass(createWarpGroupAttention());
  pm.addPass(createBlockAttention());
  pm.addPass(createBlockRows());
  pm.addPass(createPlaceBuffers());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void buildNvptxPhase(OpPassManager &pm) {
  pm.addPass(createOutlineLaunches());
  pm.nest<gpu::GPUModuleOp>().addPass(createConvertTileOps());
  // While a vector still stands for what its threads do together.
  pm.addPass(createSynchronizeLanes());
  pm.addPass(createDistributeLanes());
  // Functions that are programs of a block, not of lanes.
  pm.addPass(createPlaceBuffers());
  pm.addPass(createConvertTileOps());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

} // namespace weft
