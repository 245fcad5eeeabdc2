// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cpu/Executor.h"

#include "runtime/cpu/FloatMode.h"

namespace weft::runtime {

// In multiply-adds; a core does some 20 to 60 thousand in a microsecond.
// Starting a region costs about one microsecond, so below this it cannot pay.
static constexpr int64_t kInlineCost = 100'000;
// Claiming a chunk costs some 0.1 microseconds.
static constexpr int64_t kChunkCost = 25'000;
// Chunks for each thread: the last one to finish is late by a quarter of its
// share at most.
static constexpr int64_t kChunksPerThread = 4;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/// Into how many chunks a region is cut; 1: it runs on the calling thread.
static int64_t chunksFor(int64_t count, int64_t costPerItem, int64_t threads) {
  int64_t cost;
  if (__builtin_mul_overflow(count, costPerItem > 1 ? costPerItem : 1, &cost))
    cost = INT64_MAX;
  if (threads < 2 || count < 2 || cost < kInlineCost)
    return 1;
  return least(least(count, threads * kChunksPerThread), least(cost / kChunkCost, Region::kMaxChunks));
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
  Region region = {body, arguments, count, chunksFor(count, costPerItem, executor.concurrency)};
  if (region.chunks == 1)
    return body(arguments, 0, count);
  if (executor.embedder.parallel_for)
    return executor.embedder.parallel_for(executor.embedder.context, embedderTask, &region, region.chunks);
  if (!executor.pool.run(region))
    body(arguments, 0, count); // inside another region
}

const weft_abi_services kServices = {parallelFor};

} // namespace weft::runtime
