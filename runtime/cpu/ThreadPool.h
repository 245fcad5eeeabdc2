// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Threads that wait for the next region: they spin for some tens of
// microseconds, which covers the gaps inside a call, then sleep.
//
// A region is cut into chunks, and these into as many ranges as threads may
// work on it. One 64-bit word for each range, its ticket, says which region is
// on and which chunks of the range are left, [next, end):
//
//   | epoch : 32 | end : 16 | next : 16 |
//
// A thread takes the chunks of its own range from the front: those after one
// another read parts of a weight that lie one after the other, so the caches
// have the next before it is wanted, and in the next call the same thread finds
// there what it left. A thread without work takes from another's end. Claiming
// is one compare-and-swap.
//
// A worker joins a region by taking one of its seats: fewer than there are
// workers while other calls of the process want the cores, too. The count is a
// bound on speed only: a worker that takes the seat of a region just over works
// on the next. A worker that comes late finds another epoch or no chunk left and
// goes back to waiting, so a region never waits for a thread that does not work
// on it: the caller alone could finish it, and after fork() it does.
#ifndef WEFT_RUNTIME_CPU_THREADPOOL_H
#define WEFT_RUNTIME_CPU_THREADPOOL_H

#include "runtime/core/Memory.h"
#include "runtime/include/weft/abi.h"

#include <atomic>
#include <pthread.h>
#include <sys/types.h>

namespace weft::runtime {

/// Work on [0, count), cut into equal contiguous chunks.
struct Region {
  weft_abi_body body;
  void *arguments;
  int64_t count;
  int64_t chunks;  // 1 to kMaxChunks, at most count
  int32_t threads; // that may work on it, the caller's included

  static constexpr int64_t kMaxChunks = 65535; // 16 bits of a ticket

  void runChunk(int64_t chunk) const {
    int64_t size = count / chunks, longer = count % chunks;
    int64_t begin = chunk * size + (chunk < longer ? chunk : longer);
    body(arguments, begin, begin + size + (chunk < longer ? 1 : 0));
  }
};

class ThreadPool {
public:
  ThreadPool() = default;
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;
  /// No region may be running.
  ~ThreadPool();

  /// Starts up to `workers` threads; fewer when the system gives no more.
  /// False when memory is out.
  bool start(int32_t workers);
  int32_t workerCount() const { return started; }

  /// Runs a region; the caller works too. False, with nothing done, while
  /// another region is on, as when a region is started inside a region.
  bool run(const Region &region);

private:
  /// What is left of a range, on a cache line of its own.
  struct alignas(64) Range {
    std::atomic<uint64_t> ticket{0};
  };

  static void *threadMain(void *pool);
  void work(int32_t own);
  bool takeSeat();
  bool claim(int32_t own, int64_t &chunk);
  void execute(int64_t chunk);
  bool awaitWork(uint32_t &seen);
  void publish(const Region &work);
  void wake(const Region &work);
  void awaitDone(uint32_t chunks);

  // What every thread reads while waiting, on cache lines of their own.
  alignas(64) std::atomic<uint32_t> signal{0}; // changes with each region
  std::atomic<uint32_t> sleepers{0};
  std::atomic<bool> stopping{false};
  alignas(64) std::atomic<int32_t> seats{0};     // workers that may still join this region
  std::atomic<int32_t> inUse{0};                 // ranges of this region
  alignas(64) std::atomic<uint32_t> finished{0}; // chunks of this region
  std::atomic<uint32_t> callerSleeps{0};
  alignas(64) std::atomic<bool> busy{false};
  uint32_t epoch = 0;
  Region region{};
  Array<Range> ranges; // the caller's, then one for each worker
  Array<pthread_t> threads;
  std::atomic<int32_t> arrived{0}; // workers, which count themselves
  int32_t started = 0;
  pid_t owner = 0; // the process that has the threads
};

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CPU_THREADPOOL_H
