// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// llvm ops that move bf16 and f16 → the same on i16, with bitcasts at the ops that compute:
//   a masked store of vector<16xbf16>   becomes   a masked store of vector<16xi16>
// Without instructions for bf16, LLVM holds one as f32: it calls a library to store an element of a vector.
#include "lowering/cpu/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"

namespace weft {
#define GEN_PASS_DEF_MOVEHALVES
#include "lowering/cpu/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// The type of the bits of halves; null: of anything else.
Type bitsOf(Type type) {
  Type element = getElementTypeOrSelf(type);
  if (!element.isBF16() && !element.isF16())
    return Type();
  auto bits = IntegerType::get(type.getContext(), 16);
  auto vector = dyn_cast<VectorType>(type);
  return vector ? Type(vector.clone(bits)) : bits;
}

/// Whether an op only moves its operands' bits.
bool moves(Operation *op) {
  return isa<LLVM::LoadOp, LLVM::StoreOp, LLVM::MaskedLoadOp, LLVM::MaskedStoreOp, LLVM::InsertElementOp,
             LLVM::ExtractElementOp, LLVM::ShuffleVectorOp, LLVM::SelectOp, LLVM::UndefOp, LLVM::PoisonOp, LLVM::ZeroOp,
             LLVM::ConstantOp, LLVM::BitcastOp, BranchOpInterface>(op);
}

class HalfMover {
public:
  void run(LLVM::LLVMFuncOp function) {
    OpBuilder b(function.getContext());
    SmallVector<Operation *> moving, computing;
    function.getBody().walk([&](Operation *op) { (moves(op) ? moving : computing).push_back(op); });
    for (Operation *op : computing)
      keepOperands(b, op);
    for (Operation *op : computing) {
      b.setInsertionPointAfter(op);
      for (Value result : op->getResults())
        readBits(b, result);
    }
    b.setInsertionPointToStart(&function.getBody().front());
    for (BlockArgument argument : function.getArguments())
      readBits(b, argument);
    for (Operation *op : moving)
      turnToBits(op);
    for (Block &block : llvm::drop_begin(function.getBody()))
      for (BlockArgument argument : block.getArguments())
        turnToBits(argument);
  }

private:
  /// The users of a half read its bits instead.
  void readBits(OpBuilder &b, Value half) {
    Type bits = bitsOf(half.getType());
    if (!bits || half.use_empty())
      return;
    auto cast = LLVM::BitcastOp::create(b, half.getLoc(), bits, half);
    half.replaceAllUsesExcept(cast, cast);
  }

  /// An op that computes takes halves; what they are cast from becomes their bits.
  void keepOperands(OpBuilder &b, Operation *op) {
    b.setInsertionPoint(op);
    for (OpOperand &operand : op->getOpOperands())
      if (bitsOf(operand.get().getType()))
        operand.set(LLVM::BitcastOp::create(b, op->getLoc(), operand.get().getType(), operand.get()));
  }

  void turnToBits(Value value) {
    if (Type bits = bitsOf(value.getType()))
      value.setType(bits);
  }

  void turnToBits(Operation *op) {
    for (Value result : op->getResults()) {
      Type bits = bitsOf(result.getType());
      if (auto constant = dyn_cast<LLVM::ConstantOp>(op); constant && bits)
        constant.setValueAttr(bitsOfConstant(constant.getValue(), bits));
      turnToBits(result);
    }
  }

  static Attribute bitsOfConstant(Attribute value, Type bits) {
    if (auto scalar = dyn_cast<FloatAttr>(value))
      return IntegerAttr::get(getElementTypeOrSelf(bits), scalar.getValue().bitcastToAPInt());
    return cast<DenseElementsAttr>(value).bitcast(getElementTypeOrSelf(bits));
  }
};

struct MoveHalvesPass : impl::MoveHalvesBase<MoveHalvesPass> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<LLVM::LLVMFuncOp>())
      if (!function.isExternal())
        HalfMover().run(function);
  }
};

} // namespace
} // namespace weft
