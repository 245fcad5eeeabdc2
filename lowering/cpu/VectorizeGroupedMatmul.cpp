// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.grouped_matmul on memrefs (+ the elementwise linalg.generic that alone reads its output) → register tiles over
// one group of k at a time, whose sums are scaled and added to the rows' sums in a scratch:
//   scf.for %column … { row tiles { scf.for %group { scf.for %word { steps of k }; fma of scales and sums } }; body }
// Many rows: a block of groups of a tile's columns becomes f32 in a scratch first, and all row tiles read that.
#include "lowering/cpu/Passes.h"

#include "lowering/analysis/ProductPlan.h"
#include "lowering/cpu/GroupLoad.h"
#include "lowering/cpu/IndexLoops.h"
#include "lowering/cpu/MatmulEpilogue.h"
#include "lowering/cpu/RegisterTile.h"
#include "lowering/cpu/RowTiles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <functional>

namespace weft {
#define GEN_PASS_DEF_VECTORIZEGROUPEDMATMUL
#include "lowering/cpu/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Steps of k that a scratch holds: 192 KiB at 48 columns.
constexpr int64_t kScratchSteps = 1024;

/// Bytes of a panel that few rows fetch ahead: hardware follows a stream within a page of 4 KiB only. Measured at one
/// row of 4096 × 4096, 4 bits: 78 to 87 % of a read loop's rate from memory, 5 % from the third level.
constexpr int64_t kFetchAhead = 1024;

/// Sums of a single row: with four, multiply-adds wait for each other, and more panels at once reach memory's speed.
constexpr int64_t kVectorsOfOneRow = 6;

/// Rows that pass together, and where they begin.
struct RowRange {
  Value begin;
  OpFoldResult count;
};

/// The columns of a tile, and where a row's sums of them are kept.
struct ColumnTile {
  const RegisterPlan &plan;
  Value column; ///< the first
  SmallVector<Value> panels, offsets;
  SmallVector<Value> nextPanels; ///< those of the tile after it
  Value sums;                    ///< [rows, columns of the tile]
};

/// Groups of a tile's columns taken out into f32.
struct Scratch {
  Value values; ///< [steps of k, columns of the tile]
  Value scales; ///< [groups, columns of the tile]
};

/// Emits a product; all of it at the place of the last op that it replaces.
class GroupedEmitter : IndexLoops {
public:
  GroupedEmitter(GroupedMatmulOp matmul, const ProductPlan &target)
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

  void emit() {
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
      forEach(b, all, most, [&](OpBuilder &body, Value begin) {
        Value left = arith::SubIOp::create(body, loc, all, begin);
        emitRows(body, {begin, arith::MinUIOp::create(body, loc, left, constant(body, most)).getResult()});
      });
    }
    epilogue.eraseWith(matmul);
  }

private:
  Value times(OpBuilder &b, Value x, int64_t y) { return arith::MulIOp::create(b, loc, x, constant(b, y)); }

  /// `few` for up to `limit` rows, else `many`.
  void choose(OpBuilder &b, OpFoldResult count, int64_t limit, const std::function<void(OpBuilder &)> &few,
              const std::function<void(OpBuilder &)> &many) {
    if (std::optional<int64_t> fixed = getConstantIntValue(count))
      return *fixed <= limit ? few(b) : many(b);
    Value isFew = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule, cast<Value>(count), constant(b, limit));
    auto branch = scf::IfOp::create(b, loc, isFew, /*withElseRegion=*/true);
    OpBuilder then = branch.getThenBodyBuilder(), otherwise = branch.getElseBodyBuilder();
    few(then);
    many(otherwise);
  }

  void emitRows(OpBuilder &b, const RowRange &rows) {
    auto one = [&](OpBuilder &body) { emitFew(body, rows, single, 1); };
    auto few = [&](OpBuilder &body) { emitFew(body, rows, shapes.few, 2); };
    auto tall = [&](OpBuilder &body) { emitTall(body, rows); };
    choose(b, rows.count, 1, one, [&](OpBuilder &body) { choose(body, rows.count, shapes.few.rows, few, tall); });
  }

  // --- the columns of a tile --------------------------------------------------------------------------------------

  Value scratch(OpBuilder &b, int64_t rows, int64_t columnCount) {
    auto type = MemRefType::get({rows, columnCount}, b.getF32Type());
    return memref::AllocaOp::create(b, loc, type, b.getI64IntegerAttr(64));
  }

  ColumnTile columnTile(OpBuilder &b, const RegisterPlan &plan, Value column, Value sums) {
    ColumnTile tile{plan, column, {}, {}, {}, sums};
    Value width = constant(b, kPanelWidth);
    // The last tile's columns may lie beyond the last panel.
    auto panelAt = [&](Value at) -> Value {
      return arith::MinUIOp::create(b, loc, arith::DivUIOp::create(b, loc, at, width), lastPanel);
    };
    for (int64_t v = 0; v < plan.vectors; ++v) {
      Value at = add(b, column, v * lanes);
      tile.panels.push_back(panelAt(at));
      tile.nextPanels.push_back(panelAt(add(b, at, plan.columns())));
      tile.offsets.push_back(arith::RemUIOp::create(b, loc, at, width));
    }
    return tile;
  }

  SmallVector<GroupPlace> placesOf(const ColumnTile &tile, Value group) {
    SmallVector<GroupPlace> places;
    for (auto [panel, offset] : llvm::zip_equal(tile.panels, tile.offsets))
      places.push_back({matmul.getRhs(), panel, group, offset});
    return places;
  }

  IterationPoint pointAt(OpBuilder &b, const ColumnTile &tile, Value row, int64_t v) {
    int64_t known = cast<MemRefType>(epilogue.output().getType()).getDimSize(1);
    bool masked = ShapedType::isDynamic(known) || known % tile.plan.columns() != 0;
    return columnsAt(b, loc, row, add(b, tile.column, v * lanes), lanes, masked ? columns : Value());
  }

  /// The bias, or zeros, as the sums of all rows.
  void startSums(OpBuilder &b, const ColumnTile &tile, const RowRange &rows) {
    AffineMap map = AffineMap::get(2, 0, b.getAffineDimExpr(1));
    SmallVector<Value> start;
    for (int64_t v = 0; v < tile.plan.vectors; ++v)
      start.push_back(matmul.getBias() ? emitLoad(b, loc, matmul.getBias(), map, pointAt(b, tile, rows.begin, v))
                                       : arith::ConstantOp::create(b, loc, b.getZeroAttr(floats)).getResult());
    forEach(b, getValueOrCreateConstantIndexOp(b, loc, rows.count), 1, [&](OpBuilder &body, Value row) {
      for (int64_t v = 0; v < tile.plan.vectors; ++v)
        vector::StoreOp::create(body, loc, start[v], tile.sums, ValueRange{row, constant(body, v * lanes)});
    });
  }

  void finishRows(OpBuilder &b, const ColumnTile &tile, const RowRange &rows) {
    forEach(b, getValueOrCreateConstantIndexOp(b, loc, rows.count), 1, [&](OpBuilder &body, Value row) {
      Value outRow = arith::AddIOp::create(body, loc, rows.begin, row);
      for (int64_t v = 0; v < tile.plan.vectors; ++v) {
        Value sum = vector::LoadOp::create(body, loc, floats, tile.sums, ValueRange{row, constant(body, v * lanes)});
        emitMatmulResult(body, loc, epilogue, sum, pointAt(body, tile, outRow, v));
      }
    });
  }

  /// `count` rows of a matrix from `row` on, as a view with one base address.
  Value rowsOf(OpBuilder &b, Value matrix, Value row, int64_t count, OpFoldResult column, OpFoldResult width) {
    return memref::SubViewOp::create(b, loc, matrix, {row, column}, {b.getIndexAttr(count), width},
                                     {b.getIndexAttr(1), b.getIndexAttr(1)});
  }

  /// Adds a group's sums, times the scales, to the rows' sums in `view`.
  void addScaled(OpBuilder &b, const ColumnTile &tile, Value view, ArrayRef<Value> scales, ValueRange groupSums) {
    for (auto [i, groupSum] : llvm::enumerate(groupSums)) {
      int64_t v = i % tile.plan.vectors;
      SmallVector<Value> place = {constant(b, i / tile.plan.vectors), constant(b, v * lanes)};
      Value sum = vector::LoadOp::create(b, loc, floats, view, place);
      sum = emitMultiplyAdd(b, loc, tile.plan, scales[v], groupSum, sum);
      vector::StoreOp::create(b, loc, sum, view, place);
    }
  }

  // --- few rows: integers are taken out as they stream by -----------------------------------------------------------

  /// `least` to plan.rows rows.
  void emitFew(OpBuilder &b, const RowRange &rows, const RegisterPlan &plan, int64_t least) {
    Value sums = scratch(b, plan.rows, plan.columns());
    forEach(b, columns, plan.columns(), [&](OpBuilder &body, Value column) {
      ColumnTile tile = columnTile(body, plan, column, sums);
      startSums(body, tile, rows);
      emitRowTiles(body, loc, rows.count, least, plan.rows, [&](OpBuilder &inner, int64_t count, Value row, Value) {
        Value first = arith::AddIOp::create(inner, loc, rows.begin, row);
        Value lhs = rowsOf(inner, matmul.getLhs(), first, count, inner.getIndexAttr(0), inner.getIndexAttr(depth));
        Value view = rowsOf(inner, sums, row, count, inner.getIndexAttr(0), inner.getIndexAttr(tile.plan.columns()));
        int64_t whole = depth / form.group;
        forEach(inner, constant(inner, whole), 1,
                [&](OpBuilder &each, Value group) { streamGroup(each, tile, count, lhs, view, group, form.group); });
        if (depth % form.group)
          streamGroup(inner, tile, count, lhs, view, constant(inner, whole), depth % form.group);
      });
      finishRows(body, tile, rows);
    });
  }

  void streamGroup(OpBuilder &b, const ColumnTile &tile, int64_t count, Value lhs, Value view, Value group,
                   int64_t steps) {
    SmallVector<GroupPlace> places = placesOf(tile, group);
    Value first = times(b, group, form.group), zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(floats));
    SmallVector<Value> sums(count * tile.plan.vectors, zero);
    int64_t whole = steps / form.steps();
    SmallVector<GroupPlace> later = placesAhead(b, tile, group);
    auto loop = scf::ForOp::create(b, loc, constant(b, 0), constant(b, whole), constant(b, 1), sums,
                                   [&](OpBuilder &body, Location, Value word, ValueRange carried) {
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

  /// The groups that the hardware is to fetch while this one is read: at a panel's end they are those of the tile
  /// after.
  SmallVector<GroupPlace> placesAhead(OpBuilder &b, const ColumnTile &tile, Value group) {
    int64_t groups = llvm::divideCeilSigned(depth, form.group);
    Value later = add(b, group, std::min(groups, llvm::divideCeilSigned(kFetchAhead, form.bytes())));
    Value isInside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, later, constant(b, groups));
    Value wrapped = arith::SubIOp::create(b, loc, later, constant(b, groups));
    later = arith::SelectOp::create(b, loc, isInside, later, wrapped);
    SmallVector<GroupPlace> places;
    for (int64_t v = 0; v < tile.plan.vectors; v += kPanelWidth / lanes) { // once for a panel
      Value panel = arith::SelectOp::create(b, loc, isInside, tile.panels[v], tile.nextPanels[v]);
      places.push_back({matmul.getRhs(), panel, later, Value()});
    }
    return places;
  }

  /// `steps` steps of k, those of a word or fewer.
  void streamWord(OpBuilder &b, const RegisterPlan &plan, ArrayRef<GroupPlace> places, Value lhs, Value first,
                  Value word, int64_t steps, SmallVectorImpl<Value> &sums) {
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

  // --- many rows: a block of groups is taken out once ---------------------------------------------------------------

  void emitTall(OpBuilder &b, const RowRange &rows) {
    const RegisterPlan &plan = shapes.tall;
    int64_t groups = llvm::divideCeilSigned(depth, form.group);
    int64_t block = std::min(groups, std::max<int64_t>(kScratchSteps / form.group, 1));
    Value sums = scratch(b, shapes.itemRows, plan.columns());
    Scratch taken{scratch(b, block * form.group, plan.columns()), scratch(b, block, plan.columns())};
    forEach(b, columns, plan.columns(), [&](OpBuilder &body, Value column) {
      ColumnTile tile = columnTile(body, plan, column, sums);
      startSums(body, tile, rows);
      forEach(body, constant(body, groups), block, [&](OpBuilder &inner, Value begin) {
        Value left = arith::SubIOp::create(inner, loc, constant(inner, groups), begin);
        Value count = arith::MinUIOp::create(inner, loc, left, constant(inner, block));
        takeOut(inner, tile, begin, count, taken);
        emitBlock(inner, tile, rows, begin, count, taken);
      });
      finishRows(body, tile, rows);
    });
  }

  void takeOut(OpBuilder &b, const ColumnTile &tile, Value begin, Value count, const Scratch &taken) {
    forEach(b, count, 1, [&](OpBuilder &each, Value index) {
      Value group = arith::AddIOp::create(each, loc, begin, index);
      SmallVector<GroupPlace> places = placesOf(tile, group);
      for (auto [v, place] : llvm::enumerate(places))
        vector::StoreOp::create(each, loc, emitGroupScales(each, loc, tile.plan, form, place), taken.scales,
                                ValueRange{index, constant(each, v * lanes)});
      Value first = times(each, index, form.group);
      forEach(each, constant(each, form.group / form.steps()), 1, [&](OpBuilder &body, Value word) {
        Value row = arith::AddIOp::create(body, loc, first, times(body, word, form.steps()));
        for (int64_t step = 0; step < form.steps(); ++step)
          for (auto [v, place] : llvm::enumerate(places))
            vector::StoreOp::create(body, loc, emitGroupStep(body, loc, tile.plan, form, place, word, step),
                                    taken.values, ValueRange{add(body, row, step), constant(body, v * lanes)});
      });
    });
  }

  /// All row tiles over the groups that were taken out.
  void emitBlock(OpBuilder &b, const ColumnTile &tile, const RowRange &rows, Value begin, Value count,
                 const Scratch &taken) {
    emitRowTiles(b, loc, rows.count, shapes.leastTallRows(), tile.plan.rows,
                 [&](OpBuilder &inner, int64_t height, Value row, Value) {
                   Value first = arith::AddIOp::create(inner, loc, rows.begin, row);
                   Value view = rowsOf(inner, tile.sums, row, height, inner.getIndexAttr(0),
                                       inner.getIndexAttr(tile.plan.columns()));
                   forEach(inner, count, 1, [&](OpBuilder &each, Value index) {
                     Value group = arith::AddIOp::create(each, loc, begin, index);
                     emitGroup(each, tile, height, first, view, group, index, taken);
                   });
                 });
  }

  void emitGroup(OpBuilder &b, const ColumnTile &tile, int64_t height, Value row, Value view, Value group, Value index,
                 const Scratch &taken) {
    Value begin = times(b, group, form.group);
    OpFoldResult steps = b.getIndexAttr(form.group);
    if (depth % form.group) {
      Value left = arith::SubIOp::create(b, loc, constant(b, depth), begin);
      steps = arith::MinUIOp::create(b, loc, left, constant(b, form.group)).getResult();
    }
    Value lhs = rowsOf(b, matmul.getLhs(), row, height, begin, steps);
    Value values = memref::SubViewOp::create(b, loc, taken.values, {times(b, index, form.group), b.getIndexAttr(0)},
                                             {b.getIndexAttr(form.group), b.getIndexAttr(tile.plan.columns())},
                                             {b.getIndexAttr(1), b.getIndexAttr(1)});
    TileOperands operands;
    operands.a = [=, this](OpBuilder &k, Value step, int64_t r) -> Value {
      return memref::LoadOp::create(k, loc, lhs, ValueRange{constant(k, r), step});
    };
    operands.b = [=, this](OpBuilder &k, Value step, int64_t v) -> Value {
      return vector::LoadOp::create(k, loc, floats, values, ValueRange{step, constant(k, v * lanes)});
    };
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(floats));
    SmallVector<Value> sums(height * tile.plan.vectors, zero), scales;
    sums = emitTileProduct(b, loc, tile.plan, height, tile.plan.vectors, steps, sums, operands);
    for (int64_t v = 0; v < tile.plan.vectors; ++v)
      scales.push_back(vector::LoadOp::create(b, loc, floats, taken.scales, ValueRange{index, constant(b, v * lanes)}));
    addScaled(b, tile, view, scales, sums);
  }

  GroupedMatmulOp matmul;
  MatmulEpilogue epilogue;
  GroupForm form;
  ProductPlan shapes;
  RegisterPlan single; ///< for one row
  int64_t lanes;
  VectorType floats;
  int64_t depth;
  Value columns, lastPanel;
};

struct VectorizeGroupedMatmulPass : impl::VectorizeGroupedMatmulBase<VectorizeGroupedMatmulPass> {
  void runOnOperation() override {
    FailureOr<ProductPlan> shapes = productPlanOf(getOperation());
    if (failed(shapes))
      return signalPassFailure();
    SmallVector<GroupedMatmulOp> matmuls;
    getOperation()->walk([&](GroupedMatmulOp op) { matmuls.push_back(op); });
    for (GroupedMatmulOp matmul : matmuls) {
      if (kPanelWidth % shapes->tall.lanes != 0) {
        matmul.emitError("panels of 16 columns do not hold whole vectors of ") << shapes->tall.lanes;
        return signalPassFailure();
      }
      GroupedEmitter(matmul, *shapes).emit();
    }
  }
};

} // namespace
} // namespace weft
