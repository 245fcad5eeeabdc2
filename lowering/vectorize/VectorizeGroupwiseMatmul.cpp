// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.groupwise_matmul on memrefs (+ the elementwise linalg.generic that alone reads its output) → register tiles over
// one group of k at a time, whose sums are scaled and added to the rows' sums in a scratch:
//   scf.for %column … { row tiles { scf.for %group { scf.for %word { steps of k }; fma of scales and sums } }; body }
// Where the target multiplies bytes and that pays, by digits of the rows' numbers (DigitProducts). Elsewhere in f32;
// many rows: a block of groups of a tile's columns becomes f32 in a scratch first, and all row tiles read that.
#include "lowering/vectorize/Passes.h"

#include "lowering/analysis/DigitPlan.h"
#include "lowering/vectorize/GroupwiseTiles.h"
#include "lowering/vectorize/RegisterTile.h"
#include "lowering/vectorize/RowTiles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace weft {
#define GEN_PASS_DEF_VECTORIZEGROUPWISEMATMUL
#include "lowering/vectorize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Steps of k that a scratch holds: 192 KiB at 48 columns. Of a GPU's shared memory 16 KiB at 32.
constexpr int64_t kScratchSteps = 1024, kDeviceScratchSteps = 128;

/// Groups of a tile's columns taken out into f32.
struct Scratch {
  Value values; ///< [steps of k, columns of the tile]
  Value scales; ///< [groups, columns of the tile]
};

/// Products in f32.
class WidenedProduct : public GroupwiseTiles {
public:
  using GroupwiseTiles::GroupwiseTiles;

private:
  void emitRows(OpBuilder &b, const RowRange &rows) override {
    auto one = [&](OpBuilder &body) { emitFew(body, rows, single, 1); };
    auto few = [&](OpBuilder &body) { emitFew(body, rows, shapes.few, 2); };
    auto tall = [&](OpBuilder &body) { emitTall(body, rows); };
    emitByRowCount(b, loc, rows.count, 1, one,
                   [&](OpBuilder &body) { emitByRowCount(body, loc, rows.count, shapes.few.rows, few, tall); });
  }

  /// `least` to plan.rows rows.
  void emitFew(OpBuilder &b, const RowRange &rows, const RegisterPlan &plan, int64_t least) {
    Value sums = scratch(b, plan.rows, plan.columns());
    forEach(b, columns, plan.columns(), [&](OpBuilder &body, Value column) {
      ColumnTile tile = columnTile(body, plan, column, sums);
      startSums(body, tile, rows);
      emitRowTiles(body, loc, rows.count, least, plan.rows, [&](OpBuilder &inner, int64_t count, Value row, Value) {
        streamRows(inner, tile, rows, row, count);
      });
      finishRows(body, tile, rows);
    });
  }

  // --- many rows: a block of groups is taken out once ---------------------------------------------------------------

  void emitTall(OpBuilder &b, const RowRange &rows) {
    const RegisterPlan &plan = shapes.tall;
    int64_t steps = plan.device ? kDeviceScratchSteps : kScratchSteps;
    int64_t block = std::min(groups(), std::max<int64_t>(steps / form.group, 1));
    Value sums = scratch(b, shapes.itemRows, plan.columns());
    Scratch taken{scratch(b, block * form.group, plan.columns()), scratch(b, block, plan.columns())};
    forEach(b, columns, plan.columns(), [&](OpBuilder &body, Value column) {
      ColumnTile tile = columnTile(body, plan, column, sums);
      startSums(body, tile, rows);
      forEach(body, constant(body, groups()), block, [&](OpBuilder &inner, Value begin) {
        Value left = arith::SubIOp::create(inner, loc, constant(inner, groups()), begin);
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
};

struct VectorizeGroupwiseMatmulPass : impl::VectorizeGroupwiseMatmulBase<VectorizeGroupwiseMatmulPass> {
  void runOnOperation() override {
    FailureOr<ProductPlan> shapes = productPlanOf(getOperation());
    if (failed(shapes))
      return signalPassFailure();
    SmallVector<GroupwiseMatmulOp> matmuls;
    getOperation()->walk([&](GroupwiseMatmulOp op) { matmuls.push_back(op); });
    for (GroupwiseMatmulOp matmul : matmuls) {
      if (kPanelWidth % shapes->tall.lanes != 0) {
        matmul.emitError("panels of 16 columns do not hold whole vectors of ") << shapes->tall.lanes;
        return signalPassFailure();
      }
      if (usesDigits(matmul.getForm(), shapes->tall))
        emitDigitProduct(matmul, *shapes);
      else
        WidenedProduct(matmul, *shapes).emit();
    }
  }
};

} // namespace
} // namespace weft
