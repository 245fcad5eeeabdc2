// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stored weights as float32, exactly where float32 can hold them.
#ifndef WEFT_FRONTENDS_WEIGHTS_FLOATVALUES_H
#define WEFT_FRONTENDS_WEIGHTS_FLOATVALUES_H

#include "frontends/diagnostic/Diagnostic.h"
#include "frontends/weights/Safetensors.h"

#include <bit>
#include <cstdint>
#include <span>

namespace weft {

/// A bfloat16 is the upper half of a float32.
inline float floatFromBF16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

/// Exact, subnormals, infinities and NaNs included.
inline float floatFromF16(uint16_t bits) {
  // With the fields moved into place the number is 2^(127 - 15) too small, subnormals included: one product mends both.
  constexpr float kRebias = 0x1p112f;
  uint32_t magnitude = static_cast<uint32_t>(bits & 0x7FFF) << 13;
  uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  if ((bits & 0x7C00) == 0x7C00) // infinity and NaN: the exponent is all ones in float32 too
    return std::bit_cast<float>(sign | magnitude | 0x7F800000);
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) * kRebias));
}

/// Rounded to nearest even; a NaN stays one.
inline uint16_t bf16FromFloat(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000)
    return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/// Rounded to nearest even, subnormals included; infinity from 65520 on; a NaN stays one.
inline uint16_t f16FromFloat(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value), magnitude = bits & 0x7FFFFFFF;
  uint32_t sign = bits >> 16 & 0x8000;
  if (magnitude > 0x7F800000)
    return static_cast<uint16_t>(sign | 0x7E00);
  if (magnitude >= 0x477FF000)
    return static_cast<uint16_t>(sign | 0x7C00);
  if (magnitude < 0x38800000) // subnormal: adding 0.5 shifts and rounds
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3F000000));
  return static_cast<uint16_t>(sign | (magnitude - 0x38000000 + 0xFFF + (magnitude >> 13 & 1)) >> 13);
}

/// E2M1: ± 0, 0.5, 1, 1.5, 2, 3, 4 or 6, by the sign, two bits of exponent and one of mantissa.
inline float floatFromF4(uint8_t bits) {
  constexpr float kMagnitudes[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
  float magnitude = kMagnitudes[bits & 7];
  return bits & 8 ? -magnitude : magnitude;
}

/// 2^(bits − 127); 255 is NaN.
inline float floatFromE8M0(uint8_t bits) {
  return std::bit_cast<float>(bits == 0 ? 0x00400000u : bits == 255 ? 0x7FC00000u : static_cast<uint32_t>(bits) << 23);
}

/// Fills out, which has as many elements as the tensor, from F32, F16, BF16, F64 (rounded to nearest) or F4 with
/// scales. Errors: W0135 for another dtype, or for a finite value beyond float32.
Result<void> readF32(const TensorView &tensor, std::span<float> out);

} // namespace weft

#endif // WEFT_FRONTENDS_WEIGHTS_FLOATVALUES_H
