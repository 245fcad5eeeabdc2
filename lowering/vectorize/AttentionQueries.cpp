// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A work item's queries: transposed once, their results transposed back and stored.
#include "lowering/vectorize/AttentionEmitter.h"

#include "lowering/vectorize/StoredNumbers.h"
#include "lowering/vectorize/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

static constexpr float kLowest = -1.7e38f; // finite, so that a row without any visible key never computes inf − inf
static constexpr float kLn2 = 0.6931471805599453f;

void AttentionEmitter::emitQueries(OpBuilder &b) {
  Value left = arith::SubIOp::create(b, loc, queryCount, query);
  Value tiles =
      arith::CeilDivUIOp::create(b, loc, least(b, left, constant(b, plan.queryRows)), constant(b, plan.lanes()));
  columns = arith::MulIOp::create(b, loc, tiles, constant(b, plan.lanes()));
  emitPackQuery(b);
  emitStart(b);
  Value none;
  IndexRange all{constant(b, 0), add(b, keyCount, -1)};
  IndexRange seen = visibleKeys(b, queriesFrom(b, constant(b, 0), plan.queryRows), all, none);
  Value end = add(b, seen.high, 1);
  scf::ForOp::create(b, loc, firstBlock(b, seen.low), end, constant(b, plan.keyBlock), ValueRange(),
                     [&](OpBuilder &body, Location, Value key, ValueRange) {
                       Value rest = arith::SubIOp::create(body, loc, end, key);
                       emitKeyBlock(body, key, least(body, rest, constant(body, plan.keyBlock)));
                       scf::YieldOp::create(body, loc);
                     });
  forEach(b, columns, plan.lanes(), [&](OpBuilder &body, Value column) { emitOutput(body, column); });
}

/// Qᵀ[d][column] = query[column, d] · scale; columns beyond the last query repeat it.
void AttentionEmitter::emitPackQuery(OpBuilder &b) {
  float factor = op.getScale().convertToFloat() * (op.getScore().empty() ? kLog2e : 1.0f);
  Value last = add(b, queryCount, -1);
  forEach(b, columns, reg.lanes, [&](OpBuilder &body, Value column) {
    SmallVector<Value> rows;
    for (int64_t r = 0; r < reg.lanes; ++r)
      rows.push_back(least(body, add(body, query, add(body, column, r)), last));
    for (int64_t d = 0; d < plan.headDim; d += reg.lanes)
      emitPackQueryBlock(body, rows, column, d, factor);
  });
}

void AttentionEmitter::emitPackQueryBlock(OpBuilder &b, ArrayRef<Value> rows, Value column, int64_t d, float factor) {
  int64_t count = std::min(reg.lanes, plan.headDim - d);
  IterationPoint point;
  Value zero = constant(b, 0);
  point.dims = {batch, head, zero, zero, constant(b, d), zero};
  point.vectorDim = AttentionOp::HeadDim;
  point.lanes = reg.lanes;
  if (count < reg.lanes)
    point.mask = laneMask(b, constant(b, count));
  SmallVector<Value> loaded;
  for (Value row : rows) {
    point.dims[AttentionOp::Query] = row;
    Value stored = emitLoad(b, loc, op.getQuery(), op.getIndexingMap(0), point);
    loaded.push_back(emitToF32(b, loc, reg, stored));
  }
  SmallVector<Value> transposed = emitTranspose(b, loc, loaded);
  for (int64_t i = 0; i < count; ++i) {
    Value scaled = arith::MulFOp::create(b, loc, transposed[i], splat(b, factor));
    vector::StoreOp::create(b, loc, scaled, packedQuery, ValueRange{constant(b, d + i), column});
  }
}

/// Nothing seen yet: the lowest maximum, a sum and an output of zero. Rows before tiles, or LLVM would call memset.
void AttentionEmitter::emitStart(OpBuilder &b) {
  forEach(b, columns, reg.lanes, [&](OpBuilder &body, Value column) {
    storeLanes(body, splat(body, kLowest), state, constant(body, 0), column, 0);
    storeLanes(body, splat(body, 0.0f), state, constant(body, 1), column, 0);
  });
  forEach(b, constant(b, plan.outputRows()), 1, [&](OpBuilder &body, Value e) {
    forEach(body, columns, plan.lanes(), [&](OpBuilder &inner, Value column) {
      for (int64_t v = 0; v < reg.vectors; ++v)
        storeOutput(inner, splat(inner, 0.0f), column, e, v);
    });
  });
}

/// O = (Oᵀ / sum)ᵀ of one tile's queries; rows that saw no key are 0.
void AttentionEmitter::emitOutput(OpBuilder &b, Value column) {
  for (int64_t v = 0; v < reg.vectors; ++v) {
    Value zero = splat(b, 0.0f), sum = loadLanes(b, state, constant(b, 1), column, v);
    Value none = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, sum, zero);
    Value inverse = arith::DivFOp::create(b, loc, splat(b, 1.0f), sum);
    inverse = arith::SelectOp::create(b, loc, none, zero, inverse);
    forEach(b, constant(b, plan.outputRows()), reg.lanes, [&](OpBuilder &body, Value e) {
      SmallVector<Value> transposed;
      for (int64_t i = 0; i < reg.lanes; ++i) {
        Value value = loadOutput(body, column, add(body, e, i), v);
        transposed.push_back(arith::MulFOp::create(body, loc, value, inverse));
      }
      for (auto [r, row] : llvm::enumerate(emitTranspose(body, loc, transposed)))
        vector::StoreOp::create(body, loc, row, rowsOutput, ValueRange{constant(body, v * reg.lanes + r), e});
    });
  }
  emitStoreRows(b, column);
  if (op.getLse())
    emitLogSumExp(b, column);
}

/// The rows that exist, from the scratch to the output.
void AttentionEmitter::emitStoreRows(OpBuilder &b, Value column) {
  Value first = add(b, query, column);
  Value left = arith::SubIOp::create(b, loc, queryCount, first);
  AffineMap map = op.getIndexingMap(outputOperand());
  forEach(b, least(b, left, constant(b, plan.lanes())), 1, [&](OpBuilder &body, Value row) {
    IterationPoint point;
    Value zero = constant(body, 0);
    point.dims = {batch, head, add(body, first, row), zero, zero, zero};
    point.vectorDim = AttentionOp::ValueDim;
    point.lanes = reg.lanes;
    for (int64_t e = 0; e < plan.valueDim; e += reg.lanes) {
      point.dims[AttentionOp::ValueDim] = constant(body, e);
      if (plan.valueDim - e < reg.lanes)
        point.mask = laneMask(body, constant(body, plan.valueDim - e));
      Value numbers = vector::LoadOp::create(body, loc, lane, rowsOutput, ValueRange{row, constant(body, e)});
      Value stored = emitFromF32(body, loc, reg, numbers, getElementTypeOrSelf(op.getOutput().getType()));
      emitStore(body, loc, stored, op.getOutput(), map, point);
    }
  });
}

/// lse = max · ln 2 + log(sum); −inf where no key was visible.
void AttentionEmitter::emitLogSumExp(OpBuilder &b, Value column) {
  AffineMap map = op.getIndexingMap(outputOperand() + 1);
  for (int64_t v = 0; v < reg.vectors; ++v) {
    IterationPoint point;
    Value zero = constant(b, 0), first = add(b, query, add(b, column, v * reg.lanes));
    point.dims = {batch, head, first, zero, zero, zero};
    point.vectorDim = AttentionOp::Query;
    point.lanes = reg.lanes;
    point.mask = laneMask(b, arith::SubIOp::create(b, loc, queryCount, first));
    Value sum = loadLanes(b, state, constant(b, 1), column, v);
    Value log = math::LogOp::create(b, loc, sum);
    Value highest = loadLanes(b, state, constant(b, 0), column, v);
    Value lse = arith::AddFOp::create(b, loc, arith::MulFOp::create(b, loc, highest, splat(b, kLn2 * stateUnit)), log);
    Value none = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, sum, splat(b, 0.0f));
    lse = arith::SelectOp::create(b, loc, none, splat(b, -std::numeric_limits<float>::infinity()), lse);
    emitStore(b, loc, lse, op.getLse(), map, point);
  }
}

} // namespace weft
