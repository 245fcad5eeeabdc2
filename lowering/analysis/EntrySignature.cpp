// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks of entry functions, made once at the start of fusion so that later passes can rely on them.
#include "lowering/analysis/EntrySignature.h"

#include "dialects/weft/WeftDialect.h"
#include "lowering/analysis/KernelGroups.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
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

/// What to do about tensors of 16-bit numbers where they are not computed on.
static constexpr const char *kHalvesHelp = ", which is not compiled for the CPU: use f32 there; 16 bits have keys and "
                                           "values of weft.attention, and weights of "
                                           "products with --dtype";

/// Half-precision numbers are read and written by attention, and read as the weights of products.
static LogicalResult verifyHalves(Operation *op) {
  if (isa<AttentionOp, ParameterOp, tensor::EmptyOp, tensor::DimOp>(op) || isView(op))
    return success();
  SmallVector<Value> operands;
  auto product = dyn_cast<PackedMatmulOp>(op);
  for (OpOperand &operand : op->getOpOperands())
    if (!product || &operand != &product.getRhsMutable())
      operands.push_back(operand.get());
  SmallVector<Type> types(ValueRange(operands).getTypes());
  llvm::append_range(types, op->getResultTypes());
  for (Type type : types)
    if (isa<RankedTensorType>(type) && isHalf(type) && !isa<func::ReturnOp>(op))
      return op->emitError("works on ") << getElementTypeOrSelf(type) << kHalvesHelp;
  for (Value operand : operands)
    if (isHalf(operand.getType()) && !operand.getDefiningOp<AttentionOp>())
      return op->emitError("returns ") << operand.getType() << kHalvesHelp;
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
  WalkResult wrong = entry.walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      if (auto shaped = dyn_cast<RankedTensorType>(type); shaped && failed(verifyComputed(op, shaped)))
        return WalkResult::interrupt();
    bool inner = op->getParentOp() != entry; // a region's scalars
    return inner || op == entry || succeeded(verifyHalves(op)) ? WalkResult::advance() : WalkResult::interrupt();
  });
  return failure(wrong.wasInterrupted());
}

} // namespace weft
