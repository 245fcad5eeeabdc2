// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ptxsim/race/Ordering.h"

#include <algorithm>

namespace weft::ptxsim {

void VectorClock::raise(int agent, uint32_t clock) {
  if (agent >= int(clocks.size()))
    clocks.resize(size_t(agent) + 1);
  clocks[size_t(agent)] = std::max(clocks[size_t(agent)], clock);
}

void VectorClock::join(const VectorClock &other) {
  if (clocks.size() < other.clocks.size())
    clocks.resize(other.clocks.size());
  for (size_t agent = 0; agent < other.clocks.size(); ++agent)
    clocks[agent] = std::max(clocks[agent], other.clocks[agent]);
}

Ordering::Ordering(int count) : warps(size_t(count)), generic(size_t(count), true) {
  for (int warp = 0; warp < count; ++warp)
    warps[size_t(warp)].known.raise(warp, 1);
}

int Ordering::addAgent(bool genericProxy) {
  generic.push_back(genericProxy);
  return int(generic.size()) - 1;
}

void Ordering::tick(int warp) { warps[size_t(warp)].known.raise(warp, now(warp) + 1); }

void Ordering::release(int warp, SyncPoint &point) {
  point.known.join(warps[size_t(warp)].known);
  point.fenced.join(warps[size_t(warp)].fenced);
  tick(warp);
}

void Ordering::acquire(int warp, const SyncPoint &point) {
  warps[size_t(warp)].known.join(point.known);
  warps[size_t(warp)].fenced.join(point.fenced);
}

void Ordering::fenceProxy(int warp) {
  warps[size_t(warp)].fenced.join(warps[size_t(warp)].known);
  tick(warp);
}

} // namespace weft::ptxsim
