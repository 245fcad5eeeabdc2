// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What runs in the signal handler is async-signal-safe: system calls on memory that stays as it is.
#include "compiler/emit/InterruptCleanup.h"

#include "llvm/Support/Signals.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <dirent.h>
#include <fcntl.h>
#include <iterator>
#include <mutex>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace weft {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
constexpr int kSlots = 16;     ///< artifacts that are written at once; more go without this protection
constexpr int kAttempts = 100; ///< another thread may add a file while the directory is emptied

std::atomic<const char *> directories[kSlots];
std::atomic<pid_t> children[kSlots];
std::atomic<int> delays;   ///< threads in the middle of a step
std::atomic<int> handling; ///< signals: no step begins meanwhile
struct sigaction previous[std::size(kSignals)];
std::mutex mutex;
int users = 0;
thread_local int depth = 0; ///< of this thread's delays

/// A directory entry as getdents64 gives it.
struct Entry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[1];
};

void removeFiles(int directory) {
  alignas(Entry) char buffer[4096];
  for (;;) {
    long bytes = syscall(SYS_getdents64, directory, buffer, sizeof(buffer));
    if (bytes <= 0)
      return;
    for (long at = 0; at < bytes;) {
      auto *entry = reinterpret_cast<Entry *>(buffer + at);
      unlinkat(directory, entry->name, 0); // fails, as it should, for "." and ".."
      at += entry->length;
    }
  }
}

void removeDirectory(const char *path) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
      return;
    removeFiles(directory);
    close(directory);
    if (rmdir(path) == 0)
      return;
  }
}

/// To whoever had the signal before; by default the process ends, with `handling` as it is.
void passOn(int signal, siginfo_t *info, void *context) {
  const struct sigaction &next = previous[std::ranges::find(kSignals, signal) - kSignals];
  if (next.sa_flags & SA_SIGINFO) {
    next.sa_sigaction(signal, info, context);
  } else if (next.sa_handler != SIG_DFL) {
    next.sa_handler(signal);
  } else {
    sigaction(signal, &next, nullptr);
    raise(signal); // blocked until this handler returns
    return;
  }
  --handling;
}

void onSignal(int signal, siginfo_t *info, void *context) {
  ++handling;
  while (delays.load() > 0) // never of this thread: it has the signals blocked meanwhile
    sched_yield();
  for (std::atomic<pid_t> &child : children)
    if (pid_t pid = child.load(); pid > 0) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0); // it may be writing: wait until it no longer can
    }
  for (std::atomic<const char *> &directory : directories)
    if (const char *path = directory.load())
      removeDirectory(path);
  passOn(signal, info, context);
}

/// LLVM takes signals when a pass first runs, in place of any handler and each once: of two interrupts the second would
/// end the process at once. It takes none twice; so it does here, and gives these back.
void keepLlvmAway() {
  struct sigaction before[std::size(kSignals)];
  for (size_t index = 0; index < std::size(kSignals); ++index)
    sigaction(kSignals[index], nullptr, &before[index]);
  llvm::sys::RemoveFileOnSignal("");
  llvm::sys::DontRemoveFileOnSignal("");
  for (size_t index = 0; index < std::size(kSignals); ++index)
    sigaction(kSignals[index], &before[index], nullptr);
}

void install() {
  keepLlvmAway();
  struct sigaction action = {};
  action.sa_sigaction = onSignal;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  for (size_t index = 0; index < std::size(kSignals); ++index) {
    sigaction(kSignals[index], nullptr, &previous[index]);
    if (previous[index].sa_handler != SIG_IGN) // under nohup the work is to go on
      sigaction(kSignals[index], &action, nullptr);
  }
}

void uninstall() {
  for (size_t index = 0; index < std::size(kSignals); ++index) {
    struct sigaction current;
    sigaction(kSignals[index], nullptr, &current);
    if (current.sa_sigaction == onSignal) // else somebody took the signal meanwhile
      sigaction(kSignals[index], &previous[index], nullptr);
  }
}

/// The slot that was free and now holds `value`, or -1.
template <class T> int claim(std::atomic<T> (&slots)[kSlots], T value) {
  for (int slot = 0; slot < kSlots; ++slot) {
    T empty = {};
    if (slots[slot].compare_exchange_strong(empty, value))
      return slot;
  }
  return -1;
}

} // namespace

InterruptCleanup::InterruptCleanup(std::string path) : directory(std::move(path)) {
  InterruptDelay whole;
  slot = claim(directories, directory.c_str());
  std::lock_guard<std::mutex> lock(mutex);
  if (users++ == 0)
    install();
}

InterruptCleanup::~InterruptCleanup() {
  InterruptDelay whole; // a handler may be reading the name
  if (slot >= 0)
    directories[slot] = nullptr;
  std::lock_guard<std::mutex> lock(mutex);
  if (--users == 0)
    uninstall();
}

InterruptDelay::InterruptDelay() {
  if (depth++ > 0)
    return;
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : kSignals)
    sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  // Either the handler sees the delay and waits, or this thread sees the handler and waits: as a rule for its end.
  for (++delays; handling.load() > 0; ++delays) {
    --delays;
    sched_yield();
  }
}

InterruptDelay::~InterruptDelay() {
  if (--depth > 0)
    return;
  --delays;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

InterruptedChild::InterruptedChild(pid_t child) : slot(claim(children, child)) {}

InterruptedChild::~InterruptedChild() {
  if (slot >= 0)
    children[slot] = 0;
}

} // namespace weft
