// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What this process may use of the machine: cores and memory.
#ifndef WEFT_RUNTIME_CPU_ALLOWANCE_H
#define WEFT_RUNTIME_CPU_ALLOWANCE_H

#include <cstdint>

namespace weft::runtime {

inline constexpr int32_t kMaxThreads = 1024;

/// WEFT_NUM_THREADS where it is set to a number, else the cores that this
/// process may use: its affinity, hardware threads of one core counted once,
/// and at most the control group's quota. At least 1.
int32_t defaultThreads();

/// The cores that this process may use, whatever WEFT_NUM_THREADS says.
int32_t availableCores();

/// Bytes that the process can have at most: the machine's memory, or what the
/// control group grants of it, and swap space.
uint64_t memoryLimit();

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CPU_ALLOWANCE_H
