// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chains of destinations, through fills.
#include "lowering/analysis/InPlaceUpdate.h"

#include "lowering/analysis/EntryStates.h"
#include "lowering/analysis/KernelGroups.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace weft {

Value startOf(Value init) {
  while (auto fill = init.getDefiningOp<linalg::FillOp>())
    init = fill.getOutputs().front();
  return init;
}

static bool isEmpty(Value value) { return static_cast<bool>(value.getDefiningOp<tensor::EmptyOp>()); }

bool ownsMemory(Value value) {
  Operation *op = value.getDefiningOp();
  return op ? isCompute(op) : isStateArgument(value);
}

bool updatesInPlace(Operation *op) {
  auto style = dyn_cast<DestinationStyleOpInterface>(op);
  return style && isCompute(op) &&
         llvm::any_of(style.getDpsInits(), [](Value init) { return ownsMemory(startOf(init)); });
}

Value stateBehind(Value value) {
  while (auto style = value.getDefiningOp<DestinationStyleOpInterface>())
    value = startOf(style.getTiedOpOperand(cast<OpResult>(value))->get());
  return isStateArgument(value) ? value : Value();
}

bool writesOver(Operation *op, Value value) {
  auto style = dyn_cast<DestinationStyleOpInterface>(op);
  return style && isCompute(op) &&
         llvm::any_of(style.getDpsInits(), [&](Value init) { return startOf(init) == value; });
}

/// Whether an op other than `reader` writes over `value`, which `start` is, or is a fill of.
static bool isUpdatedBesides(Value value, Operation *reader, Value start) {
  return llvm::any_of(start.getUsers(), [&](Operation *user) {
    if (isa<linalg::FillOp>(user))
      return isUpdatedBesides(value, reader, user->getResult(0));
    return user != reader && writesOver(user, value);
  });
}

bool readsBeforeUpdate(Operation *op) {
  llvm::SetVector<Value> read(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), read);
  return llvm::any_of(read, [&](Value value) {
    while (Operation *view = value.getDefiningOp()) {
      if (!isView(view))
        break;
      value = view->getOperand(0);
    }
    return isa<RankedTensorType>(value.getType()) && !isEmpty(value) && isUpdatedBesides(value, op, value);
  });
}

} // namespace weft
