// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/reference/sequence.h"

namespace weft::reference {
namespace {

struct Conv {
  const ConvShape &shape;
  const std::vector<double> &input, &state;
  const std::vector<int64_t> &reset;

  /// The step t of the input in the order of time.
  int64_t place(int64_t t) const { return shape.reverse ? shape.steps - 1 - t : t; }

  /// What step `now` sees of step `then`, both in the order of time; before the first step they are negative.
  double seen(int64_t b, int64_t then, int64_t now, int64_t d) const {
    for (int64_t r = then + 1; r <= now; ++r)
      if (r >= 0 && r < shape.steps && !reset.empty() && reset[b * shape.steps + place(r)] != 0)
        return 0;
    if (then >= 0)
      return input[(b * shape.steps + place(then)) * shape.channels + d];
    int64_t before = shape.taps - 1;
    return state.empty() ? 0 : state[(b * before + before + then) * shape.channels + d];
  }
};

} // namespace

ConvResult causalConv(const ConvShape &shape, const std::vector<double> &input, const std::vector<double> &weight,
                      const std::vector<double> &bias, const std::vector<int64_t> &reset,
                      const std::vector<double> &state) {
  Conv conv{shape, input, state, reset};
  int64_t before = shape.taps - 1;
  ConvResult result;
  result.sums.resize(input.size());
  for (int64_t b = 0; b < shape.batch; ++b)
    for (int64_t d = 0; d < shape.channels; ++d)
      for (int64_t t = 0; t < shape.steps; ++t) {
        double sum = bias.empty() ? 0 : bias[d];
        for (int64_t i = 0; i < shape.taps; ++i)
          sum += weight[d * shape.taps + i] * conv.seen(b, t - before + i, t, d);
        result.sums[(b * shape.steps + conv.place(t)) * shape.channels + d] = sum;
      }
  result.state.resize(shape.batch * before * shape.channels);
  for (int64_t b = 0; b < shape.batch; ++b)
    for (int64_t j = 0; j < before; ++j)
      for (int64_t d = 0; d < shape.channels; ++d)
        result.state[(b * before + j) * shape.channels + d] =
            conv.seen(b, shape.steps - before + j, shape.steps - 1, d);
  return result;
}

ScanResult scan(const ScanShape &shape, const Combine &combine, const std::vector<std::vector<double>> &inputs,
                const std::vector<int64_t> &reset, const std::vector<std::vector<double>> &states) {
  size_t count = inputs.size();
  ScanResult result{inputs, states};
  result.states.resize(count);
  std::vector<bool> shared;
  for (size_t i = 0; i < count; ++i) {
    shared.push_back(shape.lanes > 1 && int64_t(inputs[i].size()) == shape.batch * shape.steps);
    result.states[i].resize(shape.batch * (shared[i] ? 1 : shape.lanes));
  }
  auto place = [&](size_t i, int64_t row, int64_t lane) { return shared[i] ? row : row * shape.lanes + lane; };
  for (int64_t b = 0; b < shape.batch; ++b)
    for (int64_t lane = 0; lane < shape.lanes; ++lane) {
      Accumulators now(count), x(count);
      for (size_t i = 0; i < count && !states.empty(); ++i)
        now[i] = states[i][place(i, b, lane)];
      for (int64_t step = 0; step < shape.steps; ++step) {
        int64_t row = b * shape.steps + (shape.reverse ? shape.steps - 1 - step : step);
        for (size_t i = 0; i < count; ++i)
          x[i] = inputs[i][place(i, row, lane)];
        bool anew = (step == 0 && states.empty()) || (!reset.empty() && reset[row] != 0);
        now = anew ? x : combine(now, x);
        for (size_t i = 0; i < count; ++i)
          result.prefixes[i][place(i, row, lane)] = now[i];
      }
      for (size_t i = 0; i < count; ++i)
        result.states[i][place(i, b, lane)] = now[i];
    }
  return result;
}

std::vector<double> cacheUpdate(const CacheShape &shape, const std::vector<double> &rows,
                                const std::vector<int64_t> &positions, std::vector<double> cache) {
  for (int64_t b = 0; b < shape.batch; ++b)
    for (int64_t t = 0; t < shape.rows; ++t) {
      int64_t position = positions[b * shape.rows + t];
      if (position < 0 || (position >= shape.slots && !shape.ring))
        continue;
      for (int64_t i = 0; i < shape.width; ++i)
        cache[(b * shape.slots + position % shape.slots) * shape.width + i] =
            rows[(b * shape.rows + t) * shape.width + i];
    }
  return cache;
}

} // namespace weft::reference
