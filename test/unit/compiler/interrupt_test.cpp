// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A child process that gets a signal while its artifact is half written.
#include "TemporaryFolder.h"
#include "compiler/emit/Artifact.h"
#include "compiler/emit/DurableFile.h"

#include "llvm/Support/Signals.h"

#include "gtest/gtest.h"

#include <csignal>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace weft {
namespace {

/// In a child: what it returns, or how it ended.
template <class Body> int statusOfChild(Body body) {
  pid_t child = fork();
  if (child == 0)
    _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

/// Begins an artifact in a child, sends it the signal, and returns how it ended.
int interruptedChild(const TemporaryFolder &folder, int signal, void (*before)()) {
  return statusOfChild([&] {
    before();
    Result<Artifact> artifact = Artifact::begin(folder.path("a.weft"));
    if (!artifact || !writeFile(artifact->file("model.so"), "half"))
      return 1;
    raise(signal);
    // Only a process that ignores the signal gets here.
    return artifact->commit() ? 0 : 2;
  });
}

/// What runs the tests may ignore signals, and children inherit that.
void takeSignals() {
  for (int signal : {SIGINT, SIGTERM, SIGHUP})
    std::signal(signal, SIG_DFL);
}

TEST(InterruptTest, LeavesNothingAndEndsByTheSignal) {
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    TemporaryFolder folder;
    int status = interruptedChild(folder, signal, takeSignals);
    ASSERT_TRUE(WIFSIGNALED(status)) << signal;
    EXPECT_EQ(WTERMSIG(status), signal);
    EXPECT_EQ(folder.names(), std::vector<std::string>());
  }
}

TEST(InterruptTest, NothingBeginsWhileAnotherThreadHandlesIt) {
  for (int round = 0; round < 40; ++round) {
    TemporaryFolder folder;
    int status = statusOfChild([&] {
      takeSignals();
      Result<Artifact> kept = Artifact::begin(folder.path("a.weft"));
      std::thread([] { raise(SIGTERM); }).detach();
      while (Artifact::begin(folder.path("b.weft")))
        ;
      return 1;
    });
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    ASSERT_EQ(folder.names(), std::vector<std::string>());
  }
}

/// A first pass makes LLVM take signals, for one time each: of two interrupts the second would end the process at once.
TEST(InterruptTest, LlvmDoesNotTakeTheSignals) {
  TemporaryFolder folder;
  int status = statusOfChild([&] {
    llvm::sys::unregisterHandlers();
    takeSignals();
    Result<Artifact> artifact = Artifact::begin(folder.path("a.weft"));
    struct sigaction before, after;
    sigaction(SIGINT, nullptr, &before);
    llvm::sys::AddSignalHandler([](void *) {}, nullptr);
    sigaction(SIGINT, nullptr, &after);
    return before.sa_sigaction == after.sa_sigaction ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
}

TEST(InterruptTest, IgnoredSignalsStayIgnored) {
  TemporaryFolder folder;
  int status = interruptedChild(folder, SIGHUP, [] { std::signal(SIGHUP, SIG_IGN); });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.weft"});
}

TEST(InterruptTest, HandlersOfTheProgramComeBack) {
  auto own = [](int) {};
  std::signal(SIGTERM, own);
  {
    TemporaryFolder folder;
    Result<Artifact> artifact = Artifact::begin(folder.path("a.weft"));
    ASSERT_TRUE(artifact);
  }
  EXPECT_EQ(std::signal(SIGTERM, SIG_DFL), static_cast<void (*)(int)>(own));
}

} // namespace
} // namespace weft
