// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Σ_k a(k, row) · b(k, vector) → scf.for with the accumulators as iter_args, one vector.fma each:
//   %acc:28 = scf.for %k = %c0 to %depth step %c1 iter_args(...) { 2 × vector.load, 14 × (load, broadcast, 2 × fma) }
#include "lowering/cpu/RegisterTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

Value emitMultiplyAdd(OpBuilder &builder, Location loc, const RegisterPlan &plan, Value a, Value b, Value c) {
  if (plan.fused)
    return vector::FMAOp::create(builder, loc, a, b, c);
  Value product = arith::MulFOp::create(builder, loc, a, b);
  return arith::AddFOp::create(builder, loc, product, c);
}

/// One step k of the sum.
static void emitStep(OpBuilder &builder, Location loc, const RegisterPlan &plan, int64_t rows, int64_t vectors, Value k,
                     MutableArrayRef<Value> acc, const TileOperands &operands) {
  SmallVector<Value> b;
  for (int64_t v = 0; v < vectors; ++v)
    b.push_back(operands.b(builder, k, v));
  auto type = cast<VectorType>(b.front().getType());
  for (int64_t r = 0; r < rows; ++r) {
    Value a = vector::BroadcastOp::create(builder, loc, type, operands.a(builder, k, r));
    for (int64_t v = 0; v < vectors; ++v) {
      Value &sum = acc[r * vectors + v];
      sum = emitMultiplyAdd(builder, loc, plan, a, b[v], sum);
    }
  }
}

/// The sum over k in [begin, end), `unroll` steps an iteration.
static SmallVector<Value> emitSum(OpBuilder &builder, Location loc, const RegisterPlan &plan, int64_t rows,
                                  int64_t vectors, Value begin, Value end, int64_t unroll, ValueRange acc,
                                  const TileOperands &operands) {
  Value step = arith::ConstantIndexOp::create(builder, loc, unroll);
  auto loop =
      scf::ForOp::create(builder, loc, begin, end, step, acc, [&](OpBuilder &b, Location, Value k, ValueRange sums) {
        SmallVector<Value> values(sums);
        for (int64_t u = 0; u < unroll; ++u) {
          Value ku = k;
          if (u)
            ku = arith::AddIOp::create(b, loc, k, arith::ConstantIndexOp::create(b, loc, u));
          emitStep(b, loc, plan, rows, vectors, ku, values, operands);
        }
        scf::YieldOp::create(b, loc, values);
      });
  return SmallVector<Value>(loop.getResults());
}

SmallVector<Value> emitTileProduct(OpBuilder &builder, Location loc, const RegisterPlan &plan, int64_t rows,
                                   int64_t vectors, OpFoldResult depth, ValueRange acc, const TileOperands &operands) {
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value end = getValueOrCreateConstantIndexOp(builder, loc, depth);
  std::optional<int64_t> fixed = getConstantIntValue(depth);
  if (plan.unroll == 1 || (fixed && *fixed % plan.unroll == 0))
    return emitSum(builder, loc, plan, rows, vectors, zero, end, plan.unroll, acc, operands);
  Value unroll = arith::ConstantIndexOp::create(builder, loc, plan.unroll);
  Value rest = arith::RemUIOp::create(builder, loc, end, unroll);
  Value main = arith::SubIOp::create(builder, loc, end, rest);
  SmallVector<Value> sums = emitSum(builder, loc, plan, rows, vectors, zero, main, plan.unroll, acc, operands);
  return emitSum(builder, loc, plan, rows, vectors, main, end, 1, sums, operands);
}

namespace {
/// Emits the cases of emitRowTiles; `count` rows in all.
struct RowTiles {
  OpBuilder &builder;
  Location loc;
  const RegisterPlan &plan;
  Value count;
  function_ref<void(OpBuilder &, int64_t, Value)> tile;

  Value constant(OpBuilder &b, int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

  Value compare(OpBuilder &b, arith::CmpIPredicate predicate, Value lhs, int64_t rhs) {
    return arith::CmpIOp::create(b, loc, predicate, lhs, constant(b, rhs));
  }

  /// Tiles of plan.rows over [0, end).
  void fullTiles(Value end) {
    scf::ForOp::create(builder, loc, constant(builder, 0), end, constant(builder, plan.rows), ValueRange(),
                       [&](OpBuilder &b, Location, Value row, ValueRange) {
                         tile(b, plan.rows, row);
                         scf::YieldOp::create(b, loc);
                       });
  }

  /// When `condition`: tiles of `rows` at `first` and, unless `first` is already the last place, at count − rows.
  void edge(Value condition, int64_t rows, Value first) {
    scf::IfOp::create(builder, loc, condition, [&](OpBuilder &b, Location) {
      Value last = arith::SubIOp::create(b, loc, count, constant(b, rows));
      // A first place beyond the last is pulled back; then both tiles are one.
      Value begin = arith::MinUIOp::create(b, loc, first, last);
      Value step = arith::MaxUIOp::create(b, loc, arith::SubIOp::create(b, loc, last, begin), constant(b, 1));
      Value end = arith::AddIOp::create(b, loc, last, constant(b, 1));
      scf::ForOp::create(b, loc, begin, end, step, ValueRange(),
                         [&](OpBuilder &inner, Location, Value row, ValueRange) {
                           tile(inner, rows, row);
                           scf::YieldOp::create(inner, loc);
                         });
      scf::YieldOp::create(b, loc);
    });
  }
};
} // namespace

/// The known row count as tiles: what emitRowTiles decides at run time, decided now.
static void emitFixedRowTiles(RowTiles &tiles, int64_t count) {
  OpBuilder &b = tiles.builder;
  int64_t done = count / tiles.plan.rows * tiles.plan.rows;
  int64_t rest = count - done;
  if (rest && done && rest <= 2 * tiles.plan.midRows - tiles.plan.rows) {
    done -= tiles.plan.rows;
    rest += tiles.plan.rows;
  }
  if (done == tiles.plan.rows)
    tiles.tile(b, tiles.plan.rows, tiles.constant(b, 0));
  else if (done)
    tiles.fullTiles(tiles.constant(b, done));
  while (rest > 0) {
    int64_t rows = std::min(rest, tiles.plan.rows);
    if (rows > tiles.plan.midRows && count - done > tiles.plan.rows)
      rows = tiles.plan.midRows;
    tiles.tile(b, rows, tiles.constant(b, count - rest));
    rest -= rows;
  }
}

void emitRowTiles(OpBuilder &builder, Location loc, const RegisterPlan &plan, OpFoldResult count,
                  function_ref<void(OpBuilder &, int64_t, Value)> tile) {
  RowTiles tiles{builder, loc, plan, getValueOrCreateConstantIndexOp(builder, loc, count), tile};
  if (std::optional<int64_t> fixed = getConstantIntValue(count))
    return emitFixedRowTiles(tiles, *fixed);

  Value height = tiles.constant(builder, plan.rows);
  Value rest = arith::RemUIOp::create(builder, loc, tiles.count, height);
  Value done = arith::SubIOp::create(builder, loc, tiles.count, rest);
  // A remainder of one or two rows would run at half speed: two mid tiles take it with the last full tile's rows.
  Value none = tiles.compare(builder, arith::CmpIPredicate::eq, rest, 0);
  Value few = tiles.compare(builder, arith::CmpIPredicate::ule, rest, 2 * plan.midRows - plan.rows);
  Value some = tiles.compare(builder, arith::CmpIPredicate::uge, done, plan.rows);
  Value reopen = arith::AndIOp::create(
      builder, loc, arith::AndIOp::create(builder, loc, few, some),
      arith::XOrIOp::create(builder, loc, none, arith::ConstantIntOp::create(builder, loc, 1, 1)));
  Value fewer = arith::SelectOp::create(builder, loc, reopen, arith::SubIOp::create(builder, loc, done, height), done);
  tiles.fullTiles(fewer);
  Value left = arith::SubIOp::create(builder, loc, tiles.count, fewer);

  // The heights below, largest first; each handles the remainders that the next smaller cannot take in two tiles.
  SmallVector<int64_t> heights = {plan.midRows};
  for (int64_t rows : {4, 2, 1})
    if (rows < heights.back())
      heights.push_back(rows);
  for (auto [i, rows] : llvm::enumerate(heights)) {
    // Two tiles of `rows` cover rows … 2 · rows; with enough rows before, one shifted tile covers fewer.
    int64_t smaller = i + 1 < heights.size() ? heights[i + 1] : 0;
    Value enough = tiles.compare(builder, arith::CmpIPredicate::uge, tiles.count, rows);
    Value notSmaller = tiles.compare(builder, arith::CmpIPredicate::ugt, left, smaller);
    // When the whole count is below rows, the smaller height takes it in two overlapping tiles.
    Value fits = arith::AndIOp::create(builder, loc, enough, notSmaller);
    tiles.edge(fits, rows, fewer);
    Value nothing = tiles.constant(builder, 0);
    left = arith::SelectOp::create(builder, loc, fits, nothing, left);
  }
}

} // namespace weft
