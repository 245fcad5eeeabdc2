// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft_regions [THREADS]
//
// What the runtime's threads cost: a region after pauses of several lengths, and sessions that run at once, each with a
// pool for all cores. A region is one item a thread of dependent arithmetic. THREADS is 2 unless said.
#include <weft/runtime.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <time.h>
#include <vector>

using Clock = std::chrono::steady_clock;

namespace {

double microseconds(Clock::duration time) { return std::chrono::duration<double, std::micro>(time).count(); }

/// Arithmetic whose every step waits for the one before: it takes the same time whatever else a core does.
void compute(int64_t steps) {
  double value = 1;
  for (int64_t step = 0; step < steps; ++step)
    value = value * 0.999 + 0.5;
  volatile double result = value;
  (void)result;
}

/// Steps of `compute` that take a microsecond.
int64_t stepsPerMicrosecond() {
  constexpr int64_t kSteps = 1'000'000;
  double best = 1e30;
  for (int round = 0; round < 5; ++round) {
    Clock::time_point start = Clock::now();
    compute(kSteps);
    best = std::min(best, microseconds(Clock::now() - start));
  }
  return std::max<int64_t>(1, int64_t(kSteps / best));
}

/// A model by hand: one call is `regions` regions of `items` items, each of so many steps.
struct Plan {
  int64_t regions, items, steps;
};

int32_t runPlan(const weft_abi_call *call) {
  Plan plan = *static_cast<const Plan *>(call->inputs[0]);
  auto body = [](void *steps, int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item)
      compute(*static_cast<int64_t *>(steps));
  };
  constexpr int64_t kDear = 100'000'000; // cycles: always worth threads
  for (int64_t region = 0; region < plan.regions; ++region)
    call->services->parallel_for(call, body, &plan.steps, plan.items, kDear);
  return WEFT_ABI_OK;
}

void check(weft_status status) {
  if (status == WEFT_OK)
    return;
  std::fputs(weft_last_error(), stderr);
  std::exit(1);
}

class Pool {
public:
  explicit Pool(int32_t threads) : threads(threads) {
    weft_session_options options = {};
    options.size = sizeof(options);
    options.threads = threads;
    check(weft_open_linked(&kModel, nullptr, nullptr, &model));
    check(weft_session_new(model, &options, &session));
  }
  ~Pool() {
    weft_session_free(session);
    weft_close(model);
  }
  Pool(const Pool &) = delete;

  /// One call with one item a thread.
  void regions(int64_t count, int64_t steps) {
    Plan plan = {count, threads, steps};
    weft_tensor input = {"plan", &plan, sizeof(plan), WEFT_I64, 1, {3}};
    check(weft_run(session, nullptr, &input, 1, nullptr, 0));
  }

private:
  static constexpr int64_t kShape[1] = {3};
  static constexpr weft_abi_tensor kInput = {"plan", WEFT_I64, 1, kShape, 0, 0, 0, 0};
  static constexpr weft_abi_tensor kOutput = {"nothing", WEFT_I64, 1, kShape, 0, 0, 0, 0};
  static constexpr weft_abi_variant kVariant = {"portable",      0, runPlan, [](const int64_t *) { return int64_t(0); },
                                                WEFT_DEVICE_CPU, 0, 0,       0};
  static constexpr weft_abi_entry kEntry = {"run", 0, 1, 1, 1, nullptr, &kInput, &kOutput, &kVariant, nullptr, 0, 0};
  static constexpr weft_abi_model kModel = {
      WEFT_ABI_MAGIC, WEFT_ABI_MAJOR, WEFT_ABI_MINOR, "by hand", "regions", 1,       0, &kEntry,
      nullptr,        nullptr,        nullptr,        0,         0,         nullptr, 0, 0};
  int32_t threads;
  weft_model *model = nullptr;
  weft_session *session = nullptr;
};

/// The median over regions that start so long after the one before.
double regionAfterPause(Pool &pool, int64_t steps, double pause) {
  std::vector<double> times;
  for (int round = 0; round < 400; ++round) {
    for (Clock::time_point start = Clock::now(); microseconds(Clock::now() - start) < pause;) {
    }
    Clock::time_point start = Clock::now();
    pool.regions(1, steps);
    times.push_back(microseconds(Clock::now() - start));
  }
  std::nth_element(times.begin(), times.begin() + 200, times.end());
  return times[200];
}

double processorSeconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

struct Times {
  double wall, processor; // seconds
};

/// Calls of so many regions on each of so many pools, all at once.
Times poolsAtOnce(int count, int32_t threads, int64_t steps, int regions) {
  std::vector<std::unique_ptr<Pool>> pools;
  for (int i = 0; i < count; ++i)
    pools.push_back(std::make_unique<Pool>(threads));
  Clock::time_point start = Clock::now();
  double before = processorSeconds();
  std::vector<std::thread> callers;
  for (auto &pool : pools)
    callers.emplace_back([&] { pool->regions(regions, steps); });
  for (std::thread &caller : callers)
    caller.join();
  return {microseconds(Clock::now() - start) / 1e6, processorSeconds() - before};
}

} // namespace

int main(int count, char **arguments) {
  int threads = count > 1 ? std::atoi(arguments[1]) : 2;
  int64_t steps = stepsPerMicrosecond();
  Pool pool(threads);
  std::printf("%d threads\n\na call of one region of items of 0 µs and of 10 µs, so long after the one before\n",
              threads);
  for (double pause : {0.0, 10.0, 30.0, 100.0, 1000.0})
    std::printf("%6.0f µs: %6.2f µs %6.2f µs\n", pause, regionAfterPause(pool, 0, pause),
                regionAfterPause(pool, 10 * steps, pause));
  std::printf(
      "\npools at once: processor time for each second of work (1: nobody waits spinning), wall time against one\n"
      "pool after the other (1: nothing is lost; means little while others use the machine)\n"
      "      item    1 pool      2 pools      4 pools\n");
  for (int64_t item : {2, 10, 100, 1000}) {
    int regions = int(std::max<int64_t>(100, 200'000 / item));
    double work = item * 1e-6 * threads * regions;
    Times alone = poolsAtOnce(1, threads, item * steps, regions);
    std::printf("%7ld µs    %6.2f", long(item), alone.processor / work);
    for (int pools : {2, 4}) {
      Times times = poolsAtOnce(pools, threads, item * steps, regions);
      std::printf("  %4.2f (%4.2f)", times.processor / (work * pools), times.wall / (alone.wall * pools));
    }
    std::printf("\n");
  }
  return 0;
}
