// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SIGINT, SIGTERM and SIGHUP while an artifact is half written: its temporary directory is removed, the linker is
// ended, and the signal goes on to whoever would have had it.
#ifndef WEFT_COMPILER_EMIT_INTERRUPTCLEANUP_H
#define WEFT_COMPILER_EMIT_INTERRUPTCLEANUP_H

#include <csignal>
#include <string>
#include <sys/types.h>

namespace weft {

/// While it lives, an interrupt removes `directory`, if it is there, and the files in it (no folders below it).
class InterruptCleanup {
public:
  explicit InterruptCleanup(std::string directory);
  ~InterruptCleanup();
  InterruptCleanup(const InterruptCleanup &) = delete;
  InterruptCleanup &operator=(const InterruptCleanup &) = delete;

private:
  std::string directory;
  int slot;
};

/// While it lives, an interrupt waits, and none that has begun is under way: what happens then is done whole or not at
/// all.
class InterruptDelay {
public:
  InterruptDelay();
  ~InterruptDelay();
  InterruptDelay(const InterruptDelay &) = delete;
  InterruptDelay &operator=(const InterruptDelay &) = delete;

private:
  sigset_t before;
};

/// While it lives, an interrupt kills this child process.
class InterruptedChild {
public:
  explicit InterruptedChild(pid_t child);
  ~InterruptedChild();
  InterruptedChild(const InterruptedChild &) = delete;
  InterruptedChild &operator=(const InterruptedChild &) = delete;

private:
  int slot;
};

} // namespace weft

#endif // WEFT_COMPILER_EMIT_INTERRUPTCLEANUP_H
