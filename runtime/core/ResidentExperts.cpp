// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/ResidentExperts.h"

#include "runtime/core/ElementType.h"

#include <sys/mman.h>
#include <unistd.h>

namespace weft::runtime {

// Choices between asking for a weight's pages again and its own choice: those of a layer with gate, up and down.
static constexpr int kChoicesAhead = 3;
// Pages in the middle of an expert that are looked at to tell whether it is in memory: one call of the system, 2 µs.
static constexpr size_t kPagesLookedAt = 64;

static size_t pageBytes() {
  static const auto bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

static char *pageOf(const char *address) {
  return const_cast<char *>(address - reinterpret_cast<uintptr_t>(address) % pageBytes());
}

// Advice only: where the system refuses, pages come when they are read, and stay.

static void dropPages(const char *begin, size_t bytes) {
  char *first = pageOf(begin + pageBytes() - 1), *end = pageOf(begin + bytes);
  if (first >= end)
    return;
  // Cold first: pages that were read lately would count as in use when they are given back, and the system would rather
  // take those of experts that are held. Without need of memory they stay cached.
#ifdef MADV_COLD
  madvise(first, size_t(end - first), MADV_COLD);
#endif
  madvise(first, size_t(end - first), MADV_DONTNEED);
}

static bool pagesPresent(const char *begin, size_t bytes) {
  unsigned char states[kPagesLookedAt];
  char *first = pageOf(begin + bytes / 2);
  size_t left = size_t(begin + bytes - first), most = kPagesLookedAt * pageBytes();
  size_t looked = left < most ? left : most;
  if (mincore(first, looked, states) != 0)
    return true;
  for (size_t page = 0; page * pageBytes() < looked; ++page)
    if (!(states[page] & 1))
      return false;
  return true;
}

// Pages that the system has still cached come quickly when they are read: advice on them costs more, 30 µs a MB.
static void fetchPages(const char *begin, size_t bytes) {
  char *first = pageOf(begin);
  if (!pagesPresent(begin, bytes))
    madvise(first, size_t(begin + bytes - first), MADV_WILLNEED);
}

const PageCalls kMappedPages = {fetchPages, dropPages, pagesPresent};
const PageCalls kKeptPages = {[](const char *, size_t) {}, [](const char *, size_t) {},
                              [](const char *, size_t) { return true; }};

ResidentExperts::~ResidentExperts() { pthread_mutex_destroy(&mutex); }

int ResidentExperts::compare(const void *left, const void *right) {
  auto *a = static_cast<const Weight *>(left)->begin, *b = static_cast<const Weight *>(right)->begin;
  return a < b ? -1 : a > b;
}

/// Bytes of the parameter, whose extents the weights' file or the compiler's memory holds.
static int64_t bytesOf(const weft_abi_parameter &parameter) {
  auto bytes = static_cast<int64_t>(elementType(parameter.dtype)->bytes);
  for (int32_t axis = 0; axis < parameter.rank; ++axis)
    bytes *= parameter.shape[axis];
  return bytes;
}

bool ResidentExperts::start(const weft_abi_model &code, const void *const *parameters, int64_t limit,
                            const PageCalls &pages) {
  // Any of three dimensions and more may turn out to be a weight of experts; the words are few beside what it holds.
  size_t experts = 0;
  for (int32_t i = 0; i < code.parameter_count; ++i)
    experts += code.parameters[i].rank > 2 ? size_t(code.parameters[i].shape[0]) : 0;
  weights = Array<Weight>(size_t(code.parameter_count));
  lastUses = Array<uint64_t>(experts);
  if (!weights || !lastUses)
    return false;
  uint64_t *lastUse = lastUses.get();
  for (int32_t i = 0; i < code.parameter_count; ++i) {
    const weft_abi_parameter &parameter = code.parameters[i];
    if (parameter.rank < 3)
      continue;
    Weight &weight = weights[weightCount++];
    weight.begin = static_cast<const char *>(parameters[i]);
    weight.bytes = bytesOf(parameter);
    weight.experts = parameter.shape[0];
    weight.lastUse = lastUse;
    lastUse += weight.experts;
  }
  if (weightCount)
    qsort(weights.get(), weightCount, sizeof(Weight), compare);
  this->limit = limit;
  this->pages = pages;
  return true;
}

ResidentExperts::Weight *ResidentExperts::find(const void *begin) {
  size_t low = 0, high = weightCount;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (weights[middle].begin < begin)
      low = middle + 1;
    else
      high = middle;
  }
  return low < weightCount && weights[low].begin == begin ? &weights[low] : nullptr;
}

const char *ResidentExperts::expertOf(const Weight &weight, int64_t expert) const {
  return weight.begin + weight.bytes / weight.experts * expert;
}

void ResidentExperts::take(Weight &weight, const int32_t *offsets) {
  uint64_t stepBefore = weight.step;
  weight.step = ++steps;
  int64_t chosen = 0, again = 0;
  for (int64_t e = 0; e < weight.experts; ++e) {
    if (offsets[e] >= offsets[e + 1])
      continue;
    ++chosen;
    again += stepBefore && weight.lastUse[e] == stepBefore;
    if (weight.lastUse[e]) {
      ++counts.hits;
    } else {
      ++counts.misses;
      ++weight.held;
      pages.fetch(expertOf(weight, e), size_t(weight.bytes / weight.experts));
    }
    weight.lastUse[e] = weight.step;
  }
  weight.isSteady = 2 * again > chosen;
}

/// Gives back the experts that were chosen the longest ago, those of `keptStep` not.
void ResidentExperts::trim(Weight &weight, uint64_t keptStep) {
  while (weight.held > limit) {
    int64_t oldest = -1;
    for (int64_t e = 0; e < weight.experts; ++e)
      if (weight.lastUse[e] && weight.lastUse[e] != keptStep &&
          (oldest < 0 || weight.lastUse[e] < weight.lastUse[oldest]))
        oldest = e;
    weight.isCrowded = oldest < 0;
    if (oldest < 0) {
      isAnyCrowded = true;
      return;
    }
    weight.lastUse[oldest] = 0;
    --weight.held;
    ++counts.evictions;
    pages.drop(expertOf(weight, oldest), size_t(weight.bytes / weight.experts));
  }
  weight.isCrowded = false;
}

void ResidentExperts::trimCrowded() {
  if (!isAnyCrowded)
    return;
  isAnyCrowded = false;
  for (size_t i = 0; i < weightCount; ++i)
    if (weights[i].isCrowded)
      trim(weights[i], 0);
}

/// What comes after `weight` in a step, some choices ahead: its last choice is likely its next.
void ResidentExperts::fetchAhead(Weight &weight) {
  if (before && before != &weight)
    before->following = &weight;
  before = &weight;
  const Weight *ahead = &weight;
  for (int i = 0; ahead && i < kChoicesAhead; ++i)
    ahead = ahead->following;
  if (!ahead || ahead == &weight || !ahead->isSteady)
    return;
  size_t bytes = size_t(ahead->bytes / ahead->experts);
  for (int64_t e = 0; e < ahead->experts; ++e)
    if (ahead->lastUse[e] == ahead->step && !pages.isPresent(expertOf(*ahead, e), bytes)) {
      ++counts.prefetches;
      pages.fetch(expertOf(*ahead, e), bytes);
    }
}

void ResidentExperts::chosen(const void *weight, int64_t bytes, const int32_t *offsets, int64_t count,
                             bool readersDone) {
  pthread_mutex_lock(&mutex);
  if (readersDone)
    trimCrowded();
  Weight *known = find(weight);
  if (known && count > 0 && known->experts == count && bytes == known->bytes / count) {
    // Opening has read all of them, to compute the digest.
    if (!known->step)
      pages.drop(known->begin, size_t(known->bytes));
    take(*known, offsets);
    trim(*known, known->step);
    fetchAhead(*known);
  }
  pthread_mutex_unlock(&mutex);
}

void ResidentExperts::callEnded() {
  pthread_mutex_lock(&mutex);
  trimCrowded();
  pthread_mutex_unlock(&mutex);
}

weft_experts_info ResidentExperts::info() {
  pthread_mutex_lock(&mutex);
  weft_experts_info copy = counts;
  pthread_mutex_unlock(&mutex);
  return copy;
}

} // namespace weft::runtime
