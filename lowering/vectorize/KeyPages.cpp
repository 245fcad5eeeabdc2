// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Places come from lowering/analysis/PagePlace, loads from OperandAccess.
#include "lowering/vectorize/KeyPages.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

/// The point at which the operand's map has it.
static IterationPoint placeOf(OpBuilder &b, Location loc, AttentionOp op, unsigned operand, IterationPoint point) {
  point.dims = emitPagePlace(b, loc, op, operand, std::move(point.dims));
  return point;
}

/// Keys that follow each other may lie in two pages. A lane without a key reads the first one.
static Value emitKeysLoad(OpBuilder &b, Location loc, AttentionOp op, unsigned operand, const IterationPoint &point) {
  SmallVector<Value> elements;
  Value first = arith::ConstantIndexOp::create(b, loc, 0);
  for (int64_t lane = 0; lane < point.lanes; ++lane) {
    IterationPoint one;
    one.dims = point.dims;
    Value &key = one.dims[AttentionOp::Key];
    key = arith::AddIOp::create(b, loc, key, arith::ConstantIndexOp::create(b, loc, lane));
    if (point.mask) {
      Value exists = vector::ExtractOp::create(b, loc, point.mask, ArrayRef<int64_t>{lane});
      key = arith::SelectOp::create(b, loc, exists, key, first);
    }
    elements.push_back(emitOperandLoad(b, loc, op, operand, one));
  }
  auto type = VectorType::get({point.lanes}, elements.front().getType());
  return vector::FromElementsOp::create(b, loc, type, elements);
}

Value emitOperandLoad(OpBuilder &b, Location loc, AttentionOp op, unsigned operand, const IterationPoint &point) {
  if (op.isPaged(operand) && point.vectorDim == AttentionOp::Key)
    return emitKeysLoad(b, loc, op, operand, point);
  return emitLoad(b, loc, op->getOperand(operand), op.getIndexingMap(operand), placeOf(b, loc, op, operand, point));
}

void emitOperandPrefetch(OpBuilder &b, Location loc, AttentionOp op, unsigned operand, const IterationPoint &point,
                         bool intoFirstLevel) {
  IterationPoint place = point;
  if (op.isPaged(operand)) {
    Value one = arith::ConstantIndexOp::create(b, loc, 1), &key = place.dims[AttentionOp::Key];
    key = arith::MinUIOp::create(b, loc, key, arith::SubIOp::create(b, loc, emitKeyCount(b, loc, op), one));
  }
  emitPrefetch(b, loc, op->getOperand(operand), op.getIndexingMap(operand), placeOf(b, loc, op, operand, place),
               intoFirstLevel);
}

} // namespace weft
