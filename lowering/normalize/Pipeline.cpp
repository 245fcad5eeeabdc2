// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The normalize phase: imported graphs → canonical weft ops.
#include "lowering/normalize/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace weft {

#define GEN_PASS_REGISTRATION
#include "lowering/normalize/Passes.h.inc"

void registerNormalizePasses() { registerWeftNormalizePasses(); }

void buildNormalizePhase(OpPassManager &pm) {
  // Before anything changes what the expectations of a test see.
  pm.addPass(createNormalizeCheck());
  pm.addPass(createCanonicalizerPass());
  // Equal look-ups of a dimension or a weight become one value, so that later phases can compare by value.
  pm.addPass(createCSEPass());
  pm.addPass(createNormalizeNamed());
  // Named ops are generic by now.
  pm.addPass(createFoldParameters());
  pm.addPass(createNormalizeConcat());
  pm.addPass(createNormalizeLinear());
  pm.addPass(createNormalizeGrouped());
  // Weights of products are packed by now.
  pm.addPass(createShareTables());
  pm.addPass(createNormalizeAttention());
  pm.addPass(createRoundAttention());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  // At the end: a copy is nothing to a canonicalizer.
  pm.addPass(createNormalizeInputs());
}

} // namespace weft
