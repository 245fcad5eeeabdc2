// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/Reservation.h"

#include <sys/mman.h>

namespace weft::runtime {

// Of the system's sizes of pages the large one, from which on it is used.
static constexpr uint64_t kLargePage = 2 << 20, kPage = 4096;

/// Whole pages.
static uint64_t roundUp(uint64_t bytes) {
  uint64_t page = bytes < kLargePage ? kPage : kLargePage;
  return (bytes + page - 1) / page * page;
}

static void *map(const Reservation &now, uint64_t bytes) {
  if (now.begin)
    return mremap(now.begin, now.bytes, bytes, MREMAP_MAYMOVE); // moves page tables, not bytes
  void *address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  // Large pages where the system has them: fewer faults on the first call, fewer misses later.
  if (address != MAP_FAILED)
    madvise(address, bytes, MADV_HUGEPAGE);
  return address;
}

bool Reservation::grow(uint64_t least) {
  if (least <= bytes)
    return true;
  if (least > PTRDIFF_MAX - kLargePage)
    return false;
  // Half as much again, so that calls that grow by one token each seldom ask.
  uint64_t generous = roundUp(least < bytes + bytes / 2 ? bytes + bytes / 2 : least);
  void *address = map(*this, generous);
  if (address == MAP_FAILED && generous > roundUp(least))
    address = map(*this, generous = roundUp(least));
  if (address == MAP_FAILED)
    return false;
  begin = static_cast<char *>(address);
  bytes = generous;
  return true;
}

void Reservation::clear() {
  if (begin)
    madvise(begin, bytes, MADV_DONTNEED);
}

void Reservation::release() {
  if (begin)
    munmap(begin, bytes);
  *this = {};
}

} // namespace weft::runtime
