// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cpu/Allowance.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sched.h>
#include <sys/sysinfo.h>
#include <unistd.h>

namespace weft::runtime {

/// The start of a small file of the kernel; empty when there is none.
static const char *readShort(const char *path, char (&text)[64]) {
  text[0] = '\0';
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return text;
  ssize_t got = read(file, text, sizeof(text) - 1);
  close(file);
  text[got > 0 ? got : 0] = '\0';
  return text;
}

/// The first hardware thread of the core that this one belongs to.
static int firstSibling(int cpu) {
  char path[96], text[64];
  snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
  readShort(path, text);
  return text[0] ? atoi(text) : cpu;
}

static int32_t allowedCores() {
  cpu_set_t allowed, cores;
  CPU_ZERO(&allowed);
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
    return 1;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &allowed)) {
      int first = firstSibling(cpu);
      CPU_SET(first >= 0 && first < CPU_SETSIZE ? first : cpu, &cores);
    }
  return CPU_COUNT(&cores);
}

/// Processors that the control group grants; 0 when it sets no limit.
static int32_t quota() {
  char text[64];
  long long granted = 0, period = 0; // microseconds; "max 100000" for no limit
  readShort("/sys/fs/cgroup/cpu.max", text);
  if (sscanf(text, "%lld %lld", &granted, &period) != 2 || period <= 0)
    return 0;
  long long whole = (granted + period - 1) / period;
  return static_cast<int32_t>(whole < kMaxThreads ? whole : kMaxThreads);
}

int32_t availableCores() {
  int32_t cores = allowedCores(), limit = quota();
  if (limit > 0 && limit < cores)
    cores = limit;
  return cores < 1 ? 1 : cores < kMaxThreads ? cores : kMaxThreads;
}

int32_t defaultThreads() {
  if (const char *setting = getenv("WEFT_NUM_THREADS")) {
    char *end;
    long threads = strtol(setting, &end, 10);
    if (end != setting && *end == '\0' && threads >= 1)
      return static_cast<int32_t>(threads < kMaxThreads ? threads : kMaxThreads);
  }
  return availableCores();
}

uint64_t memoryLimit() {
  struct sysinfo machine;
  if (sysinfo(&machine) != 0)
    return UINT64_MAX;
  uint64_t memory = uint64_t(machine.totalram) * machine.mem_unit,
           swap = uint64_t(machine.totalswap) * machine.mem_unit;
  char text[64];
  char *end;
  unsigned long long granted = strtoull(readShort("/sys/fs/cgroup/memory.max", text), &end, 10); // "max": no limit
  if (end != text && granted < memory)
    memory = granted;
  return memory + swap;
}

} // namespace weft::runtime
