// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compute ops of an entry function → weft.kernel regions, one a group of lowering/analysis/KernelGroups:
//   %s = linalg.generic add %x, %r;  %y = weft.layer_norm ins(%s, …)
// becomes
//   %e = tensor.empty(%tokens)
//   %y = weft.kernel "norm" (%x, %r, …, %e) { … weft.yield … }
// Views, constants and fills are repeated inside. The last operands are the destinations, one a result: empty, or a
// tensor that is written over. What an op adds to without owning it is copied into its destination first.
#include "lowering/fuse/Passes.h"

#include "dialects/weft/WeftDialect.h"
#include "lowering/analysis/EntrySignature.h"
#include "lowering/analysis/EntryStates.h"
#include "lowering/analysis/InPlaceUpdate.h"
#include "lowering/analysis/KernelGroups.h"
#include "lowering/analysis/TensorExtents.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

namespace weft {
#define GEN_PASS_DEF_FUSEKERNELS
#include "lowering/fuse/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Everything that goes into one kernel.
struct KernelPlan {
  KernelGroup group;
  llvm::SetVector<Operation *> body; ///< the group's ops and what is repeated for them, in order
  llvm::SetVector<Value> inputs;     ///< values from outside
  /// Empty tensors, which the kernel gets its own of, or what is written over; null: the kernel's copy of the init.
  SmallVector<Value> destinations;
};

/// A destination that is written over is the kernel's alone: the body reads it there.
bool isWrittenOver(OpOperand &operand) {
  auto style = cast<DestinationStyleOpInterface>(operand.getOwner());
  return style.isDpsInit(&operand) && ownsMemory(startOf(operand.get()));
}

void collect(KernelPlan &plan, Operation *op);

/// What the plan's ops use of these values: their producers, or inputs of the kernel.
void collectUsed(KernelPlan &plan, ValueRange used) {
  for (Value value : used) {
    Operation *producer = value.getDefiningOp();
    bool inside =
        producer && (isView(producer) || isRepeated(producer) || llvm::is_contained(plan.group.ops, producer));
    if (inside)
      collect(plan, producer);
    else
      plan.inputs.insert(value);
  }
}

void collect(KernelPlan &plan, Operation *op) {
  if (plan.body.contains(op))
    return;
  SmallVector<Value> used;
  for (OpOperand &operand : op->getOpOperands())
    if (op != plan.group.root() || !isWrittenOver(operand))
      used.push_back(operand.get());
    else if (auto fill = operand.get().getDefiningOp<linalg::FillOp>())
      used.push_back(fill.getInputs().front());
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  llvm::append_range(used, captured);
  collectUsed(plan, used);
  plan.body.insert(op);
}

KernelPlan planKernel(const KernelGroup &group) {
  KernelPlan plan;
  plan.group = group;
  for (Value init : cast<DestinationStyleOpInterface>(group.root()).getDpsInits()) {
    Value destination = startOf(init);
    bool isMemory = destination.getDefiningOp<tensor::EmptyOp>() || ownsMemory(destination);
    plan.destinations.push_back(isMemory ? destination : Value());
  }
  for (Operation *op : group.ops)
    collect(plan, op);
  return plan;
}

/// The body's ops inside the kernel; an empty tensor that starts the root's result is the destination itself.
void emitBody(OpBuilder &b, KernelOp kernel, const KernelPlan &plan) {
  Block *block = b.createBlock(&kernel.getBody(), {}, kernel.getInputs().getTypes(),
                               SmallVector<Location>(kernel.getInputs().size(), kernel.getLoc()));
  IRMapping mapping;
  for (auto [input, argument] : llvm::zip(plan.inputs, block->getArguments()))
    mapping.map(input, argument);
  for (Operation *op : plan.body)
    if (op != plan.group.root())
      b.clone(*op, mapping);
  // Only the root writes the destinations; another op of the group with the same empty tensor keeps its own.
  auto results = block->getArguments().take_back(plan.destinations.size());
  SmallVector<Value> starts;
  auto root = cast<DestinationStyleOpInterface>(plan.group.root());
  for (auto [init, destination, argument] : llvm::zip_equal(root.getDpsInits(), plan.destinations, results)) {
    Value start = argument;
    if (!destination)
      start = linalg::CopyOp::create(b, init.getLoc(), mapping.lookupOrDefault(init), argument).getResult(0);
    else if (auto fill = init.getDefiningOp<linalg::FillOp>()) {
      // A mapping of its own: one that has seen the op's region would not copy the region's arguments again.
      IRMapping operands;
      for (Value operand : fill->getOperands())
        operands.map(operand, operand == destination ? argument : mapping.lookupOrDefault(operand));
      start = b.clone(*fill, operands)->getResult(0);
    }
    starts.push_back(start);
  }
  Operation *clone = b.clone(*root, mapping);
  // One by one: two results may start from the same tensor.
  for (auto [init, start] : llvm::zip_equal(cast<DestinationStyleOpInterface>(clone).getDpsInitsMutable(), starts))
    init.set(start);
  YieldOp::create(b, kernel.getLoc(), clone->getResults());
}

void applyKernel(OpBuilder &b, const KernelPlan &plan) {
  Operation *root = plan.group.root();
  b.setInsertionPoint(root);
  SmallVector<Value> inputs(plan.inputs.begin(), plan.inputs.end());
  auto inits = cast<DestinationStyleOpInterface>(root).getDpsInits();
  for (auto [destination, init] : llvm::zip_equal(plan.destinations, inits)) {
    if (destination && !destination.getDefiningOp<tensor::EmptyOp>())
      inputs.push_back(destination);
    else if (destination)
      inputs.push_back(b.clone(*destination.getDefiningOp())->getResult(0));
    else
      inputs.push_back(
          tensor::EmptyOp::create(b, root->getLoc(), extentsOfTensor(b, init), getElementTypeOrSelf(init.getType())));
  }
  auto kernel =
      KernelOp::create(b, root->getLoc(), root->getResultTypes(), b.getStringAttr(kernelKind(plan.group)), inputs);
  {
    OpBuilder::InsertionGuard guard(b);
    emitBody(b, kernel, plan);
  }
  root->replaceAllUsesWith(kernel->getResults());
  for (Operation *op : llvm::reverse(plan.group.ops))
    op->erase();
}

/// The value whose elements these are, seen through expansions and at most one collapse of what computes it: the
/// changes of shape that outlining can undo.
Value throughReshapes(Value value) {
  while (auto expand = value.getDefiningOp<tensor::ExpandShapeOp>())
    value = expand.getSrc();
  if (auto collapse = value.getDefiningOp<tensor::CollapseShapeOp>())
    value = collapse.getSrc();
  return value;
}

/// Gives each result of the function a kernel of its own to come from: a copy where it has none.
void copySharedResults(func::FuncOp function) {
  auto terminator = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  OpBuilder b(terminator);
  llvm::SmallDenseSet<Value> seen;
  for (OpOperand &operand : terminator->getOpOperands()) {
    // What a state becomes stays where it is.
    if (function.getResultAttr(operand.getOperandNumber(), kStateAttribute))
      continue;
    Value source = throughReshapes(operand.get());
    Operation *producer = source.getDefiningOp();
    if (producer && isCompute(producer) && !stateBehind(source) && seen.insert(source).second)
      continue;
    Value value = operand.get();
    Location loc = value.getLoc();
    SmallVector<OpFoldResult> sizes = extentsOfTensor(b, value);
    auto type = cast<RankedTensorType>(value.getType());
    Value init = tensor::EmptyOp::create(b, loc, sizes, type.getElementType());
    // A named op: an identity would be taken for nothing, and the copy would run on one thread.
    operand.set(linalg::CopyOp::create(b, loc, value, init).getResult(0));
  }
}

struct FuseKernelsPass : impl::FuseKernelsBase<FuseKernelsPass> {
  void runOnOperation() override {
    SmallVector<func::FuncOp> entries;
    getOperation()->walk([&](func::FuncOp function) {
      if (function->hasAttr("weft.entry"))
        entries.push_back(function);
    });
    OpBuilder builder(&getContext());
    for (func::FuncOp entry : entries) {
      if (failed(verifyEntry(entry)))
        return signalPassFailure();
      copySharedResults(entry);
      // From the last kernel on, so that an op is still there when its readers look through views at it.
      SmallVector<KernelGroup> groups = planKernels(entry);
      for (const KernelGroup &group : llvm::reverse(groups))
        applyKernel(builder, planKernel(group));
    }
  }
};

} // namespace
} // namespace weft
