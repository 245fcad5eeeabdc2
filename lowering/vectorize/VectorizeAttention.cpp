// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.attention on memrefs → one fused kernel a block of queries, with the queries in lanes:
//   Qᵀ packed [d][q]; for each block of keys, packed too, and each tile of queries: Sᵀ = K · Qᵀ (register tiles; score
//   and mask regions applied to the accumulators), P = exp2(Sᵀ − running maximum), Oᵀ = Oᵀ · α + Vᵀ · P (register
//   tiles); at the end O = (Oᵀ / sum)ᵀ.
// A lane never sees another lane, and a masked key adds exactly zero: a row's bits do not depend on padding or on its
// neighbours. Keys that no query of the block can see are left out, and the mask is applied only in tiles where it
// decides anything (lowering/analysis/MaskTiles.h).
#include "lowering/vectorize/Passes.h"

#include "lowering/analysis/AmxPlan.h"
#include "lowering/vectorize/AttentionEmitter.h"
#include "lowering/vectorize/KeyPages.h"
#include "lowering/vectorize/StoredNumbers.h"
#include "lowering/vectorize/TileAttention.h"
#include "lowering/vectorize/VectorBody.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace weft {
#define GEN_PASS_DEF_VECTORIZEATTENTION
#include "lowering/vectorize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {

/// A block of keys or values takes 24 KiB; beside it stand the scores of 32 queries.
static constexpr int64_t kBlockElements = 96 * 64;

static int64_t extentOf(AttentionOp op, unsigned operand, unsigned dim) {
  AffineMap map = op.getIndexingMap(operand);
  std::optional<unsigned> position = map.getResultPosition(getAffineDimExpr(dim, op.getContext()));
  return position ? cast<MemRefType>(op->getOperand(operand).getType()).getDimSize(*position) : ShapedType::kDynamic;
}

static FailureOr<AttentionPlan> planAttention(AttentionOp op, const RegisterPlan &registers, TargetAttr target) {
  AttentionPlan plan;
  plan.op = op;
  plan.registers = registers;
  plan.headDim = extentOf(op, 0, AttentionOp::HeadDim);
  plan.valueDim = extentOf(op, 2, AttentionOp::ValueDim);
  if (ShapedType::isDynamic(plan.headDim) || ShapedType::isDynamic(plan.valueDim))
    return op->emitError("head dimensions must be known at compile time for the CPU");
  for (Region *region : {&op.getScore(), &op.getMask()})
    if (!region->empty() && !isVectorizableBody(region->front()))
      return op->emitError("score and mask regions must hold ops that work element by element");
  for (Value operand : {op.getQuery(), op.getKey(), op.getValue(), op.getOutput()})
    if (!isStoredNumber(getElementTypeOrSelf(operand.getType())))
      return op->emitError("only f32, bf16, f16 and i8 operands are lowered to the CPU, got ") << operand.getType();
  // 12 of 14 or all of 6 rows: powers of two of keys leave short rests then.
  plan.keyRows = registers.rows >= 12 ? 12 : registers.rows;
  int64_t fitting = kBlockElements / std::max(plan.headDim, plan.valueDim) / plan.keyRows * plan.keyRows;
  plan.keyBlock = isDevice(target) ? plan.keyRows : std::clamp<int64_t>(fitting, 48, 96);
  int64_t queries = extentOf(op, 0, AttentionOp::Query);
  plan.outputUnit = registers.lanes;
  plan.queryRows = sharedQueriesOf(op, target);
  if (!ShapedType::isDynamic(queries))
    plan.queryRows = std::clamp<int64_t>(llvm::alignTo(queries, plan.lanes()), plan.lanes(), plan.queryRows);
  return plan;
}

AttentionEmitter::AttentionEmitter(const AttentionPlan &plan)
    : IndexLoops(AttentionOp(plan.op).getLoc()), plan(plan), op(plan.op), reg(plan.registers),
      lane(VectorType::get({plan.registers.lanes}, Float32Type::get(this->op.getContext()))) {}

void AttentionEmitter::emit(OpBuilder &b) {
  int64_t tiles = plan.queryRows / plan.lanes();
  packedOutput = allocate(b, {tiles * plan.outputRows(), plan.lanes()}, b.getF32Type());
  rowsOutput = allocate(b, {plan.lanes(), plan.outputRows()}, b.getF32Type());
  state = allocate(b, {2, plan.queryRows}, b.getF32Type());
  allocateOperands(b);
  queryCount = extentOf(b, 0, AttentionOp::Query);
  keyCount = emitKeyCount(b, loc, op);
  unsigned output = outputOperand();
  forEach(b, extentOf(b, output, AttentionOp::Batch), 1, [&](OpBuilder &b1, Value batchIndex) {
    forEach(b1, extentOf(b1, output, AttentionOp::Head), 1, [&](OpBuilder &b2, Value headIndex) {
      forEach(b2, queryCount, plan.queryRows, [&](OpBuilder &b3, Value queryIndex) {
        batch = batchIndex;
        head = headIndex;
        query = queryIndex;
        emitQueries(b3);
      });
    });
  });
}

void AttentionEmitter::allocateOperands(OpBuilder &b) {
  packedQuery = allocate(b, {plan.headDim, plan.queryRows}, b.getF32Type());
  // A tile that a block's end cuts reads, and stores, up to a tile more.
  keys = allocate(b, {plan.keyBlock + plan.keyRows, plan.headDim}, b.getF32Type());
  values = allocate(b, {plan.keyBlock, plan.valueDim}, b.getF32Type());
  scores = allocate(b, {plan.keyBlock + plan.keyRows, plan.lanes()}, b.getF32Type());
}

Value AttentionEmitter::allocate(OpBuilder &b, ArrayRef<int64_t> shape, Type element) {
  return memref::AllocaOp::create(b, loc, MemRefType::get(shape, element), b.getI64IntegerAttr(64));
}

// --- small things ---------------------------------------------------------------------------------------------------

Value AttentionEmitter::splat(OpBuilder &b, float value) {
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(lane, value));
}

Value AttentionEmitter::least(OpBuilder &b, Value x, Value y) { return arith::MinSIOp::create(b, loc, x, y); }

/// max(x, y) as one instruction; a NaN in x is left out here and shows in the exponential instead.
Value AttentionEmitter::maximum(OpBuilder &b, Value x, Value y) {
  Value greater = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, x, y);
  return arith::SelectOp::create(b, loc, greater, x, y);
}

Value AttentionEmitter::extentOf(OpBuilder &b, unsigned operand, unsigned dim) {
  AffineMap map = op.getIndexingMap(operand);
  std::optional<unsigned> position = map.getResultPosition(b.getAffineDimExpr(dim));
  if (!position)
    return constant(b, 1);
  OpFoldResult size = memref::getMixedSize(b, loc, op->getOperand(operand), *position);
  return getValueOrCreateConstantIndexOp(b, loc, size);
}

Value AttentionEmitter::loadLanes(OpBuilder &b, Value matrix, Value row, Value column, int64_t v) {
  return vector::LoadOp::create(b, loc, lane, matrix, ValueRange{row, add(b, column, v * reg.lanes)});
}

void AttentionEmitter::storeLanes(OpBuilder &b, Value value, Value matrix, Value row, Value column, int64_t v) {
  vector::StoreOp::create(b, loc, value, matrix, ValueRange{row, add(b, column, v * reg.lanes)});
}

/// Each tile's rows of Oᵀ are together: rows that are a power of two apart would fall into few sets of a cache.
Value AttentionEmitter::outputRow(OpBuilder &b, Value column, Value e) {
  Value tile = arith::DivUIOp::create(b, loc, column, constant(b, plan.lanes()));
  return add(b, arith::MulIOp::create(b, loc, tile, constant(b, plan.outputRows())), e);
}

Value AttentionEmitter::loadOutput(OpBuilder &b, Value column, Value e, int64_t v) {
  return loadLanes(b, packedOutput, outputRow(b, column, e), constant(b, 0), v);
}

void AttentionEmitter::storeOutput(OpBuilder &b, Value value, Value column, Value e, int64_t v) {
  storeLanes(b, value, packedOutput, outputRow(b, column, e), constant(b, 0), v);
}

Value AttentionEmitter::laneMask(OpBuilder &b, Value count) {
  return vector::CreateMaskOp::create(b, loc, VectorType::get({reg.lanes}, b.getI1Type()), count);
}

// --- the pass -------------------------------------------------------------------------------------------------------

namespace {
struct VectorizeAttentionPass : impl::VectorizeAttentionBase<VectorizeAttentionPass> {
  void runOnOperation() override {
    FailureOr<RegisterPlan> registers = registerPlanOf(getOperation());
    if (failed(registers))
      return signalPassFailure();
    auto target = getOperation()->getAttrOfType<TargetAttr>("weft.target");
    SmallVector<AttentionOp> ops;
    getOperation()->walk([&](AttentionOp op) { ops.push_back(op); });
    for (AttentionOp op : ops) {
      FailureOr<AttentionPlan> plan = planAttention(op, *registers, target);
      if (failed(plan))
        return signalPassFailure();
      emit(*plan, target);
      op.erase();
    }
  }

  void emit(AttentionPlan plan, TargetAttr target) {
    OpBuilder builder(plan.op);
    if (!hasHalfProducts(target) || !wantsTiles(plan.op))
      return AttentionEmitter(plan).emit(builder);
    TileAttentionEmitter(TileAttentionEmitter::planOf(plan), hasTileInstructions(target)).emit(builder);
  }
};
} // namespace

} // namespace weft
