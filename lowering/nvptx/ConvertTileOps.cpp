// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a block of threads does → what each of its threads does:
//   %s = tile.mma %a, b_transposed %b, %t : …   →   %w:4 = nvvm.ldmatrix …; %s:4 = nvvm.mma.sync …; …
// Fragments become their registers, also where loops carry them. The five hazards of matrix instructions by wgmma and
// of barriers are each handled in one place: TileGroups.cpp (operands tied to groups and waits), TileRoles.cpp (waits
// of barriers are loops, which the assembler moves nothing across), TileFragments.cpp (no function of a library).
#include "lowering/nvptx/Passes.h"

#include "lowering/nvptx/TileLowering.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/IR/SymbolTable.h"

namespace weft {
#define GEN_PASS_DEF_CONVERTTILEOPS
#include "lowering/nvptx/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

constexpr const char *kSharedSymbol = "global_smem";

/// The block's shared memory, in the module of the device's functions.
void declareSharedMemory(Operation *symbols) {
  if (SymbolTable::lookupSymbolIn(symbols, kSharedSymbol))
    return;
  OpBuilder b = OpBuilder::atBlockBegin(&symbols->getRegion(0).front());
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), 0);
  LLVM::GlobalOp::create(b, symbols->getLoc(), type, /*isConstant=*/false, LLVM::Linkage::External, kSharedSymbol,
                         Attribute(), /*alignment=*/1024, static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared));
}

/// Where buffers are, weft-place-buffers says.
LogicalResult prepare(Operation *module) {
  WalkResult result = module->walk([&](Operation *op) {
    if (!isa<tile::AllocOp, tile::PipelineOp>(op))
      return WalkResult::advance();
    declareSharedMemory(SymbolTable::getNearestSymbolTable(op));
    if (op->hasAttr("offset"))
      return WalkResult::advance();
    op->emitError("has no place in shared memory: run weft-place-buffers first");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

struct ConvertTileOpsPass : impl::ConvertTileOpsBase<ConvertTileOpsPass> {
  void runOnOperation() override {
    if (failed(prepare(getOperation())))
      return signalPassFailure();
    TileTypes types;
    RewritePatternSet patterns(&getContext());
    populateTileMemory(types, patterns);
    populateTileGlobal(types, patterns);
    populateTileFragments(types, patterns);
    populateTileProducts(types, patterns);
    populateTileGroups(types, patterns);
    populateTileRoles(types, patterns);
    ConversionTarget target(getContext());
    target.addLegalDialect<arith::ArithDialect, LLVM::LLVMDialect, NVVM::NVVMDialect, scf::SCFDialect>();
    target.addIllegalDialect<tile::TileDialect>();
    target.addDynamicallyLegalOp<math::Exp2Op>([](math::Exp2Op op) {
      return !op.getType().isF32() || !bitEnumContainsAll(op.getFastmath(), arith::FastMathFlags::afn);
    });
    target.addDynamicallyLegalOp<UnrealizedConversionCastOp>([](UnrealizedConversionCastOp op) {
      return llvm::none_of(op.getOperandTypes(), llvm::IsaPred<tile::BufferType>);
    });
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    scf::populateSCFStructuralTypeConversionsAndLegality(types, patterns, target);
    if (failed(applyPartialConversion(getOperation(), target, std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace weft
