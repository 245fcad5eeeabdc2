// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// amx ops → LLVM's intrinsics, !amx.tile → !llvm.x86_amx, also where loops carry tiles. Before loops become branches:
// MLIR 22.1.8's conversion of branches takes no !amx.tile.
#include "lowering/cpu/Passes.h"

#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/AMX/Transforms.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Transforms/DialectConversion.h"

namespace weft {
#define GEN_PASS_DEF_CONVERTTILES
#include "lowering/cpu/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

Type tileToLlvm(amx::TileType type) { return LLVM::LLVMX86AMXType::get(type.getContext()); }

struct ConvertTilesPass : impl::ConvertTilesBase<ConvertTilesPass> {
  void runOnOperation() override {
    MLIRContext &context = getContext();
    LLVMTypeConverter toLlvm(&context);
    toLlvm.addConversion(tileToLlvm);
    // Loops change only where they carry tiles.
    TypeConverter tilesOnly;
    tilesOnly.addConversion([](Type type) { return type; });
    tilesOnly.addConversion(tileToLlvm);

    RewritePatternSet patterns(&context);
    LLVMConversionTarget target(context);
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    populateAMXLegalizeForLLVMExportPatterns(toLlvm, patterns);
    configureAMXLegalizeForExportTarget(target);
    scf::populateSCFStructuralTypeConversionsAndLegality(tilesOnly, patterns, target);
    if (failed(applyPartialConversion(getOperation(), target, std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace weft
