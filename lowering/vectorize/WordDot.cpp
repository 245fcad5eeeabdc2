// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// words → bytes, llvm.call_intrinsic vpdpbusd; or → bf16, llvm.call_intrinsic dpbf16ps; without them:
//   bytes: acc + Σ of four (a >> 8i & 255) · (b << (24 − 8i) >> 24);  bf16: fma of the upper halves, then of the lower
#include "lowering/vectorize/WordDot.h"

#include "lowering/vectorize/RegisterTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {
namespace {

struct Words {
  OpBuilder &b;
  Location loc;
  VectorType type; ///< of i32

  Words(OpBuilder &b, Location loc, Value words) : b(b), loc(loc), type(cast<VectorType>(words.getType())) {}

  int64_t lanes() const { return type.getNumElements(); }
  Value constant(int32_t value) { return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, value)); }
  Value as(Value words, Type element) {
    int64_t count = lanes() * 32 / element.getIntOrFloatBitWidth();
    return vector::BitCastOp::create(b, loc, VectorType::get({count}, element), words);
  }
  Value call(StringRef name, Value acc, Value x, Value y) {
    return LLVM::CallIntrinsicOp::create(b, loc, acc.getType(), b.getStringAttr(name), ValueRange{acc, x, y})
        .getResult(0);
  }
};

/// The form of an instruction for vectors of so many words.
StringRef formOf(int64_t lanes, StringRef of4, StringRef of8, StringRef of16) {
  return lanes == 16 ? of16 : lanes == 8 ? of8 : lanes == 4 ? of4 : StringRef();
}

} // namespace

Value emitUnsignedBytes(OpBuilder &builder, Location loc, Value words) {
  Words w(builder, loc, words);
  return arith::XOrIOp::create(builder, loc, words, w.constant(int32_t(0x80808080)));
}

Value emitByteDot(OpBuilder &builder, Location loc, const RegisterPlan &plan, Value acc, Value a, Value b) {
  Words w(builder, loc, a);
  StringRef name =
      formOf(w.lanes(), "llvm.x86.avx512.vpdpbusd.128", "llvm.x86.avx512.vpdpbusd.256", "llvm.x86.avx512.vpdpbusd.512");
  if (plan.vnni && !name.empty())
    return w.call(name, acc, w.as(a, builder.getI8Type()), w.as(b, builder.getI8Type()));
  for (int32_t shift = 0; shift < 32; shift += 8) {
    Value x = arith::ShRUIOp::create(builder, loc, a, w.constant(shift));
    x = arith::AndIOp::create(builder, loc, x, w.constant(255));
    Value y = arith::ShLIOp::create(builder, loc, b, w.constant(24 - shift));
    y = arith::ShRSIOp::create(builder, loc, y, w.constant(24));
    acc = arith::AddIOp::create(builder, loc, acc, arith::MulIOp::create(builder, loc, x, y));
  }
  return acc;
}

Value emitHalfDot(OpBuilder &builder, Location loc, const RegisterPlan &plan, Value acc, Value a, Value b) {
  Words w(builder, loc, a);
  StringRef name = formOf(w.lanes(), "llvm.x86.avx512bf16.dpbf16ps.128", "llvm.x86.avx512bf16.dpbf16ps.256",
                          "llvm.x86.avx512bf16.dpbf16ps.512");
  if (plan.bfloat && !name.empty())
    return w.call(name, acc, w.as(a, builder.getBF16Type()), w.as(b, builder.getBF16Type()));
  auto upper = [&](Value words) {
    return w.as(arith::AndIOp::create(builder, loc, words, w.constant(int32_t(0xffff0000))), builder.getF32Type());
  };
  auto lower = [&](Value words) {
    return w.as(arith::ShLIOp::create(builder, loc, words, w.constant(16)), builder.getF32Type());
  };
  acc = emitMultiplyAdd(builder, loc, plan, upper(a), upper(b), acc);
  return emitMultiplyAdd(builder, loc, plan, lower(a), lower(b), acc);
}

} // namespace weft
