// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// (b, h, i, j, d, e) → where an operand in pages has it: b becomes table[b, j floordiv P], j becomes j mod P. The table
// is data: an entry that is no page's number is the last page's, so that no table leads out of the cache.
#include "lowering/vectorize/KeyPages.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

static Value extentOf(OpBuilder &b, Location loc, Value memref, unsigned dim) {
  return getValueOrCreateConstantIndexOp(b, loc, memref::getMixedSize(b, loc, memref, dim));
}

/// The extent of the operand along a dimension that its map has.
static Value extentAlong(OpBuilder &b, Location loc, AttentionOp op, unsigned operand, AttentionOp::Dim dim) {
  std::optional<unsigned> position = op.getIndexingMap(operand).getResultPosition(b.getAffineDimExpr(dim));
  assert(position && "keys are indexed by j, and in pages by b");
  return extentOf(b, loc, op->getOperand(operand), *position);
}

Value emitKeyCount(OpBuilder &b, Location loc, AttentionOp op) {
  if (!op.getTable())
    return extentAlong(b, loc, op, /*operand=*/1, AttentionOp::Key);
  Value length = arith::ConstantIndexOp::create(b, loc, op.getPageLength());
  return arith::MulIOp::create(b, loc, extentOf(b, loc, op.getTable(), 1), length);
}

/// The point with page and slot instead of batch and key.
static IterationPoint inPage(OpBuilder &b, Location loc, AttentionOp op, unsigned operand, IterationPoint point) {
  if (!op.isPaged(operand))
    return point;
  Value length = arith::ConstantIndexOp::create(b, loc, op.getPageLength());
  Value one = arith::ConstantIndexOp::create(b, loc, 1), key = point.dims[AttentionOp::Key];
  Value column = arith::DivUIOp::create(b, loc, key, length);
  Value page = memref::LoadOp::create(b, loc, op.getTable(), ValueRange{point.dims[AttentionOp::Batch], column});
  if (!page.getType().isIndex())
    page = arith::IndexCastOp::create(b, loc, b.getIndexType(), page);
  Value last = arith::SubIOp::create(b, loc, extentAlong(b, loc, op, operand, AttentionOp::Batch), one);
  point.dims[AttentionOp::Batch] = arith::MinUIOp::create(b, loc, page, last);
  point.dims[AttentionOp::Key] = arith::RemUIOp::create(b, loc, key, length);
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
  return emitLoad(b, loc, op->getOperand(operand), op.getIndexingMap(operand), inPage(b, loc, op, operand, point));
}

void emitOperandPrefetch(OpBuilder &b, Location loc, AttentionOp op, unsigned operand, const IterationPoint &point,
                         bool intoFirstLevel) {
  IterationPoint place = point;
  if (op.isPaged(operand)) {
    Value one = arith::ConstantIndexOp::create(b, loc, 1), &key = place.dims[AttentionOp::Key];
    key = arith::MinUIOp::create(b, loc, key, arith::SubIOp::create(b, loc, emitKeyCount(b, loc, op), one));
  }
  emitPrefetch(b, loc, op->getOperand(operand), op.getIndexingMap(operand), inPage(b, loc, op, operand, place),
               intoFirstLevel);
}

} // namespace weft
