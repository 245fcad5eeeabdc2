// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What runs in the signal handler is async-signal-safe: system calls on memory that stays as it is.
#include "compiler/emit/InterruptCleanup.h"

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
std::atomic<int> delays;
struct sigaction previous[std::size(kSignals)];
std::mutex mutex;
int users = 0;

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

void onSignal(int signal) {
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
  for (size_t index = 0; index < std::size(kSignals); ++index)
    if (kSignals[index] == signal)
      sigaction(signal, &previous[index], nullptr);
  raise(signal); // blocked until this handler returns
}

void install() {
  struct sigaction action = {};
  action.sa_handler = onSignal;
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
    if (current.sa_handler == onSignal) // else somebody took the signal meanwhile
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

InterruptCleanup::InterruptCleanup(std::string path)
    : directory(std::move(path)), slot(claim(directories, directory.c_str())) {
  std::lock_guard<std::mutex> lock(mutex);
  if (users++ == 0)
    install();
}

InterruptCleanup::~InterruptCleanup() {
  if (slot >= 0)
    directories[slot] = nullptr;
  std::lock_guard<std::mutex> lock(mutex);
  if (--users == 0)
    uninstall();
}

InterruptDelay::InterruptDelay() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : kSignals)
    sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  ++delays;
}

InterruptDelay::~InterruptDelay() {
  --delays;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

InterruptedChild::InterruptedChild(pid_t child) : slot(claim(children, child)) {}

InterruptedChild::~InterruptedChild() {
  if (slot >= 0)
    children[slot] = 0;
}

} // namespace weft
