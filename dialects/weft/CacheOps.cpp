// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The constraints of cache_update (docs/spec.md), its tiles, and its definition: each element of the cache is that of
// the last row whose slot it lies in, found by going through all rows. Meant to be read and checked against.
#include "dialects/weft/CacheOps.h"

#include "dialects/weft/Definition.h"
#include "dialects/weft/StructuredOp.h"
#include "dialects/weft/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace weft;
using utils::IteratorType;

LogicalResult CacheUpdateOp::verify() {
  ShapedType rows = getRows().getType(), cache = getCache().getType(), positions = getPositions().getType();
  int64_t rank = cache.getRank(), slots = getDimension();
  if (rows.getRank() != rank || slots < 1 || slots >= rank) // cache_update_c1
    return emitOpError("takes rows and a cache of one rank, with the slots in a dimension after the batch, got ")
           << rows << " and " << cache << " with dimension " << slots;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim != slots && !extentsAgree(rows.getDimSize(dim), cache.getDimSize(dim))) // cache_update_c2
      return emitOpError("rows and cache must have the same extents but for the slots, got ")
             << rows << " and " << cache;
  if (positions.getRank() != 2 || !extentsAgree(positions.getDimSize(0), rows.getDimSize(0)) ||
      !extentsAgree(positions.getDimSize(1), rows.getDimSize(slots))) // cache_update_c3
    return emitOpError("needs a position for each row, [batch, rows], got ") << positions << " for " << rows;
  if (!positions.getElementType().isIntOrIndex()) // cache_update_c4
    return emitOpError("positions must be integers, got ") << positions;
  if (rows.getElementType() != cache.getElementType()) // cache_update_c5
    return emitOpError("rows must have the cache's element type, ")
           << cache.getElementType() << ", have " << rows.getElementType();
  return verifyStorage(*this); // cache_update_c6
}

//===----------------------------------------------------------------------===//
// Tiles: the iteration space is the shape of the rows, which come in order
//===----------------------------------------------------------------------===//

SmallVector<IteratorType> CacheUpdateOp::getLoopIteratorTypes() {
  SmallVector<IteratorType> types(getRows().getType().getRank(), IteratorType::parallel);
  types[getDimension()] = IteratorType::reduction;
  return types;
}

SmallVector<Range> CacheUpdateOp::getIterationDomain(OpBuilder &builder) {
  return wholeRanges(builder, getLoc(), getRows());
}

/// The tile with all of this range in the dimension of the slots.
static Tile withAll(CacheUpdateOp op, Tile tile, Range whole) {
  tile.offsets[op.getDimension()] = whole.offset;
  tile.sizes[op.getDimension()] = whole.size;
  return tile;
}

FailureOr<TilingResult> CacheUpdateOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                              ArrayRef<OpFoldResult> sizes) {
  int64_t slots = getDimension();
  if (!coversDimension(getRows(), slots, offsets[slots], sizes[slots]))
    return failure();
  Tile rows(offsets, sizes), positions({offsets[0], offsets[slots]}, {sizes[0], sizes[slots]});
  Tile cache = withAll(*this, rows, wholeRanges(builder, getLoc(), getCache())[slots]);
  return cloneOntoTiles(*this, builder, {rows, positions, cache});
}

LogicalResult CacheUpdateOp::getResultTilePosition(OpBuilder &builder, unsigned, ArrayRef<OpFoldResult> offsets,
                                                   ArrayRef<OpFoldResult> sizes,
                                                   SmallVector<OpFoldResult> &resultOffsets,
                                                   SmallVector<OpFoldResult> &resultSizes) {
  Tile cache = withAll(*this, Tile(offsets, sizes), wholeRanges(builder, getLoc(), getCache())[getDimension()]);
  resultOffsets = cache.offsets;
  resultSizes = cache.sizes;
  return success();
}

LogicalResult CacheUpdateOp::getIterationDomainTileFromResultTile(OpBuilder &builder, unsigned,
                                                                  ArrayRef<OpFoldResult> offsets,
                                                                  ArrayRef<OpFoldResult> sizes,
                                                                  SmallVectorImpl<OpFoldResult> &domainOffsets,
                                                                  SmallVectorImpl<OpFoldResult> &domainSizes) {
  int64_t slots = getDimension();
  if (!coversDimension(getCache(), slots, offsets[slots], sizes[slots]))
    return failure(); // any row may lead to any slot
  Tile rows = withAll(*this, Tile(offsets, sizes), getIterationDomain(builder)[slots]);
  domainOffsets.assign(rows.offsets.begin(), rows.offsets.end());
  domainSizes.assign(rows.sizes.begin(), rows.sizes.end());
  return success();
}

//===----------------------------------------------------------------------===//
// Definition
//===----------------------------------------------------------------------===//

/// Whether the position's slot is `slot`, of so many slots.
static Value isSlot(DefinitionBuilder &d, Value position, Value slot, Value slots, bool ring) {
  auto compare = [&](arith::CmpIPredicate predicate, Value a, Value b) -> Value {
    return arith::CmpIOp::create(d.b, d.loc, predicate, a, b);
  };
  if (!position.getType().isIndex())
    position = arith::IndexCastOp::create(d.b, d.loc, d.b.getIndexType(), position);
  if (!ring)
    return compare(arith::CmpIPredicate::eq, position, slot);
  Value isPosition = compare(arith::CmpIPredicate::sge, position, arith::ConstantIndexOp::create(d.b, d.loc, 0));
  Value place = arith::RemUIOp::create(d.b, d.loc, position, slots); // a slot that asks is one of at least one
  return arith::AndIOp::create(d.b, d.loc, isPosition, compare(arith::CmpIPredicate::eq, place, slot));
}

FailureOr<SmallVector<Value>> CacheUpdateOp::decompose(OpBuilder &builder) {
  if (!hasPureTensorSemantics())
    return failure();
  DefinitionBuilder def(builder, getLoc());
  int64_t rank = getCache().getType().getRank(), dimension = getDimension();
  // The loops: the cache's, then t.
  SmallVector<AffineExpr> cache, rows;
  for (int64_t dim = 0; dim < rank; ++dim)
    cache.push_back(builder.getAffineDimExpr(dim));
  rows = cache;
  AffineExpr t = rows[dimension] = builder.getAffineDimExpr(rank);
  auto map = [&](ArrayRef<AffineExpr> results) { return AffineMap::get(rank + 1, 0, results, builder.getContext()); };
  Value slots = tensor::DimOp::create(builder, getLoc(), getCache(), dimension);
  Value result = def.compute({getRows(), getPositions()}, getCache(), {map(rows), map({cache[0], t}), map(cache)},
                             [&](DefinitionBuilder &d, ValueRange e) -> Value {
                               Value slot = linalg::IndexOp::create(d.b, d.loc, dimension);
                               Value isMine = isSlot(d, e[1], slot, slots, getRing());
                               return arith::SelectOp::create(d.b, d.loc, isMine, e[0], e[2]);
                             });
  return SmallVector<Value>{result};
}
