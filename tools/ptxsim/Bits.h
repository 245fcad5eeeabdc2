// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values as bits: between the words of a row and the numbers of C++, and rounding to the small formats.
#ifndef WEFT_TOOLS_PTXSIM_BITS_H
#define WEFT_TOOLS_PTXSIM_BITS_H

#include "tools/ptxsim/Statement.h"

#include <bit>
#include <cmath>
#include <type_traits>

namespace weft::ptxsim {

constexpr uint32_t kNanF32 = 0x7fffffff;
constexpr uint16_t kNanF16 = 0x7fff;

template <class T> inline T valueOf(uint64_t bits) {
  if constexpr (std::is_same_v<T, float>)
    return std::bit_cast<float>(uint32_t(bits));
  else if constexpr (std::is_same_v<T, double>)
    return std::bit_cast<double>(bits);
  else
    return T(bits);
}

template <class T> inline uint64_t bitsFrom(T value) {
  if constexpr (std::is_same_v<T, float>)
    return std::bit_cast<uint32_t>(value);
  else if constexpr (std::is_same_v<T, double>)
    return std::bit_cast<uint64_t>(value);
  else
    return std::make_unsigned_t<T>(value);
}

/// The lowest `bits` bits.
inline uint64_t lowBits(uint64_t value, int bits) { return bits >= 64 ? value : value & ((uint64_t(1) << bits) - 1); }
inline int64_t signExtended(uint64_t value, int bits) {
  return bits >= 64 ? int64_t(value) : int64_t(value << (64 - bits)) >> (64 - bits);
}

enum class Rounding : uint8_t { NearestEven, Zero, Down, Up, NearestAway };

/// A binary format of at most 32 bits.
struct SmallFormat {
  int exponentBits, mantissaBits;
  bool infinity; ///< false: e4m3, whose largest exponent holds numbers
};
constexpr SmallFormat kFormatF16{5, 10, true};
constexpr SmallFormat kFormatBF16{8, 7, true};
constexpr SmallFormat kFormatTF32{8, 10, true};
constexpr SmallFormat kFormatE4M3{4, 3, false};
constexpr SmallFormat kFormatE5M2{5, 2, true};

/// The number of `format` next to `value`; beyond the largest one infinity as IEEE 754 says, or with `saturate` the
/// largest. NaN is the canonical one. The bits are the format's own, without padding.
uint32_t encode(const SmallFormat &format, double value, Rounding rounding, bool saturate);
double decode(const SmallFormat &format, uint32_t bits);

float halfToFloat(uint16_t bits);
inline float bfloatToFloat(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }
uint16_t halfFromDouble(double value);
uint16_t bfloatFromDouble(double value);

/// x + y with a last bit that is 1 where the sum is not exact: rounding it once more rounds the exact sum.
double addToOdd(double x, double y);

inline float flushed(float value) { return std::fabs(value) < 0x1p-126f ? std::copysign(0.0f, value) : value; }
/// 0 to 1; NaN becomes 0.
template <class T> inline T saturated(T value) { return value > T(0) ? (value < T(1) ? value : T(1)) : T(0); }
/// The NaN that PTX's instructions make.
inline float canonical(float value) { return value != value ? std::bit_cast<float>(kNanF32) : value; }
inline double canonical(double value) { return value; }

/// An immediate as the bits of a row of `type`.
uint64_t immediateBits(const Operand &operand, Type type);

} // namespace weft::ptxsim

#endif // WEFT_TOOLS_PTXSIM_BITS_H
