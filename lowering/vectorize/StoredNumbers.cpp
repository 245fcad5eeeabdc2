// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// bf16 is the upper half of an f32: a shift. f16 has an instruction from x86-64-v3 on (F16C); below, its bits are moved
// into an f32 whose exponent a product by 2^112 corrects, subnormal numbers included. LLVM would call a library for
// both.
#include "lowering/vectorize/StoredNumbers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace weft {
namespace {

/// Bits of values shaped like one value.
struct Bits {
  OpBuilder &b;
  Location loc;
  VectorType shape; ///< null for a scalar

  Bits(OpBuilder &b, Location loc, Value value) : b(b), loc(loc), shape(dyn_cast<VectorType>(value.getType())) {}

  Type of(Type element) { return shape ? Type(shape.clone(element)) : element; }
  Type i16() { return of(b.getI16Type()); }
  Type i32() { return of(b.getI32Type()); }
  Type f32() { return of(b.getF32Type()); }

  Value constant(uint32_t bits) {
    TypedAttr scalar = b.getI32IntegerAttr(static_cast<int32_t>(bits));
    if (shape)
      scalar = DenseElementsAttr::get(cast<ShapedType>(i32()), Attribute(scalar));
    return arith::ConstantOp::create(b, loc, scalar);
  }
  Value cast(Value value, Type type) { return arith::BitcastOp::create(b, loc, type, value); }
  Value asFloat(uint32_t bits) { return cast(constant(bits), f32()); }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value both(Value x, uint32_t mask) { return arith::AndIOp::create(b, loc, x, constant(mask)); }
  Value either(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
  Value left(Value x, uint32_t by) { return arith::ShLIOp::create(b, loc, x, constant(by)); }
  Value right(Value x, uint32_t by) { return arith::ShRUIOp::create(b, loc, x, constant(by)); }
  Value isAbove(Value x, uint32_t limit) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ugt, x, constant(limit));
  }
  Value select(Value condition, Value yes, Value no) { return arith::SelectOp::create(b, loc, condition, yes, no); }
  Value narrow(Value bits, Type element) { return cast(arith::TruncIOp::create(b, loc, i16(), bits), of(element)); }
};

constexpr uint32_t kSign = 0x80000000, kInfinity = 0x7f800000;

Value emitFromHalf(Bits bits, Value half) {
  Value raw = arith::ExtUIOp::create(bits.b, bits.loc, bits.i32(), bits.cast(half, bits.i16()));
  Value magnitude = bits.left(bits.both(raw, 0x7fff), 13);
  // 2^112 = 2^(127 − 15), the difference of the exponents' biases.
  Value scaled = arith::MulFOp::create(bits.b, bits.loc, bits.cast(magnitude, bits.f32()), bits.asFloat(0x77800000));
  Value exact = bits.cast(scaled, bits.i32());
  Value special = bits.either(magnitude, bits.constant(kInfinity));
  Value result = bits.select(bits.isAbove(magnitude, 0x0f7fffff), special, exact);
  return bits.cast(bits.either(result, bits.left(bits.both(raw, 0x8000), 16)), bits.f32());
}

Value emitToHalf(Bits bits, Value value) {
  Value raw = bits.cast(value, bits.i32()), magnitude = bits.both(raw, ~kSign);
  // Normal: the exponent rebiased, rounded at bit 13. Subnormal: adding 0.5 shifts and rounds in one addition.
  Value odd = bits.both(bits.right(magnitude, 13), 1);
  Value normal = bits.right(bits.add(bits.add(magnitude, bits.constant(0xc8000fff)), odd), 13);
  Value shifted = arith::AddFOp::create(bits.b, bits.loc, bits.cast(magnitude, bits.f32()), bits.asFloat(0x3f000000));
  Value subnormal = bits.add(bits.cast(shifted, bits.i32()), bits.constant(-0x3f000000u));
  Value result = bits.select(bits.isAbove(magnitude, 0x387fffff), normal, subnormal);
  // From 2^16 on infinity; a NaN.
  result = bits.select(bits.isAbove(magnitude, 0x477fffff), bits.constant(0x7c00), result);
  result = bits.select(bits.isAbove(magnitude, kInfinity), bits.constant(0x7e00), result);
  return bits.narrow(bits.either(result, bits.right(bits.both(raw, kSign), 16)), bits.b.getF16Type());
}

Value emitToBfloat(Bits bits, Value value) {
  Value raw = bits.cast(value, bits.i32());
  Value odd = bits.both(bits.right(raw, 16), 1);
  Value rounded = bits.add(bits.add(raw, bits.constant(0x7fff)), odd);
  Value isNan = bits.isAbove(bits.both(raw, ~kSign), kInfinity);
  Value words = bits.select(isNan, bits.either(raw, bits.constant(0x400000)), rounded);
  return bits.narrow(bits.right(words, 16), bits.b.getBF16Type());
}

} // namespace

bool isStoredNumber(Type element) {
  return element.isF32() || element.isBF16() || element.isF16() || element.isSignlessInteger(8);
}

Value emitToF32(OpBuilder &builder, Location loc, const RegisterPlan &plan, Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  if (element.isF32())
    return value;
  Bits bits(builder, loc, value);
  if (element.isBF16()) {
    Value raw = arith::ExtUIOp::create(builder, loc, bits.i32(), bits.cast(value, bits.i16()));
    return bits.cast(bits.left(raw, 16), bits.f32());
  }
  if (element.isSignlessInteger(8))
    return arith::SIToFPOp::create(builder, loc, bits.f32(), value);
  assert(element.isF16() && "the caller asks isStoredNumber");
  return plan.fused ? arith::ExtFOp::create(builder, loc, bits.f32(), value).getResult() : emitFromHalf(bits, value);
}

Value emitFromF32(OpBuilder &builder, Location loc, const RegisterPlan &plan, Value value, Type element) {
  if (element.isF32())
    return value;
  Bits bits(builder, loc, value);
  // The instruction takes subnormal numbers, below 1.2e-38, for zero.
  if (element.isBF16() && plan.bfloat)
    return arith::TruncFOp::create(builder, loc, bits.of(element), value);
  if (element.isBF16())
    return emitToBfloat(bits, value);
  assert(element.isF16() && "results are floats");
  return plan.fused ? arith::TruncFOp::create(builder, loc, bits.of(element), value).getResult()
                    : emitToHalf(bits, value);
}

} // namespace weft
