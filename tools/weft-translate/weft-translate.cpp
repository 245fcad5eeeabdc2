// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Translates between MLIR's LLVM dialect and LLVM IR, imports Hugging Face folders, and makes PTX of kernels.
#include "compiler/emit/PtxTranslation.h"
#include "frontends/hf/HuggingFace.h"

#include "mlir/Support/LogicalResult.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"

namespace mlir {
void registerFromLLVMIRTranslation();
void registerToLLVMIRTranslation();
} // namespace mlir

int main(int argc, char **argv) {
  mlir::registerFromLLVMIRTranslation();
  mlir::registerToLLVMIRTranslation();
  weft::registerHuggingFaceTranslation();
  weft::registerPtxTranslation();
  return mlir::failed(mlir::mlirTranslateMain(argc, argv, "Weft's translator"));
}
