// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows of another type go through a scratch, a vector at a time; the last, partial vector is masked, zeros behind it:
//   scf.for %row { scf.for %k step lanes { vector.load, extf or truncf, vector.store } }
#include "lowering/vectorize/LeftRows.h"

#include "lowering/vectorize/OperandAccess.h"
#include "lowering/vectorize/RowPlaces.h"
#include "lowering/vectorize/StoredNumbers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;

namespace weft {

/// What a tile's rows may take of a thread's stack, and what all rows of a work item may.
static constexpr int64_t kTileBytes = 256 << 10;
static constexpr int64_t kItemBytes = 1 << 20;

LeftRows::LeftRows(Location loc, const RegisterPlan &registers, Value lhs, int64_t perStep, Value places)
    : IndexLoops(loc), registers(registers), lhs(lhs), places(places), perStep(perStep) {}

OpFoldResult LeftRows::rowCount(OpBuilder &b) { return memref::getMixedSize(b, loc, places ? places : lhs, 0); }

Value LeftRows::placeOf(OpBuilder &b, Value row) { return emitRowPlace(b, loc, places, row, lhs); }

OpFoldResult LeftRows::steps(OpBuilder &b) {
  OpFoldResult depth = memref::getMixedSize(b, loc, lhs, 1);
  if (perStep == 1)
    return depth;
  return b.getIndexAttr(llvm::divideCeilSigned(*getConstantIntValue(depth), perStep));
}

int64_t LeftRows::mostRows() const {
  FailureOr<int64_t> bound =
      ValueBoundsConstraintSet::computeConstantBound(presburger::BoundType::UB, {places ? places : lhs, 0}, nullptr,
                                                     /*closedUB=*/true);
  return succeeded(bound) ? *bound : ShapedType::kDynamic;
}

void LeftRows::allocate(OpBuilder &b, int64_t tileRows, int64_t blockSteps) {
  auto given = cast<MemRefType>(lhs.getType());
  bool words = perStep == 2;
  int64_t depth = given.getDimSize(1);
  bool contiguous = classifyAccess(lhs, b.getMultiDimIdentityMap(2), 1) == AccessKind::Contiguous;
  bool inPlace =
      words ? contiguous && given.getElementType().isBF16() && depth % 2 == 0 : given.getElementType().isF32();
  int64_t values = ShapedType::isDynamic(blockSteps) ? depth : blockSteps * perStep;
  if (inPlace || ShapedType::isDynamic(values))
    return;
  Type element = words ? Type(b.getBF16Type()) : b.getF32Type();
  // Whole vectors: what lies behind a row's end is zero.
  values = llvm::alignTo(values, registers.lanes);
  int64_t rowBytes = values * int64_t(element.getIntOrFloatBitWidth() / 8), all = words ? mostRows() : -1;
  roundsAll = all > tileRows && all * rowBytes <= kItemBytes;
  int64_t rows = roundsAll ? all : tileRows;
  if (!words && rows * rowBytes > kTileBytes)
    return; // each number is widened where it is read
  scratch = memref::AllocaOp::create(b, loc, MemRefType::get({rows, values}, element), b.getI64IntegerAttr(64));
}

void LeftRows::beginBlock(OpBuilder &b, Value begin, OpFoldResult steps) {
  if (roundsAll)
    convert(b, b.getIndexAttr(0), rowCount(b), begin, steps);
}

LeftRows::Element LeftRows::ofTile(OpBuilder &b, Value row, int64_t count, Value begin, OpFoldResult steps) {
  Value rows;
  SmallVector<Value> at; // of the tile's rows, in `rows`
  for (int64_t r = 0; r < count; ++r)
    at.push_back(places && !scratch ? placeOf(b, add(b, row, r)) : constant(b, r));
  if (roundsAll) {
    OpFoldResult one = b.getIndexAttr(1), zero = b.getIndexAttr(0);
    OpFoldResult values = b.getIndexAttr(cast<MemRefType>(scratch.getType()).getDimSize(1));
    rows = memref::SubViewOp::create(b, loc, scratch, {row, zero}, {b.getIndexAttr(count), values}, {one, one});
  } else if (scratch) {
    convert(b, row, b.getIndexAttr(count), begin, steps);
    rows = scratch;
  } else if (places) {
    rows = view(b, b.getIndexAttr(0), memref::getMixedSize(b, loc, lhs, 0), begin, steps);
  } else {
    rows = view(b, row, b.getIndexAttr(count), begin, steps);
  }
  if (perStep == 1)
    return [=, this](OpBuilder &k, Value step, int64_t r) -> Value {
      return emitToF32(k, loc, registers, memref::LoadOp::create(k, loc, rows, ValueRange{at[r], step}));
    };
  return [=, this](OpBuilder &k, Value step, int64_t r) -> Value {
    Value first = arith::MulIOp::create(k, loc, step, constant(k, perStep));
    auto parts = VectorType::get({perStep}, cast<MemRefType>(rows.getType()).getElementType());
    Value values = vector::LoadOp::create(k, loc, parts, rows, ValueRange{at[r], first});
    Value word = vector::BitCastOp::create(k, loc, VectorType::get({1}, k.getI32Type()), values);
    return vector::ExtractOp::create(k, loc, word, ArrayRef<int64_t>{0});
  };
}

/// Rows of the operand, and of them what steps [begin, begin + steps) need: the last word may have fewer numbers.
Value LeftRows::view(OpBuilder &b, OpFoldResult row, OpFoldResult count, Value begin, OpFoldResult steps) {
  OpFoldResult first = b.getIndexAttr(0), values = steps, one = b.getIndexAttr(1);
  if (perStep != 1)
    values = memref::getMixedSize(b, loc, lhs, 1);
  if (begin && perStep == 1) {
    first = begin;
  } else if (begin) {
    Value unit = constant(b, perStep), place = arith::MulIOp::create(b, loc, begin, unit);
    Value most = arith::MulIOp::create(b, loc, getValueOrCreateConstantIndexOp(b, loc, steps), unit);
    Value left = arith::SubIOp::create(b, loc, getValueOrCreateConstantIndexOp(b, loc, values), place);
    first = place;
    values = arith::MinUIOp::create(b, loc, most, left).getResult();
  }
  return memref::SubViewOp::create(b, loc, lhs, {row, first}, {count, values}, {one, one});
}

void LeftRows::convert(OpBuilder &b, OpFoldResult row, OpFoldResult count, Value begin, OpFoldResult steps) {
  OpFoldResult zero = b.getIndexAttr(0);
  Value source =
      places ? view(b, zero, memref::getMixedSize(b, loc, lhs, 0), begin, steps) : view(b, row, count, begin, steps);
  Value first = getValueOrCreateConstantIndexOp(b, loc, row), end = getValueOrCreateConstantIndexOp(b, loc, count);
  forEach(b, end, 1, [&](OpBuilder &each, Value to) {
    convertRow(each, source, places ? placeOf(each, add(each, first, to)) : to, to);
  });
}

void LeftRows::convertRow(OpBuilder &b, Value source, Value from, Value to) {
  Value lanes = constant(b, registers.lanes), zero = constant(b, 0);
  Value depth = memref::DimOp::create(b, loc, source, 1), rest = arith::RemUIOp::create(b, loc, depth, lanes);
  Value whole = arith::SubIOp::create(b, loc, depth, rest);
  Type element = cast<MemRefType>(scratch.getType()).getElementType();
  auto move = [&](OpBuilder &at, Value k, Value mask) {
    Value numbers =
        emitLoad(at, loc, source, at.getMultiDimIdentityMap(2), IterationPoint{{from, k}, 1, registers.lanes, mask});
    numbers = emitToF32(at, loc, registers, numbers);
    vector::StoreOp::create(at, loc, emitFromF32(at, loc, registers, numbers, element), scratch, ValueRange{to, k});
  };
  forEach(b, whole, registers.lanes, [&](OpBuilder &body, Value k) { move(body, k, Value()); });
  Value some = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, rest, zero);
  scf::IfOp::create(b, loc, some, [&](OpBuilder &body, Location) {
    auto type = VectorType::get({registers.lanes}, body.getI1Type());
    move(body, whole, vector::CreateMaskOp::create(body, loc, type, rest));
    scf::YieldOp::create(body, loc);
  });
}

} // namespace weft
