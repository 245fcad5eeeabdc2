// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ptxsim/async/AsyncState.h"

#include "tools/ptxsim/Device.h"

#include <algorithm>

namespace weft::ptxsim {

AsyncState::AsyncState(Block &block)
    : order(int(block.warps.size())), shadow(uint32_t(block.shared.size()), order), warps(block.warps.size()) {
  for (size_t warp = 0; warp < warps.size(); ++warp)
    agentNames.push_back("warp " + std::to_string(warp));
  auto add = [&](AsyncGroups &groups, bool generic, const std::string &name, size_t warp) {
    groups.agent = order.addAgent(generic);
    agentNames.push_back(name + " of warp " + std::to_string(warp));
  };
  for (size_t warp = 0; warp < warps.size(); ++warp) {
    add(warps[warp].copies, true, "cp.async", warp);
    add(warps[warp].bulk, false, "cp.async.bulk", warp);
    add(warps[warp].products, false, "wgmma", warp);
  }
  const Function &function = *block.launch.function;
  uint32_t threads = uint32_t(warps.size()) * kLanes, perBlock = 65536 / std::max(1u, function.minimumBlocks);
  uint32_t registers =
      function.maximumRegisters ? function.maximumRegisters : std::min(255u, perBlock / threads / 8 * 8);
  for (WarpAsync &warp : warps)
    warp.registers = registers;
  registerPool = registers * threads;
}

namespace {
class RaceObserver : public AccessObserver {
public:
  void access(const Access &access) override { asyncOf(access.warp.block).access(access); }
  void arrive(const Warp &warp, int id) override { asyncOf(warp.block).arrive(warp, id); }
  void leave(const Warp &warp, int id) override { asyncOf(warp.block).leave(warp, id); }
  void barrier(const Block &block, int id, uint32_t) override {
    if (block.async)
      block.async->open(id);
  }
  void warpBarrier(const Warp &warp, LaneMask) override { asyncOf(warp.block).syncLanes(warp); }
};
} // namespace

std::unique_ptr<AccessObserver> observeRaces(const Block &) { return std::make_unique<RaceObserver>(); }

AsyncState &asyncOf(Block &block) {
  if (!block.async)
    block.async = std::make_shared<AsyncState>(block);
  return *block.async;
}

BarrierOrder &AsyncState::mbarrier(uint32_t address) {
  BarrierOrder &barrier = mbarriers[address];
  if (barrier.agent < 0) {
    barrier.agent = order.addAgent(false);
    char text[64];
    std::snprintf(text, sizeof text, "a copy that completes at the mbarrier 0x%x", address);
    agentNames.push_back(text);
  }
  return barrier;
}

std::string AsyncState::describe(int agent, int lane) const {
  std::string text = agentNames[size_t(agent)];
  if (agent < order.warpCount() && lane < kLanes)
    text += ", lane " + std::to_string(lane) + ",";
  return text;
}

/// An atomic or strong access races with nothing; what it writes hands on what the warp did before to who reads it.
/// This is kinder than PTX, which wants a release and an acquire: what is missing there is not found.
void AsyncState::synchronise(const Access &access) {
  if (access.space == Space::Local)
    return;
  SyncPoint &point = strong[access.space == Space::Shared ? access.address : access.address | uint64_t(1) << 63];
  if (access.reads)
    order.acquire(int(access.warp.index), point);
  if (access.writes)
    order.release(int(access.warp.index), point);
}

void AsyncState::useMbarrier(const Warp &warp, const Instruction &i, uint32_t address) {
  if (!warp.block.observer)
    return;
  int index = int(warp.index);
  SharedAccess touch{
      uint32_t(address - kSharedBase), 8, index, index, SharedAccess::kAnyLane, order.now(index), uint32_t(i.line)};
  if (std::optional<Conflict> conflict = shadow.read(touch))
    warp.fault(FaultKind::Race,
               "uses an mbarrier that " + describe(conflict->otherAgent, conflict->otherLane) +
                   " initialises or ends in line " + std::to_string(conflict->otherLine) +
                   ", and no barrier is between them",
               std::countr_zero(warp.converged()), address);
}

void AsyncState::access(const Access &access) {
  if (quiet)
    return;
  if (access.atomic || (access.instruction.flags & Instruction::kStrong))
    return synchronise(access);
  if (access.space != Space::Shared)
    return;
  int warp = int(access.warp.index), who = agent < 0 ? warp : agent;
  SharedAccess touch{uint32_t(access.address - kSharedBase),
                     access.bytes,
                     warp,
                     who,
                     access.lane,
                     agent < 0 ? order.now(warp) : agentClock,
                     uint32_t(access.instruction.line)};
  std::optional<Conflict> conflict;
  if (access.reads)
    conflict = shadow.read(touch);
  if (!conflict && access.writes)
    conflict = shadow.write(touch, access.rewrites);
  if (!conflict)
    return;
  std::string other = describe(conflict->otherAgent, conflict->otherLane);
  std::string text = std::string(access.writes ? "writes" : "reads") + " shared memory that " + other +
                     (conflict->otherWrote ? " writes" : " reads") + " in line " + std::to_string(conflict->otherLine);
  bool isAsync = conflict->otherAgent >= order.warpCount();
  FaultKind kind = FaultKind::Race;
  if (conflict->kind == Conflict::MissingFence) {
    kind = FaultKind::Proxy;
    text += ", without fence.proxy.async between the store and this access of the asynchronous proxy";
  } else if (isAsync) {
    kind = FaultKind::InFlight;
    text += ", before a wait that says it is done";
  } else
    text += ", and no barrier is between them";
  access.warp.fault(kind, text, access.lane == SharedAccess::kAllLanes ? 0 : access.lane,
                    conflict->address + kSharedBase);
}

void AsyncState::arrive(const Warp &warp, int id) { order.release(int(warp.index), named[size_t(id)].gathering); }

void AsyncState::open(int id) {
  BarrierOrder &barrier = named[size_t(id)];
  barrier.opened.known.join(barrier.gathering.known);
  barrier.opened.fenced.join(barrier.gathering.fenced);
}

void AsyncState::leave(const Warp &warp, int id) { order.acquire(int(warp.index), named[size_t(id)].opened); }

void AsyncState::syncLanes(const Warp &warp) { order.syncLanes(int(warp.index)); }

int AsyncState::productLine(const Warp &warp, Slot row) const {
  for (const ProductInFlight &product : warps[warp.index].inFlight)
    if (std::find(product.rows.begin(), product.rows.end(), row) != product.rows.end())
      return product.line;
  return 0;
}

Outcome blocked(const Instruction &i, const Warp &warp, std::string waitsFor) {
  WarpAsync &state = asyncOf(warp.block).of(warp);
  state.waitsFor = std::move(waitsFor);
  state.waitLine = i.line;
  return Outcome::Blocked;
}

/// "32 of 64 threads have arrived, missing: warp 1".
static std::string waitAtBarrier(const Block &block, int id) {
  const NamedBarrier &barrier = block.barriers[size_t(id)];
  uint32_t needed = barrier.expected ? barrier.expected : block.liveThreads();
  std::string missing;
  for (const Warp &warp : block.warps) {
    bool arrived = std::any_of(barrier.waiting.begin(), barrier.waiting.end(),
                               [&](const auto &each) { return each.first == warp.index; });
    if (!arrived && !warp.done())
      missing += (missing.empty() ? "" : ", ") + std::to_string(warp.index);
  }
  return "barrier " + std::to_string(id) + ", where " + std::to_string(barrier.arrived) + " of " +
         std::to_string(needed) + " threads have arrived" + (missing.empty() ? "" : "; not there: warps " + missing);
}

std::string waitOf(const Warp &warp) {
  const Block &block = warp.block;
  if (block.async)
    if (const WarpAsync &state = block.async->of(warp); state.waitLine == warp.instruction().line)
      return state.waitsFor;
  for (int id = 0; id < int(block.barriers.size()); ++id)
    for (const auto &[index, lanes] : block.barriers[size_t(id)].waiting)
      if (index == warp.index)
        return waitAtBarrier(block, id);
  return {};
}

void requireWholeWarp(const Warp &warp, LaneMask active, const char *what) {
  if (active == kAllLanes)
    return;
  int missing = std::countr_one(active);
  warp.fault(FaultKind::Divergence,
             std::string(what) + " needs all 32 lanes of the warp; lane " + std::to_string(missing) + " is missing",
             missing);
}

} // namespace weft::ptxsim
