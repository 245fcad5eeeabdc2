// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ranges of rows, columns of a tile, sums in a scratch; and few rows in f32, whose integers are taken out of the words
// as they stream by.
#include "lowering/vectorize/GroupwiseTiles.h"

#include "lowering/vectorize/PanelLoad.h"
#include "lowering/vectorize/RegisterTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

/// Bytes of a panel that few rows fetch ahead: hardware follows a stream within a page of 4 KiB only. Measured at one
/// row of 4096 × 4096, 4 bits: 78 to 87 % of a read loop's rate from memory, 5 % from the third level.
constexpr int64_t kFetchAhead = 1024;

GroupwiseTiles::GroupwiseTiles(GroupwiseMatmulOp matmul, const ProductPlan &target)
    : IndexLoops(matmul.getLoc()), matmul(matmul), epilogue(matchMatmulEpilogue(matmul, matmul.getInit())),
      form(matmul.getForm()), shapes(target.narrowedTo(cast<MemRefType>(matmul.getInit().getType()).getDimSize(1))),
      single(shapes.few), lanes(target.tall.lanes),
      floats(VectorType::get({lanes}, Float32Type::get(loc.getContext()))),
      depth(cast<MemRefType>(matmul.getLhs().getType()).getDimSize(1)) {
  single.rows = 1;
  // A narrow result keeps its tile; the halves of bytes of six vectors of 4-bit words do not fit 16 registers.
  if (shapes.few.vectors == target.few.vectors && (form.bits == 8 || target.few.rows >= kVectorsOfOneRow))
    single.vectors = kVectorsOfOneRow;
}

void GroupwiseTiles::emit() {
  OpBuilder b(epilogue.anchor(matmul));
  Value out = epilogue.output();
  columns = memref::DimOp::create(b, loc, out, 1);
  lastPanel = arith::SubIOp::create(b, loc, memref::DimOp::create(b, loc, matmul.getRhs(), 0), constant(b, 1));
  OpFoldResult rows = memref::getMixedSize(b, loc, out, 0);
  int64_t most = shapes.itemRows;
  std::optional<int64_t> fixed = getConstantIntValue(rows);
  if (fixed && *fixed <= most) {
    emitRows(b, {constant(b, 0), rows});
  } else {
    Value all = getValueOrCreateConstantIndexOp(b, loc, rows);
    forEach(b, all, most, [&](Builder &body, Value begin) {
      Value left = arith::SubIOp::create(body, loc, all, begin);
      emitRows(body, {begin, arith::MinUIOp::create(body, loc, left, constant(body, most)).getResult()});
    });
  }
  epilogue.eraseWith(matmul);
}

Value GroupwiseTiles::times(Builder &b, Value x, int64_t y) { return arith::MulIOp::create(b, loc, x, constant(b, y)); }

int64_t GroupwiseTiles::groups() const { return llvm::divideCeilSigned(depth, form.group); }

Value GroupwiseTiles::scratch(Builder &b, int64_t rows, int64_t columnCount, Type element) {
  auto type = MemRefType::get({rows, columnCount}, element ? element : b.getF32Type());
  return memref::AllocaOp::create(b, loc, type, b.getI64IntegerAttr(64));
}

GroupwiseTiles::ColumnTile GroupwiseTiles::columnTile(Builder &b, const RegisterPlan &plan, Value column, Value sums) {
  ColumnTile tile{plan, column, {}, {}, {}, sums};
  auto placesFrom = [&](Value first) {
    return emitPanelPlaces(b, loc, plan, matmul.getRhs(), kPanelWidth, first, plan.vectors);
  };
  for (auto [place, next] : llvm::zip_equal(placesFrom(column), placesFrom(add(b, column, plan.columns())))) {
    tile.panels.push_back(place.panel);
    tile.nextPanels.push_back(next.panel);
    tile.offsets.push_back(place.offset);
  }
  return tile;
}

SmallVector<GroupPlace> GroupwiseTiles::placesOf(const ColumnTile &tile, Value group) {
  SmallVector<GroupPlace> places;
  for (auto [panel, offset] : llvm::zip_equal(tile.panels, tile.offsets))
    places.push_back({matmul.getRhs(), panel, group, offset});
  return places;
}

IterationPoint GroupwiseTiles::pointAt(Builder &b, const ColumnTile &tile, Value row, int64_t v) {
  int64_t known = cast<MemRefType>(epilogue.output().getType()).getDimSize(1);
  bool masked = ShapedType::isDynamic(known) || known % tile.plan.columns() != 0;
  return columnsAt(b, loc, row, add(b, tile.column, v * lanes), lanes, masked ? columns : Value());
}

void GroupwiseTiles::startSums(Builder &b, const ColumnTile &tile, const RowRange &rows) {
  AffineMap map = AffineMap::get(2, 0, b.getAffineDimExpr(1));
  SmallVector<Value> start;
  for (int64_t v = 0; v < tile.plan.vectors; ++v)
    start.push_back(matmul.getBias() ? emitLoad(b, loc, matmul.getBias(), map, pointAt(b, tile, rows.begin, v))
                                     : arith::ConstantOp::create(b, loc, b.getZeroAttr(floats)).getResult());
  forEach(b, getValueOrCreateConstantIndexOp(b, loc, rows.count), 1, [&](Builder &body, Value row) {
    for (int64_t v = 0; v < tile.plan.vectors; ++v)
      vector::StoreOp::create(body, loc, start[v], tile.sums, ValueRange{row, constant(body, v * lanes)});
  });
}

void GroupwiseTiles::finishRows(Builder &b, const ColumnTile &tile, const RowRange &rows) {
  forEach(b, getValueOrCreateConstantIndexOp(b, loc, rows.count), 1, [&](Builder &body, Value row) {
    Value outRow = arith::AddIOp::create(body, loc, rows.begin, row);
    for (int64_t v = 0; v < tile.plan.vectors; ++v) {
      Value sum = vector::LoadOp::create(body, loc, floats, tile.sums, ValueRange{row, constant(body, v * lanes)});
      emitMatmulResult(body, loc, epilogue, sum, pointAt(body, tile, outRow, v));
    }
  });
}

Value GroupwiseTiles::rowsOf(Builder &b, Value matrix, Value row, int64_t count, OpFoldResult column,
                             OpFoldResult width) {
  return memref::SubViewOp::create(b, loc, matrix, {row, column}, {b.getIndexAttr(count), width},
                                   {b.getIndexAttr(1), b.getIndexAttr(1)});
}

void GroupwiseTiles::addScaled(Builder &b, const ColumnTile &tile, Value view, ArrayRef<Value> scales,
                               ValueRange groupSums) {
  for (auto [i, groupSum] : llvm::enumerate(groupSums)) {
    int64_t v = i % tile.plan.vectors;
    SmallVector<Value> place = {constant(b, i / tile.plan.vectors), constant(b, v * lanes)};
    Value sum = vector::LoadOp::create(b, loc, floats, view, place);
    sum = emitMultiplyAdd(b, loc, tile.plan, scales[v], groupSum, sum);
    vector::StoreOp::create(b, loc, sum, view, place);
  }
}

// --- f32, as the words stream by --------------------------------------------------------------------------------

void GroupwiseTiles::streamRows(Builder &b, const ColumnTile &tile, const RowRange &rows, Value row, int64_t count) {
  Value first = arith::AddIOp::create(b, loc, rows.begin, row);
  Value lhs = rowsOf(b, matmul.getLhs(), first, count, b.getIndexAttr(0), b.getIndexAttr(depth));
  Value view = rowsOf(b, tile.sums, row, count, b.getIndexAttr(0), b.getIndexAttr(tile.plan.columns()));
  int64_t whole = depth / form.group;
  forEach(b, constant(b, whole), 1,
          [&](Builder &each, Value group) { streamGroup(each, tile, count, lhs, view, group, form.group); });
  if (depth % form.group)
    streamGroup(b, tile, count, lhs, view, constant(b, whole), depth % form.group);
}

void GroupwiseTiles::streamGroup(Builder &b, const ColumnTile &tile, int64_t count, Value lhs, Value view, Value group,
                                 int64_t steps) {
  SmallVector<GroupPlace> places = placesOf(tile, group);
  Value first = times(b, group, form.group), zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(floats));
  SmallVector<Value> sums(count * tile.plan.vectors, zero);
  int64_t whole = steps / form.steps();
  SmallVector<GroupPlace> later = placesAhead(b, tile, group, kFetchAhead);
  auto loop = scf::ForOp::create(b, loc, constant(b, 0), constant(b, whole), constant(b, 1), sums,
                                 [&](Builder &body, Location, Value word, ValueRange carried) {
                                   SmallVector<Value> next(carried);
                                   emitGroupFetch(body, loc, later, times(body, word, kPanelWidth * 4));
                                   streamWord(body, tile.plan, places, lhs, first, word, form.steps(), next);
                                   scf::YieldOp::create(body, loc, next);
                                 });
  sums.assign(loop.getResults().begin(), loop.getResults().end());
  streamWord(b, tile.plan, places, lhs, first, constant(b, whole), steps % form.steps(), sums);
  emitGroupFetch(b, loc, later, constant(b, form.wordBytes()));
  SmallVector<Value> scales;
  for (const GroupPlace &place : places)
    scales.push_back(emitGroupScales(b, loc, tile.plan, form, place));
  addScaled(b, tile, view, scales, sums);
}

SmallVector<GroupPlace> GroupwiseTiles::placesAhead(Builder &b, const ColumnTile &tile, Value group, int64_t bytes) {
  Value later = add(b, group, std::min(groups(), llvm::divideCeilSigned(bytes, form.bytes())));
  Value isInside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, later, constant(b, groups()));
  Value wrapped = arith::SubIOp::create(b, loc, later, constant(b, groups()));
  later = arith::SelectOp::create(b, loc, isInside, later, wrapped);
  SmallVector<GroupPlace> places;
  for (int64_t v = 0; v < tile.plan.vectors; v += kPanelWidth / lanes) { // once for a panel
    Value panel = arith::SelectOp::create(b, loc, isInside, tile.panels[v], tile.nextPanels[v]);
    places.push_back({matmul.getRhs(), panel, later, Value()});
  }
  return places;
}

/// `steps` steps of k, those of a word or fewer.
void GroupwiseTiles::streamWord(Builder &b, const RegisterPlan &plan, ArrayRef<GroupPlace> places, Value lhs,
                                Value first, Value word, int64_t steps, SmallVectorImpl<Value> &sums) {
  Value begin = arith::AddIOp::create(b, loc, first, times(b, word, form.steps()));
  for (int64_t step = 0; step < steps; ++step) {
    SmallVector<Value> weights;
    for (const GroupPlace &place : places)
      weights.push_back(emitGroupStep(b, loc, plan, form, place, word, step));
    for (int64_t r = 0; r < int64_t(sums.size()) / plan.vectors; ++r) {
      Value x = memref::LoadOp::create(b, loc, lhs, ValueRange{constant(b, r), add(b, begin, step)});
      x = vector::BroadcastOp::create(b, loc, floats, x);
      for (auto [v, weight] : llvm::enumerate(weights)) {
        Value &sum = sums[r * plan.vectors + v];
        sum = emitMultiplyAdd(b, loc, plan, x, weight, sum);
      }
    }
  }
}

} // namespace weft
