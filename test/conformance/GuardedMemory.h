// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory between two pages that may not be touched, flush against one of them: reading or writing one byte beyond an
// array's end (or before its start) ends the test with a fault. Vector code shows its tails here.
#ifndef WEFT_TEST_CONFORMANCE_GUARDEDMEMORY_H
#define WEFT_TEST_CONFORMANCE_GUARDEDMEMORY_H

#include <cstddef>

namespace weft::test {

/// The page that an array touches.
enum class Flush { AtEnd, AtStart };

class GuardedMemory {
public:
  GuardedMemory(size_t bytes, Flush flush);
  ~GuardedMemory();
  GuardedMemory(GuardedMemory &&other) noexcept;
  GuardedMemory &operator=(GuardedMemory &&) = delete;

  std::byte *data() const { return begin; }
  size_t size() const { return bytes; }
  /// No store is allowed from here on.
  void protect();

private:
  size_t bytes;
  std::byte *mapping = nullptr;
  size_t mapped = 0;
  std::byte *begin = nullptr;
};

} // namespace weft::test

#endif // WEFT_TEST_CONFORMANCE_GUARDEDMEMORY_H
