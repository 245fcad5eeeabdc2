// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/conformance/GuardedMemory.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace weft::test {

static constexpr size_t kPage = 4096;

GuardedMemory::GuardedMemory(size_t bytes, Flush flush) : bytes(bytes) {
  size_t inside = (bytes + kPage - 1) / kPage * kPage;
  mapped = inside + 2 * kPage;
  void *address = mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED || mprotect(static_cast<std::byte *>(address) + kPage, inside, PROT_READ | PROT_WRITE)) {
    std::perror("guarded memory");
    std::abort();
  }
  mapping = static_cast<std::byte *>(address);
  begin = flush == Flush::AtStart ? mapping + kPage : mapping + kPage + inside - bytes;
}

GuardedMemory::~GuardedMemory() {
  if (mapping)
    munmap(mapping, mapped);
}

GuardedMemory::GuardedMemory(GuardedMemory &&other) noexcept
    : bytes(other.bytes), mapping(std::exchange(other.mapping, nullptr)), mapped(other.mapped), begin(other.begin) {}

void GuardedMemory::protect() { mprotect(mapping + kPage, mapped - 2 * kPage, PROT_READ); }

} // namespace weft::test
