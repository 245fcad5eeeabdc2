// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sessions: options, narrowed dimensions, variants, lifetime, concurrency.
#include "runtime/cpu/Allowance.h"
#include "test/unit/runtime/Artifact.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace weft::test;

namespace {
weft_session_options defaults() {
  weft_session_options options = {};
  options.size = sizeof(options);
  options.threads = 1;
  return options;
}

void expectOptionRefused(weft_model *model, const weft_session_options &options, weft_status status) {
  weft_session *session = reinterpret_cast<weft_session *>(1);
  EXPECT_EQ(weft_session_new(model, &options, &session), status);
  EXPECT_EQ(session, nullptr);
}
} // namespace

TEST(Session, RefusesBadOptions) {
  Artifact artifact;
  OpenModel open(artifact.path);
  weft_session_options options = defaults();
  options.size = 3;
  expectOptionRefused(open.model, options, WEFT_ERROR_ARGUMENT);
  for (int32_t threads : {-1, 1025}) {
    options = defaults();
    options.threads = threads;
    expectOptionRefused(open.model, options, WEFT_ERROR_ARGUMENT);
  }
  options = defaults();
  options.variant = "v9";
  expectOptionRefused(open.model, options, WEFT_ERROR_INCOMPATIBLE);
  EXPECT_NE(std::string(weft_last_error()).find("has no code variant 'v9'; this CPU runs its"), std::string::npos)
      << weft_last_error();
  options = defaults();
  options.dim_limit_count = 1;
  expectOptionRefused(open.model, options, WEFT_ERROR_ARGUMENT);
  options = defaults();
  weft_executor executor = {nullptr, 0, nullptr};
  options.executor = &executor;
  expectOptionRefused(open.model, options, WEFT_ERROR_ARGUMENT);
  expectOptionRefused(nullptr, defaults(), WEFT_ERROR_ARGUMENT);
}

TEST(Session, LimitsNarrowTheArena) {
  Artifact artifact;
  OpenModel open(artifact.path);
  weft_dim_limit limits[] = {{"batch", 2}, {"sequence", 8}};
  weft_session_options options = defaults();
  options.dim_limits = limits;
  options.dim_limit_count = 2;
  weft_session *session;
  ASSERT_EQ(weft_session_new(open.model, &options, &session), WEFT_OK);
  weft_session_info info;
  ASSERT_EQ(weft_session_describe(session, &info), WEFT_OK);
  EXPECT_EQ(info.arena_bytes, 2u * 8 * kHidden * 4);
  DemoCall fits(2, 8), tooLong(2, 9);
  EXPECT_EQ(fits.run(session), WEFT_OK);
  EXPECT_EQ(tooLong.run(session), WEFT_ERROR_SHAPE);
  EXPECT_NE(std::string(weft_last_error()).find("the session allows 1 to 8"), std::string::npos) << weft_last_error();
  weft_session_free(session);
}

TEST(Session, LimitsMustFitTheModel) {
  Artifact artifact;
  OpenModel open(artifact.path);
  for (weft_dim_limit limit : {weft_dim_limit{"batch", 0}, {"batch", 65}, {"batch", -5}}) {
    weft_session_options options = defaults();
    options.dim_limits = &limit;
    options.dim_limit_count = 1;
    expectOptionRefused(open.model, options, WEFT_ERROR_SHAPE);
  }
  for (weft_dim_limit limit : {weft_dim_limit{"batches", 1}, {nullptr, 1}}) {
    weft_session_options options = defaults();
    options.dim_limits = &limit;
    options.dim_limit_count = 1;
    expectOptionRefused(open.model, options, WEFT_ERROR_ARGUMENT);
  }
}

TEST(Session, VariantsAgree) {
  Artifact artifact;
  OpenModel open(artifact.path);
  OpenSession best(open.model, 1), portable(open.model, 1, "portable");
  EXPECT_STREQ(weft_session_variant(portable.session, "embed"), "portable");
  EXPECT_EQ(weft_session_variant(portable.session, "nonesuch"), nullptr);
  weft_entry_info info;
  ASSERT_EQ(weft_model_entry(open.model, 0, &info), WEFT_OK);
  EXPECT_STREQ(weft_session_variant(best.session, nullptr), info.variant);
  DemoCall a(3, 5), b(3, 5);
  ASSERT_EQ(a.run(best.session), WEFT_OK);
  ASSERT_EQ(b.run(portable.session), WEFT_OK);
  EXPECT_EQ(a.rows, b.rows);
}

TEST(Session, KeepsItsModelAlive) {
  Artifact artifact;
  weft_model *model;
  ASSERT_EQ(weft_open(artifact.path.c_str(), nullptr, &model), WEFT_OK);
  OpenSession s(model, 2);
  weft_close(model);
  DemoCall call(4, 4);
  ASSERT_EQ(call.run(s.session), WEFT_OK);
  call.expectCorrect();
}

TEST(Session, ResetForgetsNothingThatMatters) {
  Artifact artifact;
  OpenModel open(artifact.path);
  OpenSession s(open.model, 1);
  DemoCall call(2, 6);
  weft_tensor inputs[] = {call.idsTensor()}; // scale by default
  weft_tensor outputs[] = {call.rowsTensor()};
  std::fill(call.scale.begin(), call.scale.end(), 1.0f);
  for (int round = 0; round < 2; ++round) {
    ASSERT_EQ(weft_run(s.session, "embed", inputs, 1, outputs, 1), WEFT_OK);
    EXPECT_EQ(call.rows[5], call.expectedRow(0, 5));
    ASSERT_EQ(weft_session_reset(s.session), WEFT_OK);
  }
  EXPECT_EQ(weft_session_reset(nullptr), WEFT_ERROR_ARGUMENT);
}

TEST(Session, ThreadCountFromTheEnvironment) {
  Artifact artifact;
  OpenModel open(artifact.path);
  setenv("WEFT_NUM_THREADS", "3", 1);
  OpenSession s(open.model, 0);
  unsetenv("WEFT_NUM_THREADS");
  weft_session_info info;
  ASSERT_EQ(weft_session_describe(s.session, &info), WEFT_OK);
  EXPECT_EQ(info.threads, 3);
}

TEST(Session, IndependentSessionsRunAtOnce) {
  Artifact artifact;
  OpenModel open(artifact.path);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&open, t] {
      OpenSession s(open.model, 1 + t % 3);
      for (int round = 0; round < 50; ++round) {
        DemoCall call(1 + (t + round) % 16, 64 + round);
        ASSERT_EQ(call.run(s.session), WEFT_OK) << weft_last_error();
        call.expectCorrect();
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}

/// A model of one region of dear items, whose call waits in the model, in threads that say so, until `released`.
struct CountingModel {
  CountingModel() { EXPECT_EQ(weft_open_linked(&descriptor, nullptr, nullptr, &model), WEFT_OK) << weft_last_error(); }
  ~CountingModel() { weft_close(model); }

  static int32_t run(const weft_abi_call *call) {
    auto count = [](void *ranges, int64_t, int64_t) { ++*static_cast<std::atomic<int> *>(ranges); };
    std::atomic<int> ranges{0};
    entered = true;
    while (waits && !released)
      std::this_thread::yield();
    call->services->parallel_for(call, count, &ranges, 1'000'000, 1'000'000);
    *static_cast<int32_t *>(call->outputs[0]) = ranges;
    return WEFT_ABI_OK;
  }
  static int32_t rangesOf(weft_session *session) {
    int32_t ranges = -1;
    weft_tensor output = {"ranges", &ranges, sizeof(ranges), WEFT_I32, 0, {}};
    EXPECT_EQ(weft_run(session, nullptr, nullptr, 0, &output, 1), WEFT_OK) << weft_last_error();
    return ranges;
  }

  static inline thread_local bool waits = false;
  static inline std::atomic<bool> entered{false}, released{false};
  int64_t shape[1] = {1};
  weft_abi_tensor output = {"ranges", WEFT_I32, 1, shape, 0, 0, 0, 0};
  weft_abi_variant variant = {"portable", 0, run, [](const int64_t *) { return int64_t(0); }, WEFT_DEVICE_CPU, 0, 0, 0};
  weft_abi_entry entry = {"f", 0, 0, 1, 1, nullptr, nullptr, &output, &variant, nullptr, 0, 0};
  weft_abi_model descriptor = {WEFT_ABI_MAGIC, WEFT_ABI_MAJOR, WEFT_ABI_MINOR, "test", "count", 1,       0, &entry,
                               nullptr,        nullptr,        nullptr,        0,      0,       nullptr, 0, 0};
  weft_model *model = nullptr;
};

// While another call has its threads, a call cuts its regions for its part of the cores; alone again, for all threads.
TEST(Session, CallsAtOnceShareTheCores) {
  int32_t cores = weft::runtime::availableCores(), threads = std::max(cores, 2);
  CountingModel counting;
  OpenSession first(counting.model, threads), second(counting.model, threads);
  int32_t alone = CountingModel::rangesOf(first.session);
  EXPECT_EQ(alone, 16 * threads);
  CountingModel::entered = false;
  std::thread other([&] {
    CountingModel::waits = true;
    CountingModel::rangesOf(second.session);
  });
  while (!CountingModel::entered)
    std::this_thread::yield();
  int32_t share = cores / 2;
  EXPECT_EQ(CountingModel::rangesOf(first.session), share < 2 ? 1 : 16 * share);
  CountingModel::released = true;
  other.join();
  EXPECT_EQ(CountingModel::rangesOf(first.session), alone);
}

// A session that two threads use: one waits its turn outside, or is told so; no call goes wrong.
TEST(Session, SharedByMistake) {
  Artifact artifact;
  OpenModel open(artifact.path);
  OpenSession s(open.model, 2);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&s] {
      for (int round = 0; round < 100; ++round) {
        DemoCall call(8, 64);
        weft_status status = call.run(s.session);
        if (status == WEFT_OK)
          call.expectCorrect();
        else
          ASSERT_EQ(status, WEFT_ERROR_BUSY);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}

// The parent's threads are not in the child; the caller does all of the work.
TEST(Session, RunsAndIsFreedAfterFork) {
  Artifact artifact;
  OpenModel open(artifact.path);
  OpenSession s(open.model, 4);
  DemoCall call(32, 256);
  ASSERT_EQ(call.run(s.session), WEFT_OK);
  pid_t child = fork();
  if (child == 0) {
    alarm(60);
    DemoCall again(32, 256);
    bool good = again.run(s.session) == WEFT_OK && again.rows == call.rows;
    weft_session_free(s.session);
    _exit(good ? 0 : 1);
  }
  int state = 0;
  ASSERT_EQ(waitpid(child, &state, 0), child);
  EXPECT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0);
}
