// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/nvptx/LooseWork.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;

namespace weft {
namespace {

/// Whether the host cannot do it: it has neither the memory nor vectors.
bool isLoose(Operation &op) {
  if (isa<scf::ForallOp>(op) || op.hasTrait<OpTrait::IsTerminator>() || op.hasTrait<OpTrait::ConstantLike>())
    return false;
  return !isMemoryEffectFree(&op) || llvm::any_of(op.getResultTypes(), llvm::IsaPred<VectorType>);
}

bool isScratch(Value memref) {
  while (auto view = memref.getDefiningOp<ViewLikeOpInterface>())
    memref = view.getViewSource();
  return memref.getDefiningOp<memref::AllocaOp>() != nullptr;
}

/// Whether it changes what others than the kernel's items read.
bool writesForOthers(Operation *op) {
  auto writes = [](Operation *inner) {
    auto effects = dyn_cast<MemoryEffectOpInterface>(inner);
    SmallVector<MemoryEffects::EffectInstance> found;
    if (effects)
      effects.getEffects(found);
    bool one = llvm::any_of(found, [](const MemoryEffects::EffectInstance &effect) {
      return isa<MemoryEffects::Write>(effect.getEffect()) && effect.getValue() && !isScratch(effect.getValue());
    });
    return one ? WalkResult::interrupt() : WalkResult::advance();
  };
  return op->walk(writes).wasInterrupted();
}

bool hasLoop(Operation *op) {
  return op->walk([](scf::ForallOp) { return WalkResult::interrupt(); }).wasInterrupted();
}

/// Loose ops, in order, up to the last that writes for others.
void separate(SmallVectorImpl<Operation *> &loose) {
  while (!loose.empty() && !writesForOthers(loose.back()))
    loose.pop_back();
  if (loose.empty())
    return;
  OpBuilder b(loose.back()->getContext());
  b.setInsertionPointAfter(loose.back());
  Location loc = loose.back()->getLoc();
  auto loop = scf::ForallOp::create(b, loc, ArrayRef<OpFoldResult>{b.getIndexAttr(1)}, ValueRange{}, std::nullopt);
  for (Operation *op : loose)
    op->moveBefore(loop.getBody()->getTerminator());
  loose.clear();
}

void separateIn(Block &block) {
  SmallVector<Operation *> loose;
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (hasLoop(&op)) {
      separate(loose);
      loose.clear();
      for (Region &region : op.getRegions())
        for (Block &inner : region)
          if (!isa<scf::ForallOp>(op))
            separateIn(inner);
    } else if (isLoose(op)) {
      loose.push_back(&op);
    }
  }
  separate(loose);
}

} // namespace

void separateLooseWork(func::FuncOp kernel) {
  if (!hasLoop(kernel)) // all of it is one item
    return;
  for (Block &block : kernel.getBody())
    separateIn(block);
}

void sinkPrologue(scf::ForallOp forall) {
  SmallVector<Operation *> prologue;
  for (Operation &op : llvm::make_range(forall->getBlock()->begin(), forall->getIterator()))
    if (isLoose(op) && !hasLoop(&op))
      prologue.push_back(&op);
  Operation *first = &forall.getBody()->front();
  for (Operation *op : prologue)
    op->moveBefore(first);
}

} // namespace weft
