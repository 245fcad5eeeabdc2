// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.cache_update on memrefs → for each row whose position has a slot: the row and the slot as views, copied by a
// linalg.generic that weft-vectorize-generic turns into vector loads and stores.
#include "lowering/vectorize/Passes.h"

#include "dialects/weft/CacheOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft {
#define GEN_PASS_DEF_CONVERTCACHEUPDATE
#include "lowering/vectorize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// What `memref` holds for a batch and one place of `dimension`, without both dimensions.
Value emitRow(OpBuilder &b, Location loc, Value memref, Value batch, int64_t dimension, Value place) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)), strides(type.getRank(), b.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes = memref::getMixedSizes(b, loc, memref);
  offsets[0] = batch;
  offsets[dimension] = place;
  sizes[0] = sizes[dimension] = b.getIndexAttr(1);
  SmallVector<int64_t> kept;
  for (int64_t dim = 1; dim < type.getRank(); ++dim)
    if (dim != dimension)
      kept.push_back(type.getDimSize(dim));
  MemRefType row = memref::SubViewOp::inferRankReducedResultType(kept, type, offsets, sizes, strides);
  return memref::SubViewOp::create(b, loc, row, memref, offsets, sizes, strides);
}

void emitCopy(OpBuilder &b, Location loc, Value from, Value to) {
  int64_t rank = cast<MemRefType>(from.getType()).getRank();
  if (rank == 0) {
    memref::StoreOp::create(b, loc, memref::LoadOp::create(b, loc, from), to);
    return;
  }
  AffineMap identity = b.getMultiDimIdentityMap(rank);
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  linalg::GenericOp::create(b, loc, from, to, {identity, identity}, parallel,
                            [](OpBuilder &inner, Location where, ValueRange elements) {
                              linalg::YieldOp::create(inner, where, elements.front());
                            });
}

Value toIndex(OpBuilder &b, Location loc, Value number) {
  return number.getType().isIndex() ? number : arith::IndexCastOp::create(b, loc, b.getIndexType(), number).getResult();
}

Value extent(OpBuilder &b, Location loc, Value memref, int64_t dim) {
  return getValueOrCreateConstantIndexOp(b, loc, memref::getMixedSize(b, loc, memref, dim));
}

/// The slot of a position and whether there is one.
std::pair<Value, Value> emitSlot(OpBuilder &b, Location loc, Value position, Value slots, bool ring) {
  position = toIndex(b, loc, position);
  if (!ring) // a negative position is a large unsigned one
    return {position, arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, position, slots)};
  Value zero = arith::ConstantIndexOp::create(b, loc, 0), one = arith::ConstantIndexOp::create(b, loc, 1);
  Value isPosition = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, position, zero);
  Value hasSlots = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ugt, slots, zero);
  Value slot = arith::RemUIOp::create(b, loc, position, arith::MaxUIOp::create(b, loc, slots, one));
  return {slot, arith::AndIOp::create(b, loc, isPosition, hasSlots)};
}

/// The row at `place`, (batch, t), into a slot of a page or of its batch's sequence.
void emitWrite(OpBuilder &b, CacheUpdateOp op, ValueRange place, Value page, Value slot) {
  int64_t dimension = op.getDimension();
  Value from = emitRow(b, op.getLoc(), op.getRows(), place[0], dimension, place[1]);
  emitCopy(b, op.getLoc(), from, emitRow(b, op.getLoc(), op.getCache(), page, dimension, slot));
}

/// Into the page that the table names, where it has such an entry and the cache such a page.
void emitPagedWrite(OpBuilder &b, CacheUpdateOp op, ValueRange place, Value position, Value slots) {
  Location loc = op.getLoc();
  position = toIndex(b, loc, position); // a negative one is a large unsigned one
  Value column = arith::DivUIOp::create(b, loc, position, slots), columns = extent(b, loc, op.getTable(), 1);
  Value isThere = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, column, columns);
  OpBuilder listed = scf::IfOp::create(b, loc, isThere).getThenBodyBuilder();
  Value page = toIndex(listed, loc, memref::LoadOp::create(listed, loc, op.getTable(), ValueRange{place[0], column}));
  Value isPage =
      arith::CmpIOp::create(listed, loc, arith::CmpIPredicate::ult, page, extent(listed, loc, op.getCache(), 0));
  OpBuilder inside = scf::IfOp::create(listed, loc, isPage).getThenBodyBuilder();
  emitWrite(inside, op, place, page, arith::RemUIOp::create(inside, loc, position, slots));
}

void convert(CacheUpdateOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  Value zero = arith::ConstantIndexOp::create(b, loc, 0), one = arith::ConstantIndexOp::create(b, loc, 1);
  Value slots = extent(b, loc, op.getCache(), op.getDimension());
  SmallVector<Value> ends{extent(b, loc, op.getPositions(), 0), extent(b, loc, op.getPositions(), 1)};
  scf::buildLoopNest(b, loc, {zero, zero}, ends, {one, one}, [&](OpBuilder &body, Location, ValueRange place) {
    Value position = memref::LoadOp::create(body, loc, op.getPositions(), place);
    if (op.getTable())
      return emitPagedWrite(body, op, place, position, slots);
    auto [slot, isThere] = emitSlot(body, loc, position, slots, op.getRing());
    OpBuilder inside = scf::IfOp::create(body, loc, isThere).getThenBodyBuilder();
    emitWrite(inside, op, place, place[0], slot);
  });
  op.erase();
}

struct ConvertCacheUpdatePass : impl::ConvertCacheUpdateBase<ConvertCacheUpdatePass> {
  void runOnOperation() override {
    SmallVector<CacheUpdateOp> ops;
    getOperation()->walk([&](CacheUpdateOp op) { ops.push_back(op); });
    llvm::for_each(ops, convert);
  }
};

} // namespace
} // namespace weft
