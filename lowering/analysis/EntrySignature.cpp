// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks of entry functions, made once at the start of fusion so that later passes can rely on them.
#include "lowering/analysis/EntrySignature.h"

#include "dialects/weft/RecurrenceOps.h"
#include "dialects/weft/SequenceOps.h"
#include "lowering/analysis/EntryStates.h"
#include "lowering/analysis/RecurrencePlan.h"

#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;

namespace weft {

/// One argument or result; `attributes` may be null.
static LogicalResult verifyTensor(func::FuncOp entry, Type type, DictionaryAttr attributes, const Twine &what) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.getElementType().isIntOrFloat())
    return entry.emitError() << what << " must be a ranked tensor of numbers, got " << type;
  if (llvm::is_contained(tensor.getShape(), 0))
    return entry.emitError() << what << " has an extent of zero: " << type;
  auto names = attributes ? attributes.getAs<ArrayAttr>("weft.dims") : ArrayAttr();
  if (names && !llvm::all_of(names, llvm::IsaPred<StringAttr>))
    return entry.emitError() << what << ": 'weft.dims' must be names, got " << names;
  if (names && static_cast<int64_t>(names.size()) != tensor.getRank())
    return entry.emitError() << what << " has " << tensor.getRank() << " dimensions, 'weft.dims' names "
                             << names.size();
  return success();
}

static bool isHalf(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isF16() || element.isBF16();
}

/// Products sum in f32, whatever their operands hold.
static LogicalResult verifyHalves(PackedMatmulOp op) {
  for (Value operand : {op.getBias(), op.getInit()})
    if (operand && isHalf(operand.getType()))
      return op.emitError("takes a bias and a destination of f32 on the CPU, got ")
             << operand.getType() << ": sums are f32, and an op that follows can round them";
  return success();
}

static LogicalResult verifyRecurrence(RecurrenceOp op) {
  StringRef obstacle = RecurrencePlan::obstacleTo(op);
  return obstacle.empty() ? success() : op.emitError("is not compiled: ") << obstacle;
}

/// A kernel keeps its taps, and what they look back to, on the stack: a vector of channels of each.
static LogicalResult verifyTaps(CausalConvOp op) {
  constexpr int64_t kMostTaps = 4096;
  if (op.getTaps() > kMostTaps)
    return op.emitError("is not compiled: it has ") << op.getTaps() << " taps, and " << kMostTaps << " are the most";
  return success();
}

/// A tensor that an op makes.
static LogicalResult verifyComputed(Operation *op, RankedTensorType type) {
  // There is nothing to compute, and the tilers divide by extents.
  if (llvm::is_contained(type.getShape(), 0))
    return op->emitError("has an extent of zero: ") << type;
  if (!type.getElementType().isIntOrFloat())
    return op->emitError("makes a tensor of ") << type.getElementType() << ", which is not compiled: use i64 or f32";
  return success();
}

LogicalResult verifyEntry(func::FuncOp entry) {
  if (entry.isExternal() || !llvm::hasSingleElement(entry.getBody()))
    return entry.emitError("an entry must have a body of one block");
  for (unsigned i = 0; i < entry.getNumArguments(); ++i)
    if (failed(verifyTensor(entry, entry.getArgumentTypes()[i], entry.getArgAttrDict(i), "argument " + Twine(i))))
      return failure();
  for (unsigned i = 0; i < entry.getNumResults(); ++i)
    if (failed(verifyTensor(entry, entry.getResultTypes()[i], entry.getResultAttrDict(i), "result " + Twine(i))))
      return failure();
  if (failed(statesOf(entry)))
    return failure();
  WalkResult wrong = entry.walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      if (auto shaped = dyn_cast<RankedTensorType>(type); shaped && failed(verifyComputed(op, shaped)))
        return WalkResult::interrupt();
    auto recurrence = dyn_cast<RecurrenceOp>(op);
    if (recurrence && failed(verifyRecurrence(recurrence)))
      return WalkResult::interrupt();
    auto conv = dyn_cast<CausalConvOp>(op);
    if (conv && failed(verifyTaps(conv)))
      return WalkResult::interrupt();
    auto product = dyn_cast<PackedMatmulOp>(op);
    return product && failed(verifyHalves(product)) ? WalkResult::interrupt() : WalkResult::advance();
  });
  return failure(wrong.wasInterrupted());
}

} // namespace weft
