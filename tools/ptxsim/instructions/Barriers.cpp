// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// bar and barrier (sync, arrive, red), bar.warp.sync, and the fences that order nothing here: one thread runs at a
// time.
#include "tools/ptxsim/Block.h"
#include "tools/ptxsim/instructions/Lanes.h"

namespace weft::ptxsim {
namespace {

/// In Instruction::flags.
enum : uint32_t { kAligned = 1, kArrive = 2, kCounted = 4, kPopc = 8, kAnd = 16, kOr = 32 };

std::string lanesText(LaneMask lanes) {
  std::string result;
  for (int lane = 0; lane < kLanes; ++lane)
    if ((lanes >> lane) & 1)
      result += (result.empty() ? "" : ", ") + std::to_string(lane);
  return result;
}

uint32_t uniform(const Instruction &i, Warp &warp, LaneMask active, size_t source) {
  const uint64_t *row = warp.row(i.sources[source]);
  int first = std::countr_zero(active);
  forLanes(active, [&](int lane) {
    if (row[lane] != row[first])
      warp.fault(FaultKind::Barrier, "the lanes of a warp name different barriers or counts", lane);
  });
  return uint32_t(row[first]);
}

void checkAligned(const Instruction &i, Warp &warp, LaneMask active) {
  LaneMask missing = warp.live() & ~active;
  if ((i.flags & kAligned) && missing)
    warp.fault(FaultKind::Divergence,
               "all threads of a warp must come to this barrier together, lanes " + lanesText(missing) +
                   " are elsewhere",
               std::countr_zero(active));
}

/// The lanes arrive; `count` 0: the barrier is of all threads of the block.
void arrive(const Instruction &i, Warp &warp, LaneMask active, uint32_t id, uint32_t count) {
  NamedBarrier &barrier = warp.block.barriers[id];
  int first = std::countr_zero(active);
  if (count % kLanes != 0)
    warp.fault(FaultKind::Barrier, "a count of " + std::to_string(count) + " is no multiple of the warp's 32", first);
  if (barrier.arrived > 0 && barrier.expected != count)
    warp.fault(FaultKind::Barrier,
               "barrier " + std::to_string(id) + " was begun with a count of " + std::to_string(barrier.expected) +
                   ", here it is " + std::to_string(count),
               first);
  barrier.expected = count;
  // With a count whole warps arrive, also those at the block's end that have fewer threads.
  bool whole = count != 0 && active == warp.live();
  barrier.arrived += whole ? uint32_t(kLanes) : uint32_t(std::popcount(active));
  barrier.waiting.emplace_back(warp.index, active);
  if (i.flags & (kPopc | kAnd | kOr)) {
    const uint64_t *predicate = warp.row(i.sources.back());
    forLanes(active, [&](int lane) { barrier.population += predicate[lane] != 0; });
  }
  if (count != 0 && barrier.arrived > count)
    warp.fault(FaultKind::Barrier, "more threads arrive at barrier " + std::to_string(id) + " than its count", first);
}

void writeReduction(const Instruction &i, Warp &warp, LaneMask active, const NamedBarrier &barrier) {
  uint64_t population = barrier.result >> 32, threads = uint32_t(barrier.result);
  uint64_t value = i.flags & kPopc ? population : i.flags & kAnd ? population == threads : population != 0;
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) { result[lane] = value; });
}

Outcome synchronise(const Instruction &i, Warp &warp, LaneMask active) {
  Path &path = warp.frame().paths.back();
  uint32_t id = uniform(i, warp, active, 0);
  if (id >= warp.block.barriers.size())
    warp.fault(FaultKind::Barrier, "barrier " + std::to_string(id) + " of 16", std::countr_zero(active));
  NamedBarrier &barrier = warp.block.barriers[id];
  if (path.barrier < 0) {
    checkAligned(i, warp, active);
    arrive(i, warp, active, id, i.flags & kCounted ? uniform(i, warp, active, 1) : 0);
    path.barrier = int8_t(id);
    path.generation = barrier.generation;
    if (warp.block.observer)
      warp.block.observer->arrive(warp, int(id));
    warp.block.openIfComplete(int(id));
  }
  if (i.flags & kArrive) {
    path.barrier = -1;
    return Outcome::Next;
  }
  if (barrier.generation == path.generation)
    return Outcome::Blocked;
  path.barrier = -1;
  if (warp.block.observer)
    warp.block.observer->leave(warp, int(id));
  if (!i.destinations.empty())
    writeReduction(i, warp, active, barrier);
  return Outcome::Next;
}

Outcome synchroniseWarp(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *mask = warp.row(i.sources[0]);
  forLanes(active, [&](int lane) {
    LaneMask missing = LaneMask(mask[lane]) & warp.live() & ~active;
    if (missing)
      warp.fault(FaultKind::Divergence, "the mask names lanes " + lanesText(missing) + ", which are elsewhere", lane);
  });
  if (warp.block.observer)
    warp.block.observer->warpBarrier(warp, active);
  return Outcome::Next;
}

void decodeWarpBarrier(Decoder &d) {
  d.take("warp");
  d.take("sync");
  d.expectOperands(1, 1);
  d.source(0, Type::B32);
  d.instruction.execute = synchroniseWarp;
}

void decodeReduction(Decoder &d, uint32_t &flags) {
  constexpr uint32_t kOperations[] = {kPopc, kAnd, kOr};
  int operation = d.takeOneOf({"popc", "and", "or"});
  if (operation < 0)
    d.refuse(".popc, .and or .or is missing");
  flags |= kOperations[operation];
  d.takeType();
  d.expectOperands(3, 4);
  bool counted = d.operandCount() == 4;
  d.destination(0).source(1, Type::U32);
  if (counted)
    d.source(2, Type::U32);
  d.source(d.operandCount() - 1, Type::Pred);
  flags |= counted ? kCounted : 0;
}

void decodeBarrier(Decoder &d) {
  d.take("cta");
  if (!d.statement.modifiers.empty() && d.statement.modifiers[0] == "warp")
    return decodeWarpBarrier(d);
  uint32_t flags = d.statement.opcode == "bar" ? kAligned : 0;
  int action = d.takeOneOf({"sync", "arrive", "red"});
  if (action < 0)
    d.refuse(".sync, .arrive or .red is missing");
  if (d.take("aligned"))
    flags |= kAligned;
  if (action == 2) {
    decodeReduction(d, flags);
  } else {
    d.expectOperands(action == 1 ? 2 : 1, 2);
    d.source(0, Type::U32);
    if (d.operandCount() == 2)
      d.source(1, Type::U32);
    flags |= (d.operandCount() == 2 ? kCounted : 0) | (action == 1 ? kArrive : 0);
  }
  d.instruction.flags = flags;
  d.instruction.execute = synchronise;
}

Outcome nothing(const Instruction &, Warp &, LaneMask) { return Outcome::Next; }

void decodeMembar(Decoder &d) {
  d.takeOneOf({"gl", "sys", "cta"});
  d.expectOperands(0, 0);
  d.instruction.execute = nothing;
}

/// Those of the asynchronous proxy are async/ClusterOps.cpp's.
void decodeFence(Decoder &d) {
  d.takeMemoryOrder();
  d.takeOneOf({"sync_restrict::shared::cta", "sync_restrict::shared::cluster", "mbarrier_init"});
  d.expectOperands(0, 0);
  d.instruction.execute = nothing;
}

} // namespace

void registerBarriers(Registry &registry) {
  registry.add("bar", decodeBarrier);
  registry.add("barrier", decodeBarrier);
  registry.add("membar", decodeMembar);
  registry.add("fence", decodeFence);
}

} // namespace weft::ptxsim
