// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cvt between integers, floats, halves, tf32 and the two 8-bit formats, with every rounding; cvt.pack.
#include "tools/ptxsim/instructions/Lanes.h"
#include "tools/ptxsim/matrix/Element.h"

#include <algorithm>
#include <cfenv>

namespace weft::ptxsim {
namespace {

struct Conversion : Details {
  Rounding rounding = Rounding::NearestEven;
  bool integral = false; ///< .rni and its like: the result is a whole number
  bool ftz = false, sat = false, satfinite = false, relu = false;
};

double load(Type type, uint64_t bits, bool ftz) {
  switch (type) {
  case Type::F16:
    return halfToFloat(uint16_t(bits));
  case Type::BF16:
    return bfloatToFloat(uint16_t(bits));
  case Type::TF32:
  case Type::F32:
    return ftz ? flushed(valueOf<float>(bits)) : valueOf<float>(bits);
  case Type::E4M3:
    return decode(kFormatE4M3, uint8_t(bits));
  case Type::E5M2:
    return decode(kFormatE5M2, uint8_t(bits));
  default:
    return valueOf<double>(bits);
  }
}

/// The float next to a double or an integer, in the processor's rounding mode.
template <class From> float narrow(From value, Rounding rounding) {
  if (rounding == Rounding::NearestEven)
    return float(value);
  constexpr int kModes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD, FE_TONEAREST};
  std::fesetround(kModes[static_cast<int>(rounding)]);
  volatile From from = value;
  volatile float result = float(from);
  std::fesetround(FE_TONEAREST);
  return result;
}

double toWhole(double value, Rounding rounding) {
  switch (rounding) {
  case Rounding::Zero:
    return std::trunc(value);
  case Rounding::Down:
    return std::floor(value);
  case Rounding::Up:
    return std::ceil(value);
  default:
    return std::nearbyint(value);
  }
}

uint64_t storeF32(double value, const Conversion &how) {
  float result = canonical(narrow(value, how.rounding));
  result = how.ftz ? flushed(result) : result;
  if (how.satfinite && std::isinf(result))
    result = std::copysign(0x1.fffffep127f, result);
  return bitsFrom(how.sat ? saturated(result) : result);
}

uint64_t store(Type type, double value, const Conversion &how) {
  if (how.relu && value < 0)
    value = 0;
  if (how.sat && type != Type::F32)
    value = saturated(value);
  switch (type) {
  case Type::F16:
    return encode(kFormatF16, value, how.rounding, how.satfinite);
  case Type::BF16:
    return encode(kFormatBF16, value, how.rounding, how.satfinite);
  case Type::TF32:
    return value != value ? kNanF32 : uint64_t(encode(kFormatTF32, value, how.rounding, how.satfinite)) << 13;
  case Type::E4M3:
    return encode(kFormatE4M3, value, how.rounding, true);
  case Type::E5M2:
    return encode(kFormatE5M2, value, how.rounding, how.satfinite);
  case Type::F32:
    return storeF32(value, how);
  default:
    return bitsFrom(value);
  }
}

/// Clamps to the type's range; not a number becomes 0.
uint64_t storeInteger(Type type, double value, const Conversion &how) {
  int bits = bitsOf(type);
  if (value != value)
    return 0;
  double whole = toWhole(value, how.rounding);
  double low = isSigned(type) ? -std::ldexp(1.0, bits - 1) : 0,
         high = std::ldexp(1.0, isSigned(type) ? bits - 1 : bits);
  if (whole >= high)
    return lowBits(~uint64_t(0), isSigned(type) ? bits - 1 : bits);
  whole = std::max(whole, low);
  return lowBits(isSigned(type) ? uint64_t(int64_t(whole)) : uint64_t(whole), bits);
}

__int128 loadInteger(Type type, uint64_t bits) {
  return isSigned(type) ? __int128(signExtended(bits, bitsOf(type))) : __int128(lowBits(bits, bitsOf(type)));
}

/// A signed result fills a wider register with its sign.
uint64_t widened(Type type, uint64_t bits, int registerBits) {
  return isSigned(type) ? lowBits(uint64_t(signExtended(bits, bitsOf(type))), registerBits)
                        : lowBits(bits, bitsOf(type));
}

Outcome integerToInteger(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]);
  uint64_t *result = warp.row(i.destinations[0]);
  bool from = isSigned(i.second), to = isSigned(i.type);
  int fromBits = bitsOf(i.second), toBits = bitsOf(i.type), width = i.destinationBits;
  forLanes(active, [&](int lane) {
    uint64_t value = from ? uint64_t(signExtended(a[lane], fromBits)) : lowBits(a[lane], fromBits);
    result[lane] = to ? lowBits(uint64_t(signExtended(value, toBits)), width) : lowBits(value, toBits);
  });
  return Outcome::Next;
}

Outcome integerSaturated(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]);
  uint64_t *result = warp.row(i.destinations[0]);
  int bits = bitsOf(i.type);
  __int128 low = isSigned(i.type) ? -(__int128(1) << (bits - 1)) : __int128(0);
  __int128 high = (__int128(1) << (isSigned(i.type) ? bits - 1 : bits)) - 1;
  forLanes(active, [&](int lane) {
    __int128 value = std::clamp(loadInteger(i.second, a[lane]), low, high);
    result[lane] = widened(i.type, lowBits(uint64_t(value), bits), i.destinationBits);
  });
  return Outcome::Next;
}

Outcome integerToFloat(const Instruction &i, Warp &warp, LaneMask active) {
  const auto &how = i.as<Conversion>();
  const uint64_t *a = warp.row(i.sources[0]);
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) {
    // Rounded to odd, a double of a long integer rounds on like the integer itself.
    __int128 whole = loadInteger(i.second, a[lane]);
    double high = double(whole >> 32) * 0x1p32, low = double(uint32_t(whole));
    double value = i.type == Type::F64 ? high + low : addToOdd(high, low);
    result[lane] = store(i.type, value, how);
  });
  return Outcome::Next;
}

Outcome floatToInteger(const Instruction &i, Warp &warp, LaneMask active) {
  const auto &how = i.as<Conversion>();
  const uint64_t *a = warp.row(i.sources[0]);
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) {
    uint64_t bits = storeInteger(i.type, load(i.second, a[lane], how.ftz), how);
    result[lane] = widened(i.type, bits, i.destinationBits);
  });
  return Outcome::Next;
}

Outcome floatToFloat(const Instruction &i, Warp &warp, LaneMask active) {
  const auto &how = i.as<Conversion>();
  const uint64_t *a = warp.row(i.sources[0]);
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) {
    double value = load(i.second, a[lane], how.ftz);
    result[lane] = store(i.type, how.integral ? toWhole(value, how.rounding) : value, how);
  });
  return Outcome::Next;
}

/// f32 to f16 or bf16, to nearest: by far the most frequent.
template <auto Encode, bool Pair> Outcome nearestHalf(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]), *b = warp.row(i.sources[Pair ? 1 : 0]);
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) {
    uint64_t first = Encode(valueOf<float>(a[lane]));
    result[lane] = Pair ? first << 16 | Encode(valueOf<float>(b[lane])) : first;
  });
  return Outcome::Next;
}

Type elementOfPair(Type pair) {
  switch (pair) {
  case Type::F16x2:
    return Type::F16;
  case Type::BF16x2:
    return Type::BF16;
  case Type::E4M3x2:
    return Type::E4M3;
  case Type::E5M2x2:
    return Type::E5M2;
  default:
    return Type::None;
  }
}

/// Two f32 to a pair (the first is the upper one), or a pair to a pair.
Outcome toPair(const Instruction &i, Warp &warp, LaneMask active) {
  const auto &how = i.as<Conversion>();
  Type to = elementOfPair(i.type), from = elementOfPair(i.second);
  const uint64_t *a = warp.row(i.sources[0]), *b = warp.row(i.sources.back());
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) {
    double upper, lower;
    if (from == Type::None) {
      upper = load(Type::F32, a[lane], how.ftz);
      lower = load(Type::F32, b[lane], how.ftz);
    } else {
      upper = load(from, a[lane] >> bitsOf(from), false);
      lower = load(from, a[lane], false);
    }
    result[lane] = store(to, upper, how) << bitsOf(to) | store(to, lower, how);
  });
  return Outcome::Next;
}

void takeRounding(Decoder &d, Conversion &how) {
  int rounding = d.takeOneOf({"rn", "rz", "rm", "rp", "rna", "rni", "rzi", "rmi", "rpi"});
  if (rounding < 0)
    return;
  how.integral = rounding > 4;
  how.rounding = Rounding(how.integral ? rounding - 5 : rounding);
}

Execute fastPath(const Instruction &i, const Conversion &how) {
  if (i.second != Type::F32 || how.rounding != Rounding::NearestEven || how.integral || how.ftz || how.sat ||
      how.satfinite || how.relu)
    return nullptr;
  switch (i.type) {
  case Type::F16:
    return nearestHalf<encodeF16, false>;
  case Type::BF16:
    return nearestHalf<encodeBF16, false>;
  case Type::F16x2:
    return nearestHalf<encodeF16, true>;
  case Type::BF16x2:
    return nearestHalf<encodeBF16, true>;
  default:
    return nullptr;
  }
}

/// Takes the operands too.
Execute handlerOf(Decoder &d, const Conversion &how) {
  Type to = d.instruction.type, from = d.instruction.second;
  bool pair = elementOfPair(to) != Type::None;
  takeOperands(d, from, pair && from == Type::F32 ? 2 : 1);
  if (pair)
    d.instruction.validity = Validity::Any;
  if (pair)
    return from == Type::F32 || elementOfPair(from) != Type::None ? toPair : nullptr;
  bool toFloat = isFloat(to), fromFloat = isFloat(from);
  if (!(toFloat || isInteger(to)) || !(fromFloat || isInteger(from)))
    return nullptr;
  if (fromFloat)
    return toFloat ? floatToFloat : floatToInteger;
  return toFloat ? integerToFloat : how.sat ? integerSaturated : integerToInteger;
}

/// cvt.pack.sat.u8.s32.b32 d, a, b, c: two saturated bytes below the ones of c.
Outcome packSaturated(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]), *b = warp.row(i.sources[1]);
  uint64_t *result = warp.row(i.destinations[0]);
  int bits = bitsOf(i.type);
  int64_t low = isSigned(i.type) ? -(int64_t(1) << (bits - 1)) : 0;
  int64_t high = (int64_t(1) << (isSigned(i.type) ? bits - 1 : bits)) - 1;
  auto part = [&](uint64_t word) { return lowBits(uint64_t(std::clamp<int64_t>(int32_t(word), low, high)), bits); };
  forLanes(active, [&](int lane) {
    uint64_t rest = i.sources.size() == 3 ? warp.row(i.sources[2])[lane] << (2 * bits) : 0;
    result[lane] = uint32_t(rest | part(a[lane]) << bits | part(b[lane]));
  });
  return Outcome::Next;
}

void decodePack(Decoder &d) {
  d.take("sat");
  d.instruction.type = d.takeType();
  d.instruction.second = d.takeType();
  bool third = d.takeTypeIfAny() != Type::None;
  takeOperands(d, Type::S32, third ? 3 : 2);
  d.instruction.execute = packSaturated;
}

void decodeCvt(Decoder &d) {
  if (d.take("pack"))
    return decodePack(d);
  auto how = std::make_shared<Conversion>();
  takeRounding(d, *how);
  how->ftz = d.take("ftz");
  how->sat = d.take("sat");
  how->satfinite = d.take("satfinite");
  how->relu = d.take("relu");
  d.instruction.type = d.takeType();
  d.instruction.second = d.takeType();
  d.instruction.details = how;
  d.instruction.execute = handlerOf(d, *how);
  // A conversion to an integer without a mode would be refused by ptxas; .rzi is what a cast means.
  if (!how->integral && d.instruction.execute == floatToInteger)
    d.refuse("the rounding to an integer (.rni, .rzi, .rmi, .rpi) is missing");
  if (Execute fast = fastPath(d.instruction, *how))
    d.instruction.execute = fast;
}

} // namespace

void registerConversions(Registry &registry) { registry.add("cvt", decodeCvt); }

} // namespace weft::ptxsim
