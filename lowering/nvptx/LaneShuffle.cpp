// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/nvptx/LaneShuffle.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace weft {

/// Segments of 16 lanes: the mask in bits 8 to 12 keeps a lane's upper bit, 31 is the last lane (PTX ISA, shfl.sync).
static constexpr int64_t kSegment = ((32 - kGroupLanes) << 8) | 31;

Value LaneShuffle::constant(int64_t value) { return arith::ConstantIntOp::create(b, loc, value, 32); }

Value LaneShuffle::tableEntry(ArrayRef<int64_t> table) {
  uint64_t packed = 0;
  for (auto [lane, entry] : llvm::enumerate(table))
    packed |= static_cast<uint64_t>(entry) << (4 * lane);
  Type i64 = b.getI64Type();
  Value bits = arith::ConstantIntOp::create(b, loc, static_cast<int64_t>(packed), 64);
  Value four = arith::ConstantIntOp::create(b, loc, 4, 64), fifteen = arith::ConstantIntOp::create(b, loc, 15, 64);
  Value place = arith::MulIOp::create(b, loc, arith::ExtUIOp::create(b, loc, i64, group.lane), four);
  Value entry = arith::AndIOp::create(b, loc, arith::ShRUIOp::create(b, loc, bits, place), fifteen);
  return arith::TruncIOp::create(b, loc, b.getI32Type(), entry);
}

Value LaneShuffle::bit(int64_t bits) {
  Value shifted = arith::ShRUIOp::create(b, loc, constant(bits), group.lane);
  return arith::TruncIOp::create(b, loc, b.getI1Type(), shifted);
}

Value LaneShuffle::moveWord(Value word, Value operand, NVVM::ShflKind kind) {
  return NVVM::ShflOp::create(b, loc, word.getType(), group.mask, word, operand, constant(kSegment), kind, UnitAttr());
}

Value LaneShuffle::move(Value value, Value operand, NVVM::ShflKind kind) {
  Type type = value.getType(), i32 = b.getI32Type(), i64 = b.getI64Type();
  if (type.isF32() || type == i32)
    return moveWord(value, operand, kind);
  if (type.isIndex()) {
    Value moved = move(arith::IndexCastOp::create(b, loc, i64, value), operand, kind);
    return arith::IndexCastOp::create(b, loc, type, moved);
  }
  if (isa<FloatType>(type)) {
    auto bits = b.getIntegerType(type.getIntOrFloatBitWidth());
    Value moved = move(arith::BitcastOp::create(b, loc, bits, value), operand, kind);
    return arith::BitcastOp::create(b, loc, type, moved);
  }
  if (type.getIntOrFloatBitWidth() < 32) {
    Value moved = moveWord(arith::ExtUIOp::create(b, loc, i32, value), operand, kind);
    return arith::TruncIOp::create(b, loc, type, moved);
  }
  assert(type == i64 && "lanes hold at most 64 bits");
  Value half = arith::ConstantIntOp::create(b, loc, 32, 64);
  Value low = moveWord(arith::TruncIOp::create(b, loc, i32, value), operand, kind);
  Value upper = arith::ShRUIOp::create(b, loc, value, half);
  Value high = moveWord(arith::TruncIOp::create(b, loc, i32, upper), operand, kind);
  Value shifted = arith::ShLIOp::create(b, loc, arith::ExtUIOp::create(b, loc, i64, high), half);
  return arith::OrIOp::create(b, loc, arith::ExtUIOp::create(b, loc, i64, low), shifted);
}

} // namespace weft
