// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/RegisterAll.h"

#include "dialects/check/CheckOps.h"
#include "dialects/tile/TileOps.h"
#include "dialects/weft/WeftDialect.h"
#include "lowering/bufferize/Passes.h"
#include "lowering/cpu/Passes.h"
#include "lowering/fuse/Passes.h"
#include "lowering/normalize/Passes.h"
#include "lowering/nvptx/Passes.h"
#include "lowering/outline/Passes.h"
#include "lowering/tile/Passes.h"
#include "lowering/vectorize/Passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"

void weft::registerAllDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<WeftDialect, check::CheckDialect, tile::TileDialect>();
  registerBufferizableOpInterfaceExternalModels(registry);
  check::registerBufferizableOpInterfaceExternalModels(registry);
}

/// A phase as a pipeline of its own: weft-opt --weft-tile-phase.
static void registerPhase(llvm::StringRef name, void (*build)(mlir::OpPassManager &)) {
  std::string description = ("The " + name + " phase").str();
  mlir::registerPassPipeline(
      ("weft-" + name + "-phase").str(), description,
      [build](mlir::OpPassManager &pm, llvm::StringRef, llvm::function_ref<mlir::LogicalResult(const llvm::Twine &)>) {
        build(pm);
        return mlir::success();
      },
      [](llvm::function_ref<void(const mlir::detail::PassOptions &)>) {});
}

void weft::registerAllPasses() {
  mlir::registerAllPasses();
  registerNormalizePasses();
  registerFusePasses();
  registerOutlinePasses();
  registerTilePasses();
  registerBufferizePasses();
  registerVectorizePasses();
  registerNvptxPasses();
  registerCpuPasses();
  registerPhase("normalize", buildNormalizePhase);
  registerPhase("fuse", buildFusePhase);
  registerPhase("outline", buildOutlinePhase);
  registerPhase("tile", buildTilePhase);
  registerPhase("bufferize", buildBufferizePhase);
  registerPhase("blocks", buildBlocksPhase);
  registerPhase("vectorize", buildVectorizePhase);
  registerPhase("nvptx", buildNvptxPhase);
  registerPhase("cpu", buildCpuPhase);
}
