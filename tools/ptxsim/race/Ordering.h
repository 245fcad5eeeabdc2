// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What happened before what in a block: vector clocks of its warps and of what runs beside them.
//
// An agent is a warp, or something asynchronous: the copies of cp.async or of bulk groups of one warp, the matrix
// products of one warp, the copies that complete at one mbarrier. Everything an agent does carries its clock. A warp
// knows an agent's clock up to what it learned at barriers and waits. Beside that it knows up to where each agent's
// writes were made visible to the asynchronous proxy (fence.proxy.async); both travel through the same barriers.
// After: Flanagan, Freund, "FastTrack: Efficient and Precise Dynamic Race Detection", PLDI 2009.
#ifndef WEFT_TOOLS_PTXSIM_RACE_ORDERING_H
#define WEFT_TOOLS_PTXSIM_RACE_ORDERING_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft::ptxsim {

/// Clocks by agent; agents beyond the end have 0.
class VectorClock {
public:
  uint32_t of(int agent) const { return agent < int(clocks.size()) ? clocks[std::size_t(agent)] : 0; }
  void raise(int agent, uint32_t clock);
  void join(const VectorClock &other);

private:
  std::vector<uint32_t> clocks;
};

/// What a barrier hands on.
struct SyncPoint {
  VectorClock known, fenced;
};

class Ordering {
public:
  explicit Ordering(int warps);

  int warpCount() const { return int(warps.size()); }

  /// A new agent of the asynchronous kind; `genericProxy`: its writes need a proxy fence before an asynchronous read.
  int addAgent(bool genericProxy);
  bool isGeneric(int agent) const { return generic[std::size_t(agent)]; }

  /// The clock of what the warp does now.
  uint32_t now(int warp) const { return warps[std::size_t(warp)].known.of(warp); }

  /// Publishes what the warp knows; what it does next is not part of it.
  void release(int warp, SyncPoint &point);
  void acquire(int warp, const SyncPoint &point);

  /// bar.warp.sync and what stands for it: the lanes of a warp know of each other.
  void syncLanes(int warp) { tick(warp); }

  /// The warp has waited for the agent: cp.async.wait_group, wgmma.wait_group, …
  void learn(int warp, int agent, uint32_t clock) { warps[std::size_t(warp)].known.raise(agent, clock); }

  /// fence.proxy.async: all that the warp knows of is visible to the asynchronous proxy.
  void fenceProxy(int warp);

  bool knows(int warp, int agent, uint32_t clock) const { return warps[std::size_t(warp)].known.of(agent) >= clock; }
  bool fenced(int warp, int agent, uint32_t clock) const { return warps[std::size_t(warp)].fenced.of(agent) >= clock; }

private:
  void tick(int warp);

  std::vector<SyncPoint> warps;
  std::vector<bool> generic;
};

} // namespace weft::ptxsim

#endif
