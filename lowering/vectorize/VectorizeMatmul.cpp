// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.packed_matmul on memrefs (+ the elementwise linalg.generic that alone reads its output) → register tiles with
// the generic's body applied to each tile while it is in the first-level cache:
//   scf.for %column … { row tiles { vector.load bias; scf.for %k { vector.fma … }; vector.store; body of each row } }
#include "lowering/vectorize/Passes.h"

#include "lowering/vectorize/IndexLoops.h"
#include "lowering/vectorize/LeftRows.h"
#include "lowering/vectorize/MatmulPlan.h"
#include "lowering/vectorize/NextPanels.h"
#include "lowering/vectorize/PanelLoad.h"
#include "lowering/vectorize/RegisterTile.h"
#include "lowering/vectorize/RowTiles.h"
#include "lowering/vectorize/WordDot.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace weft {
#define GEN_PASS_DEF_VECTORIZEMATMUL
#include "lowering/vectorize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Where a register tile lies.
struct TileRange {
  int64_t rows;
  Value row, column;
  Value begin; ///< the first step of this block of the sum; null: the sum is not cut
  OpFoldResult depth;
  Value index; ///< the tile's place among those of its columns; null: nothing is fetched ahead for its successors
};

/// Emits a plan; all of it at the place of the last op that it replaces.
class MatmulEmitter : IndexLoops {
public:
  MatmulEmitter(const MatmulPlan &plan)
      : IndexLoops(PackedMatmulOp(plan.matmul).getLoc()), plan(plan), matmul(this->plan.matmul),
        epilogue(this->plan.epilogue),
        left(loc, this->plan.shapes.tall, matmul.getLhs(), plan.words ? 2 : 1, matmul.getRows()),
        lanes(plan.shapes.tall.lanes), lane(VectorType::get({lanes}, Float32Type::get(loc.getContext()))) {}

  void emit(OpBuilder &b) {
    Value out = epilogue.output();
    columns = memref::DimOp::create(b, loc, out, 1);
    rows = memref::getMixedSize(b, loc, out, 0);
    emitByRowCount(
        b, loc, rows, plan.shapes.few.rows, [&](OpBuilder &body) { emitFew(body); },
        [&](OpBuilder &body) { emitTall(body); });
  }

private:
  // --- columns ------------------------------------------------------------------------------------------------

  bool isMasked(const RegisterPlan &tile) {
    int64_t known = cast<MemRefType>(epilogue.output().getType()).getDimSize(1);
    return ShapedType::isDynamic(known) || known % tile.columns() != 0;
  }
  /// Vector v of a row; columns beyond the last one masked.
  IterationPoint pointAt(OpBuilder &b, const RegisterPlan &tile, Value row, Value column, int64_t v) {
    return columnsAt(b, loc, row, add(b, column, v * lanes), lanes, isMasked(tile) ? columns : Value());
  }

  // --- the two ways through a work item -----------------------------------------------------------------------

  /// Few rows: the whole sum at once, the weight streamed from four panels side by side.
  void emitFew(OpBuilder &b) {
    const RegisterPlan &tile = plan.shapes.few;
    left.allocate(b, tile.rows, ShapedType::kDynamic);
    OpFoldResult depth = left.steps(b);
    left.beginBlock(b, Value(), depth);
    Value sums = epilogue.wantsStaging() ? stagingFor(b, tile) : Value();
    forEach(b, constant(b, 0), columns, tile.columns(), [&](OpBuilder &body, Value column) {
      emitRowTiles(body, loc, rows, 1, tile.rows, [&](OpBuilder &inner, int64_t count, Value row, Value index) {
        emitTile(inner, tile, {count, row, column, Value(), depth, Value()}, sums);
      });
    });
  }

  /// Many rows: for each block of the sum and each tile's columns, all row tiles.
  void emitTall(OpBuilder &b) {
    const RegisterPlan &tile = plan.shapes.tall;
    left.allocate(b, tile.rows, plan.depthBlock);
    if (plan.blocked)
      return emitBlockedTall(b, tile);
    Value sums = epilogue.wantsStaging() ? stagingFor(b, tile) : Value();
    emitTallBlock(b, tile, Value(), left.steps(b), sums);
  }

  /// Partial sums stay in what the product writes: its own output, or the epilogue's scratch.
  void emitBlockedTall(OpBuilder &b, const RegisterPlan &tile) {
    Value sums = matmul.getInit();
    auto rowCount = getValueOrCreateConstantIndexOp(b, loc, rows);
    forEach(b, constant(b, 0), rowCount, 1, [&](OpBuilder &body, Value row) {
      forEach(body, constant(body, 0), columns, tile.columns(), [&](OpBuilder &inner, Value column) {
        for (auto [v, start] : llvm::enumerate(emitBias(inner, tile, column)))
          emitStore(inner, loc, start, sums, inner.getMultiDimIdentityMap(2), pointAt(inner, tile, row, column, v));
      });
    });
    Value depth = getValueOrCreateConstantIndexOp(b, loc, left.steps(b));
    block = emitBlockSteps(b, rowCount, depth);
    scf::ForOp::create(
        b, loc, constant(b, 0), depth, block, ValueRange(), [&](OpBuilder &body, Location, Value begin, ValueRange) {
          Value left = arith::SubIOp::create(body, loc, depth, begin);
          emitTallBlock(body, tile, begin, arith::MinUIOp::create(body, loc, left, block).getResult(), sums);
          scf::YieldOp::create(body, loc);
        });
    if (epilogue.generic)
      forEach(b, constant(b, 0), rowCount, 1, [&](OpBuilder &body, Value row) {
        forEach(body, constant(body, 0), columns, tile.columns(),
                [&](OpBuilder &inner, Value column) { emitEpilogueOfRow(inner, tile, row, column); });
      });
  }

  /// Steps of a block: as many as keep the left operand's rows in their part of the cache, and at most as many as a sum
  /// has that is not cut.
  Value emitBlockSteps(OpBuilder &b, Value rowCount, Value depth) {
    if (left.isConverted()) // its scratch has a fixed size
      return constant(b, plan.depthBlock);
    Value elements = arith::MulIOp::create(b, loc, rowCount, depth);
    Value blocks = arith::CeilDivUIOp::create(b, loc, elements, constant(b, plan.shapes.blockElements()));
    blocks = arith::MaxUIOp::create(b, loc, blocks,
                                    arith::CeilDivUIOp::create(b, loc, depth, constant(b, ProductPlan::kWholeDepth)));
    Value share = arith::CeilDivUIOp::create(b, loc, depth, blocks), unit = constant(b, kTileBlock);
    return arith::MulIOp::create(b, loc, arith::CeilDivUIOp::create(b, loc, share, unit), unit);
  }

  /// All row tiles of each tile's columns, for `depth` steps of the sum from `begin` on.
  void emitTallBlock(OpBuilder &b, const RegisterPlan &tile, Value begin, OpFoldResult depth, Value sums) {
    left.beginBlock(b, begin, depth);
    forEach(b, constant(b, 0), columns, tile.columns(), [&](OpBuilder &body, Value column) {
      emitRowTiles(body, loc, rows, plan.shapes.leastTallRows(), tile.rows,
                   [&](OpBuilder &inner, int64_t count, Value row, Value index) {
                     emitTile(inner, tile, {count, row, column, begin, depth, index}, sums);
                   });
    });
  }

  /// The tile's part of [rows, columns]: one base address, from which all of its vectors lie at constant distances.
  Value viewOf(OpBuilder &b, Value matrix, const RegisterPlan &tile, const TileRange &range) {
    OpFoldResult width = b.getIndexAttr(tile.columns());
    if (isMasked(tile)) {
      Value left = arith::SubIOp::create(b, loc, columns, range.column);
      width = arith::MinUIOp::create(b, loc, left, constant(b, tile.columns())).getResult();
    }
    return memref::SubViewOp::create(b, loc, matrix, {range.row, range.column}, {b.getIndexAttr(range.rows), width},
                                     {b.getIndexAttr(1), b.getIndexAttr(1)});
  }
  /// Vector v of row r in such a view.
  IterationPoint localPoint(OpBuilder &b, const RegisterPlan &tile, const TileRange &range, int64_t r, int64_t v) {
    IterationPoint point = pointAt(b, tile, range.row, range.column, v);
    point.dims = {constant(b, r), constant(b, v * lanes)};
    return point;
  }

  // --- a register tile ----------------------------------------------------------------------------------------

  /// One tile's sums, before the epilogue.
  Value stagingFor(OpBuilder &b, const RegisterPlan &tile) {
    auto type = MemRefType::get({tile.rows, tile.columns()}, b.getF32Type());
    return memref::AllocaOp::create(b, loc, type, b.getI64IntegerAttr(64));
  }

  SmallVector<Value> emitBias(OpBuilder &b, const RegisterPlan &tile, Value column) {
    SmallVector<Value> start;
    AffineMap map = AffineMap::get(2, 0, b.getAffineDimExpr(1));
    for (int64_t v = 0; v < tile.vectors; ++v)
      start.push_back(matmul.getBias() ? emitLoad(b, loc, matmul.getBias(), map, pointAt(b, tile, column, column, v))
                                       : arith::ConstantOp::create(b, loc, b.getZeroAttr(lane)).getResult());
    return start;
  }

  /// The accumulators' start: the partial sums of the blocks before, or the bias.
  SmallVector<Value> emitStart(OpBuilder &b, const RegisterPlan &tile, const TileRange &range) {
    SmallVector<Value> acc, bias;
    Value partial;
    if (range.begin)
      partial = viewOf(b, matmul.getInit(), tile, range);
    else
      bias = emitBias(b, tile, range.column);
    for (int64_t r = 0; r < range.rows; ++r)
      for (int64_t v = 0; v < tile.vectors; ++v)
        acc.push_back(range.begin
                          ? emitLoad(b, loc, partial, b.getMultiDimIdentityMap(2), localPoint(b, tile, range, r, v))
                          : bias[v]);
    return acc;
  }

  void emitTile(OpBuilder &b, const RegisterPlan &tile, const TileRange &range, Value staging) {
    if (range.index && plan.streamed)
      emitOutputPrefetch(b, tile, range);
    SmallVector<Value> acc = emitStart(b, tile, range);
    acc = emitTileProduct(b, loc, tile, range.rows, tile.vectors, range.depth, acc, operandsOf(b, tile, range));
    if (staging && !range.begin)
      return emitStaged(b, tile, range, staging, acc);
    if (epilogue.generic && !range.begin)
      return emitShortEpilogue(b, tile, range, acc);
    MatmulEpilogue plain{viewOf(b, matmul.getInit(), tile, range), nullptr, {}};
    for (int64_t r = 0; r < range.rows; ++r)
      for (int64_t v = 0; v < tile.vectors; ++v)
        emitMatmulResult(b, loc, plain, acc[r * tile.vectors + v], localPoint(b, tile, range, r, v));
  }

  void emitShortEpilogue(OpBuilder &b, const RegisterPlan &tile, const TileRange &range, ValueRange acc) {
    for (int64_t r = 0; r < range.rows; ++r)
      for (int64_t v = 0; v < tile.vectors; ++v)
        emitMatmulResult(b, loc, epilogue, acc[r * tile.vectors + v],
                         pointAt(b, tile, add(b, range.row, r), range.column, v));
  }

  /// The sums into the staging tile, then the epilogue row by row: its code stands once, not once an accumulator.
  void emitStaged(OpBuilder &b, const RegisterPlan &tile, const TileRange &range, Value staging, ValueRange acc) {
    for (int64_t r = 0; r < range.rows; ++r)
      for (int64_t v = 0; v < tile.vectors; ++v)
        vector::StoreOp::create(b, loc, acc[r * tile.vectors + v], staging,
                                ValueRange{constant(b, r), constant(b, v * lanes)});
    emitStagedEpilogue(
        b, loc, epilogue,
        {staging, range.rows, tile.vectors, lanes, range.row, range.column, isMasked(tile) ? columns : Value()});
  }

  /// The epilogue of one row of a tile, whose sums lie in the scratch that the product writes.
  void emitEpilogueOfRow(OpBuilder &b, const RegisterPlan &tile, Value row, Value column) {
    for (int64_t v = 0; v < tile.vectors; ++v) {
      IterationPoint point = pointAt(b, tile, row, column, v);
      Value sum = emitLoad(b, loc, matmul.getInit(), b.getMultiDimIdentityMap(2), point);
      emitMatmulResult(b, loc, epilogue, sum, point);
    }
  }

  // --- what a tile reads --------------------------------------------------------------------------------------

  TileOperands operandsOf(OpBuilder &b, const RegisterPlan &tile, const TileRange &range) {
    int64_t panelWidth = matmul.getPanelWidth();
    Value rhs = matmul.getRhs(), begin = range.begin;
    SmallVector<PanelPlace> places = emitPanelPlaces(b, loc, tile, rhs, panelWidth, range.column, tile.vectors);
    TileOperands operands;
    operands.a = left.ofTile(b, range.row, range.rows, begin, range.depth);
    int64_t steps = plan.words ? 1 : matmul.getStepsPerWord();
    auto stepAt = [=, this](OpBuilder &k, Value depth, int64_t v) -> Value {
      Value place = begin ? arith::AddIOp::create(k, loc, begin, depth).getResult() : depth;
      // One hint for a row of a panel, which is a cache line; at a panel's end it is for the next panel. Few rows that
      // wait for memory ask for the second-level cache: a first-level one has few misses under way (measured on Zen 4:
      // from 92 to 98 % of the read rate in f32, 81 to 87 in bf16).
      int64_t locality = plan.far && tile.rows == plan.shapes.few.rows ? 2 : 3;
      Value row = steps == 1 ? place : arith::DivUIOp::create(k, loc, place, constant(k, steps)).getResult();
      if (v * lanes % panelWidth == 0)
        emitHint(k, rhs, {places[v].panel, add(k, row, kPrefetchAhead), constant(k, 0)}, false, locality);
      return place;
    };
    operands.b = [=, this](OpBuilder &k, Value depth, int64_t v) {
      Value step = stepAt(k, depth, v);
      return plan.words ? emitPanelWords(k, loc, tile, places[v], step) : emitPanelStep(k, loc, tile, places[v], step);
    };
    if (plan.words)
      operands.multiplyAdd = [=, this](OpBuilder &k, Value x, Value weight, Value sum) {
        return emitHalfDot(k, loc, tile, sum, weight, x);
      };
    if (steps == 2)
      operands.pair = [=, this](OpBuilder &k, Value depth, int64_t v) {
        return emitPanelPair(k, loc, tile, places[v], stepAt(k, depth, v));
      };
    if (range.index && plan.streamed)
      operands.beforeBlock = emitNextPanels(b, loc, nextPanelsOf(b, tile, range));
    return operands;
  }

  // --- what later tiles read ----------------------------------------------------------------------------------

  /// The panels right of this tile's; after a block's last columns those of the next block, or of the next item.
  NextPanels nextPanelsOf(OpBuilder &b, const RegisterPlan &tile, const TileRange &range) {
    Value count = getValueOrCreateConstantIndexOp(b, loc, rows), after = add(b, range.column, tile.columns());
    Value tiles = arith::CeilDivUIOp::create(b, loc, count, constant(b, tile.rows));
    Value first = arith::DivUIOp::create(b, loc, after, constant(b, matmul.getPanelWidth())), begin = range.begin;
    if (begin) {
      Value depth = getValueOrCreateConstantIndexOp(b, loc, left.steps(b)), zero = constant(b, 0);
      Value nextBlock = arith::AddIOp::create(b, loc, begin, block);
      Value isLast = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, after, columns);
      Value hasMore = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, nextBlock, depth);
      Value back = arith::AndIOp::create(b, loc, isLast, hasMore);
      first = arith::SelectOp::create(b, loc, back, zero, first);
      begin = arith::SelectOp::create(b, loc, isLast, zero, begin);
      begin = arith::SelectOp::create(b, loc, back, nextBlock, begin);
    }
    int64_t panels = llvm::divideCeilSigned(tile.columns(), matmul.getPanelWidth());
    Value steps = begin ? block : getValueOrCreateConstantIndexOp(b, loc, range.depth);
    return {matmul.getRhs(), first, panels, begin, steps, tiles, range.index};
  }

  void emitHint(OpBuilder &b, Value memref, ValueRange place, bool write, int64_t locality) {
    memref::PrefetchOp::create(b, loc, memref, place, write, locality, /*isDataCache=*/true);
  }

  /// The lines that the tile stores to: they come while the sums are made.
  void emitOutputPrefetch(OpBuilder &b, const RegisterPlan &tile, const TileRange &range) {
    Value output = viewOf(b, range.begin ? matmul.getInit() : epilogue.output(), tile, range);
    for (int64_t r = 0; r < range.rows; ++r)
      for (int64_t column = 0; column < tile.columns(); column += kPanelWidth)
        emitHint(b, output, {constant(b, r), constant(b, column)}, true, 3);
  }

  MatmulPlan plan;
  PackedMatmulOp matmul;
  MatmulEpilogue &epilogue;
  LeftRows left;
  int64_t lanes;
  VectorType lane;
  OpFoldResult rows;
  Value columns;
  Value block; ///< steps of the sum in a block, where it is cut
};

struct VectorizeMatmulPass : impl::VectorizeMatmulBase<VectorizeMatmulPass> {
  void runOnOperation() override {
    FailureOr<ProductPlan> shapes = productPlanOf(getOperation());
    if (failed(shapes))
      return signalPassFailure();
    SmallVector<PackedMatmulOp> matmuls;
    getOperation()->walk([&](PackedMatmulOp op) { matmuls.push_back(op); });
    for (PackedMatmulOp matmul : matmuls) {
      FailureOr<MatmulPlan> plan = planMatmul(matmul, *shapes);
      if (failed(plan))
        return signalPassFailure();
      OpBuilder builder(plan->epilogue.anchor(matmul));
      MatmulEmitter(*plan).emit(builder);
      if (plan->blocked)
        plan->epilogue.superseded.clear(); // partial sums live in the scratch
      plan->epilogue.eraseWith(matmul);
    }
  }
};

} // namespace
} // namespace weft
