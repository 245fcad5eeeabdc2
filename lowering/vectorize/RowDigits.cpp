// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A group of a row → its largest magnitude, from its bits a power of two; numbers times that → integers → digits:
//   %n = lrint(%x · 2^(22 − e));  %digits = (%n + 0x808080) ^ 0x808080, whose bytes are the digits, lowest first
//   words [4 numbers][4 bytes] → words [4 digits][4 numbers]
#include "lowering/vectorize/RowDigits.h"

#include "lowering/vectorize/OperandAccess.h"
#include "lowering/vectorize/WordDot.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;

namespace weft {
namespace {

/// Words of four numbers in the scratch: one for each digit, and one that nobody reads.
constexpr int64_t kWords = 4;
/// Added to an integer, its bytes are its digits, each 128 too large; flipping the upper bits takes 128 away.
constexpr int32_t kBias = 0x808080;
constexpr int32_t kMantissa = 23, kExponents = 0x7f800000, kMagnitude = 0x7fffffff;
/// 2^(e + 1) · (1 − 2^-7) and more are taken for 2^(e + 1), so that no integer needs a fourth digit.
constexpr int32_t kRoundUp = 1 << (kMantissa - 6);
/// A unit is 2^(e − 22).
constexpr int32_t kUnitBits = 22 << kMantissa;
/// The exponent of 2^-80.
constexpr int32_t kSmallest = (127 - 80) << kMantissa;

} // namespace

RowDigits::RowDigits(Location loc, const RegisterPlan &registers, const GroupForm &form, Value rows)
    : IndexLoops(loc), registers(registers), form(form), plan(DigitPlan::forForm(form)), source(rows),
      depth(cast<MemRefType>(rows.getType()).getDimSize(1)) {}

Value RowDigits::integer(OpBuilder &b, int32_t value) {
  return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
}

Value RowDigits::integers(OpBuilder &b, int64_t count, int32_t value) {
  auto type = VectorType::get({count}, b.getI32Type());
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, value));
}

//===--------------------------------------------------------------------------------------------------------------===//
// The scratch
//===--------------------------------------------------------------------------------------------------------------===//

void RowDigits::allocate(OpBuilder &b, int64_t rowCount, int64_t groupCount) {
  auto make = [&](ArrayRef<int64_t> shape, Type element) -> Value {
    return memref::AllocaOp::create(b, loc, MemRefType::get(shape, element), b.getI64IntegerAttr(64));
  };
  words = make({rowCount, groupCount, form.group}, b.getI32Type());
  corrections = make({rowCount, groupCount, kWords}, b.getI32Type());
  units = make({rowCount, groupCount, static_cast<int64_t>(plan.parts.size())}, b.getF32Type());
  largest = make({rowCount}, b.getI32Type());
}

void RowDigits::forget(OpBuilder &b, Value rowCount) {
  forEach(b, rowCount, 1,
          [&](OpBuilder &each, Value row) { memref::StoreOp::create(each, loc, integer(each, 0), largest, row); });
}

RowDigits::Rows RowDigits::rowsOf(OpBuilder &b, Value row, int64_t count) {
  auto view = [&](Value memory) -> Value {
    ArrayRef<int64_t> shape = cast<MemRefType>(memory.getType()).getShape();
    SmallVector<OpFoldResult> offsets(3, b.getIndexAttr(0)), strides(3, b.getIndexAttr(1));
    offsets[0] = row;
    SmallVector<OpFoldResult> sizes = {b.getIndexAttr(count), b.getIndexAttr(shape[1]), b.getIndexAttr(shape[2])};
    return memref::SubViewOp::create(b, loc, memory, offsets, sizes, strides);
  };
  return {view(words), view(corrections), view(units)};
}

Value RowDigits::word(OpBuilder &b, const Rows &rows, int64_t row, Value group, Value word, Value digit) {
  Value place = arith::MulIOp::create(b, loc, word, constant(b, kWords));
  return memref::LoadOp::create(b, loc, rows.words, ValueRange{constant(b, row), group, add(b, place, digit)});
}

Value RowDigits::correction(OpBuilder &b, const Rows &rows, int64_t row, Value group, Value digit) {
  return memref::LoadOp::create(b, loc, rows.corrections, ValueRange{constant(b, row), group, digit});
}

Value RowDigits::unit(OpBuilder &b, const Rows &rows, int64_t row, Value group, Value part) {
  return memref::LoadOp::create(b, loc, rows.units, ValueRange{constant(b, row), group, part});
}

Value RowDigits::isFinite(OpBuilder &b, Value row) {
  Value bits = memref::LoadOp::create(b, loc, largest, row);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, bits, integer(b, kExponents));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Numbers as digits
//===--------------------------------------------------------------------------------------------------------------===//

void RowDigits::emit(OpBuilder &b, Value firstRow, Value rowCount, Value firstGroup, Value groupCount,
                     const BeforeGroup &beforeGroup) {
  forEach(b, rowCount, 1, [&](OpBuilder &each, Value row) {
    emitGroups(each, add(each, firstRow, row), row, firstGroup, groupCount, beforeGroup);
  });
}

void RowDigits::emitGroups(OpBuilder &b, Value from, Value row, Value firstGroup, Value groupCount,
                           const BeforeGroup &beforeGroup) {
  AffineMap map = b.getMultiDimIdentityMap(2);
  Value steps = constant(b, form.group), whole = constant(b, depth / form.group);
  auto group = [&](OpBuilder &at, Value index, Value mask) {
    Value k = arith::MulIOp::create(at, loc, add(at, firstGroup, index), steps);
    emitGroup(at, {emitLoad(at, loc, source, map, IterationPoint{{from, k}, 1, form.group, mask}), row, index});
  };
  auto wholeGroup = [&](OpBuilder &each, Value index) {
    if (beforeGroup)
      beforeGroup(each, index);
    group(each, index, Value());
  };
  int64_t rest = depth % form.group;
  if (!rest)
    return forEach(b, groupCount, 1, wholeGroup);
  Value left = arith::SubIOp::create(b, loc, whole, firstGroup);
  Value isLast = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ugt, groupCount, left);
  Value full = arith::MinUIOp::create(b, loc, groupCount, left);
  forEach(b, full, 1, wholeGroup);
  scf::IfOp::create(b, loc, isLast, [&](OpBuilder &body, Location) {
    auto type = VectorType::get({form.group}, body.getI1Type());
    group(body, full, vector::CreateMaskOp::create(body, loc, type, constant(body, rest)));
    scf::YieldOp::create(body, loc);
  });
}

void RowDigits::emitGroup(OpBuilder &b, const Group &group) {
  auto type = VectorType::get({form.group}, b.getI32Type());
  Value bits = vector::BitCastOp::create(b, loc, type, group.numbers);
  bits = arith::AndIOp::create(b, loc, bits, integers(b, form.group, kMagnitude));
  Value most = vector::ReductionOp::create(b, loc, vector::CombiningKind::MAXUI, bits);
  Value before = memref::LoadOp::create(b, loc, largest, group.row);
  memref::StoreOp::create(b, loc, arith::MaxUIOp::create(b, loc, before, most), largest, group.row);

  Value inverse = emitUnits(b, group, most);
  Value scaled = arith::MulFOp::create(b, loc, group.numbers,
                                       vector::BroadcastOp::create(b, loc, group.numbers.getType(), inverse));
  Value rounded =
      LLVM::CallIntrinsicOp::create(b, loc, type, b.getStringAttr("llvm.lrint"), ValueRange{scaled}).getResult(0);
  Value digits = emitWords(b, rounded), zero = constant(b, 0);
  vector::StoreOp::create(b, loc, digits, words, ValueRange{group.row, group.index, zero});
  vector::StoreOp::create(b, loc, emitCorrections(b, digits), corrections, ValueRange{group.row, group.index, zero});
}

/// Stores what the parts' integers count. Returns what numbers are multiplied by.
Value RowDigits::emitUnits(OpBuilder &b, const Group &group, Value most) {
  Value exponent = arith::AddIOp::create(b, loc, most, integer(b, kRoundUp));
  exponent = arith::AndIOp::create(b, loc, exponent, integer(b, kExponents));
  exponent = arith::MaxUIOp::create(b, loc, exponent, integer(b, kSmallest));
  for (auto [i, part] : llvm::enumerate(plan.parts)) {
    // Digits of 8 bits: each place counts 2^8 times as much.
    int32_t place = static_cast<int32_t>(part.begin * 8) << kMantissa;
    Value bits = arith::AddIOp::create(b, loc, exponent, integer(b, place - kUnitBits));
    memref::StoreOp::create(b, loc, arith::BitcastOp::create(b, loc, b.getF32Type(), bits), units,
                            ValueRange{group.row, group.index, constant(b, i)});
  }
  // 2^(22 − e): 127 twice, since both exponents are biased.
  auto sum = static_cast<int32_t>((uint32_t(2 * 127) << kMantissa) + uint32_t(kUnitBits));
  Value inverse = arith::SubIOp::create(b, loc, integer(b, sum), exponent);
  return arith::BitcastOp::create(b, loc, b.getF32Type(), inverse);
}

/// Integers → for each word of the weight's values, words of their digits.
Value RowDigits::emitWords(OpBuilder &b, Value numbers) {
  int64_t count = form.group, inWord = form.steps(), parts = inWord / 4;
  SmallVector<int64_t> order, bytes;
  for (int64_t i = 0; i < count; ++i) // word p of a weight's word has its values p, p + parts, …
    order.push_back(i / inWord * inWord + i % 4 * parts + i % inWord / 4);
  for (int64_t i = 0; i < 4 * count; ++i)
    bytes.push_back(i / 16 * 16 + i % 4 * 4 + i / 4 % 4);
  if (parts > 1)
    numbers = vector::ShuffleOp::create(b, loc, numbers, numbers, order);
  Value digits = arith::AddIOp::create(b, loc, numbers, integers(b, count, kBias));
  digits = arith::XOrIOp::create(b, loc, digits, integers(b, count, kBias));
  digits = vector::BitCastOp::create(b, loc, VectorType::get({4 * count}, b.getI8Type()), digits);
  digits = vector::ShuffleOp::create(b, loc, digits, digits, bytes);
  return vector::BitCastOp::create(b, loc, VectorType::get({count}, b.getI32Type()), digits);
}

/// −offset times the sums of the digits, [digit].
Value RowDigits::emitCorrections(OpBuilder &b, Value digits) {
  int64_t chunk = std::gcd(registers.lanes, form.group);
  Value sums = integers(b, chunk, 0), ones = integers(b, chunk, 0x01010101);
  for (int64_t first = 0; first < form.group; first += chunk) {
    Value some = vector::ExtractStridedSliceOp::create(b, loc, digits, first, chunk, 1);
    sums = emitByteDot(b, loc, registers, sums, ones, some);
  }
  for (int64_t half = chunk / 2; half >= kWords; half /= 2) {
    Value low = vector::ExtractStridedSliceOp::create(b, loc, sums, 0, half, 1);
    sums = arith::AddIOp::create(b, loc, low, vector::ExtractStridedSliceOp::create(b, loc, sums, half, half, 1));
  }
  return arith::MulIOp::create(b, loc, sums, integers(b, kWords, static_cast<int32_t>(-form.offset())));
}

} // namespace weft
