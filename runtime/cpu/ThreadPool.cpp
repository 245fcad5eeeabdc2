// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cpu/ThreadPool.h"

#include "runtime/cpu/CoreShare.h"
#include "runtime/cpu/FloatMode.h"

#include <climits>
#include <csignal>
#include <ctime>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace weft::runtime {

static_assert(sizeof(std::atomic<uint32_t>) == 4, "futexes are 32-bit words");

static void futexWait(std::atomic<uint32_t> &word, uint32_t expected) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

static void futexWake(std::atomic<uint32_t> &word, int count) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

namespace {
/// Spins a bounded time: covers the gap between two regions of a call, and is
/// short against a scheduler's time slice. Where this process runs more threads
/// than there are cores it offers the core to others after a few microseconds:
/// that for which this one waits may be among them.
class Spin {
public:
  /// False when the time is over.
  bool again() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
    if (++rounds % kRoundsPerLook != 0)
      return true;
    int64_t now = nanoseconds();
    if (!start)
      start = now;
    if (now - start > kAloneNanoseconds && processCores.crowded())
      sched_yield();
    return now - start < kSpinNanoseconds;
  }

private:
  static constexpr int64_t kSpinNanoseconds = 40'000;
  static constexpr int64_t kAloneNanoseconds = 4'000;
  static constexpr uint32_t kRoundsPerLook = 32; // a look costs some 20 ns

  static int64_t nanoseconds() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return int64_t(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  }

  uint32_t rounds = 0;
  int64_t start = 0;
};
} // namespace

static uint64_t packTicket(uint32_t epoch, uint64_t chunks) { return uint64_t(epoch) << 32 | chunks << 16; }
static uint32_t chunksOf(uint64_t ticket) { return ticket >> 16 & 0xffff; }
static uint32_t nextOf(uint64_t ticket) { return ticket & 0xffff; }

bool ThreadPool::start(int32_t workers) {
  owner = getpid();
  threads = Array<pthread_t>(size_t(workers));
  pthread_attr_t attributes;
  if (!threads || pthread_attr_init(&attributes) != 0)
    return false;
  constexpr size_t kStackBytes = 8 << 20; // address space, touched when used
  pthread_attr_setstacksize(&attributes, kStackBytes);
  // The embedding program's signal handlers run on its own threads.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  while (started < workers && pthread_create(&threads[started], &attributes, threadMain, this) == 0)
    ++started;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  return true;
}

ThreadPool::~ThreadPool() {
  if (owner != getpid())
    return; // a child process after fork(): the threads are the parent's
  stopping.store(true);
  signal.fetch_add(1);
  futexWake(signal, INT_MAX);
  for (int32_t i = 0; i < started; ++i)
    pthread_join(threads[i], nullptr);
}

void *ThreadPool::threadMain(void *pool) {
  static_cast<ThreadPool *>(pool)->work();
  return nullptr;
}

void ThreadPool::work() {
  DefaultFloatMode mode;
  while (awaitWork()) {
    uint64_t claimed;
    while (claim(claimed))
      execute(claimed);
  }
}

bool ThreadPool::takeSeat() {
  int32_t free = seats.load(std::memory_order_relaxed);
  while (free > 0)
    if (seats.compare_exchange_weak(free, free - 1, std::memory_order_relaxed))
      return true;
  return false;
}

// The region's fields are read only after a claim succeeded: from then until
// the chunk is finished the caller cannot start another region.
bool ThreadPool::claim(uint64_t &claimed) {
  claimed = ticket.load(std::memory_order_acquire);
  while (nextOf(claimed) < chunksOf(claimed))
    if (ticket.compare_exchange_weak(claimed, claimed + 1, std::memory_order_acq_rel, std::memory_order_acquire))
      return true;
  return false;
}

void ThreadPool::execute(uint64_t claimed) {
  region.runChunk(nextOf(claimed));
  // Sequentially consistent, as the caller's side: either this thread sees
  // that the caller sleeps, or the caller sees the chunk finished.
  if (finished.fetch_add(1) + 1 == chunksOf(claimed) && callerSleeps.load())
    futexWake(finished, 1);
}

/// With a seat of the region that is on; false when the pool is stopping.
bool ThreadPool::awaitWork() {
  auto hasWork = [this] {
    uint64_t now = ticket.load();
    return nextOf(now) < chunksOf(now) && takeSeat();
  };
  for (Spin spin; spin.again();) {
    if (hasWork())
      return true;
    if (stopping.load(std::memory_order_relaxed))
      return false;
  }
  sleepers.fetch_add(1);
  for (;;) {
    uint32_t seen = signal.load();
    if (hasWork() || stopping.load())
      break;
    futexWait(signal, seen);
  }
  sleepers.fetch_sub(1);
  return !stopping.load();
}

void ThreadPool::wake(const Region &work) {
  signal.fetch_add(1);
  if (sleepers.load()) // the caller takes one chunk
    futexWake(signal, static_cast<int>(work.chunks < work.threads ? work.chunks : work.threads) - 1);
}

void ThreadPool::awaitDone(uint32_t chunks) {
  for (Spin spin; spin.again();)
    if (finished.load(std::memory_order_acquire) == chunks)
      return;
  callerSleeps.store(1);
  for (uint32_t now; (now = finished.load()) != chunks;)
    futexWait(finished, now);
  callerSleeps.store(0);
}

bool ThreadPool::run(const Region &work) {
  if (busy.exchange(true, std::memory_order_acquire))
    return false;
  region = work;
  finished.store(0, std::memory_order_relaxed);
  seats.store(work.threads - 1, std::memory_order_relaxed);
  ticket.store(packTicket(++epoch, uint64_t(work.chunks)));
  wake(work);
  uint64_t claimed;
  while (claim(claimed))
    execute(claimed);
  awaitDone(static_cast<uint32_t>(work.chunks));
  busy.store(false, std::memory_order_release);
  return true;
}

} // namespace weft::runtime
