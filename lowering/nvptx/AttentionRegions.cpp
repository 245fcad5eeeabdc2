// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mask { %seen = arith.cmpi sle, %j, %i : index }   →   keys up to the last query; for a step of them:
//   %whole = arith.cmpi sle, %last_key, %first_query;  %s = scf.if %whole { %scores } else { tile.map … }
#include "lowering/nvptx/AttentionRegions.h"

#include "dialects/tile/TileOps.h"
#include "lowering/nvptx/NarrowRegion.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace weft {
namespace {

constexpr double kLog2e = 1.4426950408889634;
constexpr int64_t kWarp = 32;

Value constant(OpBuilder &b, Location loc, int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

/// Lanes have numbers each; all get the least or the most of them.
template <typename Op> Value acrossWarp(OpBuilder &b, Location loc, Value number) {
  auto i32 = [&](int64_t value) -> Value { return arith::ConstantIntOp::create(b, loc, value, 32); };
  for (int64_t distance = 1; distance < kWarp; distance *= 2) {
    Value other = NVVM::ShflOp::create(b, loc, number.getType(), i32(-1), number, i32(distance), i32(kWarp - 1),
                                       NVVM::ShflKind::bfly, UnitAttr());
    number = Op::create(b, loc, number, other);
  }
  return number;
}

/// An element of an extra operand at a query and a key (i32 or index), which it need not depend on. Beyond its ends the
/// last one stands for what is not there.
Value loadExtra(OpBuilder &b, Location loc, Value extra, AffineMap map, Value query, Value key) {
  SmallVector<Value> place;
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    bool isQuery = expr.isFunctionOfDim(AttentionOp::Query), isKey = expr.isFunctionOfDim(AttentionOp::Key);
    if (!isQuery && !isKey) {
      place.push_back(constant(b, loc, 0));
      continue;
    }
    Value at = isQuery ? query : key;
    Value last = arith::SubIOp::create(b, loc, memref::DimOp::create(b, loc, extra, dim), constant(b, loc, 1));
    if (at.getType().isIndex()) {
      place.push_back(arith::MinSIOp::create(b, loc, at, last));
      continue;
    }
    Value bounded = arith::MinSIOp::create(b, loc, at, arith::IndexCastOp::create(b, loc, b.getI32Type(), last));
    place.push_back(arith::IndexCastUIOp::create(b, loc, b.getIndexType(), bounded));
  }
  return memref::LoadOp::create(b, loc, extra, place);
}

/// A fragment computed from each score, its query and its key, which are i32.
template <typename Emit> Value mapScores(OpBuilder &b, Location loc, Value scores, Value query, Value key, Emit emit) {
  auto type = cast<tile::FragmentType>(scores.getType());
  auto places = tile::FragmentType::get(b.getContext(), type.getShape(), b.getI32Type(), type.getLayout());
  Value row = tile::CoordinateOp::create(b, loc, places, 0), column = tile::CoordinateOp::create(b, loc, places, 1);
  Value query32 = b.createOrFold<arith::IndexCastOp>(loc, b.getI32Type(), query);
  Value key32 = b.createOrFold<arith::IndexCastOp>(loc, b.getI32Type(), key);
  auto map = tile::MapOp::create(b, loc, type, ValueRange{scores, row, column});
  OpBuilder::InsertionGuard guard(b);
  Type i32 = b.getI32Type();
  Block *body = b.createBlock(&map.getBody(), {}, {b.getF32Type(), i32, i32}, {loc, loc, loc});
  Value i = b.createOrFold<arith::AddIOp>(loc, body->getArgument(1), query32);
  Value j = b.createOrFold<arith::AddIOp>(loc, body->getArgument(2), key32);
  tile::YieldOp::create(b, loc, emit(body->getArgument(0), i, j));
  return map.getResult();
}

} // namespace

Value AttentionRegions::extentOf(OpBuilder &b, unsigned operand, unsigned dim) {
  unsigned position = *op.getIndexingMap(operand).getResultPosition(b.getAffineDimExpr(dim));
  return b.createOrFold<memref::DimOp>(loc, op->getOperand(operand), position);
}

/// A factor that is not positive would turn maxima into minima: such scores are multiplied first.
bool AttentionRegions::isScaled() const {
  AttentionOp attention = op;
  return !attention.getScore().empty() || attention.getScale().convertToDouble() <= 0;
}

double AttentionRegions::unit() const {
  AttentionOp attention = op;
  return isScaled() ? kLog2e : attention.getScale().convertToDouble() * kLog2e;
}

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

/// The integers that an extra operand has for the item's queries; none where it depends on the key or holds other
/// numbers.
std::optional<IndexRange> AttentionRegions::rangeOfExtra(OpBuilder &b, unsigned extra) {
  Value view = op.getExtras()[extra];
  AffineMap map = op.getIndexingMap(3 + extra);
  Type type = getElementTypeOrSelf(view.getType());
  if (map.isFunctionOfDim(AttentionOp::Key) || (!type.isInteger(64) && !type.isInteger(32)))
    return std::nullopt;
  if (!map.isFunctionOfDim(AttentionOp::Query)) {
    Value one = loadExtra(b, loc, view, map, {}, {});
    return IndexRange{one, one};
  }
  return rangeOfWarp(b, view, map);
}

/// Each lane goes over some of the queries, and the warp finds the least and the most. Where a number is none of a
/// position, either sign of what is computed with it is possible for all.
IndexRange AttentionRegions::rangeOfWarp(OpBuilder &b, Value view, AffineMap map) {
  constexpr int64_t kFar = int64_t(1) << 30;
  Type type = getElementTypeOrSelf(view.getType());
  bool isWide = type.isInteger(64);
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, value));
  };
  Value thread = NVVM::ThreadIdXOp::create(b, loc, b.getI32Type());
  Value lane = arith::RemUIOp::create(b, loc, arith::IndexCastUIOp::create(b, loc, b.getIndexType(), thread),
                                      constant(b, loc, kWarp));
  auto loop = scf::ForOp::create(
      b, loc, lane, queryCount(b), constant(b, loc, kWarp), ValueRange{number(kFar), number(-kFar)},
      [&](OpBuilder &inner, Location, Value query, ValueRange ends) {
        Value value = loadExtra(inner, loc, view, map, query, {});
        Value below = arith::MinSIOp::create(inner, loc, value, number(kFar));
        Value bounded = arith::MaxSIOp::create(inner, loc, below, number(-kFar));
        Value low = arith::MinSIOp::create(inner, loc, ends[0], bounded);
        scf::YieldOp::create(inner, loc, ValueRange{low, arith::MaxSIOp::create(inner, loc, ends[1], bounded)});
      });
  auto narrow = [&](Value x) { return isWide ? Value(arith::TruncIOp::create(b, loc, b.getI32Type(), x)) : x; };
  auto wide = [&](Value x) { return isWide ? Value(arith::ExtSIOp::create(b, loc, type, x)) : x; };
  Value low = wide(acrossWarp<arith::MinSIOp>(b, loc, narrow(loop.getResult(0))));
  Value high = wide(acrossWarp<arith::MaxSIOp>(b, loc, narrow(loop.getResult(1))));
  Value isLow = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, low, number(-kFar));
  Value isHigh = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, high, number(kFar));
  Value isFar = arith::OrIOp::create(b, loc, isLow, isHigh);
  return {arith::SelectOp::create(b, loc, isFar, number(-2 * kFar), low),
          arith::SelectOp::create(b, loc, isFar, number(2 * kFar - 1), high)};
}

MaskRanges AttentionRegions::ranges(IndexRange keys) {
  MaskRanges all = {IndexRange{queries->low, queries->low}, IndexRange{queries->low, queries->low}, queries, keys};
  llvm::append_range(all, extras);
  return all;
}

AttentionRegions::Keys AttentionRegions::visibleKeys(OpBuilder &b, int64_t step) {
  end = keyCount(b);
  Value zero = constant(b, loc, 0), one = constant(b, loc, 1);
  if (op.getMask().empty())
    return {zero, end};
  queries = IndexRange{zero, arith::SubIOp::create(b, loc, queryCount(b), one)};
  for (unsigned extra = 0; extra < op.getExtras().size(); ++extra)
    extras.push_back(rangeOfExtra(b, extra));
  IndexRange all{zero, arith::SubIOp::create(b, loc, end, one)};
  MaskTile item(b, op.getMask().front(), ranges(all));
  IndexRange seen = item.visibleKeys(AttentionOp::Key);
  Value high = arith::AddIOp::create(b, loc, seen.high, one);
  if (Value never = item.truth().never)
    high = arith::SelectOp::create(b, loc, never, zero, high);
  Value steps = arith::DivUIOp::create(b, loc, seen.low, constant(b, loc, step));
  return {arith::MulIOp::create(b, loc, steps, constant(b, loc, step)), high};
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// Block arguments of a region for the extra operands at i, j (i32).
void AttentionRegions::mapExtras(OpBuilder &b, ValueRange arguments, Value i, Value j, IRMapping &mapping) {
  for (auto [number, argument] : llvm::enumerate(arguments))
    if (!argument.use_empty())
      mapping.map(argument, loadExtra(b, loc, op.getExtras()[number], op.getIndexingMap(3 + number), i, j));
}

Value AttentionRegions::emitScore(OpBuilder &b, Value scores, Value query, Value key) {
  return mapScores(b, loc, scores, query, key, [&](Value score, Value i, Value j) -> Value {
    Value scale = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(op.getScale().convertToFloat()));
    Value scaled = arith::MulFOp::create(b, loc, score, scale);
    if (op.getScore().empty())
      return scaled;
    Block &body = op.getScore().front();
    Value zero = arith::ConstantIntOp::create(b, loc, 0, 32);
    IRMapping mapping;
    mapping.map(body.getArguments().take_front(5), ValueRange{scaled, zero, zero, i, j});
    mapExtras(b, body.getArguments().drop_front(5), i, j, mapping);
    return emitNarrow(b, body, mapping);
  });
}

/// The mask, of which the i1 values of `decided` are true; with `checksEnd` also whether a key exists.
Value AttentionRegions::emitMask(OpBuilder &b, Value scores, Value query, Value key, bool checksEnd,
                                 ArrayRef<Value> decided) {
  return mapScores(b, loc, scores, query, key, [&](Value score, Value i, Value j) -> Value {
    Value seen;
    if (!op.getMask().empty()) {
      Block &body = op.getMask().front();
      Value zero = arith::ConstantIntOp::create(b, loc, 0, 32);
      IRMapping mapping;
      mapping.map(body.getArguments().take_front(4), ValueRange{zero, zero, i, j});
      mapExtras(b, body.getArguments().drop_front(4), i, j, mapping);
      seen = emitNarrow(b, body, mapping, decided);
    }
    if (checksEnd) {
      Value end32 = arith::IndexCastOp::create(b, loc, b.getI32Type(), end);
      Value exists = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, j, end32);
      seen = seen ? arith::AndIOp::create(b, loc, seen, exists).getResult() : exists;
    }
    Value none = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(-std::numeric_limits<float>::infinity()));
    return arith::SelectOp::create(b, loc, seen, score, none);
  });
}

Value AttentionRegions::apply(OpBuilder &b, Value scores, Value query, Value key) {
  auto step = cast<tile::FragmentType>(scores.getType()).getShape()[1];
  if (isScaled())
    scores = emitScore(b, scores, query, key);
  Value after = arith::AddIOp::create(b, loc, key, constant(b, loc, step));
  Value whole = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, after, end);
  SmallVector<Value> decided;
  bool isDecided = op.getMask().empty();
  if (!isDecided) {
    IndexRange keys{key, arith::SubIOp::create(b, loc, after, constant(b, loc, 1))};
    MaskTile::Parts parts = MaskTile(b, op.getMask().front(), ranges(keys)).knownParts();
    if (!parts.always)
      return emitMask(b, scores, query, key, /*checksEnd=*/true, {});
    whole = arith::AndIOp::create(b, loc, whole, parts.always);
    decided = parts.values;
    isDecided = llvm::is_contained(decided, op.getMask().front().getTerminator()->getOperand(0));
  }
  auto choice = scf::IfOp::create(b, loc, TypeRange(scores.getType()), whole, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  scf::YieldOp::create(b, loc, isDecided ? scores : emitMask(b, scores, query, key, /*checksEnd=*/false, decided));
  b.setInsertionPointToStart(choice.elseBlock());
  scf::YieldOp::create(b, loc, emitMask(b, scores, query, key, /*checksEnd=*/true, {}));
  return choice.getResult(0);
}

} // namespace weft
