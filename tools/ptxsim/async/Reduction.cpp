// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ptxsim/async/Reduction.h"

#include "tools/ptxsim/matrix/Element.h"

#include <cmath>
#include <cstring>
#include <type_traits>

namespace weft::ptxsim {
namespace {

template <typename Value> bool isNan(Value value) {
  if constexpr (std::is_floating_point_v<Value>)
    return std::isnan(value);
  else
    return false;
}

template <typename Value> Value combine(Reduction::Op op, Value left, Value right) {
  switch (op) {
  case Reduction::Op::Add:
    if constexpr (std::is_integral_v<Value>) // wraps
      return Value(std::make_unsigned_t<Value>(left) + std::make_unsigned_t<Value>(right));
    else
      return left + right;
  case Reduction::Op::Min: // of a number and NaN: the number
    return right < left || isNan(left) ? right : left;
  case Reduction::Op::Max:
    return right > left || isNan(left) ? right : left;
  default:
    return left;
  }
}

template <typename Value> Value combineInteger(Reduction::Op op, Value left, Value right) {
  switch (op) {
  case Reduction::Op::Inc: // PTX ISA, "atom": wraps to 0 above the operand, to the operand below 0
    return left >= right ? Value(0) : Value(left + 1);
  case Reduction::Op::Dec:
    return left == 0 || left > right ? right : Value(left - 1);
  case Reduction::Op::And:
    return left & right;
  case Reduction::Op::Or:
    return left | right;
  case Reduction::Op::Xor:
    return left ^ right;
  default:
    return combine(op, left, right);
  }
}

template <typename Value, typename Combine>
void applyTo(std::byte *target, const std::byte *operand, uint32_t bytes, Combine body) {
  for (uint32_t at = 0; at + sizeof(Value) <= bytes; at += sizeof(Value)) {
    Value left, right;
    std::memcpy(&left, target + at, sizeof left);
    std::memcpy(&right, operand + at, sizeof right);
    left = body(left, right);
    std::memcpy(target + at, &left, sizeof left);
  }
}

} // namespace

void Reduction::apply(std::byte *target, const std::byte *operand, uint32_t bytes) const {
  auto number = [&](auto left, auto right) { return combine(op, left, right); };
  auto integer = [&](auto left, auto right) { return combineInteger(op, left, right); };
  switch (type) {
  case Type::F16:
    return applyTo<uint16_t>(target, operand, bytes, [&](uint16_t left, uint16_t right) {
      return encodeF16(combine(op, decodeElement(Element::F16, left), decodeElement(Element::F16, right)));
    });
  case Type::BF16:
    return applyTo<uint16_t>(target, operand, bytes, [&](uint16_t left, uint16_t right) {
      return encodeBF16(combine(op, decodeElement(Element::BF16, left), decodeElement(Element::BF16, right)));
    });
  case Type::F32:
    return applyTo<float>(target, operand, bytes, number);
  case Type::F64:
    return applyTo<double>(target, operand, bytes, number);
  case Type::B16:
    return applyTo<uint16_t>(target, operand, bytes, integer);
  case Type::S32:
    return applyTo<int32_t>(target, operand, bytes, integer);
  case Type::S64:
    return applyTo<int64_t>(target, operand, bytes, integer);
  case Type::U8:
    return applyTo<uint8_t>(target, operand, bytes, integer);
  case Type::U16:
    return applyTo<uint16_t>(target, operand, bytes, integer);
  case Type::U64:
  case Type::B64:
    return applyTo<uint64_t>(target, operand, bytes, integer);
  default:
    return applyTo<uint32_t>(target, operand, bytes, integer);
  }
}

} // namespace weft::ptxsim
