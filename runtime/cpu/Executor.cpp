// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cpu/Executor.h"

#include "runtime/cpu/CoreShare.h"
#include "runtime/cpu/FloatMode.h"

namespace weft::runtime {

// In cycles. Starting a region that threads wait for costs some 3000, so below
// this it cannot pay.
static constexpr int64_t kInlineCycles = 10'000;
// A thread that works on a region has at least so much to do.
static constexpr int64_t kLeastShare = 3'000;
// Claiming a chunk costs some 300; chunks beyond one a thread are this long.
static constexpr int64_t kChunkCycles = 20'000;
// The last thread to finish is late by a sixteenth of its share at most, where
// there are so many items.
static constexpr int64_t kChunksPerThread = 16;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/// Into how many chunks a region is cut; 1: it runs on the calling thread.
static int64_t chunksFor(int64_t count, int64_t costPerItem, int64_t threads) {
  int64_t cost;
  if (__builtin_mul_overflow(count, costPerItem > 1 ? costPerItem : 1, &cost))
    cost = INT64_MAX;
  if (threads < 2 || count < 2 || cost < kInlineCycles)
    return 1;
  int64_t shares = least(threads, cost / kLeastShare);
  int64_t fine = least(threads * kChunksPerThread, cost / kChunkCycles);
  return least(least(count, fine > shares ? fine : shares), Region::kMaxChunks);
}

static void embedderTask(void *region, int64_t chunk) {
  DefaultFloatMode mode;
  static_cast<const Region *>(region)->runChunk(chunk);
}

static void parallelFor(const weft_abi_call *call, weft_abi_body body, void *arguments, int64_t count,
                        int64_t costPerItem) {
  if (count <= 0)
    return;
  Executor &executor = *static_cast<Executor *>(call->executor);
  if (executor.experts)
    executor.hasRun.store(true, std::memory_order_relaxed);
  bool own = !executor.embedder.parallel_for;
  int32_t threads = own ? processCores.of(executor.concurrency) : executor.concurrency;
  Region region = {body, arguments, count, chunksFor(count, costPerItem, threads), threads};
  if (region.chunks == 1)
    return body(arguments, 0, count);
  if (!own)
    return executor.embedder.parallel_for(executor.embedder.context, embedderTask, &region, region.chunks);
  if (!executor.pool.run(region))
    body(arguments, 0, count); // inside another region
}

static void expertsChosen(const weft_abi_call *call, const void *weight, int64_t bytes, const int32_t *offsets,
                          int64_t count) {
  Executor &executor = *static_cast<Executor *>(call->executor);
  if (executor.experts)
    executor.experts->chosen(weight, bytes, offsets, count, executor.hasRun.exchange(false, std::memory_order_relaxed));
}

/// What is for CPUs has no kernels.
static int32_t launchNothing(const weft_abi_call *, int32_t, int64_t, int64_t, int64_t, void *const *) {
  return WEFT_ABI_LAUNCH_FAILED;
}

static int32_t encodeNothing(const weft_abi_call *, const weft_abi_tensor_map *, void *) {
  return WEFT_ABI_LAUNCH_FAILED;
}

CoreShare processCores;

const weft_abi_services kServices = {parallelFor, expertsChosen, launchNothing, encodeNothing};

} // namespace weft::runtime
