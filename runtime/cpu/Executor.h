// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// parallel_for as generated code calls it: decides whether a region is worth
// several threads and how it is cut, then hands it to the session's own pool or
// to the embedding program's threads.
#ifndef WEFT_RUNTIME_CPU_EXECUTOR_H
#define WEFT_RUNTIME_CPU_EXECUTOR_H

#include "runtime/core/ResidentExperts.h"
#include "runtime/cpu/ThreadPool.h"
#include "runtime/include/weft/runtime.h"

namespace weft::runtime {

struct Executor {
  /// Threads that work on a region, the caller's included.
  int32_t concurrency = 1;
  /// The embedding program's threads, when parallel_for is not null.
  weft_executor embedder = {};
  ThreadPool pool;
  /// The model's, where it holds some only; else null.
  ResidentExperts *experts = nullptr;
  /// A region has run since experts were chosen.
  std::atomic<bool> hasRun{false};
};

/// The services table that calls carry; its executor is an Executor.
extern const weft_abi_services kServices;

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CPU_EXECUTOR_H
