// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// .rz, .rm and .rp: the processor computes with its rounding mode changed.
#include "tools/ptxsim/instructions/Rounded.h"

#include <cfenv>

namespace weft::ptxsim {
namespace {

struct RoundedFields : Details {
  Operation operation;
  Rounding rounding;
  bool ftz, sat;
};

int modeOf(Rounding rounding) {
  constexpr int kModes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
  return kModes[static_cast<int>(rounding)];
}

/// Volatile, so that nothing is computed before the mode is set or after it is set back.
template <class T> T compute(Operation operation, T first, T second, T third) {
  volatile T a = first, b = second, c = third;
  volatile T result = 0;
  switch (operation) {
  case Operation::Add:
    result = a + b;
    break;
  case Operation::Sub:
    result = a - b;
    break;
  case Operation::Mul:
    result = a * b;
    break;
  case Operation::Div:
    result = a / b;
    break;
  case Operation::Fma:
    result = std::fma(a, b, c);
    break;
  case Operation::Rcp:
    result = T(1) / a;
    break;
  case Operation::Sqrt:
    result = std::sqrt(a);
    break;
  default:
    break;
  }
  return result;
}

template <class T> Outcome rounded(const Instruction &i, Warp &warp, LaneMask active) {
  const auto &fields = i.as<RoundedFields>();
  uint64_t *result = warp.row(i.destinations[0]);
  auto operand = [&](size_t index, int lane) {
    T value = index < i.sources.size() ? valueOf<T>(warp.row(i.sources[index])[lane]) : T(0);
    return fields.ftz ? T(flushed(float(value))) : value;
  };
  std::fesetround(modeOf(fields.rounding));
  forLanes(active, [&](int lane) {
    T value = canonical(compute<T>(fields.operation, operand(0, lane), operand(1, lane), operand(2, lane)));
    value = fields.ftz ? T(flushed(float(value))) : value;
    result[lane] = bitsFrom(fields.sat ? saturated(value) : value);
  });
  std::fesetround(FE_TONEAREST);
  return Outcome::Next;
}

} // namespace

void decodeRounded(Decoder &d, Operation operation, Type type, Rounding rounding, bool ftz, bool sat) {
  auto fields = std::make_shared<RoundedFields>();
  fields->operation = operation;
  fields->rounding = rounding;
  fields->ftz = ftz;
  fields->sat = sat;
  d.instruction.details = fields;
  d.instruction.execute = type == Type::F64 ? rounded<double> : rounded<float>;
}

} // namespace weft::ptxsim
