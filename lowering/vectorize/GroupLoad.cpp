// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A word holds one column's next values of k, the first lowest. A value becomes the top of an integer, which is its
// place there times 2^24 or 2^28 in f32; the scales take that back, exactly:
//   %bytes = vector.load … : vector<64xi8>                      4 bits: the low or the high halves of bytes, moved up
//   byte 2 of 4: sitofp (bitcast (vector.shuffle %bytes, %zeros [zero, zero, zero, 2, …]))
// Where a permutation looks 16 lanes up in a table by an index's low four bits, it takes out and converts at once; the
// words are loaded from the byte that holds the value then, so that every other value needs no shift.
//
// As unsigned bytes: %u = %words ^ 0x88888888, then %u >> 4p & 0x0f0f0f0f; or %words ^ 0x80808080.
#include "lowering/vectorize/GroupLoad.h"

#include "lowering/vectorize/StoredNumbers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <cmath>

using namespace mlir;

namespace weft {
namespace {

struct GroupEmitter {
  OpBuilder &b;
  Location loc;
  const RegisterPlan &plan;
  const GroupForm &form;
  const GroupPlace &place;

  VectorType typeOf(Type element) { return VectorType::get({plan.lanes}, element); }
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value integers(int32_t value) {
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(typeOf(b.getI32Type()), value));
  }
  VectorType bytesOf(int64_t each) { return VectorType::get({plan.lanes * each}, b.getI8Type()); }
  /// The bytes of plan.lanes columns, `each` of one, from byte `first` of the group on.
  Value load(Value first, int64_t each) {
    Value column = arith::MulIOp::create(b, loc, place.column, index(each));
    Value at = arith::AddIOp::create(b, loc, first, column);
    return vector::LoadOp::create(b, loc, bytesOf(each), place.rhs, ValueRange{place.panel, place.group, at});
  }
  Value as(Value bytes, Type element) { return vector::BitCastOp::create(b, loc, typeOf(element), bytes); }
  Value wordsAt(Value word, int64_t byte) {
    Value first = arith::MulIOp::create(b, loc, word, index(kPanelWidth * 4));
    return as(load(arith::AddIOp::create(b, loc, first, index(byte)), 4), b.getI32Type());
  }

  /// The instruction that looks up a table of all 4-bit integers in f32.
  bool hasTable() { return form.bits == 4 && plan.lanes == 16 && plan.avx512; }
  Value lookedUp(Value word, int64_t step) {
    SmallVector<float> table;
    for (int64_t i = 0; i < 16; ++i)
      table.push_back(static_cast<float>(i < 8 ? i : i - 16));
    VectorType floats = typeOf(b.getF32Type());
    Value values = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(floats, ArrayRef<float>(table)));
    // Behind a group's words lie its scales, so that words read from a later byte end within the group.
    Value words = wordsAt(word, step / 2);
    if (step % 2)
      words = arith::ShRUIOp::create(b, loc, words, integers(4));
    return LLVM::CallIntrinsicOp::create(b, loc, floats, b.getStringAttr("llvm.x86.avx512.permvar.sf.512"),
                                         ValueRange{values, words})
        .getResult(0);
  }

  /// The exponent of 2 by which values at the top of an integer are too large.
  int64_t excess() { return hasTable() ? 0 : 32 - form.bits; }
  Value atTop(Value word, int64_t step) {
    Value words = wordsAt(word, 0);
    int64_t byte = step * form.bits / 8;
    if (form.bits == 4) {
      if (step % 2 == 0)
        words = arith::ShLIOp::create(b, loc, words, integers(4));
      words = arith::AndIOp::create(b, loc, words, integers(static_cast<int32_t>(0xf0f0f0f0)));
    }
    VectorType type = bytesOf(4);
    Value bytes = vector::BitCastOp::create(b, loc, type, words);
    Value zeros = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
    SmallVector<int64_t> from(4 * plan.lanes, 4 * plan.lanes); // the first zero
    for (int64_t lane = 0; lane < plan.lanes; ++lane)
      from[4 * lane + 3] = 4 * lane + byte;
    Value top = vector::ShuffleOp::create(b, loc, bytes, zeros, from);
    return arith::SIToFPOp::create(b, loc, typeOf(b.getF32Type()), as(top, b.getI32Type()));
  }
};

} // namespace

Value emitGroupStep(OpBuilder &builder, Location loc, const RegisterPlan &plan, const GroupForm &form,
                    const GroupPlace &place, Value word, int64_t step) {
  GroupEmitter emitter{builder, loc, plan, form, place};
  return emitter.hasTable() ? emitter.lookedUp(word, step) : emitter.atTop(word, step);
}

SmallVector<Value> emitGroupBytes(OpBuilder &builder, Location loc, const RegisterPlan &plan, const GroupForm &form,
                                  const GroupPlace &place, Value word) {
  GroupEmitter emitter{builder, loc, plan, form, place};
  uint32_t offsets = 0;
  for (int64_t bit = form.bits - 1; bit < 32; bit += form.bits)
    offsets |= uint32_t(1) << bit;
  auto constant = [&](uint32_t value) { return emitter.integers(static_cast<int32_t>(value)); };
  // All values at once, since one operation on three inputs is slower than two (measured on Zen 4: 10 % of one row).
  Value words = arith::XOrIOp::create(builder, loc, emitter.wordsAt(word, 0), constant(offsets));
  SmallVector<Value> all;
  for (int64_t part = 0; part < form.steps() / 4; ++part) {
    Value bytes = words;
    if (part)
      bytes = arith::ShRUIOp::create(builder, loc, bytes, constant(uint32_t(part * form.bits)));
    if (form.bits < 8)
      bytes = arith::AndIOp::create(builder, loc, bytes, constant(((1u << form.bits) - 1) * 0x01010101u));
    all.push_back(bytes);
  }
  return all;
}

Value emitStoredScales(OpBuilder &builder, Location loc, const RegisterPlan &plan, const GroupForm &form,
                       const GroupPlace &place) {
  GroupEmitter emitter{builder, loc, plan, form, place};
  Value halves = emitter.as(emitter.load(emitter.index(form.wordBytes()), 2), builder.getF16Type());
  return emitToF32(builder, loc, plan, halves);
}

Value emitGroupScales(OpBuilder &builder, Location loc, const RegisterPlan &plan, const GroupForm &form,
                      const GroupPlace &place) {
  GroupEmitter emitter{builder, loc, plan, form, place};
  Value scales = emitStoredScales(builder, loc, plan, form, place);
  if (emitter.excess() == 0)
    return scales;
  auto type = cast<VectorType>(scales.getType());
  FloatAttr factor = builder.getF32FloatAttr(std::ldexp(1.0f, -static_cast<int>(emitter.excess())));
  Value factors = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, Attribute(factor)));
  return arith::MulFOp::create(builder, loc, scales, factors);
}

void emitGroupFetch(OpBuilder &builder, Location loc, ArrayRef<GroupPlace> places, Value byte, FetchInto level) {
  for (const GroupPlace &place : places)
    memref::PrefetchOp::create(builder, loc, place.rhs, ValueRange{place.panel, place.group, byte}, /*isWrite=*/false,
                               /*localityHint=*/level == FetchInto::First ? 3 : 2, /*isDataCache=*/true);
}

} // namespace weft
