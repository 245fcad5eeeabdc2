// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// f32 and f64: add, sub, mul, fma, mad, min, max, neg, abs, and div, rcp, sqrt with a rounding mode. The other types of
// these opcodes are in Integers.cpp and Halves.cpp, the approximations in Transcendentals.cpp.
#include "tools/ptxsim/instructions/Lanes.h"
#include "tools/ptxsim/instructions/Rounded.h"

namespace weft::ptxsim {
namespace {

struct AddOf {
  template <class T> static T apply(T a, T b) { return a + b; }
};
struct SubOf {
  template <class T> static T apply(T a, T b) { return a - b; }
};
struct MulOf {
  template <class T> static T apply(T a, T b) { return a * b; }
};
struct DivOf {
  template <class T> static T apply(T a, T b) { return a / b; }
};
/// A NaN gives way to a number; -0 is less than +0.
struct MinOf {
  template <class T> static T apply(T a, T b) {
    bool takeA = b != b || a < b || (a == b && std::signbit(a));
    return takeA ? a : b;
  }
};
struct MaxOf {
  template <class T> static T apply(T a, T b) {
    bool takeA = b != b || a > b || (a == b && !std::signbit(a));
    return takeA ? a : b;
  }
};
template <class Op> struct OrNan {
  template <class T> static T apply(T a, T b) { return a != a ? a : b != b ? b : Op::template apply<T>(a, b); }
};
template <class Op> struct XorSign {
  template <class T> static T apply(T a, T b) {
    T magnitude = Op::template apply<T>(std::fabs(a), std::fabs(b));
    return std::signbit(a) != std::signbit(b) ? -magnitude : magnitude;
  }
};
struct NegOf {
  template <class T> static T apply(T a) { return -a; }
};
struct AbsOf {
  template <class T> static T apply(T a) { return std::fabs(a); }
};
struct RcpOf {
  template <class T> static T apply(T a) { return T(1) / a; }
};
struct SqrtOf {
  template <class T> static T apply(T a) { return std::sqrt(a); }
};

template <class Op, class T, bool Ftz, bool Sat, class... Args> inline T finish(Args... args) {
  T value;
  if constexpr (Ftz)
    value = flushed(canonical(Op::template apply<T>(flushed(args)...)));
  else
    value = canonical(Op::template apply<T>(args...));
  return Sat ? saturated(value) : value;
}

template <class Op, class T, bool Ftz, bool Sat> T apply1(T a) { return finish<Op, T, Ftz, Sat>(a); }
template <class Op, class T, bool Ftz, bool Sat> T apply2(T a, T b) { return finish<Op, T, Ftz, Sat>(a, b); }

template <class Op> Execute unary(Type type, bool ftz) {
  if (type == Type::F64)
    return map1<double, apply1<Op, double, false, false>>;
  return ftz ? map1<float, apply1<Op, float, true, false>> : map1<float, apply1<Op, float, false, false>>;
}

template <class Op> Execute binary(Type type, bool ftz, bool sat) {
  if (type == Type::F64)
    return map2<double, apply2<Op, double, false, false>>;
  if (sat)
    return ftz ? map2<float, apply2<Op, float, true, true>> : map2<float, apply2<Op, float, false, true>>;
  return ftz ? map2<float, apply2<Op, float, true, false>> : map2<float, apply2<Op, float, false, false>>;
}

struct FmaOf {
  template <class T> static T apply(T a, T b, T c) { return std::fma(a, b, c); }
};
template <class T, bool Ftz, bool Sat> T fmaOf(T a, T b, T c) { return finish<FmaOf, T, Ftz, Sat>(a, b, c); }

Execute fused(Type type, bool ftz, bool sat) {
  if (type == Type::F64)
    return map3<double, fmaOf<double, false, false>>;
  if (sat)
    return ftz ? map3<float, fmaOf<float, true, true>> : map3<float, fmaOf<float, false, true>>;
  return ftz ? map3<float, fmaOf<float, true, false>> : map3<float, fmaOf<float, false, false>>;
}

template <class Op> Execute extremum(Type type, bool ftz, bool nan, bool xorSign) {
  if (xorSign)
    return nan ? binary<XorSign<OrNan<Op>>>(type, ftz, false) : binary<XorSign<Op>>(type, ftz, false);
  return nan ? binary<OrNan<Op>>(type, ftz, false) : binary<Op>(type, ftz, false);
}

Execute nearest(Operation operation, Type type, bool ftz, bool sat) {
  switch (operation) {
  case Operation::Add:
    return binary<AddOf>(type, ftz, sat);
  case Operation::Sub:
    return binary<SubOf>(type, ftz, sat);
  case Operation::Mul:
    return binary<MulOf>(type, ftz, sat);
  case Operation::Div:
    return binary<DivOf>(type, ftz, false);
  case Operation::Fma:
    return fused(type, ftz, sat);
  case Operation::Neg:
    return unary<NegOf>(type, ftz);
  case Operation::Abs:
    return unary<AbsOf>(type, ftz);
  case Operation::Rcp:
    return unary<RcpOf>(type, ftz);
  case Operation::Sqrt:
    return unary<SqrtOf>(type, ftz);
  default:
    return nullptr;
  }
}

size_t sourcesOf(Operation operation) {
  switch (operation) {
  case Operation::Neg:
  case Operation::Abs:
  case Operation::Rcp:
  case Operation::Sqrt:
    return 1;
  case Operation::Fma:
    return 3;
  default:
    return 2;
  }
}

void decodeFloat(Decoder &d, Operation operation, Type type) {
  bool ftz = d.take("ftz"), single = type == Type::F32;
  if (!single && ftz)
    d.refuse(".ftz is of f32");
  takeOperands(d, type, sourcesOf(operation));
  if (operation == Operation::Min || operation == Operation::Max) {
    bool nan = d.take("NaN"), xorSign = d.take("xorsign") && d.take("abs");
    d.instruction.execute = operation == Operation::Min ? extremum<MinOf>(type, ftz, nan, xorSign)
                                                        : extremum<MaxOf>(type, ftz, nan, xorSign);
    return;
  }
  bool sat = single && d.take("sat");
  int rounding = d.takeOneOf({"rn", "rz", "rm", "rp"});
  if (rounding <= 0)
    d.instruction.execute = nearest(operation, type, ftz, sat);
  else
    decodeRounded(d, operation, type, Rounding(rounding), ftz, sat);
}

template <Operation Op> void decodeArithmetic(Decoder &d) {
  if constexpr (Op == Operation::Div || Op == Operation::Rcp || Op == Operation::Sqrt)
    if (decodeApproximation(d))
      return;
  Type type = d.takeType();
  if (type == Type::F32 || type == Type::F64)
    decodeFloat(d, Op, type);
  else if (isInteger(type) || type == Type::U16x2 || type == Type::S16x2)
    decodeInteger(d, Op, type);
  else
    decodeHalf(d, Op, type);
}

/// mad of floats is fma; of integers it has another form.
void decodeMad(Decoder &d) { decodeArithmetic<Operation::Fma>(d); }

/// min.f32 d, a, b, c is of later targets: refused as an operand too many.
Outcome copySign(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *sign = warp.row(i.sources[0]), *value = warp.row(i.sources[1]);
  uint64_t *result = warp.row(i.destinations[0]), mask = uint64_t(1) << (bitsOf(i.type) - 1);
  forLanes(active, [&](int lane) { result[lane] = (value[lane] & ~mask) | (sign[lane] & mask); });
  return Outcome::Next;
}

void decodeCopysign(Decoder &d) {
  Type type = d.instruction.type = d.takeType();
  if (type != Type::F32 && type != Type::F64)
    d.refuse("it is of f32 and f64");
  takeOperands(d, type, 2);
  d.instruction.execute = copySign;
}

} // namespace

void registerArithmetic(Registry &registry) {
  registry.add("add", decodeArithmetic<Operation::Add>);
  registry.add("sub", decodeArithmetic<Operation::Sub>);
  registry.add("mul", decodeArithmetic<Operation::Mul>);
  registry.add("fma", decodeArithmetic<Operation::Fma>);
  registry.add("mad", decodeMad);
  registry.add("min", decodeArithmetic<Operation::Min>);
  registry.add("max", decodeArithmetic<Operation::Max>);
  registry.add("neg", decodeArithmetic<Operation::Neg>);
  registry.add("abs", decodeArithmetic<Operation::Abs>);
  registry.add("div", decodeArithmetic<Operation::Div>);
  registry.add("rcp", decodeArithmetic<Operation::Rcp>);
  registry.add("sqrt", decodeArithmetic<Operation::Sqrt>);
  registry.add("copysign", decodeCopysign);
}

} // namespace weft::ptxsim
