// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Approximations of f32, f64 and the halves: ex2, lg2, sin, cos, tanh, rcp, sqrt, rsqrt, div.approx, div.full. Each is
// the exact value rounded, where a GPU's may differ in the last places that the PTX ISA allows.
#include "tools/ptxsim/instructions/Rounded.h"

namespace weft::ptxsim {
namespace {

float exp2Of(float a) { return float(std::exp2(double(a))); }
float log2Of(float a) { return float(std::log2(double(a))); }
float sinOf(float a) { return float(std::sin(double(a))); }
float cosOf(float a) { return float(std::cos(double(a))); }
float tanhOf(float a) { return float(std::tanh(double(a))); }
float rcpOf(float a) { return 1.0f / a; }
float sqrtOf(float a) { return std::sqrt(a); }
float rsqrtOf(float a) { return float(1.0 / std::sqrt(double(a))); }

template <auto F> float kept(float a) { return canonical(F(a)); }
template <auto F> float ftz(float a) { return flushed(canonical(F(flushed(a)))); }
template <auto F> Execute single(bool flush) { return flush ? map1<float, ftz<F>> : map1<float, kept<F>>; }

template <auto F> uint16_t ofHalf(uint16_t a) { return halfFromDouble(F(halfToFloat(a))); }
template <auto F> uint16_t ofBfloat(uint16_t a) { return bfloatFromDouble(F(bfloatToFloat(a))); }
template <auto F> uint32_t both(uint32_t a) { return uint32_t(F(uint16_t(a))) | uint32_t(F(uint16_t(a >> 16))) << 16; }

template <auto F> Execute ofType(Type type, bool flush) {
  switch (type) {
  case Type::F32:
    return single<F>(flush);
  case Type::F16:
    return map1<uint16_t, ofHalf<F>>;
  case Type::BF16:
    return map1<uint16_t, ofBfloat<F>>;
  case Type::F16x2:
    return map1<uint32_t, both<ofHalf<F>>>;
  case Type::BF16x2:
    return map1<uint32_t, both<ofBfloat<F>>>;
  default:
    return nullptr;
  }
}

template <auto F, bool Halves> void decodeFunction(Decoder &d) {
  d.take("approx");
  bool flush = d.take("ftz");
  Type type = d.takeType();
  takeOperands(d, type, 1);
  if (type == Type::F32 || Halves)
    d.instruction.execute = ofType<F>(type, flush);
}

/// The upper 32 bits of a double, as rcp and rsqrt.approx.ftz.f64 see and give.
double upperHalf(double value) { return std::bit_cast<double>(std::bit_cast<uint64_t>(value) & 0xffffffff00000000); }
double flushedDouble(double value) { return std::fabs(value) < 0x1p-1022 ? std::copysign(0.0, value) : value; }
double rcpDouble(double a) { return flushedDouble(upperHalf(1.0 / flushedDouble(upperHalf(a)))); }
double rsqrtDouble(double a) { return 1.0 / std::sqrt(a); }
double rsqrtDoubleFtz(double a) { return flushedDouble(upperHalf(1.0 / std::sqrt(flushedDouble(upperHalf(a))))); }

/// rsqrt of f64 exists as .approx and .approx.ftz only.
void decodeRsqrt(Decoder &d) {
  d.take("approx");
  bool flush = d.take("ftz");
  Type type = d.takeType();
  takeOperands(d, type, 1);
  if (type == Type::F64)
    d.instruction.execute = flush ? map1<double, rsqrtDoubleFtz> : map1<double, rsqrtDouble>;
  else if (type == Type::F32)
    d.instruction.execute = single<rsqrtOf>(flush);
}

float quotient(float a, float b) { return canonical(a / b); }
float quotientFtz(float a, float b) { return flushed(canonical(flushed(a) / flushed(b))); }
/// .approx multiplies by the reciprocal, which vanishes for divisors above 2^126.
float approximate(float a, float b) {
  if (std::fabs(b) > 0x1p126f && !std::isinf(b))
    return std::isinf(a) ? std::bit_cast<float>(kNanF32)
                         : std::copysign(0.0f, std::signbit(a) != std::signbit(b) ? -1.f : 1.f);
  return quotient(a, b);
}
float approximateFtz(float a, float b) { return flushed(approximate(flushed(a), flushed(b))); }

} // namespace

bool decodeApproximation(Decoder &d) {
  bool full = d.take("full");
  if (!full && !d.take("approx"))
    return false;
  bool flush = d.take("ftz");
  Type type = d.takeType();
  const std::string &opcode = d.statement.opcode;
  if (opcode == "div") {
    takeOperands(d, type, 2);
    if (type == Type::F32)
      d.instruction.execute = full ? (flush ? map2<float, quotientFtz> : map2<float, quotient>)
                                   : (flush ? map2<float, approximateFtz> : map2<float, approximate>);
    return true;
  }
  takeOperands(d, type, 1);
  if (type == Type::F64 && opcode == "rcp" && flush)
    d.instruction.execute = map1<double, rcpDouble>;
  if (type == Type::F32 && !full)
    d.instruction.execute = opcode == "rcp" ? single<rcpOf>(flush) : single<sqrtOf>(flush);
  return true;
}

void registerTranscendentals(Registry &registry) {
  registry.add("ex2", decodeFunction<exp2Of, true>);
  registry.add("lg2", decodeFunction<log2Of, false>);
  registry.add("sin", decodeFunction<sinOf, false>);
  registry.add("cos", decodeFunction<cosOf, false>);
  registry.add("tanh", decodeFunction<tanhOf, true>);
  registry.add("rsqrt", decodeRsqrt);
}

} // namespace weft::ptxsim
