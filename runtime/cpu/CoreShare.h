// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls that run at once in one process share its cores. Each would otherwise
// use threads for all of them, and a region would end when the slowest of
// threads that take turns on a core has had its turn. Results do not depend on
// the number of threads, so it may change from region to region.
#ifndef WEFT_RUNTIME_CPU_CORESHARE_H
#define WEFT_RUNTIME_CPU_CORESHARE_H

#include <atomic>
#include <cstdint>

namespace weft::runtime {

class CoreShare {
public:
  /// Until this is told, cores are without number.
  void setCores(int32_t count) { cores.store(count, std::memory_order_relaxed); }
  bool knowsCores() const { return cores.load(std::memory_order_relaxed) != INT32_MAX; }

  /// A call that wants so many threads begins, ends.
  void begin(int32_t threads) { wanted.fetch_add(threads, std::memory_order_relaxed); }
  void end(int32_t threads) { wanted.fetch_sub(threads, std::memory_order_relaxed); }

  /// How many of its threads a call uses at present: all while it is alone or
  /// there are cores for every call, else its part of them, at least one.
  int32_t of(int32_t threads) const {
    int64_t all = wanted.load(std::memory_order_relaxed), available = cores.load(std::memory_order_relaxed);
    if (all <= threads || all <= available)
      return threads;
    int64_t share = threads * available / all;
    return share > 1 ? static_cast<int32_t>(share) : 1;
  }

  /// Whether threads of this process take turns on a core.
  bool crowded() const { return wanted.load(std::memory_order_relaxed) > cores.load(std::memory_order_relaxed); }

private:
  std::atomic<int32_t> wanted{0}; // threads, by all calls that run
  std::atomic<int32_t> cores{INT32_MAX};
};

/// The one of this process.
extern CoreShare processCores;

/// A call while it runs.
class CoreClaim {
public:
  explicit CoreClaim(int32_t threads) : threads(threads) { processCores.begin(threads); }
  ~CoreClaim() { processCores.end(threads); }
  CoreClaim(const CoreClaim &) = delete;
  CoreClaim &operator=(const CoreClaim &) = delete;

private:
  int32_t threads;
};

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CPU_CORESHARE_H
