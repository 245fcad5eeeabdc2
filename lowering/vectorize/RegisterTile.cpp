// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Σ_k a(k, row) · b(k, vector) → scf.for with the accumulators as iter_args, one vector.fma each:
//   %acc:28 = scf.for %k = %c0 to %depth step %c1 iter_args(...) { 2 × vector.load, 14 × (load, broadcast, 2 × fma) }
#include "lowering/vectorize/RegisterTile.h"

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

/// One step k of the sum, with the vectors of b.
static void emitStep(OpBuilder &builder, Location loc, const RegisterPlan &plan, int64_t rows, Value k,
                     ArrayRef<Value> b, MutableArrayRef<Value> acc, const TileOperands &operands) {
  int64_t vectors = b.size();
  auto type = cast<VectorType>(b.front().getType());
  for (int64_t r = 0; r < rows; ++r) {
    Value a = vector::BroadcastOp::create(builder, loc, type, operands.a(builder, k, r));
    for (int64_t v = 0; v < vectors; ++v) {
      Value &sum = acc[r * vectors + v];
      sum = operands.multiplyAdd ? operands.multiplyAdd(builder, a, b[v], sum)
                                 : emitMultiplyAdd(builder, loc, plan, a, b[v], sum);
    }
  }
}

/// Step k, or k and k + 1 where `pair` gives both. Returns how many.
static int64_t emitSteps(OpBuilder &builder, Location loc, const RegisterPlan &plan, int64_t rows, int64_t vectors,
                         Value k, bool inPairs, MutableArrayRef<Value> acc, const TileOperands &operands) {
  SmallVector<Value> b, second;
  for (int64_t v = 0; v < vectors; ++v) {
    if (inPairs) {
      auto [lower, upper] = operands.pair(builder, k, v);
      b.push_back(lower);
      second.push_back(upper);
    } else {
      b.push_back(operands.b(builder, k, v));
    }
  }
  emitStep(builder, loc, plan, rows, k, b, acc, operands);
  if (!inPairs)
    return 1;
  Value next = arith::AddIOp::create(builder, loc, k, arith::ConstantIndexOp::create(builder, loc, 1));
  emitStep(builder, loc, plan, rows, next, second, acc, operands);
  return 2;
}

/// Steps of an iteration: at least what one load gives.
static int64_t unrollOf(const RegisterPlan &plan, const TileOperands &operands) {
  return operands.pair ? std::max<int64_t>(plan.unroll, 2) : plan.unroll;
}

/// The sum over k in [begin, end), `unroll` steps an iteration.
static SmallVector<Value> emitSum(OpBuilder &builder, Location loc, const RegisterPlan &plan, int64_t rows,
                                  int64_t vectors, Value begin, Value end, int64_t unroll, ValueRange acc,
                                  const TileOperands &operands) {
  Value step = arith::ConstantIndexOp::create(builder, loc, unroll);
  auto loop =
      scf::ForOp::create(builder, loc, begin, end, step, acc, [&](OpBuilder &b, Location, Value k, ValueRange sums) {
        SmallVector<Value> values(sums);
        for (int64_t u = 0; u < unroll;) {
          Value ku = k;
          if (u)
            ku = arith::AddIOp::create(b, loc, k, arith::ConstantIndexOp::create(b, loc, u));
          u += emitSteps(b, loc, plan, rows, vectors, ku, operands.pair && unroll > 1, values, operands);
        }
        scf::YieldOp::create(b, loc, values);
      });
  return SmallVector<Value>(loop.getResults());
}

/// Blocks of kTileBlock steps over [0, end), `end` a multiple of it.
static SmallVector<Value> emitBlocks(OpBuilder &builder, Location loc, const RegisterPlan &plan, int64_t rows,
                                     int64_t vectors, Value end, ValueRange acc, const TileOperands &operands) {
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value step = arith::ConstantIndexOp::create(builder, loc, kTileBlock);
  auto loop =
      scf::ForOp::create(builder, loc, zero, end, step, acc, [&](OpBuilder &b, Location, Value k, ValueRange sums) {
        operands.beforeBlock(b, k);
        Value next = arith::AddIOp::create(b, loc, k, arith::ConstantIndexOp::create(b, loc, kTileBlock));
        scf::YieldOp::create(b, loc,
                             emitSum(b, loc, plan, rows, vectors, k, next, unrollOf(plan, operands), sums, operands));
      });
  return SmallVector<Value>(loop.getResults());
}

SmallVector<Value> emitTileProduct(OpBuilder &builder, Location loc, const RegisterPlan &plan, int64_t rows,
                                   int64_t vectors, OpFoldResult depth, ValueRange acc, const TileOperands &operands) {
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value end = getValueOrCreateConstantIndexOp(builder, loc, depth);
  int64_t unroll = operands.beforeBlock ? kTileBlock : unrollOf(plan, operands);
  auto emitMain = [&](Value until) {
    return operands.beforeBlock ? emitBlocks(builder, loc, plan, rows, vectors, until, acc, operands)
                                : emitSum(builder, loc, plan, rows, vectors, zero, until, unroll, acc, operands);
  };
  std::optional<int64_t> fixed = getConstantIntValue(depth);
  if (unroll == 1 || (fixed && *fixed % unroll == 0))
    return emitMain(end);
  Value rest = arith::RemUIOp::create(builder, loc, end, arith::ConstantIndexOp::create(builder, loc, unroll));
  Value main = arith::SubIOp::create(builder, loc, end, rest);
  return emitSum(builder, loc, plan, rows, vectors, main, end, 1, emitMain(main), operands);
}

} // namespace weft
