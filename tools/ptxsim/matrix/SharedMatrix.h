// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where wgmma finds an element of an operand in shared memory: matrix descriptors and swizzles.
// Source: PTX ISA 9.0, "Asynchronous Warpgroup Level Matrix Shared Memory Layout" (canonical layouts, matrix
// descriptor).
#ifndef WEFT_TOOLS_PTXSIM_MATRIX_SHAREDMATRIX_H
#define WEFT_TOOLS_PTXSIM_MATRIX_SHAREDMATRIX_H

#include <cstdint>

namespace weft::ptxsim {

/// Chunks of 16 bytes change places within a span of 0 (none), 32, 64 or 128 bytes: bits 4… of the address are xored
/// with bits 7… . The pattern repeats every 8 spans; `base` is the number of the 128-byte line at which it starts, 0
/// when the buffer is aligned to it. Used by wgmma and by TMA alike.
constexpr uint32_t swizzle(uint32_t address, int span, uint32_t base = 0) {
  uint32_t chunks = span < 32 ? 0 : uint32_t(span) / 16 - 1;
  return address ^ ((((address >> 7) - base) & chunks) << 4);
}

/// The 64-bit matrix descriptor of wgmma, decoded: bytes, not units of 16.
struct SharedMatrix {
  uint32_t start;
  uint32_t leadingBytes;
  uint32_t strideBytes;
  uint32_t base; // of the swizzle's pattern, in lines of 128 bytes
  int span;      // of the swizzle: 0, 32, 64 or 128 bytes

  static SharedMatrix decode(uint64_t descriptor);

  /// Address in shared memory of element (outer, k), where outer is m of A and n of B, of `elementBytes` bytes (1, 2 or
  /// 4). `outerMajor`: neighbours along m or n are neighbours in memory (tnspA, tnspB = 1), else those along k.
  uint32_t address(int outer, int k, int elementBytes, bool outerMajor) const;
};

} // namespace weft::ptxsim

#endif
