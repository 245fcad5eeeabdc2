// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ptxsim/matrix/Element.h"

#include <bit>
#include <cmath>
#include <limits>

namespace weft::ptxsim {

std::optional<Element> elementOf(std::string_view name) {
  static constexpr struct {
    std::string_view name;
    Element element;
  } kNames[] = {{"f16", Element::F16}, {"bf16", Element::BF16}, {"tf32", Element::TF32}, {"f32", Element::F32},
                {"f64", Element::F64}, {"e4m3", Element::E4M3}, {"e5m2", Element::E5M2}, {"s8", Element::S8},
                {"u8", Element::U8},   {"s4", Element::S4},     {"u4", Element::U4},     {"s32", Element::S32}};
  for (const auto &entry : kNames)
    if (entry.name == name)
      return entry.element;
  return std::nullopt;
}

int bitsOf(Element element) {
  switch (element) {
  case Element::F64:
    return 64;
  case Element::TF32:
  case Element::F32:
  case Element::S32:
    return 32;
  case Element::F16:
  case Element::BF16:
    return 16;
  case Element::S4:
  case Element::U4:
    return 4;
  default:
    return 8;
  }
}

bool isInteger(Element element) {
  return element == Element::S8 || element == Element::U8 || element == Element::S4 || element == Element::U4 ||
         element == Element::S32;
}

/// A sign, then `exponentBits`, then `mantissaBits`, with subnormal numbers; infinity and NaN are the caller's.
static float decodeSmall(uint32_t bits, int exponentBits, int mantissaBits) {
  int bias = (1 << (exponentBits - 1)) - 1;
  uint32_t mantissa = bits & ((1u << mantissaBits) - 1);
  int exponent = int(bits >> mantissaBits) & ((1 << exponentBits) - 1);
  float magnitude = exponent ? std::ldexp(float(mantissa + (1u << mantissaBits)), exponent - bias - mantissaBits)
                             : std::ldexp(float(mantissa), 1 - bias - mantissaBits);
  return (bits >> (exponentBits + mantissaBits)) & 1 ? -magnitude : magnitude;
}

static float decodeF16(uint32_t bits) {
  uint32_t sign = (bits & 0x8000) << 16, exponent = (bits >> 10) & 31, mantissa = bits & 0x3ff;
  if (exponent == 31)
    return std::bit_cast<float>(sign | 0x7f800000 | mantissa << 13);
  if (exponent == 0)
    return decodeSmall(bits, 5, 10);
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

/// e4m3 has no infinity: 0x7f and 0xff are NaN and all other patterns are numbers.
static float decodeE4M3(uint32_t bits) {
  if ((bits & 0x7f) == 0x7f)
    return std::numeric_limits<float>::quiet_NaN();
  return decodeSmall(bits & 0xff, 4, 3);
}

float decodeElement(Element element, uint32_t bits) {
  switch (element) {
  case Element::F16:
    return decodeF16(bits);
  case Element::BF16:
    return std::bit_cast<float>(bits << 16);
  case Element::TF32:
    return std::bit_cast<float>(bits & 0xffffe000u);
  case Element::F32:
    return std::bit_cast<float>(bits);
  case Element::E4M3:
    return decodeE4M3(bits);
  case Element::E5M2: // the upper byte of an f16
    return decodeF16((bits & 0xff) << 8);
  case Element::S8:
    return float(int8_t(bits));
  case Element::U8:
    return float(uint8_t(bits));
  case Element::S4:
    return float(int8_t(bits << 4) >> 4);
  case Element::U4:
    return float(bits & 15);
  case Element::S32:
    return float(int32_t(bits));
  case Element::F64:
    break;
  }
  return std::numeric_limits<float>::quiet_NaN();
}

uint16_t encodeF16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value), sign = (bits >> 16) & 0x8000;
  if (std::isnan(value))
    return 0x7fff;
  float magnitude = std::fabs(value);
  if (magnitude >= 65520.0f) // half way between the largest number and the next power of two
    return uint16_t(sign | 0x7c00);
  if (magnitude < 0x1p-14f) // multiples of 2^-24; nearbyint rounds ties to even
    return uint16_t(sign | uint32_t(std::nearbyint(magnitude * 0x1p24f)));
  uint32_t rounded = (bits & 0x7fffffff) + 0xfff + ((bits >> 13) & 1);
  return uint16_t(sign | ((rounded >> 13) - (112 << 10)));
}

uint16_t encodeBF16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value))
    return 0x7fff;
  return uint16_t((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

} // namespace weft::ptxsim
