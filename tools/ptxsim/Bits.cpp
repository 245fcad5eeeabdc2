// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "tools/ptxsim/Bits.h"

#include "tools/ptxsim/matrix/Element.h"

#include <algorithm>

namespace weft::ptxsim {
namespace {

/// `scaled` >= 0 to an integer.
double roundMagnitude(double scaled, Rounding rounding, bool negative) {
  double floor = std::floor(scaled), rest = scaled - floor;
  bool up = false;
  switch (rounding) {
  case Rounding::NearestEven:
    up = rest > 0.5 || (rest == 0.5 && std::fmod(floor, 2) == 1);
    break;
  case Rounding::NearestAway:
    up = rest >= 0.5;
    break;
  case Rounding::Zero:
    break;
  case Rounding::Down:
    up = negative && rest > 0;
    break;
  case Rounding::Up:
    up = !negative && rest > 0;
    break;
  }
  return floor + up;
}

bool overflowsToInfinity(Rounding rounding, bool negative) {
  return rounding == Rounding::NearestEven || rounding == Rounding::NearestAway ||
         (rounding == Rounding::Up && !negative) || (rounding == Rounding::Down && negative);
}

} // namespace

uint32_t encode(const SmallFormat &format, double value, Rounding rounding, bool saturate) {
  int bias = (1 << (format.exponentBits - 1)) - 1, top = (1 << format.exponentBits) - 1;
  uint32_t sign = uint32_t(std::signbit(value)) << (format.exponentBits + format.mantissaBits);
  uint32_t infinity = uint32_t(top) << format.mantissaBits;
  uint32_t nan = infinity | ((1u << format.mantissaBits) - 1);
  uint32_t largest = format.infinity ? infinity - 1 : nan - 1;
  if (value != value)
    return nan;
  double magnitude = std::fabs(value);
  if (std::isinf(magnitude))
    return saturate || !format.infinity ? sign | largest : sign | infinity;
  if (magnitude == 0)
    return sign;
  // The exponent of a unit in the last place.
  int unit = std::max(std::ilogb(magnitude), 1 - bias) - format.mantissaBits;
  double steps = roundMagnitude(std::ldexp(magnitude, -unit), rounding, sign != 0);
  // Steps run over into the next exponent by themselves: the bits of neighbours differ by one.
  uint64_t bits = (uint64_t(unit + format.mantissaBits + bias - 1) << format.mantissaBits) + uint64_t(steps);
  if (bits > largest) {
    bool towards = overflowsToInfinity(rounding, sign != 0);
    return sign | (saturate || !towards ? largest : format.infinity ? infinity : nan);
  }
  return sign | uint32_t(bits);
}

double decode(const SmallFormat &format, uint32_t bits) {
  int bias = (1 << (format.exponentBits - 1)) - 1, top = (1 << format.exponentBits) - 1;
  uint32_t mantissa = bits & ((1u << format.mantissaBits) - 1);
  int exponent = int(bits >> format.mantissaBits) & top;
  bool negative = (bits >> (format.exponentBits + format.mantissaBits)) & 1;
  double result;
  if (exponent == top && format.infinity)
    result = mantissa ? std::nan("") : std::ldexp(1.0, 2000);
  else if (exponent == top && mantissa == (1u << format.mantissaBits) - 1)
    result = std::nan("");
  else if (exponent == 0)
    result = std::ldexp(double(mantissa), 1 - bias - format.mantissaBits);
  else
    result = std::ldexp(double(mantissa + (1u << format.mantissaBits)), exponent - bias - format.mantissaBits);
  return negative ? -result : result;
}

float halfToFloat(uint16_t bits) { return decodeElement(Element::F16, bits); }

uint16_t halfFromDouble(double value) {
  float narrow = float(value);
  if (double(narrow) == value || value != value)
    return encodeF16(narrow);
  return uint16_t(encode(kFormatF16, value, Rounding::NearestEven, false));
}

uint16_t bfloatFromDouble(double value) {
  float narrow = float(value);
  if (double(narrow) == value || value != value)
    return encodeBF16(narrow);
  return uint16_t(encode(kFormatBF16, value, Rounding::NearestEven, false));
}

double addToOdd(double x, double y) {
  double sum = x + y;
  if (!std::isfinite(sum))
    return sum;
  double part = sum - x;
  double error = (x - (sum - part)) + (y - part);
  uint64_t bits = std::bit_cast<uint64_t>(sum);
  if (error == 0 || (bits & 1))
    return sum;
  // The exact sum lies between sum and its neighbour on the error's side, which is odd.
  bool outwards = (error > 0) == (sum > 0);
  return std::bit_cast<double>(outwards ? bits + 1 : bits - 1);
}

uint64_t immediateBits(const Operand &operand, Type type) {
  if (!operand.floating)
    return lowBits(operand.value, type == Type::Pred ? 1 : std::min(bitsOf(type), 64));
  double value = std::bit_cast<double>(operand.value);
  switch (type) {
  case Type::F16:
    return halfFromDouble(value);
  case Type::BF16:
    return bfloatFromDouble(value);
  default:
    // A constant with the bits of a number, in an instruction that knows bits alone.
    return bitsOf(type) == 64 ? operand.value : bitsFrom(float(value));
  }
}

} // namespace weft::ptxsim
