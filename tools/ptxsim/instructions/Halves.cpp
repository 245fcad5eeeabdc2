// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// f16, bf16 and their pairs: add, sub, mul, fma, min, max, neg, abs. Each result is the exact one rounded once.
#include "tools/ptxsim/instructions/Lanes.h"

namespace weft::ptxsim {
namespace {

struct Half {
  static double load(uint16_t bits) { return halfToFloat(bits); }
  static uint16_t store(double value) { return halfFromDouble(value); }
  static constexpr double kSmallest = 0x1p-14; ///< normal number
};
struct Bfloat {
  static double load(uint16_t bits) { return bfloatToFloat(bits); }
  static uint16_t store(double value) { return bfloatFromDouble(value); }
  static constexpr double kSmallest = 0x1p-126;
};

template <class Format> double flushedTo(double value) {
  return std::fabs(value) < Format::kSmallest ? std::copysign(0.0, value) : value;
}

/// Fields in Instruction::flags.
enum : uint32_t { kFtz = 1, kSat = 2, kRelu = 4, kNan = 8, kXorSign = 16 };

/// Products of two halves are exact in a double; their sum with a third is rounded to odd, then to the format.
double exact(Operation operation, double a, double b, double c) {
  switch (operation) {
  case Operation::Add:
    return addToOdd(a, b);
  case Operation::Sub:
    return addToOdd(a, -b);
  case Operation::Mul:
    return a * b;
  default:
    return addToOdd(a * b, c);
  }
}

template <class Format> uint16_t arithmetic(Operation operation, uint32_t flags, uint16_t a, uint16_t b, uint16_t c) {
  auto load = [&](uint16_t bits) {
    double value = Format::load(bits);
    return flags & kFtz ? flushedTo<Format>(value) : value;
  };
  double value = exact(operation, load(a), load(b), load(c));
  uint16_t result = Format::store(value);
  if (flags & (kFtz | kSat | kRelu)) {
    double stored = Format::load(result);
    stored = flags & kFtz ? flushedTo<Format>(stored) : stored;
    stored = flags & kSat ? saturated(stored) : stored;
    if ((flags & kRelu) && stored < 0)
      stored = 0;
    result = Format::store(stored);
  }
  return result;
}

template <class Format> uint16_t extremum(bool greatest, uint32_t flags, uint16_t a, uint16_t b) {
  double x = Format::load(a), y = Format::load(b);
  if (flags & kFtz)
    x = flushedTo<Format>(x), y = flushedTo<Format>(y);
  bool minus = (flags & kXorSign) && std::signbit(x) != std::signbit(y);
  if (flags & kXorSign)
    x = std::fabs(x), y = std::fabs(y);
  if ((x != x && y != y) || ((flags & kNan) && (x != x || y != y)))
    return kNanF16;
  bool takeX = y != y || (greatest ? x > y || (x == y && !std::signbit(x)) : x < y || (x == y && std::signbit(x)));
  double result = takeX ? x : y;
  return Format::store(minus ? -result : result);
}

template <class Format> uint16_t one(Operation operation, uint32_t flags, uint16_t a, uint16_t b, uint16_t c) {
  switch (operation) {
  case Operation::Neg:
    return a ^ 0x8000;
  case Operation::Abs:
    return a & 0x7fff;
  case Operation::Min:
  case Operation::Max:
    return extremum<Format>(operation == Operation::Max, flags, a, b);
  default:
    return arithmetic<Format>(operation, flags, a, b, c);
  }
}

template <class Format, Operation Op, bool Pair> Outcome half(const Instruction &i, Warp &warp, LaneMask active) {
  constexpr size_t kSources = Op == Operation::Fma ? 3 : Op == Operation::Neg || Op == Operation::Abs ? 1 : 2;
  const uint64_t *a = warp.row(i.sources[0]), *b = warp.row(i.sources[kSources > 1 ? 1 : 0]),
                 *c = warp.row(i.sources[kSources - 1]);
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) {
    uint64_t low = one<Format>(Op, i.flags, uint16_t(a[lane]), uint16_t(b[lane]), uint16_t(c[lane])), high = 0;
    if constexpr (Pair)
      high = one<Format>(Op, i.flags, uint16_t(a[lane] >> 16), uint16_t(b[lane] >> 16), uint16_t(c[lane] >> 16));
    result[lane] = low | high << 16;
  });
  return Outcome::Next;
}

template <Operation Op> Execute handler(Type type) {
  switch (type) {
  case Type::F16:
    return half<Half, Op, false>;
  case Type::BF16:
    return half<Bfloat, Op, false>;
  case Type::F16x2:
    return half<Half, Op, true>;
  case Type::BF16x2:
    return half<Bfloat, Op, true>;
  default:
    return nullptr;
  }
}

Execute handler(Operation operation, Type type) {
  switch (operation) {
  case Operation::Add:
    return handler<Operation::Add>(type);
  case Operation::Sub:
    return handler<Operation::Sub>(type);
  case Operation::Mul:
    return handler<Operation::Mul>(type);
  case Operation::Fma:
    return handler<Operation::Fma>(type);
  case Operation::Min:
    return handler<Operation::Min>(type);
  case Operation::Max:
    return handler<Operation::Max>(type);
  case Operation::Neg:
    return handler<Operation::Neg>(type);
  case Operation::Abs:
    return handler<Operation::Abs>(type);
  default:
    return nullptr;
  }
}

} // namespace

void decodeHalf(Decoder &d, Operation operation, Type type) {
  constexpr std::pair<std::string_view, uint32_t> kFlags[] = {
      {"ftz", kFtz}, {"sat", kSat}, {"relu", kRelu}, {"NaN", kNan}};
  for (auto [name, flag] : kFlags)
    if (d.take(name))
      d.instruction.flags |= flag;
  if (d.take("xorsign") && d.take("abs"))
    d.instruction.flags |= kXorSign;
  d.take("rn");
  bool unary = operation == Operation::Neg || operation == Operation::Abs;
  takeOperands(d, type, operation == Operation::Fma ? 3 : unary ? 1 : 2);
  d.instruction.execute = handler(operation, type);
}

} // namespace weft::ptxsim
