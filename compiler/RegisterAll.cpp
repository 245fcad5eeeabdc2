// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/RegisterAll.h"

#include "dialects/check/CheckOps.h"
#include "dialects/weft/WeftDialect.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"

void weft::registerAllDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<WeftDialect, check::CheckDialect>();
  registerBufferizableOpInterfaceExternalModels(registry);
  check::registerBufferizableOpInterfaceExternalModels(registry);
}

void weft::registerAllPasses() { mlir::registerAllPasses(); }
