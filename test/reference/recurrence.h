// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A recurrence by its definition in docs/spec.md, in complex numbers of float64.
#ifndef WEFT_TEST_REFERENCE_RECURRENCE_H
#define WEFT_TEST_REFERENCE_RECURRENCE_H

#include <complex>
#include <cstdint>
#include <functional>
#include <vector>

namespace weft::reference {

struct RecurrenceShape {
  int64_t batch, heads, steps, keys, values;
};

/// The numbers of a step at (b, h, t, n, e).
struct StepNumbers {
  std::complex<double> query = 1, key = 1, value = 0, decay = 1;
  double lowRankA = 0, lowRankB = 0;
};
using StepFunction = std::function<StepNumbers(int64_t b, int64_t h, int64_t t, int64_t n, int64_t e)>;

struct RecurrenceResult {
  std::vector<std::complex<double>> output; // [batch, heads, steps, values]
  std::vector<std::complex<double>> state;  // [batch, heads, keys, values] after the last step
};

/// `state`, [batch, heads, keys, values], is S before the first step; empty: zeros. `reset`, [batch, steps], says where
/// S starts at zero again; empty: nowhere. Steps run from the last to the first with `reverse`.
RecurrenceResult recurrence(const RecurrenceShape &shape, const StepFunction &step,
                            std::vector<std::complex<double>> state = {}, const std::vector<int64_t> &reset = {},
                            bool reverse = false);

} // namespace weft::reference

#endif // WEFT_TEST_REFERENCE_RECURRENCE_H
