// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The vectorize phase, as a table of contents: tiles of structured ops → loops over vectors of the target.
#include "lowering/vectorize/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace weft {

#define GEN_PASS_REGISTRATION
#include "lowering/vectorize/Passes.h.inc"

void registerVectorizePasses() { registerWeftVectorizePasses(); }

void buildVectorizePhase(OpPassManager &pm) {
  // Structured ops become vector code; products first, since they take elementwise ops as their epilogues.
  pm.addPass(createMapProductsToAmx());
  pm.addPass(createVectorizeMatmul());
  pm.addPass(createVectorizeQuantizedMatmul());
  pm.addPass(createVectorizeGroupwiseMatmul());
  // Few queries first; the rest is left to the general kernel.
  pm.addPass(createVectorizeDecodeAttention());
  pm.addPass(createVectorizeAttention());
  pm.addPass(createVectorizeCausalConv());
  pm.addPass(createVectorizeScan());
  pm.addPass(createVectorizeRecurrence());
  pm.addPass(createConvertEmbedding());
  pm.addPass(createConvertCacheUpdate());
  pm.addPass(createVectorizeRoute());
  pm.addPass(createConvertDispatch());
  pm.addPass(createVectorizeCombine());
  pm.addPass(createVectorizeGeneric());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());

  // Math after vectorisation, so that one expansion serves all lanes.
  pm.addPass(createExpandHalves());
  pm.addPass(createExpandMath());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

} // namespace weft
