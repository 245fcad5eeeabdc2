// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.attention on memrefs → one fused kernel a block of queries, with the queries in lanes:
//   Qᵀ packed [d][T]; for each block of keys: Sᵀ = K · Qᵀ (register tiles; score and mask regions applied to the
//   accumulators), running maximum and sum a lane (Milakov and Gimelshein 2018, arXiv:1805.02867), P = exp2(Sᵀ − max),
//   Oᵀ = Oᵀ · α + Vᵀ · P (register tiles); at the end O = (Oᵀ / sum)ᵀ.
// Keys and values are read in place, whatever their strides, as broadcasts; only Q and O are transposed. A lane never
// sees another lane, and a masked key adds exactly zero: a row's bits do not depend on padding or on its neighbours.
#include "lowering/cpu/Passes.h"

#include "lowering/cpu/OperandAccess.h"
#include "lowering/cpu/RegisterTile.h"
#include "lowering/cpu/VectorBody.h"
#include "lowering/cpu/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace weft {
#define GEN_PASS_DEF_VECTORIZEATTENTION
#include "lowering/cpu/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Keys in a block: with 32 query lanes their scores take 16 KiB, a third of a small L1 cache.
constexpr int64_t kKeyBlock = 128;
/// The running maximum's start: finite, so that a row without any visible key never computes inf − inf.
constexpr float kLowest = -1.7e38f;
constexpr float kLog2e = 1.4426950408889634f;
constexpr float kLn2 = 0.6931471805599453f;

struct AttentionPlan {
  AttentionOp op;
  RegisterPlan registers;
  int64_t rows;                                           ///< keys, or value dimensions, in a register tile
  int64_t headDim;                                        ///< d
  int64_t valueDim;                                       ///< e
  int64_t queries() const { return registers.columns(); } ///< T: queries in a block
};

FailureOr<AttentionPlan> planAttention(AttentionOp op, const RegisterPlan &registers) {
  auto extent = [&](unsigned operand, unsigned dim) -> int64_t {
    AffineMap map = op.getIndexingMap(operand);
    std::optional<unsigned> position = map.getResultPosition(getAffineDimExpr(dim, op.getContext()));
    return position ? cast<MemRefType>(op->getOperand(operand).getType()).getDimSize(*position) : ShapedType::kDynamic;
  };
  AttentionPlan plan{op, registers, registers.midRows, extent(0, AttentionOp::HeadDim),
                     extent(2, AttentionOp::ValueDim)};
  if (ShapedType::isDynamic(plan.headDim) || ShapedType::isDynamic(plan.valueDim))
    return op->emitError("head dimensions must be known at compile time for the CPU");
  for (Region *region : {&op.getScore(), &op.getMask()})
    if (!region->empty() && !isVectorizableBody(region->front()))
      return op->emitError("score and mask regions must hold ops that work element by element");
  for (Value operand : {op.getQuery(), op.getKey(), op.getValue(), op.getOutput()})
    if (!getElementTypeOrSelf(operand.getType()).isF32())
      return op->emitError("only f32 operands are lowered to the CPU, got ") << operand.getType();
  return plan;
}

/// Emits a plan.
class AttentionEmitter {
public:
  AttentionEmitter(const AttentionPlan &plan) : plan(plan), op(this->plan.op), loc(op.getLoc()), reg(plan.registers) {}

  void emit(OpBuilder &b) {
    lanes = VectorType::get({reg.lanes}, b.getF32Type());
    auto scratch = [&](int64_t rows, int64_t columns) -> Value {
      auto type = MemRefType::get({rows, columns}, b.getF32Type());
      return memref::AllocaOp::create(b, loc, type, b.getI64IntegerAttr(64));
    };
    int64_t outputRows = llvm::alignTo(plan.valueDim, reg.lanes);
    packedQuery = scratch(plan.headDim, plan.queries());
    scores = scratch(kKeyBlock, plan.queries());
    packedOutput = scratch(outputRows, plan.queries());
    rowsOutput = scratch(plan.queries(), outputRows);
    queryCount = extentOf(b, 0, AttentionOp::Query);
    keyCount = extentOf(b, 1, AttentionOp::Key);
    unsigned output = outputOperand();
    forEach(b, extentOf(b, output, AttentionOp::Batch), 1, [&](OpBuilder &b1, Value batch) {
      forEach(b1, extentOf(b1, output, AttentionOp::Head), 1, [&](OpBuilder &b2, Value head) {
        forEach(b2, queryCount, plan.queries(),
                [&](OpBuilder &b3, Value query) { emitQueries(b3, batch, head, query); });
      });
    });
  }

private:
  // --- small things -------------------------------------------------------------------------------------------

  Value constant(OpBuilder &b, int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value splat(OpBuilder &b, float value) {
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(lanes, value));
  }
  Value add(OpBuilder &b, Value base, int64_t offset) {
    return offset ? arith::AddIOp::create(b, loc, base, constant(b, offset)).getResult() : base;
  }
  unsigned outputOperand() { return op.getOutputNumber(); }

  Value extentOf(OpBuilder &b, unsigned operand, unsigned dim) {
    AffineMap map = op.getIndexingMap(operand);
    std::optional<unsigned> position = map.getResultPosition(b.getAffineDimExpr(dim));
    if (!position)
      return constant(b, 1);
    OpFoldResult size = memref::getMixedSize(b, loc, op->getOperand(operand), *position);
    return getValueOrCreateConstantIndexOp(b, loc, size);
  }

  void forEach(OpBuilder &b, Value end, int64_t step, function_ref<void(OpBuilder &, Value)> body) {
    scf::ForOp::create(b, loc, constant(b, 0), end, constant(b, step), ValueRange(),
                       [&](OpBuilder &inner, Location, Value index, ValueRange) {
                         body(inner, index);
                         scf::YieldOp::create(inner, loc);
                       });
  }

  Value loadLane(OpBuilder &b, Value matrix, Value row, int64_t v) {
    return vector::LoadOp::create(b, loc, lanes, matrix, ValueRange{row, constant(b, v * reg.lanes)});
  }
  void storeLane(OpBuilder &b, Value value, Value matrix, Value row, int64_t v) {
    vector::StoreOp::create(b, loc, value, matrix, ValueRange{row, constant(b, v * reg.lanes)});
  }

  /// max(x, y) as one instruction; a NaN in x is left out here and shows in the exponential instead.
  Value maximum(OpBuilder &b, Value x, Value y) {
    Value greater = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, x, y);
    return arith::SelectOp::create(b, loc, greater, x, y);
  }

  /// One element of an operand whose map uses the given dimensions.
  Value loadScalar(OpBuilder &b, unsigned operand, ArrayRef<Value> dims) {
    IterationPoint point;
    point.dims.assign(dims.begin(), dims.end());
    return emitLoad(b, loc, op->getOperand(operand), op.getIndexingMap(operand), point);
  }

  // --- a block of queries -------------------------------------------------------------------------------------

  void emitQueries(OpBuilder &b, Value batch, Value head, Value query) {
    this->batch = batch;
    this->head = head;
    this->query = query;
    emitPackQuery(b);
    int64_t vectors = reg.vectors;
    forEach(b, constant(b, llvm::alignTo(plan.valueDim, reg.lanes)), 1, [&](OpBuilder &body, Value row) {
      for (int64_t v = 0; v < vectors; ++v)
        storeLane(body, splat(body, 0.0f), packedOutput, row, v);
    });
    SmallVector<Value> state(vectors, splat(b, kLowest));
    state.append(vectors, splat(b, 0.0f));
    auto loop = scf::ForOp::create(b, loc, constant(b, 0), keyCount, constant(b, kKeyBlock), state,
                                   [&](OpBuilder &body, Location, Value key, ValueRange carried) {
                                     scf::YieldOp::create(body, loc, emitKeys(body, key, carried));
                                   });
    emitOutput(b, loop.getResults().take_front(vectors), loop.getResults().drop_front(vectors));
  }

  /// Qᵀ[d][lane] = query[lane, d] · scale; lanes beyond the last query repeat it.
  void emitPackQuery(OpBuilder &b) {
    float factor = op.getScale().convertToFloat() * (op.getScore().empty() ? kLog2e : 1.0f);
    Value last = add(b, queryCount, -1);
    forEach(b, constant(b, plan.queries()), reg.lanes, [&](OpBuilder &body, Value lane) {
      SmallVector<Value> rows;
      for (int64_t r = 0; r < reg.lanes; ++r) {
        Value row = arith::AddIOp::create(body, loc, query, add(body, lane, r));
        rows.push_back(arith::MinUIOp::create(body, loc, row, last));
      }
      for (int64_t d = 0; d < plan.headDim; d += reg.lanes)
        emitPackBlock(body, rows, lane, d, factor);
    });
  }

  void emitPackBlock(OpBuilder &b, ArrayRef<Value> rows, Value lane, int64_t d, float factor) {
    int64_t count = std::min(reg.lanes, plan.headDim - d);
    IterationPoint point;
    Value zero = constant(b, 0);
    point.dims = {batch, head, zero, zero, constant(b, d), zero};
    point.vectorDim = AttentionOp::HeadDim;
    point.lanes = reg.lanes;
    if (count < reg.lanes)
      point.mask =
          vector::CreateMaskOp::create(b, loc, VectorType::get({reg.lanes}, b.getI1Type()), constant(b, count));
    SmallVector<Value> loaded;
    for (Value row : rows) {
      point.dims[AttentionOp::Query] = row;
      loaded.push_back(emitLoad(b, loc, op.getQuery(), op.getIndexingMap(0), point));
    }
    SmallVector<Value> columns = emitTranspose(b, loc, loaded);
    for (int64_t i = 0; i < count; ++i) {
      Value scaled = arith::MulFOp::create(b, loc, columns[i], splat(b, factor));
      vector::StoreOp::create(b, loc, scaled, packedQuery, ValueRange{constant(b, d + i), lane});
    }
  }

  // --- a block of keys ----------------------------------------------------------------------------------------

  /// `carried`: the running maxima, then the running sums. Returns the new ones.
  SmallVector<Value> emitKeys(OpBuilder &b, Value key, ValueRange carried) {
    Value left = arith::SubIOp::create(b, loc, keyCount, key);
    Value count = arith::MinUIOp::create(b, loc, left, constant(b, kKeyBlock));
    ValueRange oldMax = carried.take_front(reg.vectors), oldSum = carried.drop_front(reg.vectors);
    SmallVector<Value> newMax = emitScores(b, key, count, oldMax);
    SmallVector<Value> alpha, sums;
    for (int64_t v = 0; v < reg.vectors; ++v) {
      Value change = arith::SubFOp::create(b, loc, oldMax[v], newMax[v]);
      alpha.push_back(emitExp2(b, loc, reg, change, /*nonPositive=*/true));
      sums.push_back(arith::MulFOp::create(b, loc, oldSum[v], alpha[v]));
    }
    sums = emitProbabilities(b, count, newMax, sums);
    emitValues(b, key, count, alpha);
    SmallVector<Value> next = newMax;
    llvm::append_range(next, sums);
    return next;
  }

  /// Sᵀ of the block into `scores`; returns the maxima, the old ones included.
  SmallVector<Value> emitScores(OpBuilder &b, Value key, Value count, ValueRange oldMax) {
    Value rest = arith::RemUIOp::create(b, loc, count, constant(b, plan.rows));
    Value main = arith::SubIOp::create(b, loc, count, rest);
    auto loop = scf::ForOp::create(b, loc, constant(b, 0), main, constant(b, plan.rows), oldMax,
                                   [&](OpBuilder &body, Location, Value row, ValueRange maxima) {
                                     scf::YieldOp::create(body, loc, emitScoreTile(body, key, row, Value(), maxima));
                                   });
    Value some = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, rest, constant(b, 0));
    Value last = arith::AddIOp::create(b, loc, key, add(b, count, -1));
    auto tail = scf::IfOp::create(
        b, loc, some,
        [&](OpBuilder &body, Location) {
          scf::YieldOp::create(body, loc, emitScoreTile(body, key, main, last, loop.getResults()));
        },
        [&](OpBuilder &body, Location) { scf::YieldOp::create(body, loc, loop.getResults()); });
    return SmallVector<Value>(tail.getResults());
  }

  /// Scores of the keys key + row … key + row + rows − 1; with `last`, keys beyond it repeat it (nobody reads those).
  SmallVector<Value> emitScoreTile(OpBuilder &b, Value key, Value row, Value last, ValueRange oldMax) {
    SmallVector<Value> keys, acc;
    for (int64_t r = 0; r < plan.rows; ++r) {
      Value j = arith::AddIOp::create(b, loc, key, add(b, row, r));
      keys.push_back(last ? arith::MinUIOp::create(b, loc, j, last).getResult() : j);
    }
    acc.assign(plan.rows * reg.vectors, splat(b, 0.0f));
    Value zero = constant(b, 0);
    TileOperands operands{
        [&](OpBuilder &k, Value depth, int64_t r) -> Value {
          return loadScalar(k, 1, {batch, head, zero, keys[r], depth, zero});
        },
        [&](OpBuilder &k, Value depth, int64_t v) -> Value { return loadLane(k, packedQuery, depth, v); }};
    acc = emitTileProduct(b, loc, reg, plan.rows, reg.vectors, b.getIndexAttr(plan.headDim), acc, operands);
    SmallVector<Value> maxima(oldMax);
    for (int64_t r = 0; r < plan.rows; ++r)
      for (int64_t v = 0; v < reg.vectors; ++v) {
        Value score = emitRegions(b, acc[r * reg.vectors + v], keys[r], v);
        maxima[v] = maximum(b, score, maxima[v]);
        storeLane(b, score, scores, add(b, row, r), v);
      }
    return maxima;
  }

  /// The score and mask regions on one vector of scores of key j; the result is in units of log 2.
  Value emitRegions(OpBuilder &b, Value score, Value key, int64_t v) {
    if (op.getScore().empty() && op.getMask().empty())
      return score;
    Value first = add(b, query, v * reg.lanes);
    IterationPoint point;
    Value zero = constant(b, 0);
    point.dims = {batch, head, first, key, zero, zero};
    point.vectorDim = AttentionOp::Query;
    point.lanes = reg.lanes;
    SmallVector<Value> extras;
    for (unsigned i = 0; i < op.getExtras().size(); ++i) {
      Value extra = op.getExtras()[i];
      AffineMap map = op.getIndexingMap(3 + i);
      if (classifyAccess(extra, map, point.vectorDim) != AccessKind::Uniform && !point.mask) {
        Value left = arith::SubIOp::create(b, loc, queryCount, first);
        point.mask = vector::CreateMaskOp::create(b, loc, VectorType::get({reg.lanes}, b.getI1Type()), left);
      }
      extras.push_back(emitLoad(b, loc, extra, map, point));
    }
    Value step = vector::StepOp::create(b, loc, VectorType::get({reg.lanes}, b.getIndexType()));
    Value queries = arith::AddIOp::create(b, loc, widen(b, loc, first, reg.lanes), step);
    SmallVector<Value> arguments = {batch, head, queries, key};
    llvm::append_range(arguments, extras);
    if (!op.getScore().empty()) {
      SmallVector<Value> scoreArguments = {score};
      llvm::append_range(scoreArguments, arguments);
      score = widen(b, loc, emitRegion(b, op.getScore(), scoreArguments), reg.lanes);
      score = arith::MulFOp::create(b, loc, score, splat(b, kLog2e));
    }
    if (!op.getMask().empty()) {
      Value visible = emitRegion(b, op.getMask(), arguments);
      Value hidden = splat(b, -std::numeric_limits<float>::infinity());
      score = arith::SelectOp::create(b, loc, visible, score, hidden);
    }
    return score;
  }

  Value emitRegion(OpBuilder &b, Region &region, ArrayRef<Value> arguments) {
    IRMapping mapping;
    mapping.map(region.getArguments(), arguments);
    return emitVectorBody(b, region.front(), mapping, reg.lanes).front();
  }

  /// scores = exp2(scores − max); returns the sums with the block's added.
  SmallVector<Value> emitProbabilities(OpBuilder &b, Value count, ValueRange maxima, ValueRange sums) {
    auto loop = scf::ForOp::create(b, loc, constant(b, 0), count, constant(b, 1), sums,
                                   [&](OpBuilder &body, Location, Value row, ValueRange carried) {
                                     SmallVector<Value> next;
                                     for (int64_t v = 0; v < reg.vectors; ++v) {
                                       Value shifted =
                                           arith::SubFOp::create(body, loc, loadLane(body, scores, row, v), maxima[v]);
                                       Value p = emitExp2(body, loc, reg, shifted, /*nonPositive=*/true);
                                       storeLane(body, p, scores, row, v);
                                       next.push_back(arith::AddFOp::create(body, loc, carried[v], p));
                                     }
                                     scf::YieldOp::create(body, loc, next);
                                   });
    return SmallVector<Value>(loop.getResults());
  }

  /// Oᵀ = Oᵀ · alpha + Vᵀ · P, `rows` value dimensions at a time.
  void emitValues(OpBuilder &b, Value key, Value count, ValueRange alpha) {
    int64_t whole = plan.valueDim / plan.rows * plan.rows;
    if (whole)
      forEach(b, constant(b, whole), plan.rows,
              [&](OpBuilder &body, Value e) { emitValueTile(body, key, count, alpha, e, plan.rows); });
    if (whole < plan.valueDim)
      emitValueTile(b, key, count, alpha, constant(b, whole), plan.valueDim - whole);
  }

  void emitValueTile(OpBuilder &b, Value key, Value count, ValueRange alpha, Value e, int64_t rows) {
    SmallVector<Value> dims, acc;
    for (int64_t r = 0; r < rows; ++r) {
      dims.push_back(add(b, e, r));
      for (int64_t v = 0; v < reg.vectors; ++v)
        acc.push_back(arith::MulFOp::create(b, loc, loadLane(b, packedOutput, dims[r], v), alpha[v]));
    }
    Value zero = constant(b, 0);
    TileOperands operands{[&](OpBuilder &k, Value depth, int64_t r) -> Value {
                            Value j = arith::AddIOp::create(k, loc, key, depth);
                            return loadScalar(k, 2, {batch, head, zero, j, zero, dims[r]});
                          },
                          [&](OpBuilder &k, Value depth, int64_t v) -> Value { return loadLane(k, scores, depth, v); }};
    acc = emitTileProduct(b, loc, reg, rows, reg.vectors, count, acc, operands);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t v = 0; v < reg.vectors; ++v)
        storeLane(b, acc[r * reg.vectors + v], packedOutput, dims[r], v);
  }

  // --- the end ------------------------------------------------------------------------------------------------

  void emitOutput(OpBuilder &b, ValueRange maxima, ValueRange sums) {
    for (int64_t v = 0; v < reg.vectors; ++v) {
      Value zero = splat(b, 0.0f);
      Value none = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, sums[v], zero);
      Value inverse = arith::DivFOp::create(b, loc, splat(b, 1.0f), sums[v]);
      inverse = arith::SelectOp::create(b, loc, none, zero, inverse);
      forEach(b, constant(b, llvm::alignTo(plan.valueDim, reg.lanes)), reg.lanes, [&](OpBuilder &body, Value e) {
        SmallVector<Value> columns;
        for (int64_t i = 0; i < reg.lanes; ++i) {
          Value sum = loadLane(body, packedOutput, add(body, e, i), v);
          columns.push_back(arith::MulFOp::create(body, loc, sum, inverse));
        }
        for (auto [lane, row] : llvm::enumerate(emitTranspose(body, loc, columns)))
          vector::StoreOp::create(body, loc, row, rowsOutput, ValueRange{constant(body, v * reg.lanes + lane), e});
      });
    }
    emitStoreRows(b);
    if (op.getLse())
      emitLogSumExp(b, maxima, sums);
  }

  /// The rows that exist, from the scratch to the output.
  void emitStoreRows(OpBuilder &b) {
    Value left = arith::SubIOp::create(b, loc, queryCount, query);
    Value count = arith::MinUIOp::create(b, loc, left, constant(b, plan.queries()));
    AffineMap map = op.getIndexingMap(outputOperand());
    forEach(b, count, 1, [&](OpBuilder &body, Value row) {
      IterationPoint point;
      Value zero = constant(body, 0);
      point.dims = {batch, head, arith::AddIOp::create(body, loc, query, row), zero, zero, zero};
      point.vectorDim = AttentionOp::ValueDim;
      point.lanes = reg.lanes;
      for (int64_t e = 0; e < plan.valueDim; e += reg.lanes) {
        point.dims[AttentionOp::ValueDim] = constant(body, e);
        if (plan.valueDim - e < reg.lanes)
          point.mask = vector::CreateMaskOp::create(body, loc, VectorType::get({reg.lanes}, body.getI1Type()),
                                                    constant(body, plan.valueDim - e));
        Value values = vector::LoadOp::create(body, loc, lanes, rowsOutput, ValueRange{row, constant(body, e)});
        emitStore(body, loc, values, op.getOutput(), map, point);
      }
    });
  }

  /// lse = max · ln 2 + log(sum); −inf where no key was visible.
  void emitLogSumExp(OpBuilder &b, ValueRange maxima, ValueRange sums) {
    AffineMap map = op.getIndexingMap(outputOperand() + 1);
    for (int64_t v = 0; v < reg.vectors; ++v) {
      IterationPoint point;
      Value zero = constant(b, 0), first = add(b, query, v * reg.lanes);
      point.dims = {batch, head, first, zero, zero, zero};
      point.vectorDim = AttentionOp::Query;
      point.lanes = reg.lanes;
      Value left = arith::SubIOp::create(b, loc, queryCount, first);
      point.mask = vector::CreateMaskOp::create(b, loc, VectorType::get({reg.lanes}, b.getI1Type()), left);
      Value log = math::LogOp::create(b, loc, sums[v]);
      Value scaled = arith::MulFOp::create(b, loc, maxima[v], splat(b, kLn2));
      Value lse = arith::AddFOp::create(b, loc, scaled, log);
      Value none = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, sums[v], splat(b, 0.0f));
      lse = arith::SelectOp::create(b, loc, none, splat(b, -std::numeric_limits<float>::infinity()), lse);
      emitStore(b, loc, lse, op.getLse(), map, point);
    }
  }

  AttentionPlan plan;
  AttentionOp op;
  Location loc;
  RegisterPlan reg;
  VectorType lanes;
  Value packedQuery;  ///< Qᵀ [d][T]
  Value scores;       ///< Sᵀ, then P [kKeyBlock][T]
  Value packedOutput; ///< Oᵀ [e][T]
  Value rowsOutput;   ///< O [T][e]
  Value queryCount, keyCount;
  Value batch, head, query; ///< of the block being emitted
};

struct VectorizeAttentionPass : impl::VectorizeAttentionBase<VectorizeAttentionPass> {
  void runOnOperation() override {
    FailureOr<RegisterPlan> registers = registerPlanOf(getOperation());
    if (failed(registers))
      return signalPassFailure();
    SmallVector<AttentionOp> ops;
    getOperation()->walk([&](AttentionOp op) { ops.push_back(op); });
    for (AttentionOp op : ops) {
      FailureOr<AttentionPlan> plan = planAttention(op, *registers);
      if (failed(plan))
        return signalPassFailure();
      OpBuilder builder(op);
      AttentionEmitter(*plan).emit(builder);
      op.erase();
    }
  }
};

} // namespace
} // namespace weft
