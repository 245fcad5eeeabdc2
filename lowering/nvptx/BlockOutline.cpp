// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/nvptx/BlockOutline.h"

#include "lowering/nvptx/LaneGroup.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace weft {
namespace {

/// Scratch for results that stay in registers.
bool isScratch(Operation &op) {
  auto view = dyn_cast<memref::ViewOp>(op);
  return isa<memref::AllocaOp>(op) || (view && view.getSource().getDefiningOp<memref::AllocaOp>());
}

} // namespace

bool isForBlocks(scf::ForallOp forall, ArrayRef<Operation *> ops) {
  return llvm::all_of(forall.getBody()->without_terminator(), [&](Operation &op) {
    return llvm::is_contained(ops, &op) || isScratch(op) ||
           isa<memref::SubViewOp, memref::CastOp, memref::DimOp, memref::ExpandShapeOp, memref::CollapseShapeOp,
               affine::AffineApplyOp, affine::AffineMinOp, affine::AffineMaxOp>(op) ||
           isa<arith::ArithDialect>(op.getDialect());
  });
}

void outlineBlocks(scf::ForallOp forall, ArrayRef<Operation *> ops, BlockShape shape, const LLVMTypeConverter &types,
                   DeviceModule &device, function_ref<void(OpBuilder &, IRMapping &)> emit) {
  Location loc = forall.getLoc();
  KernelOutline outline(forall, types, device);
  func::FuncOp function = outline.createFunction({shape.threads, shape.items, /*sharedBytes=*/0});
  function->setAttr(kBlockAttribute, UnitAttr::get(function.getContext()));
  OpBuilder b = OpBuilder::atBlockBegin(&function.front());
  IRMapping mapping = outline.mapCaptures(b, function);
  Value block = NVVM::BlockIdXOp::create(b, loc, b.getI32Type());
  outline.mapInductionVariables(b, mapping, arith::IndexCastUIOp::create(b, loc, b.getIndexType(), block));
  for (Operation &op : forall.getBody()->without_terminator())
    if (!llvm::is_contained(ops, &op) && !isScratch(op))
      b.clone(op, mapping);
  emit(b, mapping);
  func::ReturnOp::create(b, loc);
  outline.emitLaunch(function, shape);
  forall.erase();
}

} // namespace weft
