// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The mbarrier object: a barrier in 8 bytes of shared memory that counts arrivals and bytes of copies.
// Source: PTX ISA 9.0, "mbarrier". Its 64 bits are opaque there; here they hold phase, counts and a mark by which an
// uninitialised object is noticed.
#ifndef WEFT_TOOLS_PTXSIM_ASYNC_MBARRIER_H
#define WEFT_TOOLS_PTXSIM_ASYNC_MBARRIER_H

#include <cstdint>
#include <optional>
#include <string>

namespace weft::ptxsim {

struct Mbarrier {
  static constexpr uint32_t kMaxCount = (1u << 20) - 1;

  uint32_t phase = 0;    // parity of the phase that is not complete yet
  uint32_t pending = 0;  // arrivals that the phase still waits for
  uint32_t expected = 0; // arrivals of each next phase
  int32_t bytes = 0;     // tx-count: bytes that the phase still waits for

  static Mbarrier init(uint32_t count) { return {0, count, count, 0}; }

  /// None where the 8 bytes are no mbarrier object (never initialised, invalidated or overwritten).
  static std::optional<Mbarrier> decode(uint64_t word);
  uint64_t encode() const;

  /// The operations give why they are wrong, empty when they are right, and complete the phase where they end it.
  std::string arrive(uint32_t count, bool mayComplete = true);
  std::string arriveDrop(uint32_t count, bool mayComplete = true); // also leaves the following phases
  std::string expectBytes(uint32_t count);
  std::string completeBytes(uint32_t count);

  /// Whether the phase of this parity has completed: test_wait.parity, try_wait.parity.
  bool isComplete(uint32_t parity) const { return phase != (parity & 1); }

private:
  void finish();
};

} // namespace weft::ptxsim

#endif
