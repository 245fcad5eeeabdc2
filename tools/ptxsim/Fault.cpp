// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "tools/ptxsim/Fault.h"

#include <cinttypes>
#include <cstdio>

namespace weft::ptxsim {
namespace {

constexpr std::string_view kNames[] = {
    "syntax error",
    "illegal instruction",
    "bad launch",
    "out of bounds",
    "misaligned address",
    "use after free",
    "uninitialized memory",
    "uninitialized register",
    "read-only memory",
    "divergence",
    "infinite loop",
    "deadlock",
    "race",
    "missing proxy fence",
    "operation in flight",
    "barrier misuse",
    "trap",
};

std::string triple(const std::array<uint32_t, 3> &value) {
  return "(" + std::to_string(value[0]) + ", " + std::to_string(value[1]) + ", " + std::to_string(value[2]) + ")";
}

} // namespace

std::string_view nameOf(FaultKind kind) { return kNames[static_cast<int>(kind)]; }

std::string Fault::text(std::string_view file) const {
  std::string result(file);
  if (line > 0)
    result += ":" + std::to_string(line);
  result += ": " + std::string(nameOf(kind)) + ": " + message + "\n";
  if (!source.empty()) {
    size_t begin = source.find_first_not_of(" \t");
    result += "  | " + source.substr(begin == std::string::npos ? 0 : begin) + "\n";
  }
  if (!kernel.empty())
    result += "  kernel " + kernel + ", block " + triple(block) + ", thread " + triple(thread);
  if (address) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "0x%" PRIx64, *address);
    result += (kernel.empty() ? "  address " : ", address ") + std::string(digits);
  }
  if (!kernel.empty() || address)
    result += "\n";
  return result;
}

} // namespace weft::ptxsim
