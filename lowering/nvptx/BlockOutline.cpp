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

void keepRolled(scf::ForOp loop) {
  Builder b(loop.getContext());
  auto unroll = LLVM::LoopUnrollAttr::get(b.getContext(), /*disable=*/b.getBoolAttr(true), {}, {}, {}, {}, {}, {});
  loop->setAttr("loop_annotation", LLVM::LoopAnnotationAttr::get(b.getContext(), {}, {}, {}, unroll, {}, {}, {}, {}, {},
                                                                 {}, {}, {}, {}, {}, {}));
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

static void emitChoices(OpBuilder &b, Location loc, Value count, ArrayRef<BlockChoice> choices,
                        MutableArrayRef<KernelOutline> outlines, ArrayRef<func::FuncOp> functions) {
  if (choices.size() == 1)
    return outlines[0].emitLaunch(b, functions[0], choices[0].program.shape);
  Value most = arith::ConstantIndexOp::create(b, loc, choices[0].most);
  Value isAtMost = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule, count, most);
  auto choice = scf::IfOp::create(b, loc, isAtMost, /*withElseRegion=*/true);
  OpBuilder then = choice.getThenBodyBuilder(), otherwise = choice.getElseBodyBuilder();
  outlines[0].emitLaunch(then, functions[0], choices[0].program.shape);
  emitChoices(otherwise, loc, count, choices.drop_front(), outlines.drop_front(), functions.drop_front());
}

void outlineBlocks(scf::ForallOp forall, ArrayRef<Operation *> ops, OpFoldResult count, ArrayRef<BlockChoice> choices,
                   const LLVMTypeConverter &types, DeviceModule &device) {
  if (std::optional<int64_t> known = getConstantIntValue(count)) {
    while (choices.size() > 1 && *known > choices.front().most)
      choices = choices.drop_front();
    return outlineBlocks(forall, ops, choices.front().program, types, device);
  }
  SmallVector<KernelOutline, 0> outlines;
  for (const BlockChoice &choice : choices)
    outlines.emplace_back(forall, types, device, choice.program.maps);
  SmallVector<func::FuncOp> functions(choices.size());
  for (size_t number = choices.size(); number-- > 0;)
    functions[number] = createProgram(outlines[number], forall, ops, choices[number].program);
  OpBuilder b(forall);
  emitChoices(b, forall.getLoc(), cast<Value>(count), choices, outlines, functions);
  forall.erase();
}

} // namespace weft
