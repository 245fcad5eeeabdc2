// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ptxsim/matrix/Product.h"

#include <algorithm>
#include <limits>

namespace weft::ptxsim {

template <typename Value>
static void accumulate(Value *__restrict d, const Value *__restrict a, const Value *__restrict b, int m, int n, int k) {
  // The innermost loop runs along n, so that it is a vector operation whatever the order of the sum.
  for (int row = 0; row < m; ++row)
    for (int step = 0; step < k; ++step) {
      Value factor = a[row * k + step];
      const Value *line = b + step * n;
      Value *target = d + row * n;
#pragma clang loop vectorize(enable) interleave(enable)
      for (int column = 0; column < n; ++column)
        target[column] += factor * line[column];
    }
}

void accumulateF32(float *d, const float *a, const float *b, int m, int n, int k) { accumulate(d, a, b, m, n, k); }

void accumulateF64(double *d, const double *a, const double *b, int m, int n, int k) { accumulate(d, a, b, m, n, k); }

void accumulateS32(int32_t *d, const int32_t *a, const int32_t *b, int m, int n, int k, bool saturate) {
  for (int row = 0; row < m; ++row)
    for (int column = 0; column < n; ++column) {
      int64_t sum = d[row * n + column];
      for (int step = 0; step < k; ++step)
        sum += int64_t(a[row * k + step]) * b[step * n + column];
      if (saturate)
        sum = std::clamp<int64_t>(sum, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
      d[row * n + column] = int32_t(uint32_t(uint64_t(sum)));
    }
}

} // namespace weft::ptxsim
