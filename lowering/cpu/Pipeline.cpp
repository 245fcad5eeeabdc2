// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cpu phase, as a table of contents: tiles on memrefs → vectors → functions of the ABI → the LLVM dialect.
#include "lowering/cpu/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace weft {

#define GEN_PASS_REGISTRATION
#include "lowering/cpu/Passes.h.inc"

void registerCpuPasses() { registerWeftCpuPasses(); }

void buildCpuPhase(OpPassManager &pm) {
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

  // Parallel loops become functions for the runtime; then the entry meets the ABI.
  pm.addPass(createConvertForall());
  pm.addPass(createAnnounceExperts());
  pm.addPass(createConvertEntry());

  // Math after vectorisation, so that one expansion serves all lanes.
  pm.addPass(createExpandHalves());
  pm.addPass(createExpandMath());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createLoopInvariantCodeMotionPass());

  // Down to the LLVM dialect. Views first: they become arithmetic on strides.
  pm.addPass(createConvertViews());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createLoopInvariantCodeMotionPass());
  pm.addPass(createConvertTiles());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createMoveHalves());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

} // namespace weft
