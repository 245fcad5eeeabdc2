// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A child process that gets a signal while its artifact is half written.
#include "TemporaryFolder.h"
#include "compiler/emit/Artifact.h"
#include "compiler/emit/DurableFile.h"

#include "gtest/gtest.h"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

namespace weft {
namespace {

/// Begins an artifact in a child, sends it the signal, and returns how it ended.
int interruptedChild(const TemporaryFolder &folder, int signal, void (*before)()) {
  pid_t child = fork();
  if (child == 0) {
    before();
    Result<Artifact> artifact = Artifact::begin(folder.path("a.weft"));
    if (!artifact || !writeFile(artifact->file("model.so"), "half"))
      _exit(1);
    raise(signal);
    // Only a process that ignores the signal gets here.
    if (!artifact->commit())
      _exit(2);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
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
