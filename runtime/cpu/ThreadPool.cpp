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

static uint64_t packTicket(uint32_t epoch, uint64_t next, uint64_t end) {
  return uint64_t(epoch) << 32 | end << 16 | next;
}
static uint32_t endOf(uint64_t ticket) { return ticket >> 16 & 0xffff; }
static uint32_t nextOf(uint64_t ticket) { return ticket & 0xffff; }

bool ThreadPool::start(int32_t workers) {
  owner = getpid();
  threads = Array<pthread_t>(size_t(workers));
  ranges = Array<Range>(size_t(workers) + 1);
  pthread_attr_t attributes;
  if (!threads || !ranges || pthread_attr_init(&attributes) != 0)
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
  auto &self = *static_cast<ThreadPool *>(pool);
  self.work(self.arrived.fetch_add(1, std::memory_order_relaxed) + 1);
  return nullptr;
}

void ThreadPool::work(int32_t own) {
  DefaultFloatMode mode;
  for (uint32_t seen = 0; awaitWork(seen);)
    for (int64_t chunk; claim(own, chunk);)
      execute(chunk);
}

bool ThreadPool::takeSeat() {
  int32_t free = seats.load(std::memory_order_relaxed);
  while (free > 0)
    if (seats.compare_exchange_weak(free, free - 1, std::memory_order_acquire, std::memory_order_relaxed))
      return true;
  return false;
}

// The region's fields are read only after a claim succeeded: from then until
// the chunk is finished the caller cannot start another region.
bool ThreadPool::claim(int32_t own, int64_t &chunk) {
  int32_t count = inUse.load(std::memory_order_relaxed);
  for (int32_t i = 0; i < count; ++i) {
    std::atomic<uint64_t> &ticket = ranges[(own + i) % count].ticket;
    uint64_t left = ticket.load(std::memory_order_acquire);
    while (nextOf(left) < endOf(left)) {
      bool front = i == 0;
      chunk = front ? nextOf(left) : endOf(left) - 1;
      uint64_t rest = front ? left + packTicket(0, 1, 0) : left - packTicket(0, 0, 1);
      if (ticket.compare_exchange_weak(left, rest, std::memory_order_acq_rel, std::memory_order_acquire))
        return true;
    }
  }
  return false;
}

void ThreadPool::execute(int64_t chunk) {
  auto chunks = static_cast<uint32_t>(region.chunks);
  region.runChunk(chunk);
  // Sequentially consistent, as the caller's side: either this thread sees
  // that the caller sleeps, or the caller sees the chunk finished.
  if (finished.fetch_add(1) + 1 == chunks && callerSleeps.load())
    futexWake(finished, 1);
}

/// With a seat of a region after the one last seen; false when the pool is
/// stopping.
bool ThreadPool::awaitWork(uint32_t &seen) {
  auto hasWork = [&] {
    uint32_t now = signal.load();
    bool isNew = now != seen;
    seen = now;
    return isNew && takeSeat();
  };
  for (Spin spin; spin.again();) {
    if (stopping.load(std::memory_order_relaxed))
      return false;
    if (hasWork())
      return true;
  }
  sleepers.fetch_add(1);
  // In this order: who has seen the destructor's signal also sees that the pool is stopping, and does not sleep.
  while (!hasWork() && !stopping.load())
    futexWait(signal, seen);
  sleepers.fetch_sub(1);
  return !stopping.load();
}

void ThreadPool::publish(const Region &work) {
  region = work;
  finished.store(0, std::memory_order_relaxed);
  int64_t most = work.threads < started + 1 ? work.threads : started + 1;
  int64_t count = most < work.chunks ? most : work.chunks;
  inUse.store(static_cast<int32_t>(count), std::memory_order_relaxed);
  ++epoch;
  for (int64_t i = 0; i < count; ++i)
    ranges[i].ticket.store(
        packTicket(epoch, uint64_t(work.chunks * i / count), uint64_t(work.chunks * (i + 1) / count)),
        std::memory_order_release);
  // Last: a worker that still looks for the region before this one may take a seat of this one, and must find its
  // chunks then, since it has no second seat to come back on.
  seats.store(work.threads - 1, std::memory_order_release);
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
  publish(work);
  wake(work);
  for (int64_t chunk; claim(0, chunk);)
    execute(chunk);
  awaitDone(static_cast<uint32_t>(work.chunks));
  busy.store(false, std::memory_order_release);
  return true;
}

} // namespace weft::runtime
