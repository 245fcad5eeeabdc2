// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A word of a panel of bf16 or f16 holds one column's steps 2p (lower half) and 2p + 1 (upper half):
//   %words = vector.load … : vector<32xbf16>, bitcast to vector<16xi32>
//   step 2p: bitcast (words << 16) to f32;  step 2p + 1: bitcast (words & 0xffff0000) to f32
// f16 halves are cut out the same way and converted.
#include "lowering/vectorize/PanelLoad.h"

#include "lowering/vectorize/StoredNumbers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {
namespace {

/// One vector of words.
class PanelWords {
public:
  PanelWords(OpBuilder &b, Location loc, const RegisterPlan &plan, const PanelPlace &place, Value k)
      : b(b), loc(loc), plan(plan), element(getElementTypeOrSelf(place.rhs.getType())) {
    Value word = arith::DivUIOp::create(b, loc, k, arith::ConstantIndexOp::create(b, loc, 2));
    words = emitPanelWords(b, loc, plan, place, word);
  }

  Value lower() {
    if (element.isBF16())
      return asFloat(arith::ShLIOp::create(b, loc, words, constant(16)));
    return widened(words);
  }
  Value upper() {
    if (element.isBF16())
      return asFloat(arith::AndIOp::create(b, loc, words, constant(-65536)));
    return widened(arith::ShRUIOp::create(b, loc, words, constant(16)));
  }

private:
  VectorType typeOf(Type type) { return VectorType::get({plan.lanes}, type); }
  Value constant(int32_t bits) {
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(typeOf(b.getI32Type()), bits));
  }
  Value asFloat(Value bits) { return arith::BitcastOp::create(b, loc, typeOf(b.getF32Type()), bits); }
  /// The lower halves of words, converted.
  Value widened(Value bits) {
    Value half = arith::TruncIOp::create(b, loc, typeOf(b.getI16Type()), bits);
    return emitToF32(b, loc, plan, arith::BitcastOp::create(b, loc, typeOf(element), half));
  }

  OpBuilder &b;
  Location loc;
  const RegisterPlan &plan;
  Type element;
  Value words;
};

} // namespace

SmallVector<PanelPlace> emitPanelPlaces(OpBuilder &b, Location loc, const RegisterPlan &plan, Value rhs, int64_t width,
                                        Value column, int64_t vectors) {
  Value columns = arith::ConstantIndexOp::create(b, loc, width);
  Value count = memref::DimOp::create(b, loc, rhs, 0);
  Value last = arith::SubIOp::create(b, loc, count, arith::ConstantIndexOp::create(b, loc, 1));
  SmallVector<PanelPlace> places;
  for (int64_t v = 0; v < vectors; ++v) {
    Value at = column;
    if (v)
      at = arith::AddIOp::create(b, loc, column, arith::ConstantIndexOp::create(b, loc, v * plan.lanes));
    Value panel = arith::MinUIOp::create(b, loc, arith::DivUIOp::create(b, loc, at, columns), last);
    places.push_back({rhs, panel, arith::RemUIOp::create(b, loc, at, columns)});
  }
  return places;
}

Value emitPanelWords(OpBuilder &b, Location loc, const RegisterPlan &plan, const PanelPlace &place, Value k) {
  Type element = getElementTypeOrSelf(place.rhs.getType());
  int64_t perWord = 32 / element.getIntOrFloatBitWidth();
  Value first = arith::MulIOp::create(b, loc, place.offset, arith::ConstantIndexOp::create(b, loc, perWord));
  Value parts = vector::LoadOp::create(b, loc, VectorType::get({perWord * plan.lanes}, element), place.rhs,
                                       ValueRange{place.panel, k, first});
  return vector::BitCastOp::create(b, loc, VectorType::get({plan.lanes}, b.getI32Type()), parts);
}

bool isPanelElement(Type element) { return element.isF32() || element.isBF16() || element.isF16(); }

Value emitPanelStep(OpBuilder &builder, Location loc, const RegisterPlan &plan, const PanelPlace &place, Value k) {
  Type element = getElementTypeOrSelf(place.rhs.getType());
  if (stepsPerWord(element) == 1)
    return vector::LoadOp::create(builder, loc, VectorType::get({plan.lanes}, element), place.rhs,
                                  ValueRange{place.panel, k, place.offset});
  PanelWords words(builder, loc, plan, place, k);
  Value two = arith::ConstantIndexOp::create(builder, loc, 2), zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value half = arith::RemUIOp::create(builder, loc, k, two);
  Value isLower = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, half, zero);
  return arith::SelectOp::create(builder, loc, isLower, words.lower(), words.upper());
}

std::pair<Value, Value> emitPanelPair(OpBuilder &builder, Location loc, const RegisterPlan &plan,
                                      const PanelPlace &place, Value k) {
  PanelWords words(builder, loc, plan, place, k);
  Value lower = words.lower();
  return {lower, words.upper()};
}

} // namespace weft
