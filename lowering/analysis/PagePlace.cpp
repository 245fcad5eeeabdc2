// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// b becomes table[b, j floordiv P], j becomes j mod P. The table is data: an entry that is no page's number is the last
// page's, so that no table leads out of the cache.
#include "lowering/analysis/PagePlace.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

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
  return b.createOrFold<arith::MulIOp>(loc, extentOf(b, loc, op.getTable(), 1), length);
}

SmallVector<Value> emitPagePlace(OpBuilder &b, Location loc, AttentionOp op, unsigned operand,
                                 SmallVector<Value> dims) {
  if (!op.isPaged(operand))
    return dims;
  Value length = arith::ConstantIndexOp::create(b, loc, op.getPageLength());
  Value one = arith::ConstantIndexOp::create(b, loc, 1), key = dims[AttentionOp::Key];
  Value column = arith::DivUIOp::create(b, loc, key, length);
  Value page = memref::LoadOp::create(b, loc, op.getTable(), ValueRange{dims[AttentionOp::Batch], column});
  if (!page.getType().isIndex())
    page = arith::IndexCastOp::create(b, loc, b.getIndexType(), page);
  Value last = arith::SubIOp::create(b, loc, extentAlong(b, loc, op, operand, AttentionOp::Batch), one);
  dims[AttentionOp::Batch] = arith::MinUIOp::create(b, loc, page, last);
  dims[AttentionOp::Key] = arith::RemUIOp::create(b, loc, key, length);
  return dims;
}

} // namespace weft
