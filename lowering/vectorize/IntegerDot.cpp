// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// words → 2 × i16 halves;  acc + pmaddwd(even, even) + pmaddwd(odd, odd).
#include "lowering/vectorize/IntegerDot.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

static Value splat(OpBuilder &b, Location loc, VectorType type, int64_t value) {
  return arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type, Attribute(b.getIntegerAttr(type.getElementType(), value))));
}

WordHalves splitWords(OpBuilder &b, Location loc, Value words) {
  int64_t lanes = cast<VectorType>(words.getType()).getNumElements();
  auto type = VectorType::get({2 * lanes}, b.getI16Type());
  Value pairs = vector::BitCastOp::create(b, loc, type, words), eight = splat(b, loc, type, 8);
  Value low = arith::ShLIOp::create(b, loc, pairs, eight);
  return {arith::ShRSIOp::create(b, loc, low, eight), arith::ShRSIOp::create(b, loc, pairs, eight)};
}

/// The instruction that multiplies pairs of i16 and adds the two products; empty where there is none of this length.
static StringRef pairInstruction(const RegisterPlan &plan, int64_t lanes) {
  switch (lanes) {
  case 4:
    return "llvm.x86.sse2.pmadd.wd";
  case 8:
    return "llvm.x86.avx2.pmadd.wd";
  case 16:
    return plan.avx512 ? "llvm.x86.avx512.pmaddw.d.512" : "";
  default:
    return "";
  }
}

/// The low or the high i16 of each pair, as i32.
static Value half(OpBuilder &b, Location loc, VectorType type, Value pairs, bool high) {
  Value words = vector::BitCastOp::create(b, loc, type, pairs), sixteen = splat(b, loc, type, 16);
  if (!high)
    words = arith::ShLIOp::create(b, loc, words, sixteen);
  return arith::ShRSIOp::create(b, loc, words, sixteen);
}

static Value addPairs(OpBuilder &b, Location loc, const RegisterPlan &plan, Value acc, Value x, Value y) {
  auto type = cast<VectorType>(acc.getType());
  if (StringRef name = pairInstruction(plan, type.getNumElements()); !name.empty()) {
    Value sums = LLVM::CallIntrinsicOp::create(b, loc, type, b.getStringAttr(name), ValueRange{x, y}).getResult(0);
    return arith::AddIOp::create(b, loc, acc, sums);
  }
  for (bool high : {false, true}) {
    Value product = arith::MulIOp::create(b, loc, half(b, loc, type, x, high), half(b, loc, type, y, high));
    acc = arith::AddIOp::create(b, loc, acc, product);
  }
  return acc;
}

Value emitDot(OpBuilder &builder, Location loc, const RegisterPlan &plan, Value acc, const WordHalves &a,
              const WordHalves &b) {
  return addPairs(builder, loc, plan, addPairs(builder, loc, plan, acc, a.even, b.even), a.odd, b.odd);
}

} // namespace weft
