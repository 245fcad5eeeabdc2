// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integers: add, sub, mul, mad, div, rem, min, max, neg, abs, sad, chains with carry, dot products of bytes.
#include "tools/ptxsim/instructions/Lanes.h"

#include <algorithm>
#include <limits>

namespace weft::ptxsim {
namespace {

template <class T>
using Wide = std::conditional_t<sizeof(T) == 8, std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>,
                                std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>;
template <class T> using Bits = std::make_unsigned_t<T>;
/// Arithmetic of 16 bits would happen in int, whose products overflow.
template <class T> using Word = std::conditional_t<sizeof(T) < 4, uint32_t, Bits<T>>;

template <class T> T sum(T a, T b) { return T(Word<T>(a) + Word<T>(b)); }
template <class T> T difference(T a, T b) { return T(Word<T>(a) - Word<T>(b)); }
template <class T> T low(T a, T b) { return T(Word<T>(a) * Word<T>(b)); }
template <class T> T high(T a, T b) { return T((Wide<T>(a) * Wide<T>(b)) >> (8 * sizeof(T))); }
template <class T> T lowPlus(T a, T b, T c) { return sum(low(a, b), c); }
template <class T> T highPlus(T a, T b, T c) { return sum(high(a, b), c); }
template <class T> T minimum(T a, T b) { return std::min(a, b); }
template <class T> T maximum(T a, T b) { return std::max(a, b); }
template <class T> T negated(T a) { return T(Word<T>(0) - Word<T>(a)); }
template <class T> T magnitude(T a) { return a < 0 ? negated(a) : a; }
int32_t clamped(int64_t value) {
  return int32_t(std::clamp<int64_t>(value, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
}
int32_t sumSat(int32_t a, int32_t b) { return clamped(int64_t(a) + b); }
int32_t differenceSat(int32_t a, int32_t b) { return clamped(int64_t(a) - b); }
int32_t highPlusSat(int32_t a, int32_t b, int32_t c) { return clamped(int64_t(high(a, b)) + c); }
/// Dividing by zero gives all ones, as the hardware does; the PTX ISA leaves it open.
template <class T> T quotient(T a, T b) {
  return b == 0 ? T(-1) : std::is_signed_v<T> && b == T(-1) ? negated(a) : T(a / b);
}
template <class T> T remainder(T a, T b) { return b == 0 ? a : std::is_signed_v<T> && b == T(-1) ? T(0) : T(a % b); }
template <class T> T distance(T a, T b, T c) { return sum(c, a < b ? difference(b, a) : difference(a, b)); }
template <class T> T low24(T a, T b) { return T(Wide<T>(T(Bits<T>(a) << 8) >> 8) * Wide<T>(T(Bits<T>(b) << 8) >> 8)); }
template <class T> T high24(T a, T b) {
  return T((Wide<T>(T(Bits<T>(a) << 8) >> 8) * Wide<T>(T(Bits<T>(b) << 8) >> 8)) >> 16);
}
template <class T> T low24Plus(T a, T b, T c) { return sum(low24(a, b), c); }
template <class T> T high24Plus(T a, T b, T c) { return sum(high24(a, b), c); }

/// The wide product: sources of type T, the result (and a third source) twice as wide.
template <class T, bool Plus> Outcome wide(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]), *b = warp.row(i.sources[1]), *c = warp.row(i.sources[Plus ? 2 : 0]);
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) {
    uint64_t product = uint64_t(int64_t(T(a[lane])) * int64_t(T(b[lane])));
    if constexpr (!std::is_signed_v<T>)
      product = uint64_t(T(a[lane])) * uint64_t(T(b[lane]));
    result[lane] = lowBits(product + (Plus ? c[lane] : 0), int(16 * sizeof(T)));
  });
  return Outcome::Next;
}

/// Calls `make` with a value of the C++ type of `type`.
template <class Make> Execute ofType(Type type, Make make) {
  switch (type) {
  case Type::U16:
  case Type::B16:
    return make(uint16_t());
  case Type::U32:
  case Type::B32:
    return make(uint32_t());
  case Type::U64:
  case Type::B64:
    return make(uint64_t());
  case Type::S16:
    return make(int16_t());
  case Type::S32:
    return make(int32_t());
  case Type::S64:
    return make(int64_t());
  default:
    return nullptr;
  }
}

// ---- chains with carry: add.cc, addc, sub.cc, subc, mad.cc, madc -------------------------------------------------

enum : uint32_t { kSetCarry = 1, kUseCarry = 2, kHigh = 4, kSubtract = 8 };

/// a ± b (± carry), or the low or high half of a · b, plus c (plus carry).
template <class T, bool Multiply> Outcome chain(const Instruction &i, Warp &warp, LaneMask active) {
  using U = Bits<T>;
  const uint64_t *a = warp.row(i.sources[0]), *b = warp.row(i.sources[1]), *c = warp.row(i.sources[Multiply ? 2 : 0]);
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) {
    U x = U(a[lane]), y = U(b[lane]);
    if constexpr (Multiply) {
      U product = i.flags & kHigh ? U(high(T(x), T(y))) : U(x * y);
      x = product, y = U(c[lane]);
    }
    unsigned __int128 carry = (i.flags & kUseCarry) && ((warp.carry >> lane) & 1), total;
    // A borrow: a - b - borrow, modulo 2^128, has bits above the word when it is negative.
    total = i.flags & kSubtract ? (unsigned __int128)x - y - carry : (unsigned __int128)x + y + carry;
    result[lane] = U(total);
    if (i.flags & kSetCarry)
      warp.carry = (warp.carry & ~(1u << lane)) | LaneMask((total >> (8 * sizeof(U))) & 1) << lane;
  });
  return Outcome::Next;
}

template <bool Multiply> Execute chainOf(Type type) {
  return ofType(type, [](auto value) -> Execute {
    if constexpr (sizeof(value) >= 4)
      return chain<decltype(value), Multiply>;
    return nullptr;
  });
}

bool decodeChain(Decoder &d, Type type, bool subtract, bool uses, bool multiply) {
  bool sets = d.take("cc");
  if (!sets && !uses)
    return false;
  d.instruction.flags |= (sets ? kSetCarry : 0) | (uses ? kUseCarry : 0) | (subtract ? kSubtract : 0);
  if (multiply && d.takeOneOf({"lo", "hi"}) == 1)
    d.instruction.flags |= kHigh;
  takeOperands(d, type, multiply ? 3 : 2);
  d.instruction.execute = multiply ? chainOf<true>(type) : chainOf<false>(type);
  return true;
}

template <bool Subtract, bool Multiply> void decodeWithCarry(Decoder &d) {
  decodeChain(d, d.takeType(), Subtract, true, Multiply);
}

// ---- products ---------------------------------------------------------------------------------------------------

template <bool Plus> Execute wideOf(Type type) {
  return ofType(type, [](auto value) -> Execute {
    if constexpr (sizeof(value) <= 4)
      return wide<decltype(value), Plus>;
    return nullptr;
  });
}

void decodeProduct(Decoder &d, Type type, bool plus) {
  if (plus && decodeChain(d, type, false, false, true))
    return;
  int half = d.takeOneOf({"lo", "hi", "wide"});
  if (half < 0)
    d.refuse(".lo, .hi or .wide is missing");
  if (half == 2) {
    d.expectOperands(plus ? 4 : 3, plus ? 4 : 3);
    d.destination(0).source(1, type).source(2, type);
    if (plus)
      d.source(3, bitsOf(type) == 16 ? Type::U32 : Type::U64);
    d.instruction.execute = plus ? wideOf<true>(type) : wideOf<false>(type);
    return;
  }
  takeOperands(d, type, plus ? 3 : 2);
  if (plus && half == 1 && type == Type::S32 && d.take("sat"))
    d.instruction.execute = map3<int32_t, highPlusSat>;
  else if (plus)
    d.instruction.execute = ofType(type, [&](auto v) -> Execute {
      using T = decltype(v);
      return half ? map3<T, highPlus<T>> : map3<T, lowPlus<T>>;
    });
  else
    d.instruction.execute = ofType(type, [&](auto v) -> Execute {
      using T = decltype(v);
      return half ? map2<T, high<T>> : map2<T, low<T>>;
    });
}

template <bool Plus> void decode24(Decoder &d) {
  Type type = d.takeType();
  bool upper = d.takeOneOf({"lo", "hi"}) == 1;
  takeOperands(d, type, Plus ? 3 : 2);
  auto make = [&](auto v) -> Execute {
    using T = decltype(v);
    if constexpr (Plus)
      return upper ? map3<T, high24Plus<T>> : map3<T, low24Plus<T>>;
    else
      return upper ? map2<T, high24<T>> : map2<T, low24<T>>;
  };
  d.instruction.execute = type == Type::U32 ? make(uint32_t()) : type == Type::S32 ? make(int32_t()) : nullptr;
}

// ---- pairs of 16 bits -------------------------------------------------------------------------------------------

template <class T, auto F> uint32_t both(uint32_t a, uint32_t b) {
  uint32_t low = uint16_t(F(T(a), T(b))), high = uint16_t(F(T(a >> 16), T(b >> 16)));
  return low | high << 16;
}

template <class T> Execute pairOf(Operation operation) {
  switch (operation) {
  case Operation::Add:
    return map2<uint32_t, both<T, sum<T>>>;
  case Operation::Min:
    return map2<uint32_t, both<T, minimum<T>>>;
  case Operation::Max:
    return map2<uint32_t, both<T, maximum<T>>>;
  default:
    return nullptr;
  }
}

int32_t positive(int32_t a) { return std::max(a, 0); }
int32_t minimumRelu(int32_t a, int32_t b) { return positive(minimum(a, b)); }
int32_t maximumRelu(int32_t a, int32_t b) { return positive(maximum(a, b)); }

Execute simple(Operation operation, Type type) {
  return ofType(type, [&](auto v) -> Execute {
    using T = decltype(v);
    switch (operation) {
    case Operation::Add:
      return map2<T, sum<T>>;
    case Operation::Sub:
      return map2<T, difference<T>>;
    case Operation::Min:
      return map2<T, minimum<T>>;
    case Operation::Max:
      return map2<T, maximum<T>>;
    case Operation::Div:
      return map2<T, quotient<T>>;
    case Operation::Neg:
      return map1<T, negated<T>>;
    case Operation::Abs:
      return map1<T, magnitude<T>>;
    default:
      return nullptr;
    }
  });
}

void decodeRem(Decoder &d) {
  Type type = d.takeType();
  takeOperands(d, type, 2);
  d.instruction.execute = ofType(type, [](auto v) -> Execute { return map2<decltype(v), remainder<decltype(v)>>; });
}

void decodeSad(Decoder &d) {
  Type type = d.takeType();
  takeOperands(d, type, 3);
  d.instruction.execute = ofType(type, [](auto v) -> Execute { return map3<decltype(v), distance<decltype(v)>>; });
}

// ---- dp4a, dp2a -------------------------------------------------------------------------------------------------

enum : uint32_t { kSignedA = 1, kSignedB = 2, kUpper = 4, kWords = 8 };

Outcome dotProduct(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]), *b = warp.row(i.sources[1]), *c = warp.row(i.sources[2]);
  uint64_t *result = warp.row(i.destinations[0]);
  int terms = i.flags & kWords ? 2 : 4, bits = i.flags & kWords ? 16 : 8, first = i.flags & kUpper ? 2 : 0;
  auto element = [](uint64_t word, int index, int width, bool isSigned) {
    uint64_t value = lowBits(word >> (index * width), width);
    return isSigned ? signExtended(value, width) : int64_t(value);
  };
  forLanes(active, [&](int lane) {
    int64_t sum = int64_t(c[lane]);
    for (int term = 0; term < terms; ++term)
      sum += element(a[lane], term, bits, i.flags & kSignedA) * element(b[lane], first + term, 8, i.flags & kSignedB);
    result[lane] = uint32_t(sum);
  });
  return Outcome::Next;
}

void decodeDot(Decoder &d) {
  bool words = d.statement.opcode == "dp2a";
  if (words && d.takeOneOf({"lo", "hi"}) == 1)
    d.instruction.flags |= kUpper;
  Type first = d.takeType(), second = d.takeType();
  d.instruction.flags |= (isSigned(first) ? kSignedA : 0) | (isSigned(second) ? kSignedB : 0) | (words ? kWords : 0);
  takeOperands(d, Type::B32, 3);
  d.instruction.execute = dotProduct;
}

} // namespace

void decodeInteger(Decoder &d, Operation operation, Type type) {
  if (operation == Operation::Mul || operation == Operation::Fma)
    return decodeProduct(d, type, operation == Operation::Fma);
  bool sum = operation == Operation::Add || operation == Operation::Sub;
  if (sum && decodeChain(d, type, operation == Operation::Sub, false, false))
    return;
  takeOperands(d, type, operation == Operation::Neg || operation == Operation::Abs ? 1 : 2);
  if (type == Type::U16x2 || type == Type::S16x2)
    d.instruction.execute = type == Type::U16x2 ? pairOf<uint16_t>(operation) : pairOf<int16_t>(operation);
  else if (sum && type == Type::S32 && d.take("sat"))
    d.instruction.execute = operation == Operation::Add ? map2<int32_t, sumSat> : map2<int32_t, differenceSat>;
  else if (type == Type::S32 && d.take("relu"))
    d.instruction.execute = operation == Operation::Min ? map2<int32_t, minimumRelu> : map2<int32_t, maximumRelu>;
  else
    d.instruction.execute = simple(operation, type);
}

void registerIntegers(Registry &registry) {
  registry.add("addc", decodeWithCarry<false, false>);
  registry.add("subc", decodeWithCarry<true, false>);
  registry.add("madc", decodeWithCarry<false, true>);
  registry.add("mul24", decode24<false>);
  registry.add("mad24", decode24<true>);
  registry.add("rem", decodeRem);
  registry.add("sad", decodeSad);
  registry.add("dp4a", decodeDot);
  registry.add("dp2a", decodeDot);
}

} // namespace weft::ptxsim
