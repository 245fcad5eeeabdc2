// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// parallel_for and the pool under it: each item once, in contiguous ranges, whatever the number of threads.
#include "runtime/cpu/Allowance.h"
#include "runtime/cpu/CoreShare.h"
#include "runtime/cpu/Executor.h"

#include "gtest/gtest.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

using namespace weft::runtime;

namespace {
constexpr int64_t kDear = 1'000'000; // cycles an item: always worth threads

struct Visits {
  explicit Visits(int64_t count) : items(size_t(count)) {}

  static void body(void *visits, int64_t begin, int64_t end) {
    Visits &self = *static_cast<Visits *>(visits);
    ++self.ranges;
    for (int64_t i = begin; i < end; ++i)
      self.items[size_t(i)].fetch_add(1, std::memory_order_relaxed);
  }
  bool eachOnce() const {
    for (const auto &item : items)
      if (item != 1)
        return false;
    return true;
  }

  std::vector<std::atomic<int>> items;
  std::atomic<int> ranges{0};
};

struct Threads {
  explicit Threads(int32_t threads) {
    EXPECT_TRUE(executor->pool.start(threads - 1));
    executor->concurrency = executor->pool.workerCount() + 1;
    call.services = &kServices;
    call.executor = executor.get();
  }
  void parallelFor(weft_abi_body body, void *arguments, int64_t count, int64_t cost) {
    kServices.parallel_for(&call, body, arguments, count, cost);
  }
  Owned<Executor> executor{Owned<Executor>::create()};
  weft_abi_call call = {};
};
} // namespace

TEST(Executor, EachItemOnce) {
  for (int32_t threads = 1; threads <= 8; ++threads) {
    Threads pool(threads);
    for (int64_t count : {0, 1, 2, 3, 7, 8, 31, 32, 33, 1000})
      for (int64_t cost : {int64_t(-1), int64_t(0), int64_t(1), int64_t(5000), kDear, INT64_MAX}) {
        Visits visits(count);
        pool.parallelFor(Visits::body, &visits, count, cost);
        ASSERT_TRUE(visits.eachOnce()) << threads << " threads, " << count << " items, cost " << cost;
      }
  }
}

TEST(Executor, SmallRegionsStayOnTheCaller) {
  Threads pool(4);
  Visits visits(100);
  pool.parallelFor(Visits::body, &visits, 100, 10);
  EXPECT_EQ(visits.ranges, 1);
}

TEST(Executor, LargeRegionsAreCutFinerThanThreads) {
  Threads pool(4);
  Visits visits(1000);
  pool.parallelFor(Visits::body, &visits, 1000, kDear);
  EXPECT_EQ(visits.ranges, 64);
}

TEST(Executor, ManyRegionsInARow) {
  Threads pool(4);
  for (int round = 0; round < 20000; ++round) {
    Visits visits(round % 9 + 1);
    pool.parallelFor(Visits::body, &visits, round % 9 + 1, kDear);
    ASSERT_TRUE(visits.eachOnce()) << round;
  }
}

// Workers have gone to sleep before each region.
TEST(Executor, SleepersWake) {
  Threads pool(3);
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    Visits visits(64);
    pool.parallelFor(Visits::body, &visits, 64, kDear);
    ASSERT_TRUE(visits.eachOnce());
  }
}

TEST(Executor, RegionsInsideRegions) {
  Threads pool(3);
  struct Outer {
    Threads &pool;
    std::deque<Visits> &inner;
  };
  std::deque<Visits> inner;
  for (int i = 0; i < 10; ++i)
    inner.emplace_back(50);
  Outer outer{pool, inner};
  pool.parallelFor(
      [](void *arguments, int64_t begin, int64_t end) {
        Outer &self = *static_cast<Outer *>(arguments);
        for (int64_t i = begin; i < end; ++i)
          self.pool.parallelFor(Visits::body, &self.inner[size_t(i)], 50, kDear);
      },
      &outer, 10, kDear);
  for (const Visits &visits : inner)
    EXPECT_TRUE(visits.eachOnce());
}

// Two threads on one pool: the second finds it busy and does its region itself.
TEST(Executor, RegionsAtOnce) {
  Threads pool(2);
  auto runMany = [&pool] {
    for (int round = 0; round < 2000; ++round) {
      Visits visits(40);
      pool.parallelFor(Visits::body, &visits, 40, kDear);
      ASSERT_TRUE(visits.eachOnce());
    }
  };
  std::thread other(runMany);
  runMany();
  other.join();
}

TEST(Executor, PoolsComeAndGo) {
  for (int round = 0; round < 50; ++round) {
    Threads pool(4);
    if (round % 2) {
      Visits visits(10);
      pool.parallelFor(Visits::body, &visits, 10, kDear);
      ASSERT_TRUE(visits.eachOnce());
    }
  }
}

TEST(Executor, ThreadsOfTheEmbedder) {
  struct Embedder {
    int calls = 0;
  } embedder;
  Threads pool(1);
  pool.executor->concurrency = 3;
  pool.executor->embedder = {&embedder, 3,
                             [](void *context, void (*task)(void *, int64_t), void *arguments, int64_t n) {
                               ++static_cast<Embedder *>(context)->calls;
                               std::vector<std::thread> threads;
                               for (int64_t i = 0; i < n; ++i)
                                 threads.emplace_back(task, arguments, i);
                               for (std::thread &thread : threads)
                                 thread.join();
                             }};
  Visits visits(100);
  pool.parallelFor(Visits::body, &visits, 100, kDear);
  EXPECT_TRUE(visits.eachOnce());
  EXPECT_EQ(embedder.calls, 1);
  EXPECT_EQ(visits.ranges, 48);
}

// An embedding program may run the tasks in any order, and on the one thread it has.
TEST(Executor, EmbeddersOrderDoesNotMatter) {
  using Run = void (*)(void *, void (*)(void *, int64_t), void *, int64_t);
  const Run backwards = [](void *, void (*task)(void *, int64_t), void *arguments, int64_t n) {
    for (int64_t i = n; i-- > 0;)
      task(arguments, i);
  };
  const Run oddFirst = [](void *, void (*task)(void *, int64_t), void *arguments, int64_t n) {
    for (int64_t first : {1, 0})
      for (int64_t i = first; i < n; i += 2)
        task(arguments, i);
  };
  for (Run run : {backwards, oddFirst})
    for (int64_t count : {2, 3, 47, 1000}) {
      Threads pool(1);
      pool.executor->concurrency = 4;
      pool.executor->embedder = {nullptr, 4, run};
      Visits visits(count);
      pool.parallelFor(Visits::body, &visits, count, kDear);
      EXPECT_TRUE(visits.eachOnce()) << count;
    }
}

TEST(Executor, OneThreadOfTheEmbedderTakesNoTasks) {
  Threads pool(1);
  pool.executor->embedder = {nullptr, 1, [](void *, void (*)(void *, int64_t), void *, int64_t) { FAIL(); }};
  Visits visits(100);
  pool.parallelFor(Visits::body, &visits, 100, kDear);
  EXPECT_TRUE(visits.eachOnce());
  EXPECT_EQ(visits.ranges, 1);
}

// Regions of few cycles use fewer threads than there are; what is cut finer has long chunks.
TEST(Executor, CutsFollowTheCost) {
  Threads pool(8);
  for (auto [cost, ranges] : {std::pair<int64_t, int>(99, 1), {100, 3}, {200, 6}, {1000, 8}, {20'000, 100}}) {
    Visits visits(100);
    pool.parallelFor(Visits::body, &visits, 100, cost);
    EXPECT_EQ(visits.ranges, ranges) << cost;
  }
}

// Two pools for all cores in one process, whose regions do not share the cores as calls do: both finish, and how much
// longer than one after the other it took is printed (1 is perfect; threads that spin for each other's work would make
// it large).
TEST(Executor, TwoPoolsAtOnce) {
  auto work = [](Threads &pool) {
    for (int round = 0; round < 2000; ++round) {
      Visits visits(2000);
      pool.parallelFor(Visits::body, &visits, 2000, 20);
      ASSERT_TRUE(visits.eachOnce());
    }
  };
  auto seconds = [](auto run) {
    auto start = std::chrono::steady_clock::now();
    run();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  Threads first(2), second(2);
  double apart = seconds([&] { work(first), work(second); });
  double together = seconds([&] {
    std::thread other([&] { work(second); });
    work(first);
    other.join();
  });
  printf("two pools at once take %.2f of the time of one after the other\n", together / apart);
}

// A region that may use fewer threads than the pool has is worked on by no more.
TEST(Executor, ARegionHasSeats) {
  struct Workers {
    std::mutex mutex;
    std::set<std::thread::id> ids;
    int64_t items = 0;
  };
  auto body = [](void *arguments, int64_t begin, int64_t end) {
    Workers &workers = *static_cast<Workers *>(arguments);
    std::this_thread::sleep_for(std::chrono::microseconds(100)); // lets all others come
    std::lock_guard lock(workers.mutex);
    workers.ids.insert(std::this_thread::get_id());
    workers.items += end - begin;
  };
  for (int32_t seats = 1; seats <= 4; ++seats) {
    Owned<ThreadPool> pool(Owned<ThreadPool>::create());
    ASSERT_TRUE(pool->start(3));
    Workers workers;
    ASSERT_TRUE(pool->run({body, &workers, 100, 50, seats}));
    EXPECT_LE(workers.ids.size(), size_t(seats));
    EXPECT_EQ(workers.items, 100);
  }
}

// A thread works from the front of its own range to the back, then from the end of another's.
TEST(Executor, ThreadsKeepToTheirRanges) {
  struct Order {
    std::thread::id calling = std::this_thread::get_id();
    std::atomic<int64_t> workers{-1}; // its first chunk, on which it stays
    std::atomic<bool> callerIsDone{false};
    std::vector<int64_t> caller;
  };
  auto body = [](void *arguments, int64_t chunk, int64_t) {
    Order &order = *static_cast<Order *>(arguments);
    if (std::this_thread::get_id() != order.calling) {
      order.workers = chunk;
      while (!order.callerIsDone)
        std::this_thread::yield();
      return;
    }
    while (order.workers < 0)
      std::this_thread::yield();
    order.caller.push_back(chunk);
    order.callerIsDone = order.caller.size() == 7;
  };
  Owned<ThreadPool> pool(Owned<ThreadPool>::create());
  ASSERT_TRUE(pool->start(1));
  int kept = 0;
  for (int call = 0; call < 100; ++call) {
    Order order;
    ASSERT_TRUE(pool->run({body, &order, 8, 8, 2}));
    // A worker that still looks for chunks of the call before may see the caller's range before its own.
    if (order.workers != 4)
      continue;
    ++kept;
    EXPECT_EQ(order.caller, (std::vector<int64_t>{0, 1, 2, 3, 7, 6, 5}));
  }
  EXPECT_GT(kept, 50);
}

TEST(CoreShare, CallsDivideTheCores) {
  CoreShare share;
  share.begin(8);
  EXPECT_EQ(share.of(8), 8); // no limit is known
  share.setCores(8);
  share.begin(8);
  EXPECT_EQ(share.of(8), 4);
  share.begin(1);
  EXPECT_EQ(share.of(8), 3);
  EXPECT_EQ(share.of(1), 1);
  for (int32_t call = 0; call < 50; ++call)
    share.begin(4);
  EXPECT_EQ(share.of(4), 1);
  for (int32_t call = 0; call < 50; ++call)
    share.end(4);
  share.end(8);
  share.end(1);
  EXPECT_EQ(share.of(8), 8);
}

TEST(CoreShare, EnoughForAllIsNotDivided) {
  CoreShare share;
  share.setCores(8);
  share.begin(3);
  share.begin(5);
  EXPECT_EQ(share.of(3), 3);
  EXPECT_EQ(share.of(5), 5);
  EXPECT_FALSE(share.crowded());
}

// One call alone uses the threads that it was given, even where there are fewer cores.
TEST(CoreShare, AloneACallUsesItsThreads) {
  CoreShare share;
  share.setCores(2);
  share.begin(8);
  EXPECT_EQ(share.of(8), 8);
  EXPECT_TRUE(share.crowded());
  share.end(8);
  EXPECT_FALSE(share.crowded());
}

TEST(Allowance, EnvironmentDecidesOnThreads) {
  for (auto [setting, threads] : {std::pair("1", 1), {"7", 7}, {"100000", kMaxThreads}}) {
    setenv("WEFT_NUM_THREADS", setting, 1);
    EXPECT_EQ(defaultThreads(), threads);
  }
  unsetenv("WEFT_NUM_THREADS");
  int32_t cores = defaultThreads();
  EXPECT_GE(cores, 1);
  for (const char *setting : {"", "0", "-2", "many", "2x"}) {
    setenv("WEFT_NUM_THREADS", setting, 1);
    EXPECT_EQ(defaultThreads(), cores) << setting;
  }
  unsetenv("WEFT_NUM_THREADS");
}
