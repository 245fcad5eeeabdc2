// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs passes over MLIR text: mlir-opt with Weft's dialects and passes.
#include "compiler/DebugFlags.h"
#include "compiler/RegisterAll.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  weft::registerAllDialects(registry);
  weft::registerAllPasses();
  weft::registerDebugFlags();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Weft's optimizer\n", registry));
}
