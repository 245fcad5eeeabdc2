// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// arith.subi %i, %j : index   →   arith.subi %i32, %j32 : i32
#include "lowering/nvptx/NarrowRegion.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace weft {
namespace {

/// Sums of four stay in 32 bits.
constexpr int64_t kFarthest = int64_t(1) << 29;

class NarrowEmitter {
public:
  NarrowEmitter(OpBuilder &b, IRMapping &mapping) : b(b), mapping(mapping) {}

  void emit(Operation &op) {
    if (isNarrow(op))
      emitNarrow(op);
    else
      emitWide(op);
  }

private:
  OpBuilder &b;
  IRMapping &mapping;

  bool isGivenWide(Value value) { return mapping.lookupOrDefault(value).getType().isIndex(); }

  bool isNarrow(Operation &op) {
    if (op.getNumOperands() == 0 || !op.getOperand(op.getNumOperands() - 1).getType().isIndex())
      return false;
    if (auto comparison = dyn_cast<arith::CmpIOp>(op)) {
      using P = arith::CmpIPredicate;
      bool isEquality = comparison.getPredicate() == P::eq || comparison.getPredicate() == P::ne;
      return !isEquality || llvm::none_of(op.getOperands(), [&](Value v) { return isGivenWide(v) && !isConstant(v); });
    }
    return isa<arith::AddIOp, arith::SubIOp, arith::MinSIOp, arith::MaxSIOp, arith::DivSIOp, arith::FloorDivSIOp,
               arith::RemSIOp, arith::SelectOp>(op) ||
           (isa<arith::IndexCastOp>(op) && op.getResult(0).getType().getIntOrFloatBitWidth() >= 32);
  }

  static bool isConstant(Value value) {
    Operation *definition = value.getDefiningOp();
    return definition && definition->hasTrait<OpTrait::ConstantLike>();
  }

  /// An index as i32.
  Value narrow(Value value) {
    Value given = mapping.lookupOrDefault(value);
    if (!given.getType().isIndex())
      return given;
    Location loc = given.getLoc();
    Value least = arith::ConstantIndexOp::create(b, loc, -kFarthest);
    Value most = arith::ConstantIndexOp::create(b, loc, kFarthest);
    Value bounded = b.createOrFold<arith::MaxSIOp>(loc, b.createOrFold<arith::MinSIOp>(loc, given, most), least);
    return b.createOrFold<arith::IndexCastOp>(loc, b.getI32Type(), bounded);
  }

  Value asItStands(Value value) {
    Value given = mapping.lookupOrDefault(value);
    if (given.getType() == value.getType())
      return given;
    return arith::IndexCastOp::create(b, given.getLoc(), value.getType(), given);
  }

  void emitNarrow(Operation &op) {
    if (isa<arith::IndexCastOp>(op)) {
      Value number = narrow(op.getOperand(0));
      Type type = op.getResult(0).getType();
      mapping.map(op.getResult(0),
                  type.isInteger(32) ? number : arith::ExtSIOp::create(b, op.getLoc(), type, number).getResult());
      return;
    }
    OperationState state(op.getLoc(), op.getName());
    for (Value operand : op.getOperands())
      state.addOperands(operand.getType().isIndex() ? narrow(operand) : mapping.lookupOrDefault(operand));
    for (Type type : op.getResultTypes())
      state.addTypes(type.isIndex() ? Type(b.getI32Type()) : type);
    state.addAttributes(op.getAttrs());
    mapping.map(op.getResults(), b.create(state)->getResults());
  }

  void emitWide(Operation &op) {
    IRMapping exact;
    for (Value operand : op.getOperands())
      exact.map(operand, asItStands(operand));
    mapping.map(op.getResults(), b.clone(op, exact)->getResults());
  }
};

} // namespace

Value emitNarrow(OpBuilder &b, Block &body, IRMapping &mapping, ArrayRef<Value> decided) {
  NarrowEmitter emitter(b, mapping);
  for (Value value : decided)
    mapping.map(value, arith::ConstantIntOp::create(b, value.getLoc(), 1, 1).getResult());
  for (Operation &op : body.without_terminator())
    if (!llvm::is_contained(decided, op.getResult(0)))
      emitter.emit(op);
  return mapping.lookupOrDefault(body.getTerminator()->getOperand(0));
}

} // namespace weft
