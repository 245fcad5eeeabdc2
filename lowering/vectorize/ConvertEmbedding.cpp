// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.embedding on memrefs → for each index: a row of the table, as a view, copied by a linalg.generic that
// weft-vectorize-generic turns into vector loads and stores.
#include "lowering/vectorize/Passes.h"

#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft {
#define GEN_PASS_DEF_CONVERTEMBEDDING
#include "lowering/vectorize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// The view [1, n, 1] of `memref` at `prefix` in its leading dimensions, and at `place` in one more, where there is
/// one, as [n].
Value emitRowView(OpBuilder &b, Location loc, Value memref, ArrayRef<OpFoldResult> prefix,
                  ArrayRef<OpFoldResult> place = {}) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<OpFoldResult> offsets(prefix), sizes(prefix.size(), b.getIndexAttr(1));
  offsets.push_back(b.getIndexAttr(0));
  sizes.push_back(memref::getMixedSize(b, loc, memref, prefix.size()));
  llvm::append_range(offsets, place);
  sizes.append(place.size(), b.getIndexAttr(1));
  SmallVector<OpFoldResult> strides(offsets.size(), b.getIndexAttr(1));
  int64_t columns = type.getDimSize(prefix.size());
  MemRefType row = memref::SubViewOp::inferRankReducedResultType({columns}, type, offsets, sizes, strides);
  return memref::SubViewOp::create(b, loc, row, memref, offsets, sizes, strides);
}

/// Row `id` of the table.
Value emitTableRow(OpBuilder &b, EmbeddingOp op, Value id) {
  Location loc = op.getLoc();
  if (op.getTable().getType().getRank() == 2)
    return emitRowView(b, loc, op.getTable(), {id});
  Value width = arith::ConstantIndexOp::create(b, loc, op.getTable().getType().getDimSize(2));
  Value panel = arith::DivUIOp::create(b, loc, id, width), place = arith::RemUIOp::create(b, loc, id, width);
  return emitRowView(b, loc, op.getTable(), {panel}, {place});
}

void convert(EmbeddingOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  int64_t rank = cast<MemRefType>(op.getIds().getType()).getRank();
  SmallVector<Value> ends;
  for (int64_t i = 0; i < rank; ++i)
    ends.push_back(getValueOrCreateConstantIndexOp(b, loc, memref::getMixedSize(b, loc, op.getIds(), i)));
  SmallVector<Value> zeros(rank, arith::ConstantIndexOp::create(b, loc, 0));
  SmallVector<Value> ones(rank, arith::ConstantIndexOp::create(b, loc, 1));
  scf::buildLoopNest(b, loc, zeros, ends, ones, [&](OpBuilder &body, Location, ValueRange place) {
    Value id = memref::LoadOp::create(body, loc, op.getIds(), place);
    if (!id.getType().isIndex())
      id = arith::IndexCastOp::create(body, loc, body.getIndexType(), id);
    Value from = emitTableRow(body, op, id);
    SmallVector<OpFoldResult> prefix(place.begin(), place.end());
    Value to = emitRowView(body, loc, op.getInit(), prefix);
    AffineMap identity = body.getMultiDimIdentityMap(1);
    linalg::GenericOp::create(body, loc, from, to, {identity, identity}, {utils::IteratorType::parallel},
                              [](OpBuilder &inner, Location where, ValueRange arguments) {
                                linalg::YieldOp::create(inner, where, arguments.front());
                              });
  });
  op.erase();
}

struct ConvertEmbeddingPass : impl::ConvertEmbeddingBase<ConvertEmbeddingPass> {
  void runOnOperation() override {
    SmallVector<EmbeddingOp> ops;
    getOperation()->walk([&](EmbeddingOp op) { ops.push_back(op); });
    llvm::for_each(ops, convert);
  }
};

} // namespace
} // namespace weft
