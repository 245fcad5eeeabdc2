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
#include "mlir/Dialect/SCF/IR/SCF.h"
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
  for (int64_t dim = getTable() ? 1 : 0; dim < rank; ++dim)
    if (dim != slots && !extentsAgree(rows.getDimSize(dim), cache.getDimSize(dim))) // cache_update_c2
      return emitOpError("rows and cache must have the same extents but for the slots, got ")
             << rows << " and " << cache;
  if (positions.getRank() != 2 || !extentsAgree(positions.getDimSize(0), rows.getDimSize(0)) ||
      !extentsAgree(positions.getDimSize(1), rows.getDimSize(slots))) // cache_update_c3
    return emitOpError("needs a position for each row, [batch, rows], got ") << positions << " for " << rows;
  if (!positions.getElementType().isIntOrIndex()) // cache_update_c4
    return emitOpError("positions must be integers, got ") << positions;
  if (Value table = getTable()) {
    auto type = cast<ShapedType>(table.getType());
    if (type.getRank() != 2 || !extentsAgree(type.getDimSize(0), rows.getDimSize(0)) ||
        !type.getElementType().isIntOrIndex()) // cache_update_c7
      return emitOpError("table must hold integers, [batch, blocks], got ") << type << " for " << rows;
    if (getRing()) // cache_update_c8
      return emitOpError("a cache in pages is no ring");
  }
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
  if (getTable())
    types[0] = IteratorType::reduction; // batches share the pages
  return types;
}

SmallVector<Range> CacheUpdateOp::getIterationDomain(OpBuilder &builder) {
  return wholeRanges(builder, getLoc(), getRows());
}

/// The tile with all of this range in that dimension.
static Tile withAll(Tile tile, int64_t dimension, Range whole) {
  tile.offsets[dimension] = whole.offset;
  tile.sizes[dimension] = whole.size;
  return tile;
}

/// What rows of these may be written to: any slot, and in pages any of these.
static Tile cacheTile(CacheUpdateOp op, OpBuilder &builder, Tile rows) {
  SmallVector<Range> whole = wholeRanges(builder, op.getLoc(), op.getCache());
  Tile cache = withAll(std::move(rows), op.getDimension(), whole[op.getDimension()]);
  return op.getTable() ? withAll(std::move(cache), 0, whole[0]) : cache;
}

FailureOr<TilingResult> CacheUpdateOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                              ArrayRef<OpFoldResult> sizes) {
  int64_t slots = getDimension();
  if (!coversDimension(getRows(), slots, offsets[slots], sizes[slots]))
    return failure();
  Tile rows(offsets, sizes), positions({offsets[0], offsets[slots]}, {sizes[0], sizes[slots]});
  SmallVector<Tile> tiles{rows, positions};
  if (Value table = getTable()) {
    Range blocks = wholeRanges(builder, getLoc(), table)[1];
    tiles.emplace_back(ArrayRef<OpFoldResult>{offsets[0], blocks.offset},
                       ArrayRef<OpFoldResult>{sizes[0], blocks.size});
  }
  tiles.push_back(cacheTile(*this, builder, rows));
  return cloneOntoTiles(*this, builder, tiles);
}

LogicalResult CacheUpdateOp::getResultTilePosition(OpBuilder &builder, unsigned, ArrayRef<OpFoldResult> offsets,
                                                   ArrayRef<OpFoldResult> sizes,
                                                   SmallVector<OpFoldResult> &resultOffsets,
                                                   SmallVector<OpFoldResult> &resultSizes) {
  Tile cache = cacheTile(*this, builder, Tile(offsets, sizes));
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
  if (getTable() && !coversDimension(getCache(), 0, offsets[0], sizes[0]))
    return failure(); // and to any page
  SmallVector<Range> domain = getIterationDomain(builder);
  Tile rows = withAll(Tile(offsets, sizes), slots, domain[slots]);
  if (getTable())
    rows = withAll(std::move(rows), 0, domain[0]);
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

/// Whether position p of batch b lies in this slot of this page: table[b, p floordiv slots] is the page, p mod slots
/// the slot.
static Value isPlace(DefinitionBuilder &d, Value table, Value batch, Value position, Value page, Value slot,
                     Value slots) {
  auto equal = [&](Value x, Value y) -> Value {
    return arith::CmpIOp::create(d.b, d.loc, arith::CmpIPredicate::eq, x, y);
  };
  auto toIndex = [&](Value x) -> Value {
    return x.getType().isIndex() ? x : arith::IndexCastOp::create(d.b, d.loc, d.b.getIndexType(), x).getResult();
  };
  position = toIndex(position); // a negative one is a large unsigned one
  Value column = arith::DivUIOp::create(d.b, d.loc, position, slots);
  Value columns = tensor::DimOp::create(d.b, d.loc, table, 1);
  Value exists = arith::CmpIOp::create(d.b, d.loc, arith::CmpIPredicate::ult, column, columns);
  // Without columns there is nothing to read.
  auto entry = scf::IfOp::create(
      d.b, d.loc, exists,
      [&](OpBuilder &inner, Location l) {
        Value number = tensor::ExtractOp::create(inner, l, table, ValueRange{batch, column});
        if (!number.getType().isIndex())
          number = arith::IndexCastOp::create(inner, l, inner.getIndexType(), number);
        Value same = arith::CmpIOp::create(inner, l, arith::CmpIPredicate::eq, number, page);
        scf::YieldOp::create(inner, l, same);
      },
      [&](OpBuilder &inner, Location l) {
        scf::YieldOp::create(inner, l, arith::ConstantIntOp::create(inner, l, 0, 1).getResult());
      });
  Value sameSlot = equal(arith::RemUIOp::create(d.b, d.loc, position, slots), slot);
  return arith::AndIOp::create(d.b, d.loc, entry.getResult(0), sameSlot);
}

/// In pages: each element is that of the last row, of any batch, whose place it is.
static Value decomposePages(CacheUpdateOp op, OpBuilder &builder) {
  DefinitionBuilder def(builder, op.getLoc());
  int64_t rank = op.getCache().getType().getRank(), dimension = op.getDimension();
  // The loops: the cache's, then b, t.
  SmallVector<AffineExpr> cache, rows;
  for (int64_t dim = 0; dim < rank; ++dim)
    cache.push_back(builder.getAffineDimExpr(dim));
  AffineExpr b = builder.getAffineDimExpr(rank), t = builder.getAffineDimExpr(rank + 1);
  rows = cache;
  rows[0] = b;
  rows[dimension] = t;
  auto map = [&](ArrayRef<AffineExpr> results) { return AffineMap::get(rank + 2, 0, results, builder.getContext()); };
  Value slots = tensor::DimOp::create(builder, op.getLoc(), op.getCache(), dimension);
  return def.compute({op.getRows(), op.getPositions()}, op.getCache(), {map(rows), map({b, t}), map(cache)},
                     [&](DefinitionBuilder &d, ValueRange e) -> Value {
                       Value page = linalg::IndexOp::create(d.b, d.loc, 0),
                             slot = linalg::IndexOp::create(d.b, d.loc, dimension),
                             batch = linalg::IndexOp::create(d.b, d.loc, rank);
                       Value isMine = isPlace(d, op.getTable(), batch, e[1], page, slot, slots);
                       return arith::SelectOp::create(d.b, d.loc, isMine, e[0], e[2]);
                     });
}

FailureOr<SmallVector<Value>> CacheUpdateOp::decompose(OpBuilder &builder) {
  if (!hasPureTensorSemantics())
    return failure();
  if (getTable())
    return SmallVector<Value>{decomposePages(*this, builder)};
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
