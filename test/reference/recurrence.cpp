// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/reference/recurrence.h"

namespace weft::reference {

namespace {
using Number = std::complex<double>;

/// One column of one head at one step: S'[n] → S[n], returns Σ query · S.
Number stepOfColumn(const std::vector<StepNumbers> &numbers, std::vector<Number> &column) {
  double recalled = 0;
  for (size_t n = 0; n < column.size(); ++n)
    recalled += numbers[n].lowRankA * column[n].real();
  Number sum = 0;
  for (size_t n = 0; n < column.size(); ++n) {
    const StepNumbers &at = numbers[n];
    column[n] = at.decay * column[n] + at.lowRankB * recalled + at.key * at.value;
    sum += at.query * column[n];
  }
  return sum;
}
} // namespace

RecurrenceResult recurrence(const RecurrenceShape &shape, const StepFunction &step, std::vector<Number> state,
                            const std::vector<int64_t> &reset, bool reverse) {
  RecurrenceResult result;
  auto [batch, heads, steps, keys, values] = shape;
  state.resize(batch * heads * keys * values);
  result.output.resize(batch * heads * steps * values);
  std::vector<StepNumbers> numbers(keys);
  std::vector<Number> column(keys);
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t e = 0; e < values; ++e) {
        auto place = [&](int64_t n) { return ((b * heads + h) * keys + n) * values + e; };
        for (int64_t n = 0; n < keys; ++n)
          column[n] = state[place(n)];
        for (int64_t i = 0; i < steps; ++i) {
          int64_t t = reverse ? steps - 1 - i : i;
          if (!reset.empty() && reset[b * steps + t] != 0)
            column.assign(keys, 0);
          for (int64_t n = 0; n < keys; ++n)
            numbers[n] = step(b, h, t, n, e);
          result.output[((b * heads + h) * steps + t) * values + e] = stepOfColumn(numbers, column);
        }
        for (int64_t n = 0; n < keys; ++n)
          state[place(n)] = column[n];
      }
  result.state = std::move(state);
  return result;
}

} // namespace weft::reference
