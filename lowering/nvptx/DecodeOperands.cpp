// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention of few queries: arithmetic, shared memory, the op's operands and regions.
#include "lowering/nvptx/DecodeEmitter.h"

#include "dialects/tile/TileOps.h"
#include "lowering/analysis/PagePlace.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace weft {

static constexpr float kLog2e = 1.4426950408889634f;

//===----------------------------------------------------------------------===//
// Small things
//===----------------------------------------------------------------------===//

Value DecodeEmitter::constant(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

Value DecodeEmitter::number(float value) { return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value)); }

Value DecodeEmitter::add(Value x, Value y) { return b.createOrFold<arith::AddIOp>(loc, x, y); }

Value DecodeEmitter::sub(Value x, Value y) { return b.createOrFold<arith::SubIOp>(loc, x, y); }

Value DecodeEmitter::times(Value x, int64_t y) { return b.createOrFold<arith::MulIOp>(loc, x, constant(y)); }

Value DecodeEmitter::over(Value x, int64_t y) { return b.createOrFold<arith::DivUIOp>(loc, x, constant(y)); }

Value DecodeEmitter::modulo(Value x, int64_t y) { return b.createOrFold<arith::RemUIOp>(loc, x, constant(y)); }

Value DecodeEmitter::least(Value x, Value y) { return b.createOrFold<arith::MinSIOp>(loc, x, y); }

Value DecodeEmitter::most(Value x, Value y) { return b.createOrFold<arith::MaxSIOp>(loc, x, y); }

Value DecodeEmitter::isBelow(Value x, Value y) {
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, x, y);
}

Value DecodeEmitter::isSame(Value x, int64_t y) {
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, x, constant(y));
}

/// One instruction, right to 2 ulp; 0 for −∞.
Value DecodeEmitter::exp2(Value x) { return math::Exp2Op::create(b, loc, x, arith::FastMathFlags::afn); }

Value DecodeEmitter::multiplyAdd(Value x, Value y, Value sum) { return math::FmaOp::create(b, loc, x, y, sum); }

/// What the lane whose number differs in this bit has.
Value DecodeEmitter::exchange(Value x, int64_t distance) {
  auto word = [&](int64_t value) -> Value { return arith::ConstantIntOp::create(b, loc, value, 32); };
  return NVVM::ShflOp::create(b, loc, x.getType(), word(-1), x, word(distance), word(31), NVVM::ShflKind::bfly,
                              UnitAttr());
}

DecodeEmitter::Values DecodeEmitter::loop(Value begin, Value end, Value step, ValueRange carried,
                                          function_ref<Values(Value, ValueRange)> body) {
  auto made = scf::ForOp::create(b, loc, begin, end, step, carried,
                                 [&](OpBuilder &inner, Location, Value index, ValueRange values) {
                                   OpBuilder::InsertionGuard guard(b);
                                   b.restoreInsertionPoint(inner.saveInsertionPoint());
                                   Values next = body(index, values);
                                   scf::YieldOp::create(b, loc, next);
                                 });
  return Values(made.getResults());
}

void DecodeEmitter::when(Value condition, function_ref<void()> body) {
  auto branch = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
}

void DecodeEmitter::sync() { tile::SyncOp::create(b, loc); }

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

Value DecodeEmitter::shared(int64_t array, Value index) {
  Value place = arith::IndexCastOp::create(b, loc, b.getI64Type(), add(index, constant(array)));
  return LLVM::GEPOp::create(b, loc, memory.getType(), b.getF32Type(), memory, ArrayRef<LLVM::GEPArg>{place});
}

Value DecodeEmitter::load(int64_t array, Value index) {
  return LLVM::LoadOp::create(b, loc, b.getF32Type(), shared(array, index), 4);
}

void DecodeEmitter::store(Value value, int64_t array, Value index) {
  LLVM::StoreOp::create(b, loc, value, shared(array, index), 4);
}

Value DecodeEmitter::stateOf(Value row, State which) { return add(times(row, StateWidth), constant(which)); }

Value DecodeEmitter::scoreOf(Value row, Value key, const Chunk &chunk) {
  return add(times(row, plan.chunk), sub(key, chunk.first));
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// The point (b, h, i, 0, 0, 0) of a row.
DecodeEmitter::Values DecodeEmitter::rowDims(Value row) {
  Value zero = constant(0);
  return {zero, over(row, plan.decode.queries), modulo(row, plan.decode.queries), zero, zero, zero};
}

/// Where the rows of an operand have a key of the item.
DecodeEmitter::Values DecodeEmitter::keyDims(unsigned operand, Value key) {
  Value zero = constant(0);
  return emitPagePlace(b, loc, op, operand, {zero, zero, zero, key, zero, zero});
}

static SmallVector<Value> subscripts(OpBuilder &b, Location loc, AffineMap map, ValueRange dims) {
  SmallVector<OpFoldResult> operands(dims.begin(), dims.end());
  SmallVector<Value> indices;
  for (unsigned i = 0; i < map.getNumResults(); ++i) {
    OpFoldResult at = affine::makeComposedFoldedAffineApply(b, loc, map.getSubMap({i}), operands);
    indices.push_back(getValueOrCreateConstantIndexOp(b, loc, at));
  }
  return indices;
}

Value DecodeEmitter::subscripted(Value memref, AffineMap map, ValueRange dims) {
  return memref::LoadOp::create(b, loc, memref, subscripts(b, loc, map, dims));
}

/// A factor of a key or a value, in f32.
Value DecodeEmitter::factorAt(unsigned operand, ValueRange dims) {
  Values place = emitPagePlace(b, loc, op, operand, Values(dims));
  Value factor = subscripted(op->getOperand(operand), op.getIndexingMap(operand), place);
  return factor.getType().isF32() ? factor : arith::ExtFOp::create(b, loc, b.getF32Type(), factor).getResult();
}

void DecodeEmitter::storeAt(Value value, Value memref, AffineMap map, ValueRange dims) {
  if (Type element = getElementTypeOrSelf(memref.getType()); !element.isF32())
    value = arith::TruncFOp::create(b, loc, element, value);
  memref::StoreOp::create(b, loc, value, memref, subscripts(b, loc, map, dims));
}

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

/// The score and mask regions on a score; the result is in units of log 2, −∞ for what is hidden.
Value DecodeEmitter::emitRegions(Value score, Values dims) {
  Values arguments(ArrayRef(dims).take_front(4));
  for (unsigned extra = 0; extra < op.getExtras().size(); ++extra)
    arguments.push_back(subscripted(op.getExtras()[extra], op.getIndexingMap(3 + extra), dims));
  if (!op.getScore().empty()) {
    Values scoreArguments = {score};
    llvm::append_range(scoreArguments, arguments);
    score = arith::MulFOp::create(b, loc, emitRegion(op.getScore(), scoreArguments), number(kLog2e));
  }
  if (op.getMask().empty())
    return score;
  Value hidden = number(-std::numeric_limits<float>::infinity());
  return arith::SelectOp::create(b, loc, emitRegion(op.getMask(), arguments), score, hidden);
}

Value DecodeEmitter::emitRegion(Region &region, ValueRange arguments) {
  IRMapping mapping;
  mapping.map(region.getArguments(), arguments);
  for (Operation &inner : region.front().without_terminator())
    b.clone(inner, mapping);
  return mapping.lookupOrDefault(region.front().getTerminator()->getOperand(0));
}

/// The extras as the mask sees them: a point where one is the same for the whole item, a range over its queries where
/// integers differ only between these.
MaskRanges DecodeEmitter::rangesOfExtras() {
  MaskRanges ranges;
  for (auto [i, extra] : llvm::enumerate(op.getExtras())) {
    AffineMap map = op.getIndexingMap(3 + i);
    bool isInteger = getElementTypeOrSelf(extra.getType()).isIntOrIndex(),
         ofQuery = map.isFunctionOfDim(AttentionOp::Query);
    if (map.isFunctionOfDim(AttentionOp::Head) || map.isFunctionOfDim(AttentionOp::Key) || (ofQuery && !isInteger)) {
      ranges.push_back(std::nullopt);
      continue;
    }
    IndexRange range{};
    for (int64_t query = 0; query < (ofQuery ? plan.decode.queries : 1); ++query) {
      Value zero = constant(0);
      Value value = subscripted(extra, map, {zero, zero, constant(query), zero, zero, zero});
      range.low = range.low ? arith::MinSIOp::create(b, loc, range.low, value).getResult() : value;
      range.high = range.high ? arith::MaxSIOp::create(b, loc, range.high, value).getResult() : value;
    }
    ranges.push_back(range.isPoint() ? range : boundedRange(b, loc, range));
  }
  return ranges;
}

/// The keys that some row may see, as [first, last + 1); empty when last + 1 <= first.
std::pair<Value, Value> DecodeEmitter::visibleKeys() {
  Value zero = constant(0), keys = emitKeyCount(b, loc, op);
  if (op.getMask().empty())
    return {zero, keys};
  MaskRanges ranges = {IndexRange{zero, zero}, IndexRange{zero, constant(plan.decode.group - 1)},
                       IndexRange{zero, constant(plan.decode.queries - 1)}, IndexRange{zero, sub(keys, constant(1))}};
  llvm::append_range(ranges, rangesOfExtras());
  MaskTile item(b, op.getMask().front(), ranges);
  IndexRange seen = item.visibleKeys(AttentionOp::Key);
  if (Value never = item.truth().never)
    seen.high = arith::SelectOp::create(b, loc, never, constant(-1), seen.high);
  return {seen.low, add(seen.high, constant(1))};
}

} // namespace weft
