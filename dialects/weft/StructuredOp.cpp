// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Effects and shapes of ops in destination style.
#include "dialects/weft/StructuredOp.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

void weft::addOperandEffects(DestinationStyleOpInterface op,
                             SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  auto *resource = SideEffects::DefaultResource::get();
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<BaseMemRefType>(operand.get().getType()))
      continue;
    if (op.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand, resource);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand, resource);
  }
}

LogicalResult weft::reifyShapesOfInits(DestinationStyleOpInterface op, OpBuilder &builder,
                                       ReifiedRankedShapedTypeDims &shapes) {
  for (OpResult result : op->getResults())
    shapes.push_back(tensor::getMixedSizes(builder, op.getLoc(), op.getTiedOpOperand(result)->get()));
  return success();
}
