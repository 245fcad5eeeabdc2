// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fence (with proxies), elect.sync, setmaxnreg, griddepcontrol, mapa, getctarank, barrier.cluster. Clusters have one
// block.
#include "tools/ptxsim/Decoder.h"
#include "tools/ptxsim/async/AsyncState.h"

#include <algorithm>

namespace weft::ptxsim {
namespace {

Outcome nothing(const Instruction &, Warp &, LaneMask) { return Outcome::Next; }

Outcome fenceProxy(const Instruction &, Warp &warp, LaneMask) {
  asyncOf(warp.block).order.fenceProxy(int(warp.index));
  return Outcome::Next;
}

/// Of the proxies only the asynchronous one is told apart, and only for shared memory.
void decodeFence(Decoder &d) {
  auto modifiers = d.modifiers();
  auto has = [&](std::string_view word) {
    return std::find(modifiers.begin(), modifiers.end(), word) != modifiers.end();
  };
  bool async = (has("async") || has("async::generic")) && !has("global");
  if (!async && !has("async") && !has("alias") && !has("tensormap::generic"))
    d.refuse("fence.proxy is .async, .alias or .tensormap::generic");
  for (const std::string &modifier : modifiers)
    d.take(modifier);
  d.instruction.execute = async ? &fenceProxy : &nothing;
}

Outcome elect(const Instruction &i, Warp &warp, LaneMask active) {
  LaneMask members = LaneMask(warp.row(i.sources[0])[std::countr_zero(active)]);
  if (LaneMask missing = members & warp.live() & ~active)
    warp.fault(FaultKind::Divergence,
               "elect.sync names lane " + std::to_string(std::countr_zero(missing)) + ", which does not execute it",
               std::countr_zero(missing));
  int leader = std::countr_zero(members & active);
  forLanes(active, [&](int lane) {
    warp.row(i.destinations[0])[lane] = uint64_t(leader);
    warp.row(i.destinations[1])[lane] = lane == leader;
  });
  return Outcome::Next;
}

void decodeElect(Decoder &d) {
  d.take("sync");
  d.expectOperands(2, 2);
  d.destination(0).source(1, Type::B32);
  if (d.instruction.destinations.size() != 2)
    d.refuse("elect.sync has the results lane|predicate");
  d.instruction.execute = &elect;
}

/// Registers come from those that the block was launched with; a warp waits until others have given back enough.
Outcome setRegisters(const Instruction &i, Warp &warp, LaneMask active) {
  requireWholeWarp(warp, active, "setmaxnreg");
  AsyncState &async = asyncOf(warp.block);
  uint32_t &mine = async.of(warp).registers, wanted = uint32_t(i.bytes) * 8, total = 0;
  bool increase = i.flags != 0;
  if (increase ? wanted < mine : wanted > mine)
    warp.fault(FaultKind::Barrier,
               "setmaxnreg." + std::string(increase ? "inc" : "dec") + " to " + std::to_string(wanted) +
                   " registers of a warp that has " + std::to_string(mine),
               0);
  for (const WarpAsync &each : async.warps)
    total += each.registers * kLanes;
  if (total + (wanted - mine) * kLanes > async.registerPool && increase)
    return blocked(i, warp,
                   std::to_string(wanted) + " registers a thread; the block has " + std::to_string(async.registerPool) +
                       ", its warps hold " + std::to_string(total));
  mine = wanted;
  return Outcome::Next;
}

void decodeSetmaxnreg(Decoder &d) {
  d.instruction.flags = d.take("inc");
  if (!d.instruction.flags && !d.take("dec"))
    d.refuse("setmaxnreg is .inc or .dec");
  for (const char *modifier : {"sync", "aligned"})
    if (!d.take(modifier))
      d.refuse("setmaxnreg is .sync.aligned");
  if (!d.take("u32"))
    d.refuse("setmaxnreg is .u32");
  d.expectOperands(1, 1);
  int64_t count = d.immediate(0);
  if (count < 24 || count > 256 || count % 8)
    d.refuse("a number of registers is a multiple of 8 from 24 to 256");
  d.instruction.bytes = uint8_t(count / 8);
  d.instruction.execute = &setRegisters;
}

void decodeGriddepcontrol(Decoder &d) {
  if (!d.take("launch_dependents") && !d.take("wait"))
    d.refuse("griddepcontrol is .launch_dependents or .wait");
  d.expectOperands(0, 0);
  d.instruction.execute = &nothing;
}

/// The same place in the memory of another block of the cluster, of which there is one: itself.
Outcome mapAddress(const Instruction &i, Warp &warp, LaneMask active) {
  forLanes(active, [&](int lane) {
    if (uint32_t rank = uint32_t(warp.row(i.sources[1])[lane]))
      warp.fault(FaultKind::OutOfBounds, "the cluster has no block of rank " + std::to_string(rank), lane);
    warp.row(i.destinations[0])[lane] = warp.row(i.sources[0])[lane];
  });
  return Outcome::Next;
}

void decodeMapa(Decoder &d) {
  d.takeSpace();
  Type type = d.takeType();
  d.expectOperands(3, 3);
  d.destination(0).source(1, type).source(2, Type::U32);
  d.instruction.execute = &mapAddress;
}

Outcome rankOfBlock(const Instruction &i, Warp &warp, LaneMask active) {
  forLanes(active, [&](int lane) { warp.row(i.destinations[0])[lane] = 0; });
  return Outcome::Next;
}

void decodeGetctarank(Decoder &d) {
  d.takeSpace();
  Type type = d.takeType();
  d.expectOperands(2, 2);
  d.destination(0).source(1, type);
  d.instruction.execute = &rankOfBlock;
}

Outcome arriveAtCluster(const Instruction &, Warp &warp, LaneMask active) {
  AsyncState &async = asyncOf(warp.block);
  async.order.release(int(warp.index), async.clusterGathering);
  async.clusterArrived += uint32_t(std::popcount(active));
  forLanes(active, [&](int lane) { async.of(warp).clusterPhase[size_t(lane)] = async.clusterPhase + 1; });
  return Outcome::Next;
}

Outcome waitForCluster(const Instruction &i, Warp &warp, LaneMask active) {
  AsyncState &async = asyncOf(warp.block);
  if (async.clusterArrived >= warp.block.liveThreads() && async.clusterArrived) {
    async.clusterArrived = 0;
    ++async.clusterPhase;
    async.clusterOpened = async.clusterGathering;
  }
  bool open = true;
  forLanes(active, [&](int lane) { open &= async.of(warp).clusterPhase[size_t(lane)] <= async.clusterPhase; });
  if (!open)
    return blocked(i, warp,
                   "barrier.cluster, where " + std::to_string(async.clusterArrived) + " of " +
                       std::to_string(warp.block.liveThreads()) + " threads have arrived");
  async.order.acquire(int(warp.index), async.clusterOpened);
  return Outcome::Next;
}

void decodeClusterBarrier(Decoder &d) {
  d.take("cluster");
  bool wait = d.take("wait");
  if (!wait && !d.take("arrive"))
    d.refuse("barrier.cluster is .arrive or .wait");
  d.take("aligned");
  d.takeMemoryOrder();
  d.expectOperands(0, 0);
  d.instruction.execute = wait ? &waitForCluster : &arriveAtCluster;
}

} // namespace

void registerCluster(Registry &registry) {
  registry.add("fence.proxy", decodeFence);
  registry.add("barrier.cluster", decodeClusterBarrier);
  registry.add("elect", decodeElect);
  registry.add("setmaxnreg", decodeSetmaxnreg);
  registry.add("griddepcontrol", decodeGriddepcontrol);
  registry.add("mapa", decodeMapa);
  registry.add("getctarank", decodeGetctarank);
}

} // namespace weft::ptxsim
