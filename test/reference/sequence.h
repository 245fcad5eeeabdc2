// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolution over time in float64, by its definition in docs/spec.md.
#ifndef WEFT_TEST_REFERENCE_SEQUENCE_H
#define WEFT_TEST_REFERENCE_SEQUENCE_H

#include <cstdint>
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

} // namespace weft::reference

#endif // WEFT_TEST_REFERENCE_SEQUENCE_H
