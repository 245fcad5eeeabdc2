// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ptxsim/matrix/SharedMatrix.h"

namespace weft::ptxsim {

SharedMatrix SharedMatrix::decode(uint64_t descriptor) {
  auto bytes = [&](int shift) { return uint32_t(descriptor >> shift & 0x3fff) << 4; };
  constexpr int kSpans[4] = {0, 128, 64, 32};
  return {bytes(0), bytes(16), bytes(32), uint32_t(descriptor >> 49 & 7), kSpans[descriptor >> 62]};
}

uint32_t SharedMatrix::address(int outer, int k, int elementBytes, bool outerMajor) const {
  int chunk = 16 / elementBytes;      // elements of 16 bytes
  int line = (span ? span : 16) / 16; // chunks that lie side by side
  uint32_t offset;
  if (!outerMajor) {
    // Eight rows of one line each; the next eight rows a stride further. Without a swizzle the chunks along k are a
    // leading offset apart, with one they lie side by side and the offset is not read.
    uint32_t along = uint32_t(k / chunk);
    offset = uint32_t(outer % 8 * line * 16) + uint32_t(outer / 8) * strideBytes + along * (span ? 16 : leadingBytes) +
             uint32_t(k % chunk * elementBytes);
  } else {
    // Eight values of k of one line each. Lines along m or n: a leading offset apart, next k's: a stride; without a
    // swizzle the two change places.
    uint32_t lineOffset = span ? leadingBytes : strideBytes, groupOffset = span ? strideBytes : leadingBytes;
    int perLine = line * chunk;
    offset = uint32_t(outer % perLine * elementBytes) + uint32_t(outer / perLine) * lineOffset +
             uint32_t(k % 8 * line * 16) + uint32_t(k / 8) * groupOffset;
  }
  return swizzle(start + offset, span, base);
}

} // namespace weft::ptxsim
