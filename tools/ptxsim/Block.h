// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One thread block: its warps, its shared memory, its barriers. Warps take turns: each runs until it blocks, yields or
// has used its slice.
#ifndef WEFT_TOOLS_PTXSIM_BLOCK_H
#define WEFT_TOOLS_PTXSIM_BLOCK_H

#include "tools/ptxsim/Warp.h"

#include <deque>

namespace weft::ptxsim {

class AsyncState;
class Device;
struct Launch;

/// What looks at every access of memory and at every barrier, to find races. Null where nobody does.
struct Access {
  const Warp &warp;
  const Instruction &instruction;
  int lane;
  Space space;      ///< Global, Shared or Local
  uint64_t address; ///< in that space
  uint32_t bytes;
  bool reads, writes, atomic;
  bool rewrites = false; ///< a write of the values that are there: harmless beside another
};
class AccessObserver {
public:
  virtual ~AccessObserver() = default;
  virtual void access(const Access &access) = 0;
  /// Lanes of the warp arrive at barrier `id`, to wait or not; lanes that waited go on.
  virtual void arrive(const Warp &warp, int id) = 0;
  virtual void leave(const Warp &warp, int id) = 0;
  /// Barrier `id` let `threads` go on.
  virtual void barrier(const Block &block, int id, uint32_t threads) = 0;
  /// bar.warp.sync and its like in `lanes`.
  virtual void warpBarrier(const Warp &warp, LaneMask lanes) = 0;
};

/// Finds races and missing waits (async/AsyncState.h).
std::unique_ptr<AccessObserver> observeRaces(const Block &block);

/// One of a block's 16 named barriers (bar, barrier). Threads arrive; the last one opens it for all that wait.
struct NamedBarrier {
  uint32_t expected = 0; ///< threads; 0: nobody has arrived
  uint32_t arrived = 0;
  uint64_t generation = 0;                            ///< of openings
  std::vector<std::pair<uint32_t, LaneMask>> waiting; ///< warp, lanes
  uint32_t population = 0;                            ///< of barrier.red: lanes whose predicate is true
  uint64_t result = 0;                                ///< of the last opening: the population
};

class Block {
public:
  Block(Device &device, const Launch &launch, std::array<uint32_t, 3> index);

  Device &device;
  const Launch &launch;
  const std::array<uint32_t, 3> index;
  std::deque<Warp> warps;
  std::vector<std::byte> shared; ///< shared[a - kSharedBase] is at address a
  std::vector<uint8_t> sharedWritten;
  /// [lane of warp][bytes]: local[thread] is one thread's.
  std::vector<std::vector<std::byte>> local;
  std::vector<std::vector<uint8_t>> localWritten;
  std::array<NamedBarrier, 16> barriers;
  std::unique_ptr<AccessObserver> observer;
  /// Copies, products and mbarriers under way, and the order of accesses; made when first asked for (asyncOf).
  std::shared_ptr<AsyncState> async;

  bool done() const;
  /// Threads that have not exited.
  uint32_t liveThreads() const;
  uint32_t linearIndex() const;
  /// A turn for every warp. Returns the warp instructions executed; 0: every warp waits.
  uint64_t run(uint64_t slice);
  /// Room for the local variables of a function that `lanes` enter, as if never written.
  void reserveLocal(const Warp &warp, LaneMask lanes, uint64_t begin, uint64_t bytes);
  /// Called when lanes exit: a barrier that waits for all threads may open.
  void threadsExited();
  /// Opens barrier `id` if all its threads have arrived.
  void openIfComplete(int id);
};

} // namespace weft::ptxsim

#endif // WEFT_TOOLS_PTXSIM_BLOCK_H
