// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolution over time, prefixes and updates of caches in float64, by their definitions in docs/spec.md.
#ifndef WEFT_TEST_REFERENCE_SEQUENCE_H
#define WEFT_TEST_REFERENCE_SEQUENCE_H

#include <cstdint>
#include <functional>
#include <vector>

namespace weft::reference {

struct ConvShape {
  int64_t batch, steps, channels, taps;
  bool reverse = false;
};

struct ConvResult {
  std::vector<double> sums;  ///< [batch, steps, channels]
  std::vector<double> state; ///< [batch, taps − 1, channels], afterwards
};

/// input [batch, steps, channels], weight [channels, taps], bias [channels], reset [batch, steps], state [batch,
/// taps − 1, channels]; the last three are 0 where empty.
ConvResult causalConv(const ConvShape &shape, const std::vector<double> &input, const std::vector<double> &weight,
                      const std::vector<double> &bias, const std::vector<int64_t> &reset,
                      const std::vector<double> &state);

using Accumulators = std::vector<double>;
using Combine = std::function<Accumulators(const Accumulators &, const Accumulators &)>;

struct ScanShape {
  int64_t batch, steps, lanes;
  bool reverse = false;
};

struct ScanResult {
  std::vector<std::vector<double>> prefixes, states; ///< of each accumulator, shaped as its input and state
};

/// Inputs [batch, steps, lanes], or [batch, steps] where they are the same for all lanes; reset [batch, steps] or
/// empty; states [batch, lanes] or [batch], or none.
ScanResult scan(const ScanShape &shape, const Combine &combine, const std::vector<std::vector<double>> &inputs,
                const std::vector<int64_t> &reset, const std::vector<std::vector<double>> &states);

struct CacheShape {
  int64_t batch, rows, slots, width;
  bool ring = false;
};

/// The cache [batch, slots, width] after rows [batch, rows, width] went to positions [batch, rows].
std::vector<double> cacheUpdate(const CacheShape &shape, const std::vector<double> &rows,
                                const std::vector<int64_t> &positions, std::vector<double> cache);

} // namespace weft::reference

#endif // WEFT_TEST_REFERENCE_SEQUENCE_H
