// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Effects and shapes of ops in destination style.
#include "dialects/weft/StructuredOp.h"

#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using weft::StatefulOpInterface;

void weft::addOperandEffects(DestinationStyleOpInterface op,
                             SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  auto *resource = SideEffects::DefaultResource::get();
  auto stateful = dyn_cast<StatefulOpInterface>(op.getOperation());
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<BaseMemRefType>(operand.get().getType()))
      continue;
    bool isInit = op.isDpsInit(&operand);
    if (!isInit || (stateful && stateful.isState(operand)))
      effects.emplace_back(MemoryEffects::Read::get(), &operand, resource);
    if (isInit)
      effects.emplace_back(MemoryEffects::Write::get(), &operand, resource);
  }
}

LogicalResult weft::reifyShapesOfInits(DestinationStyleOpInterface op, OpBuilder &builder,
                                       ReifiedRankedShapedTypeDims &shapes) {
  for (OpResult result : op->getResults())
    shapes.push_back(tensor::getMixedSizes(builder, op.getLoc(), op.getTiedOpOperand(result)->get()));
  return success();
}

LogicalResult weft::verifyStorage(DestinationStyleOpInterface op) {
  if (op.hasPureTensorSemantics() || op.hasPureBufferSemantics())
    return success();
  return op->emitOpError("operands must be all tensors or all memrefs");
}

bool weft::extentsAgree(int64_t a, int64_t b) { return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b; }

std::optional<int64_t> weft::divisorOf(AffineExpr expr, unsigned dim) {
  auto division = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!division || division.getKind() != AffineExprKind::FloorDiv)
    return std::nullopt;
  auto divisor = dyn_cast<AffineConstantExpr>(division.getRHS());
  if (!divisor || divisor.getValue() < 1 || division.getLHS() != getAffineDimExpr(dim, expr.getContext()))
    return std::nullopt;
  return divisor.getValue();
}

LogicalResult weft::verifyVector(Operation *op, StringRef operand, ShapedType type, int64_t extent) {
  if (type.getRank() != 1)
    return op->emitOpError() << operand << " must have rank 1, has rank " << type.getRank();
  if (!extentsAgree(type.getDimSize(0), extent))
    return op->emitOpError() << operand << " must be " << extent << " long, is " << type.getDimSize(0) << " long";
  return success();
}
