// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a state becomes → an update of the state's argument in place:
//   %y = linalg.generic … ins(%s, %x) outs(%empty) { s + x };  return %y          (%s and %y: weft.state)
// becomes
//   %y = linalg.generic … ins(%x) outs(%s) { s + x };  return %y
// Whoever reads a value that a later op writes over reads a copy, and an op that may not write over what it adds to
// gets one: value semantics stay, memory is the state's.
#include "lowering/fuse/Passes.h"

#include "lowering/analysis/EntrySignature.h"
#include "lowering/analysis/EntryStates.h"
#include "lowering/analysis/InPlaceUpdate.h"
#include "lowering/analysis/KernelGroups.h"
#include "lowering/analysis/TensorExtents.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

namespace weft {
#define GEN_PASS_DEF_BINDSTATES
#include "lowering/fuse/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

Value createEmpty(OpBuilder &b, Value like) {
  return tensor::EmptyOp::create(b, like.getLoc(), extentsOfTensor(b, like), getElementTypeOrSelf(like.getType()));
}

/// `value`, written into `init`: a named op, which no pattern takes for nothing as it would an identity.
Value createCopy(OpBuilder &b, Value value, Value init) {
  return linalg::CopyOp::create(b, value.getLoc(), value, init).getResult(0);
}

void reportCopy(Location loc, const std::string &why) {
  remark::missed(loc, remark::RemarkOpts::name("copied").category("weft-bind-states")) << "a tensor is copied: " + why;
}

/// The destination of the op that computes `value`; null where it is no compute op's result.
OpOperand *destinationOf(Value value) {
  auto style = value.getDefiningOp<DestinationStyleOpInterface>();
  return style && isCompute(style) ? style.getTiedOpOperand(cast<OpResult>(value)) : nullptr;
}

/// A fill gives the same whatever it fills.
void startFillsEmpty(func::FuncOp entry) {
  entry.walk([](linalg::FillOp fill) {
    Value start = fill.getOutputs().front();
    OpBuilder b(fill);
    if (!start.getDefiningOp<tensor::EmptyOp>())
      fill.getDpsInitOperand(0)->set(
          tensor::EmptyOp::create(b, fill.getLoc(), extentsOfTensor(b, start), getElementTypeOrSelf(start.getType())));
  });
}

/// An elementwise op that reads the state where it writes what that becomes: the state is its destination instead.
void readStateAsInit(Value state, linalg::GenericOp op) {
  if (op.getNumReductionLoops() || op.getNumDpsInits() != 1 || startOf(op.getDpsInits()[0]) == state ||
      !op.getRegionOutputArgs().front().use_empty() || !op.getIndexingMapsArray().back().isIdentity())
    return;
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  llvm::BitVector dropped(op->getNumOperands());
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(input);
    if (input->get() == state && map.isIdentity()) {
      dropped.set(input->getOperandNumber());
      op.getMatchingBlockArgument(input).replaceAllUsesWith(op.getRegionOutputArgs().front());
      continue;
    }
    inputs.push_back(input->get());
    maps.push_back(map);
  }
  if (dropped.none())
    return;
  maps.push_back(op.getIndexingMapsArray().back());
  IRRewriter rewriter(op);
  auto update = linalg::GenericOp::create(rewriter, op.getLoc(), TypeRange(state.getType()), inputs, state, maps,
                                          op.getIteratorTypesArray());
  op.getBody()->eraseArguments(dropped);
  update.getRegion().takeBody(op.getRegion());
  rewriter.replaceOp(op, update.getResults());
}

/// One entry function's states.
class StateBinding {
public:
  StateBinding(func::FuncOp entry, ArrayRef<EntryState> states) : entry(entry), states(states) {}

  void run() {
    startFillsEmpty(entry);
    for (const EntryState &state : states)
      bind(entry.getArgument(state.argument), terminator()->getOpOperand(state.result));
    for (Operation &op : llvm::make_early_inc_range(entry.getBody().front()))
      if (auto style = dyn_cast<DestinationStyleOpInterface>(op); style && isCompute(&op))
        for (OpOperand &init : style.getDpsInitsMutable())
          keepValues(init);
  }

private:
  Operation *terminator() { return entry.getBody().front().getTerminator(); }

  /// Makes the value that is returned for the state one in the state's memory, unless it is the state as it was.
  void bind(Value state, OpOperand &returned) {
    if (returned.get() == state)
      return;
    auto op = returned.get().getDefiningOp<linalg::GenericOp>();
    if (op && !updates.contains(op.getDpsInitOperand(0)))
      readStateAsInit(state, op);
    if (claimUpdates(state, returned.get()))
      return;
    OpBuilder b(terminator());
    reportCopy(returned.get().getLoc(), "what a state becomes is computed elsewhere");
    Value stored = createCopy(b, returned.get(), state);
    returned.set(stored);
    bool isClaimed = claimUpdates(state, stored);
    assert(isClaimed && "a copy into the state is an update of it");
    (void)isClaimed;
  }

  /// Follows destinations from the value back to the state, or to an empty tensor that gives way to the state. False,
  /// with nothing changed, where they lead elsewhere.
  bool claimUpdates(Value state, Value value) {
    SmallVector<OpOperand *> chain;
    Value start = value;
    while (OpOperand *init = destinationOf(start)) {
      if (updates.contains(init))
        return false;
      chain.push_back(init);
      start = startOf(init->get());
    }
    if (chain.empty() || (start != state && !start.getDefiningOp<tensor::EmptyOp>()))
      return false;
    OpOperand *first = chain.back();
    if (auto fill = first->get().getDefiningOp<linalg::FillOp>()) {
      OpBuilder b(first->getOwner());
      first->set(linalg::FillOp::create(b, fill.getLoc(), fill.getInputs(), state).getResult(0));
    } else {
      first->set(state);
    }
    updates.insert_range(chain);
    return true;
  }

  /// Sees to it that nobody reads what `init` starts from after this op wrote over it.
  void keepValues(OpOperand &init) {
    Value start = startOf(init.get());
    if (start.getDefiningOp<tensor::EmptyOp>())
      return;
    if (ownsMemory(start) && !isUsedLater(start, init))
      return;
    OpBuilder b(init.getOwner());
    auto op = dyn_cast<linalg::LinalgOp>(init.getOwner());
    if (op && !op.payloadUsesValueFromOperand(&init) && !updates.contains(&init)) {
      init.set(createEmpty(b, start));
      return;
    }
    if (!ownsMemory(start)) {
      reportCopy(init.getOwner()->getLoc(), "this op adds to it, and it must not be written"); // in the op's kernel
      return;
    }
    if (!updates.contains(&init)) {
      reportCopy(init.getOwner()->getLoc(), "it is read after this op, which would write over it");
      init.set(createCopy(b, start, createEmpty(b, start)));
      return;
    }
    reportCopy(init.getOwner()->getLoc(), "it is read here or later, and this op writes over it");
    b.setInsertionPointAfterValue(start);
    Value copy = createCopy(b, start, createEmpty(b, start));
    start.replaceUsesWithIf(copy, [&](OpOperand &use) {
      Operation *user = use.getOwner();
      return &use != &init && user != init.get().getDefiningOp() && user != copy.getDefiningOp() &&
             !isa<tensor::DimOp>(user);
    });
  }

  /// Whether the op of `init` itself or one that follows uses the value: reads it, also through views, or writes over
  /// its memory after a fill.
  bool isUsedLater(Value value, OpOperand &init) {
    return llvm::any_of(value.getUses(), [&](OpOperand &use) {
      // A region may read it too, with tensor.extract.
      Operation *user = entry.getBody().front().findAncestorOpInBlock(*use.getOwner());
      if (&use == &init || isa<tensor::DimOp>(user) || user == init.get().getDefiningOp())
        return false;
      if (isView(user) || isa<linalg::FillOp>(user))
        return isUsedLater(user->getResult(0), init);
      return user == init.getOwner() || init.getOwner()->isBeforeInBlock(user);
    });
  }

  func::FuncOp entry;
  ArrayRef<EntryState> states;
  llvm::SmallPtrSet<OpOperand *, 8> updates; ///< destinations that lie in a state's memory
};

struct BindStatesPass : impl::BindStatesBase<BindStatesPass> {
  void runOnOperation() override {
    if (failed(verifySharedStates(getOperation())))
      return signalPassFailure();
    for (auto entry : getOperation().getOps<func::FuncOp>()) {
      if (!entry->hasAttr("weft.entry"))
        continue;
      if (failed(verifyEntry(entry)))
        return signalPassFailure();
      FailureOr<SmallVector<EntryState>> states = statesOf(entry);
      if (failed(states))
        return signalPassFailure();
      StateBinding(entry, *states).run();
    }
  }
};

} // namespace
} // namespace weft
