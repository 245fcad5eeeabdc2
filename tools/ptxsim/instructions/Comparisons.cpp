// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// setp, set, selp, slct, testp.
#include "tools/ptxsim/instructions/Lanes.h"

#include <array>

namespace weft::ptxsim {
namespace {

enum class Comparison : uint8_t { Eq, Ne, Lt, Le, Gt, Ge, Equ, Neu, Ltu, Leu, Gtu, Geu, Num, Nan };
constexpr std::initializer_list<std::string_view> kComparisons = {"eq",  "ne",  "lt",  "le",  "gt",  "ge",  "equ",
                                                                  "neu", "ltu", "leu", "gtu", "geu", "num", "nan"};

/// In Instruction::flags: how the result meets the third source, and more.
enum : uint32_t { kAnd = 1, kOr = 2, kXor = 4, kFtz = 8, kSetFloat = 16 };

template <class T> bool isNan(T value) {
  if constexpr (std::is_floating_point_v<T>)
    return std::isnan(value);
  return false;
}

template <class T, Comparison C> bool compare(T a, T b) {
  bool unordered = isNan(a) || isNan(b);
  switch (C) {
  case Comparison::Eq:
    return a == b;
  case Comparison::Ne:
    return !unordered && a != b;
  case Comparison::Lt:
    return a < b;
  case Comparison::Le:
    return a <= b;
  case Comparison::Gt:
    return a > b;
  case Comparison::Ge:
    return a >= b;
  case Comparison::Equ:
    return unordered || a == b;
  case Comparison::Neu:
    return unordered || a != b;
  case Comparison::Ltu:
    return unordered || a < b;
  case Comparison::Leu:
    return unordered || a <= b;
  case Comparison::Gtu:
    return unordered || a > b;
  case Comparison::Geu:
    return unordered || a >= b;
  case Comparison::Num:
    return !unordered;
  case Comparison::Nan:
    return unordered;
  }
}

struct HalfNumber {
  static float load(uint64_t bits, bool) { return halfToFloat(uint16_t(bits)); }
};
struct BfloatNumber {
  static float load(uint64_t bits, bool) { return bfloatToFloat(uint16_t(bits)); }
};
template <class T> struct Plain {
  static T load(uint64_t bits, bool ftz) {
    if constexpr (std::is_same_v<T, float>)
      return ftz ? flushed(valueOf<float>(bits)) : valueOf<float>(bits);
    else
      return valueOf<T>(bits);
  }
};

bool combined(bool value, bool other, uint32_t flags) {
  return flags & kAnd ? value && other : flags & kOr ? value || other : flags & kXor ? value != other : value;
}

/// One or two predicates: p = compare op c, q = !compare op c.
template <class Load, Comparison C> Outcome setPredicate(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]), *b = warp.row(i.sources[1]);
  uint64_t *p = warp.row(i.destinations[0]);
  bool ftz = i.flags & kFtz;
  if (i.sources.size() == 2 && i.destinations.size() == 1) {
    forLanes(active, [&](int lane) {
      auto x = Load::load(a[lane], ftz), y = Load::load(b[lane], ftz);
      p[lane] = compare<decltype(x), C>(x, y);
    });
    return Outcome::Next;
  }
  const uint64_t *c = warp.row(i.sources.back());
  uint64_t *q = warp.row(i.destinations.back());
  bool third = i.sources.size() == 3, two = i.destinations.size() == 2;
  forLanes(active, [&](int lane) {
    auto x = Load::load(a[lane], ftz), y = Load::load(b[lane], ftz);
    bool value = compare<decltype(x), C>(x, y), other = third && c[lane];
    p[lane] = combined(value, other, i.flags);
    if (two)
      q[lane] = combined(!value, other, i.flags);
  });
  return Outcome::Next;
}

/// set: all ones or 1.0 where true.
template <class Load, Comparison C> Outcome setValue(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]), *b = warp.row(i.sources[1]), *c = warp.row(i.sources.back());
  uint64_t *result = warp.row(i.destinations[0]);
  bool ftz = i.flags & kFtz, third = i.sources.size() == 3;
  uint64_t truth = i.type == Type::F32    ? 0x3f800000
                   : i.type == Type::F16  ? 0x3c00
                   : i.type == Type::BF16 ? 0x3f80
                                          : lowBits(~uint64_t(0), bitsOf(i.type));
  forLanes(active, [&](int lane) {
    auto x = Load::load(a[lane], ftz), y = Load::load(b[lane], ftz);
    result[lane] = combined(compare<decltype(x), C>(x, y), third && c[lane], i.flags) ? truth : 0;
  });
  return Outcome::Next;
}

/// Pairs of halves: two predicates, or two results in one register.
template <class Load, Comparison C> Outcome comparePair(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]), *b = warp.row(i.sources[1]), *c = warp.row(i.sources.back());
  uint64_t *p = warp.row(i.destinations[0]), *q = warp.row(i.destinations.back());
  bool third = i.sources.size() == 3, two = i.destinations.size() == 2;
  uint64_t truth = i.type == Type::F16x2 ? 0x3c00 : i.type == Type::BF16x2 ? 0x3f80 : 0xffff;
  forLanes(active, [&](int lane) {
    bool other = third && c[lane];
    bool low = combined(compare<float, C>(Load::load(a[lane], false), Load::load(b[lane], false)), other, i.flags);
    bool high =
        combined(compare<float, C>(Load::load(a[lane] >> 16, false), Load::load(b[lane] >> 16, false)), other, i.flags);
    p[lane] = two ? low : (low ? truth : 0) | (high ? truth << 16 : 0);
    if (two)
      q[lane] = high;
  });
  return Outcome::Next;
}

template <Comparison C, bool Value> Execute handler(Type type) {
  auto choose = [](auto load) -> Execute {
    using Load = decltype(load);
    return Value ? setValue<Load, C> : setPredicate<Load, C>;
  };
  switch (type) {
  case Type::U16:
  case Type::B16:
    return choose(Plain<uint16_t>());
  case Type::S16:
    return choose(Plain<int16_t>());
  case Type::U32:
  case Type::B32:
    return choose(Plain<uint32_t>());
  case Type::S32:
    return choose(Plain<int32_t>());
  case Type::U64:
  case Type::B64:
    return choose(Plain<uint64_t>());
  case Type::S64:
    return choose(Plain<int64_t>());
  case Type::F32:
    return choose(Plain<float>());
  case Type::F64:
    return choose(Plain<double>());
  case Type::F16:
    return choose(HalfNumber());
  case Type::BF16:
    return choose(BfloatNumber());
  case Type::F16x2:
    return comparePair<HalfNumber, C>;
  case Type::BF16x2:
    return comparePair<BfloatNumber, C>;
  default:
    return nullptr;
  }
}

template <bool Value, size_t... Index> Execute handlerOf(int comparison, Type type, std::index_sequence<Index...>) {
  using Choose = Execute (*)(Type);
  constexpr Choose kChoices[] = {handler<Comparison(Index), Value>...};
  return kChoices[comparison](type);
}

/// lo, ls, hi, hs are unsigned names of lt, le, gt, ge.
int takeComparison(Decoder &d) {
  int comparison = d.takeOneOf(kComparisons);
  if (comparison >= 0)
    return comparison;
  int alias = d.takeOneOf({"lo", "ls", "hi", "hs"});
  if (alias < 0)
    d.refuse("the comparison is missing");
  return static_cast<int>(Comparison::Lt) + alias;
}

template <bool Value> void decodeCompare(Decoder &d) {
  int comparison = takeComparison(d);
  int joined = d.takeOneOf({"and", "or", "xor"});
  if (joined >= 0)
    d.instruction.flags |= 1u << joined;
  if (d.take("ftz"))
    d.instruction.flags |= kFtz;
  Type result = Value ? d.takeType() : Type::Pred, type = d.takeTypeIfAny();
  // set.f16x2.f16x2 names both, setp one type.
  if (type == Type::None)
    d.refuse("the type is missing");
  bool third = joined >= 0;
  d.expectOperands(third ? 4 : 3, third ? 4 : 3);
  d.destination(0).source(1, type).source(2, type);
  if (third)
    d.source(3, Type::Pred);
  d.instruction.type = result == Type::U32 || result == Type::S32 ? Type::B32 : result;
  d.instruction.execute = handlerOf<Value>(comparison, type, std::make_index_sequence<14>());
  if (!Value && (type == Type::F16x2 || type == Type::BF16x2) && d.instruction.destinations.size() != 2)
    d.refuse("a comparison of pairs has two predicates");
}

Outcome select(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]), *b = warp.row(i.sources[1]), *p = warp.row(i.sources[2]);
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) { result[lane] = p[lane] ? a[lane] : b[lane]; });
  return Outcome::Next;
}

void decodeSelp(Decoder &d) {
  Type type = d.takeType();
  d.expectOperands(4, 4);
  d.destination(0).source(1, type).source(2, type).source(3, Type::Pred);
  d.instruction.execute = select;
}

/// slct: a where c >= 0 (and -0), else b; NaN takes b.
Outcome selectSign(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]), *b = warp.row(i.sources[1]), *c = warp.row(i.sources[2]);
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) {
    float number = valueOf<float>(c[lane]);
    bool first = i.second == Type::F32 ? (i.flags & kFtz ? flushed(number) : number) >= 0 : int32_t(c[lane]) >= 0;
    result[lane] = first ? a[lane] : b[lane];
  });
  return Outcome::Next;
}

void decodeSlct(Decoder &d) {
  if (d.take("ftz"))
    d.instruction.flags |= kFtz;
  Type type = d.takeType();
  d.instruction.second = d.takeType();
  d.expectOperands(4, 4);
  d.destination(0).source(1, type).source(2, type).source(3, d.instruction.second);
  if (d.instruction.second == Type::F32 || d.instruction.second == Type::S32)
    d.instruction.execute = selectSign;
}

template <class T> bool hasClass(uint32_t kind, T value) {
  switch (kind) {
  case 0:
    return std::isfinite(value);
  case 1:
    return std::isinf(value);
  case 2:
    return !isNan(value);
  case 3:
    return isNan(value);
  case 4:
    return std::isnormal(value);
  default:
    return value == 0 || std::fpclassify(value) == FP_SUBNORMAL;
  }
}

template <class T> Outcome testNumber(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]);
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) { result[lane] = hasClass(i.flags, valueOf<T>(a[lane])); });
  return Outcome::Next;
}

void decodeTestp(Decoder &d) {
  int kind = d.takeOneOf({"finite", "infinite", "number", "notanumber", "normal", "subnormal"});
  Type type = d.takeType();
  if (kind < 0 || (type != Type::F32 && type != Type::F64))
    d.refuse("this test is not known");
  d.instruction.flags = uint32_t(kind);
  takeOperands(d, type, 1);
  d.instruction.execute = type == Type::F32 ? testNumber<float> : testNumber<double>;
}

} // namespace

void registerComparisons(Registry &registry) {
  registry.add("setp", decodeCompare<false>);
  registry.add("set", decodeCompare<true>);
  registry.add("selp", decodeSelp);
  registry.add("slct", decodeSlct);
  registry.add("testp", decodeTestp);
}

} // namespace weft::ptxsim
