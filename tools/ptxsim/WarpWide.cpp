// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What lanes of a warp do with each other's values: shfl, vote, match, redux, activemask.
// Source: PTX ISA 9.0, "shfl.sync", "vote.sync", "match.sync", "redux.sync".
#include "tools/ptxsim/Decoder.h"
#include "tools/ptxsim/Warp.h"

#include <algorithm>
#include <vector>

namespace weft::ptxsim {
namespace {

/// The lanes that name each other in their masks of members, which execute the instruction together. Every lane names
/// itself; all that it names execute this, and name the same. A warp may have several such groups: those of half a
/// warp each, say.
class Groups {
public:
  Groups(const Warp &warp, const uint64_t *masks, LaneMask active) {
    for (LaneMask rest = active; rest != 0; rest &= ~all.back()) {
      int first = std::countr_zero(rest);
      auto members = LaneMask(masks[first]);
      if (!(members >> first & 1))
        warp.fault(FaultKind::Divergence, "the lane executes this and is not in its mask of members", first);
      check(warp, masks, active, first, members & warp.live());
      all.push_back(members & active);
    }
  }

  /// Calls `each` with the lanes of each group.
  template <typename Each> void forEach(Each each) const {
    for (LaneMask members : all)
      each(members);
  }

private:
  static void check(const Warp &warp, const uint64_t *masks, LaneMask active, int first, LaneMask members) {
    forLanes(members, [&](int lane) {
      std::string name = std::to_string(lane);
      if (!(active >> lane & 1))
        warp.fault(FaultKind::Divergence,
                   "the mask of members names lane " + name + ", which does not execute this with the others", lane);
      if (LaneMask(masks[lane]) != LaneMask(masks[first]))
        warp.fault(FaultKind::Divergence, "the mask of members names lane " + name + ", which names others", first);
    });
  }

  std::vector<LaneMask> all;
};

enum Shuffle : uint32_t { kUp, kDown, kButterfly, kIndex };

/// The lane that `lane` reads, and whether it lies within the bounds of its segment; else the lane reads itself.
bool sourceLane(uint32_t mode, int lane, uint32_t b, uint32_t c, int &source) {
  int offset = int(b & 31), clamp = int(c & 31), segment = int(c >> 8 & 31);
  int high = (lane & segment) | (clamp & ~segment), low = lane & segment;
  bool inside = false;
  switch (mode) {
  case kUp:
    source = lane - offset;
    inside = source >= high;
    break;
  case kDown:
    source = lane + offset;
    inside = source <= high;
    break;
  case kButterfly:
    source = lane ^ offset;
    inside = source <= high;
    break;
  default:
    source = low | (offset & ~segment);
    inside = source <= high;
    break;
  }
  if (!inside)
    source = lane;
  return inside;
}

Outcome shuffle(const Instruction &i, Warp &warp, LaneMask active) {
  uint64_t values[kLanes] = {};
  LaneMask inside = 0;
  Groups(warp, warp.row(i.sources[3]), active).forEach([&](LaneMask members) {
    forLanes(members, [&](int lane) {
      int source = lane;
      uint32_t b = uint32_t(warp.row(i.sources[1])[lane]), c = uint32_t(warp.row(i.sources[2])[lane]);
      inside |= LaneMask(sourceLane(i.flags, lane, b, c, source)) << lane;
      if (!(members >> source & 1))
        warp.fault(FaultKind::Divergence, "reads lane " + std::to_string(source) + ", which does not execute this",
                   lane);
      values[lane] = warp.row(i.sources[0])[source];
    });
  });
  forLanes(active, [&](int lane) {
    warp.row(i.destinations[0])[lane] = values[lane];
    if (i.destinations.size() > 1)
      warp.row(i.destinations[1])[lane] = inside >> lane & 1;
  });
  return Outcome::Next;
}

void decodeShfl(Decoder &d) {
  if (!d.take("sync"))
    d.refuse("shfl without .sync is not of this architecture");
  int mode = d.takeOneOf({"up", "down", "bfly", "idx"});
  if (mode < 0 || !d.take("b32"))
    d.refuse("shfl is .up, .down, .bfly or .idx of .b32");
  d.expectOperands(5, 5);
  d.destination(0).source(1, Type::B32).source(2, Type::B32).source(3, Type::B32).source(4, Type::B32);
  d.instruction.flags = uint32_t(mode);
  d.instruction.execute = &shuffle;
}

enum Vote : uint32_t { kAll, kAny, kUniform, kBallot };

Outcome vote(const Instruction &i, Warp &warp, LaneMask active) {
  Groups(warp, warp.row(i.sources[1]), active).forEach([&](LaneMask members) {
    LaneMask yes = 0;
    forLanes(members, [&](int lane) { yes |= LaneMask(warp.row(i.sources[0])[lane] & 1) << lane; });
    uint64_t result = yes;
    if (i.flags == kAll)
      result = yes == members;
    else if (i.flags == kAny)
      result = yes != 0;
    else if (i.flags == kUniform)
      result = yes == members || yes == 0;
    forLanes(members, [&](int lane) { warp.row(i.destinations[0])[lane] = result; });
  });
  return Outcome::Next;
}

void decodeVote(Decoder &d) {
  int mode = d.takeOneOf({"all", "any", "uni", "ballot"});
  if (!d.take("sync") || mode < 0)
    d.refuse("vote.sync is .all, .any, .uni or .ballot");
  d.take(mode == int(kBallot) ? "b32" : "pred");
  d.expectOperands(3, 3);
  d.destination(0).source(1, Type::Pred).source(2, Type::B32);
  d.instruction.flags = uint32_t(mode);
  d.instruction.execute = &vote;
}

/// match.any: the lanes that have the lane's value. match.all: all lanes where all have the same, else 0.
Outcome match(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *values = warp.row(i.sources[0]);
  Groups(warp, warp.row(i.sources[1]), active).forEach([&](LaneMask members) {
    LaneMask equal[kLanes] = {};
    forLanes(members, [&](int lane) {
      forLanes(members, [&](int other) { equal[lane] |= LaneMask(values[lane] == values[other]) << other; });
    });
    forLanes(members, [&](int lane) {
      bool all = equal[lane] == members;
      warp.row(i.destinations[0])[lane] = i.flags && !all ? 0 : equal[lane];
      if (i.destinations.size() > 1)
        warp.row(i.destinations[1])[lane] = all;
    });
  });
  return Outcome::Next;
}

void decodeMatch(Decoder &d) {
  bool all = d.take("all");
  if (!all && !d.take("any"))
    d.refuse("match is .any or .all");
  if (!d.take("sync"))
    d.refuse("match is .sync");
  Type type = d.takeType();
  d.expectOperands(3, 3);
  d.destination(0).source(1, type).source(2, Type::B32);
  d.instruction.flags = all;
  d.instruction.execute = &match;
}

enum Reduction : uint32_t { kAdd, kMin, kMax, kAnd, kOr, kXor };

uint32_t reduceTwo(uint32_t op, bool isSigned, uint32_t left, uint32_t right) {
  switch (op) {
  case kAdd:
    return left + right;
  case kMin:
    return isSigned ? uint32_t(std::min(int32_t(left), int32_t(right))) : std::min(left, right);
  case kMax:
    return isSigned ? uint32_t(std::max(int32_t(left), int32_t(right))) : std::max(left, right);
  case kAnd:
    return left & right;
  case kOr:
    return left | right;
  default:
    return left ^ right;
  }
}

Outcome reduce(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *values = warp.row(i.sources[0]);
  Groups(warp, warp.row(i.sources[1]), active).forEach([&](LaneMask members) {
    int first = std::countr_zero(members);
    uint32_t result = uint32_t(values[first]);
    forLanes(members & ~(LaneMask(1) << first),
             [&](int lane) { result = reduceTwo(i.flags, isSigned(i.type), result, uint32_t(values[lane])); });
    forLanes(members, [&](int lane) { warp.row(i.destinations[0])[lane] = result; });
  });
  return Outcome::Next;
}

void decodeRedux(Decoder &d) {
  int op = d.takeOneOf({"add", "min", "max", "and", "or", "xor"});
  if (!d.take("sync") || op < 0)
    d.refuse("redux.sync is .add, .min, .max, .and, .or or .xor");
  Type type = d.takeType();
  if (bitsOf(type) != 32 || isFloat(type))
    d.refuse("redux.sync is of 32-bit integers here");
  d.expectOperands(3, 3);
  d.destination(0).source(1, type).source(2, Type::B32);
  d.instruction.type = type;
  d.instruction.flags = uint32_t(op);
  d.instruction.execute = &reduce;
}

Outcome activeLanes(const Instruction &i, Warp &warp, LaneMask active) {
  forLanes(active, [&](int lane) { warp.row(i.destinations[0])[lane] = active; });
  return Outcome::Next;
}

void decodeActivemask(Decoder &d) {
  d.take("b32");
  d.expectOperands(1, 1);
  d.destination(0);
  d.instruction.execute = &activeLanes;
}

} // namespace

void registerWarpWide(Registry &registry) {
  registry.add("shfl", decodeShfl);
  registry.add("vote", decodeVote);
  registry.add("match", decodeMatch);
  registry.add("redux", decodeRedux);
  registry.add("activemask", decodeActivemask);
}

} // namespace weft::ptxsim
