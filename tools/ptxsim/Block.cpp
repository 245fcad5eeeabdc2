// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "tools/ptxsim/Block.h"

#include "tools/ptxsim/Device.h"

#include <algorithm>

namespace weft::ptxsim {

Block::Block(Device &device, const Launch &launch, std::array<uint32_t, 3> index)
    : device(device), launch(launch), index(index) {
  shared.resize(launch.module->staticShared + launch.dynamicShared);
  sharedWritten.resize(shared.size());
  uint32_t threads = launch.threads();
  local.resize(threads);
  localWritten.resize(threads);
  for (uint32_t first = 0; first < threads; first += kLanes) {
    uint32_t count = std::min<uint32_t>(threads - first, kLanes);
    LaneMask lanes = count == kLanes ? kAllLanes : (1u << count) - 1;
    warps.emplace_back(*this, first / kLanes, *launch.function, lanes);
  }
  if (device.options.observe)
    observer = device.options.observe(*this);
}

void Block::reserveLocal(const Warp &warp, LaneMask lanes, uint64_t begin, uint64_t bytes) {
  if (bytes == 0)
    return;
  forLanes(lanes, [&](int lane) {
    uint32_t thread = warp.thread(lane);
    if (local[thread].size() < begin + bytes) {
      local[thread].resize(begin + bytes);
      localWritten[thread].resize(begin + bytes);
    }
    // A function that is called again finds nothing of the last time.
    std::fill_n(localWritten[thread].begin() + ptrdiff_t(begin), bytes, uint8_t(0));
  });
}

bool Block::done() const {
  return std::all_of(warps.begin(), warps.end(), [](const Warp &warp) { return warp.done(); });
}

uint32_t Block::liveThreads() const {
  uint32_t count = 0;
  for (const Warp &warp : warps)
    count += uint32_t(std::popcount(warp.live()));
  return count;
}

uint32_t Block::linearIndex() const { return index[0] + launch.grid[0] * (index[1] + launch.grid[1] * index[2]); }

uint64_t Block::run(uint64_t slice) {
  uint64_t executed = 0;
  for (Warp &warp : warps)
    if (!warp.done()) {
      uint64_t count = warp.run(slice);
      executed += count;
      device.clock += count;
    }
  return executed;
}

void Block::threadsExited() {
  for (int id = 0; id < int(barriers.size()); ++id)
    if (barriers[id].arrived > 0)
      openIfComplete(id);
}

void Block::openIfComplete(int id) {
  NamedBarrier &barrier = barriers[id];
  uint32_t needed = barrier.expected ? barrier.expected : liveThreads();
  if (barrier.arrived < needed)
    return;
  if (observer)
    observer->barrier(*this, id, barrier.arrived);
  barrier.result = uint64_t(barrier.population) << 32 | barrier.arrived;
  barrier.arrived = barrier.expected = barrier.population = 0;
  barrier.waiting.clear();
  ++barrier.generation;
}

} // namespace weft::ptxsim
