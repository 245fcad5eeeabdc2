// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bits: and, or, xor, not, cnot, shifts, lop3, prmt, bfe, bfi, bmsk, szext, shf, popc, clz, brev, bfind, fns.
#include "tools/ptxsim/instructions/Lanes.h"

#include <algorithm>

namespace weft::ptxsim {
namespace {

uint64_t conjunction(uint64_t a, uint64_t b) { return a & b; }
uint64_t disjunction(uint64_t a, uint64_t b) { return a | b; }
uint64_t difference(uint64_t a, uint64_t b) { return a ^ b; }

/// Rows hold zeros above the type's bits, so one handler fits all types.
template <auto F> void decodeLogic(Decoder &d) {
  takeOperands(d, d.takeType(), 2);
  d.instruction.execute = map2<uint64_t, F>;
}

template <int Bits> uint64_t inverted(uint64_t a) { return lowBits(~a, Bits); }
void decodeNot(Decoder &d) {
  Type type = d.takeType();
  takeOperands(d, type, 1);
  int bits = bitsOf(type);
  d.instruction.execute = bits == 1    ? map1<uint64_t, inverted<1>>
                          : bits == 16 ? map1<uint64_t, inverted<16>>
                          : bits == 32 ? map1<uint64_t, inverted<32>>
                                       : map1<uint64_t, inverted<64>>;
}

uint64_t isZero(uint64_t a) { return a == 0; }
void decodeCnot(Decoder &d) {
  takeOperands(d, d.takeType(), 1);
  d.instruction.execute = map1<uint64_t, isZero>;
}

/// Shifts by more than the width give what shifting by the width gives.
template <int Bits> uint64_t left(uint64_t a, uint64_t by) {
  return uint32_t(by) >= Bits ? 0 : lowBits(a << uint32_t(by), Bits);
}
template <int Bits> uint64_t right(uint64_t a, uint64_t by) { return uint32_t(by) >= Bits ? 0 : a >> uint32_t(by); }
template <int Bits> uint64_t rightSigned(uint64_t a, uint64_t by) {
  return lowBits(uint64_t(signExtended(a, Bits) >> std::min<uint32_t>(uint32_t(by), 63)), Bits);
}

template <bool Left> void decodeShift(Decoder &d) {
  Type type = d.takeType();
  d.expectOperands(3, 3);
  d.destination(0).source(1, type).source(2, Type::U32);
  auto make = [&](auto bits) -> Execute {
    constexpr int kBits = decltype(bits)::value;
    if (Left)
      return map2<uint64_t, left<kBits>>;
    return isSigned(type) ? map2<uint64_t, rightSigned<kBits>> : map2<uint64_t, right<kBits>>;
  };
  int bits = bitsOf(type);
  d.instruction.execute = bits == 16   ? make(std::integral_constant<int, 16>())
                          : bits == 32 ? make(std::integral_constant<int, 32>())
                          : bits == 64 ? make(std::integral_constant<int, 64>())
                                       : nullptr;
}

uint32_t shf(uint32_t low, uint32_t high, uint32_t by, bool leftwards, bool clamp) {
  by = clamp ? std::min(by, 32u) : by & 31;
  uint64_t both = uint64_t(high) << 32 | low;
  return leftwards ? uint32_t((both << by) >> 32) : uint32_t(both >> by);
}
template <bool Left, bool Clamp> uint32_t funnel(uint32_t a, uint32_t b, uint32_t c) {
  return shf(a, b, c, Left, Clamp);
}

void decodeShf(Decoder &d) {
  int direction = d.takeOneOf({"l", "r"}), mode = d.takeOneOf({"wrap", "clamp"});
  if (direction < 0 || mode < 0)
    d.refuse(".l or .r and .wrap or .clamp are missing");
  takeOperands(d, d.takeType(), 3);
  d.instruction.execute = direction
                              ? (mode ? map3<uint32_t, funnel<false, true>> : map3<uint32_t, funnel<false, false>>)
                              : (mode ? map3<uint32_t, funnel<true, true>> : map3<uint32_t, funnel<true, false>>);
}

Outcome lop3(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]), *b = warp.row(i.sources[1]), *c = warp.row(i.sources[2]);
  uint64_t *result = warp.row(i.destinations[0]);
  uint64_t term[8];
  for (int bit = 0; bit < 8; ++bit)
    term[bit] = (i.flags >> bit) & 1 ? ~uint64_t(0) : 0;
  forLanes(active, [&](int lane) {
    uint64_t x = a[lane], y = b[lane], z = c[lane];
    result[lane] =
        uint32_t((term[0] & ~x & ~y & ~z) | (term[1] & ~x & ~y & z) | (term[2] & ~x & y & ~z) | (term[3] & ~x & y & z) |
                 (term[4] & x & ~y & ~z) | (term[5] & x & ~y & z) | (term[6] & x & y & ~z) | (term[7] & x & y & z));
  });
  return Outcome::Next;
}

/// lop3.and/.or d|p, a, b, c, lut, q: p = (d != 0) op q.
Outcome lop3WithPredicate(const Instruction &i, Warp &warp, LaneMask active) {
  lop3(i, warp, active);
  const uint64_t *value = warp.row(i.destinations[0]), *q = warp.row(i.sources[3]);
  uint64_t *p = warp.row(i.destinations[1]);
  bool conjunct = i.second == Type::B8;
  forLanes(active, [&](int lane) { p[lane] = conjunct ? value[lane] && q[lane] : value[lane] || q[lane]; });
  return Outcome::Next;
}

void decodeLop3(Decoder &d) {
  int joined = d.takeOneOf({"and", "or"});
  Type type = d.takeType();
  d.expectOperands(joined < 0 ? 5 : 6, joined < 0 ? 5 : 6);
  d.destination(0).source(1, type).source(2, type).source(3, type);
  d.instruction.flags = uint32_t(d.immediate(4)) & 0xff;
  d.instruction.execute = lop3;
  if (joined < 0)
    return;
  d.source(5, Type::Pred);
  d.instruction.second = joined == 0 ? Type::B8 : Type::B16; // and : or
  d.instruction.execute = lop3WithPredicate;
  if (d.instruction.destinations.size() != 2)
    d.refuse("the result is a pair d|p");
}

/// Byte numbers that selector modes give for the low two bits of c.
uint32_t selectorOf(int mode, uint32_t c) {
  constexpr uint32_t kSelectors[6][4] = {
      {0x3210, 0x4321, 0x5432, 0x6543}, // f4e
      {0x5670, 0x6701, 0x7012, 0x0123}, // b4e
      {0x0000, 0x1111, 0x2222, 0x3333}, // rc8
      {0x3210, 0x3211, 0x3222, 0x3333}, // ecl
      {0x0000, 0x1110, 0x2210, 0x3210}, // ecr
      {0x1010, 0x3232, 0x1010, 0x3232}, // rc16
  };
  return kSelectors[mode][c & 3];
}

uint32_t permuted(uint32_t a, uint32_t b, uint32_t selector) {
  uint64_t bytes = uint64_t(b) << 32 | a;
  uint32_t result = 0;
  for (int index = 0; index < 4; ++index) {
    uint32_t pick = (selector >> (4 * index)) & 15, byte = uint32_t(bytes >> (8 * (pick & 7))) & 0xff;
    result |= (pick & 8 ? (byte & 0x80 ? 0xffu : 0u) : byte) << (8 * index);
  }
  return result;
}

Outcome prmt(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]), *b = warp.row(i.sources[1]), *c = warp.row(i.sources[2]);
  uint64_t *result = warp.row(i.destinations[0]);
  int mode = int(i.flags) - 1;
  forLanes(active, [&](int lane) {
    uint32_t selector = mode < 0 ? uint32_t(c[lane]) : selectorOf(mode, uint32_t(c[lane]));
    result[lane] = permuted(uint32_t(a[lane]), uint32_t(b[lane]), selector);
  });
  return Outcome::Next;
}

void decodePrmt(Decoder &d) {
  d.instruction.flags = uint32_t(d.takeOneOf({"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"}) + 1);
  takeOperands(d, d.takeType(), 3);
  d.instruction.execute = prmt;
}

template <int Bits, bool Signed> uint64_t extracted(uint64_t a, uint64_t position, uint64_t length) {
  uint32_t at = position & 0xff, count = length & 0xff;
  if (count == 0)
    return 0;
  bool sign = Signed && ((a >> std::min<uint32_t>(at + count - 1, Bits - 1)) & 1);
  uint64_t field = at >= Bits ? 0 : lowBits(a >> at, int(std::min<uint32_t>(count, 64)));
  // Bits above the source are its sign.
  uint32_t there = at >= Bits ? 0 : std::min<uint32_t>(count, Bits - at);
  return sign ? lowBits(field | (there >= 64 ? 0 : ~uint64_t(0) << there), Bits) : field;
}

void decodeBfe(Decoder &d) {
  Type type = d.takeType();
  d.expectOperands(4, 4);
  d.destination(0).source(1, type).source(2, Type::U32).source(3, Type::U32);
  bool wide = bitsOf(type) == 64;
  d.instruction.execute = isSigned(type)
                              ? (wide ? map3<uint64_t, extracted<64, true>> : map3<uint64_t, extracted<32, true>>)
                              : (wide ? map3<uint64_t, extracted<64, false>> : map3<uint64_t, extracted<32, false>>);
}

Outcome bfi(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]), *b = warp.row(i.sources[1]), *c = warp.row(i.sources[2]),
                 *d = warp.row(i.sources[3]);
  uint64_t *result = warp.row(i.destinations[0]);
  int bits = bitsOf(i.type);
  forLanes(active, [&](int lane) {
    uint32_t at = c[lane] & 0xff, count = d[lane] & 0xff;
    uint64_t mask = at >= uint32_t(bits) ? 0 : lowBits(lowBits(~uint64_t(0), int(std::min(count, 64u))) << at, bits);
    result[lane] = (b[lane] & ~mask) | ((at >= 64 ? 0 : a[lane] << at) & mask);
  });
  return Outcome::Next;
}

void decodeBfi(Decoder &d) {
  Type type = d.instruction.type = d.takeType();
  d.expectOperands(5, 5);
  d.destination(0).source(1, type).source(2, type).source(3, Type::U32).source(4, Type::U32);
  d.instruction.execute = bfi;
}

template <bool Clamp> uint32_t maskOf(uint32_t at, uint32_t count) {
  if (!Clamp)
    at &= 31, count &= 31;
  uint64_t ones = lowBits(~uint64_t(0), int(std::min(count, 32u)));
  return at >= 32 ? 0 : uint32_t(ones << at);
}
void decodeBmsk(Decoder &d) {
  int mode = d.takeOneOf({"wrap", "clamp"});
  takeOperands(d, d.takeType(), 2);
  d.instruction.execute = mode == 1 ? map2<uint32_t, maskOf<true>> : map2<uint32_t, maskOf<false>>;
}

template <bool Clamp, bool Signed> uint32_t extendedFrom(uint32_t a, uint32_t bits) {
  bits = Clamp ? std::min(bits, 32u) : bits & 31;
  if (bits == 0)
    return 0;
  return Signed ? uint32_t(signExtended(a, int(bits))) : uint32_t(lowBits(a, int(bits)));
}
void decodeSzext(Decoder &d) {
  bool clamp = d.takeOneOf({"wrap", "clamp"}) == 1;
  Type type = d.takeType();
  takeOperands(d, type, 2);
  d.instruction.execute =
      isSigned(type) ? (clamp ? map2<uint32_t, extendedFrom<true, true>> : map2<uint32_t, extendedFrom<false, true>>)
                     : (clamp ? map2<uint32_t, extendedFrom<true, false>> : map2<uint32_t, extendedFrom<false, false>>);
}

uint64_t ones(uint64_t a) { return uint64_t(std::popcount(a)); }
uint64_t zeros32(uint64_t a) { return uint64_t(std::countl_zero(uint32_t(a))); }
uint64_t zeros64(uint64_t a) { return uint64_t(std::countl_zero(a)); }
uint64_t reversed64(uint64_t a) { return __builtin_bitreverse64(a); }
uint64_t reversed32(uint64_t a) { return __builtin_bitreverse32(uint32_t(a)); }

template <auto Narrow, auto Wide> void decodeCount(Decoder &d) {
  Type type = d.takeType();
  takeOperands(d, type, 1);
  d.instruction.execute = bitsOf(type) == 64 ? map1<uint64_t, Wide> : map1<uint64_t, Narrow>;
}

/// The highest bit that is 1 (of negative signed numbers: 0), or with .shiftamt how far it is from the top.
template <int Bits, bool Signed, bool Shift> uint64_t found(uint64_t a) {
  if (Signed && ((a >> (Bits - 1)) & 1))
    a = lowBits(~a, Bits);
  if (a == 0)
    return 0xffffffff;
  int at = 63 - std::countl_zero(a);
  return uint64_t(Shift ? Bits - 1 - at : at);
}

void decodeBfind(Decoder &d) {
  bool shift = d.take("shiftamt");
  Type type = d.takeType();
  takeOperands(d, type, 1);
  auto make = [&](auto bits) -> Execute {
    constexpr int kBits = decltype(bits)::value;
    if (isSigned(type))
      return shift ? map1<uint64_t, found<kBits, true, true>> : map1<uint64_t, found<kBits, true, false>>;
    return shift ? map1<uint64_t, found<kBits, false, true>> : map1<uint64_t, found<kBits, false, false>>;
  };
  d.instruction.execute =
      bitsOf(type) == 64 ? make(std::integral_constant<int, 64>()) : make(std::integral_constant<int, 32>());
}

/// The offset-th set bit from `base`: upwards for positive offsets, downwards for negative ones.
uint32_t nthSet(uint32_t mask, uint32_t base, uint32_t offset) {
  int step = int32_t(offset) < 0 ? -1 : 1, left = std::abs(int32_t(offset));
  if (left == 0)
    return base < 32 && ((mask >> base) & 1) ? base : 0xffffffff;
  for (int at = int(base & 31); at >= 0 && at < 32; at += step)
    if (((mask >> at) & 1) && --left == 0)
      return uint32_t(at);
  return 0xffffffff;
}
void decodeFns(Decoder &d) {
  takeOperands(d, d.takeType(), 3);
  d.instruction.execute = map3<uint32_t, nthSet>;
}

} // namespace

void registerBits(Registry &registry) {
  registry.add("and", decodeLogic<conjunction>);
  registry.add("or", decodeLogic<disjunction>);
  registry.add("xor", decodeLogic<difference>);
  registry.add("not", decodeNot);
  registry.add("cnot", decodeCnot);
  registry.add("shl", decodeShift<true>);
  registry.add("shr", decodeShift<false>);
  registry.add("shf", decodeShf);
  registry.add("lop3", decodeLop3);
  registry.add("prmt", decodePrmt);
  registry.add("bfe", decodeBfe);
  registry.add("bfi", decodeBfi);
  registry.add("bmsk", decodeBmsk);
  registry.add("szext", decodeSzext);
  registry.add("popc", decodeCount<ones, ones>);
  registry.add("clz", decodeCount<zeros32, zeros64>);
  registry.add("brev", decodeCount<reversed32, reversed64>);
  registry.add("bfind", decodeBfind);
  registry.add("fns", decodeFns);
}

} // namespace weft::ptxsim
