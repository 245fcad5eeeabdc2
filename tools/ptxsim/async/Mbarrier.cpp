// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ptxsim/async/Mbarrier.h"

namespace weft::ptxsim {

// Bits: 0 phase, 1–20 pending, 21–40 expected, 41–61 bytes (two's complement), 62–63 the mark.
static constexpr uint64_t kMark = 2;

std::optional<Mbarrier> Mbarrier::decode(uint64_t word) {
  if (word >> 62 != kMark)
    return std::nullopt;
  auto field = [&](int shift) { return uint32_t(word >> shift) & kMaxCount; };
  int64_t bytes = int64_t(word << 2) >> 43;
  return Mbarrier{uint32_t(word & 1), field(1), field(21), int32_t(bytes)};
}

uint64_t Mbarrier::encode() const {
  return kMark << 62 | uint64_t(uint32_t(bytes) & 0x1fffff) << 41 | uint64_t(expected) << 21 | uint64_t(pending) << 1 |
         phase;
}

void Mbarrier::finish() {
  if (pending || bytes)
    return;
  phase ^= 1;
  pending = expected;
}

std::string Mbarrier::arrive(uint32_t count, bool mayComplete) {
  if (count == 0 || count > pending)
    return "arrival of " + std::to_string(count) + " at an mbarrier whose phase waits for " + std::to_string(pending) +
           " more";
  if (!mayComplete && count == pending)
    return "arrive.noComplete would complete the phase";
  pending -= count;
  finish();
  return {};
}

std::string Mbarrier::arriveDrop(uint32_t count, bool mayComplete) {
  if (count > expected)
    return "arrive_drop of " + std::to_string(count) + " from an mbarrier that expects " + std::to_string(expected);
  uint32_t before = expected;
  expected -= count;
  std::string problem = arrive(count, mayComplete);
  if (!problem.empty())
    expected = before;
  return problem;
}

std::string Mbarrier::expectBytes(uint32_t count) {
  if (int64_t(bytes) + count > int64_t(kMaxCount))
    return "expect_tx makes the tx-count " + std::to_string(int64_t(bytes) + count) + ", above " +
           std::to_string(kMaxCount);
  bytes += int32_t(count);
  return {};
}

std::string Mbarrier::completeBytes(uint32_t count) {
  if (int64_t(bytes) - count < -int64_t(kMaxCount))
    return "complete_tx makes the tx-count " + std::to_string(int64_t(bytes) - count) + ", below -" +
           std::to_string(kMaxCount);
  bytes -= int32_t(count);
  finish();
  return {};
}

} // namespace weft::ptxsim
