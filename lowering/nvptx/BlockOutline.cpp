// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/nvptx/BlockOutline.h"

#include "lowering/nvptx/LaneGroup.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
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

static func::FuncOp createProgram(KernelOutline &outline, scf::ForallOp forall, ArrayRef<Operation *> ops,
                                  const BlockProgram &program) {
  Location loc = forall.getLoc();
  BlockShape shape = program.shape;
  shape.sharedBytes = 0; // which weft-place-buffers counts
  func::FuncOp function = outline.createFunction(shape, program.suffix);
  function->setAttr(kBlockAttribute, UnitAttr::get(function.getContext()));
  OpBuilder b = OpBuilder::atBlockBegin(&function.front());
  IRMapping mapping = outline.mapCaptures(b, function);
  Value block = NVVM::BlockIdXOp::create(b, loc, b.getI32Type());
  outline.mapInductionVariables(b, mapping, arith::IndexCastUIOp::create(b, loc, b.getIndexType(), block));
  for (Operation &op : forall.getBody()->without_terminator())
    if (!llvm::is_contained(ops, &op) && !isScratch(op))
      b.clone(op, mapping);
  program.emit(b, mapping);
  func::ReturnOp::create(b, loc);
  return function;
}

void outlineBlocks(scf::ForallOp forall, ArrayRef<Operation *> ops, const BlockProgram &program,
                   const LLVMTypeConverter &types, DeviceModule &device) {
  KernelOutline outline(forall, types, device, program.maps);
  outline.emitLaunch(createProgram(outline, forall, ops, program), program.shape);
  forall.erase();
}

void outlineBlocks(scf::ForallOp forall, ArrayRef<Operation *> ops, const BlockProgram &few, const BlockProgram &many,
                   int64_t most, const LLVMTypeConverter &types, DeviceModule &device) {
  Location loc = forall.getLoc();
  KernelOutline outline(forall, types, device);
  func::FuncOp ofMany = createProgram(outline, forall, ops, many), ofFew = createProgram(outline, forall, ops, few);
  OpBuilder b(forall);
  Value rows = getValueOrCreateConstantIndexOp(b, loc, forall.getMixedUpperBound().front());
  Value limit = arith::ConstantIndexOp::create(b, loc, most);
  Value areFew = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule, rows, limit);
  auto choice = scf::IfOp::create(b, loc, areFew, /*withElseRegion=*/true);
  OpBuilder then = choice.getThenBodyBuilder(), otherwise = choice.getElseBodyBuilder();
  outline.emitLaunch(then, ofFew, few.shape);
  outline.emitLaunch(otherwise, ofMany, many.shape);
  forall.erase();
}

} // namespace weft
