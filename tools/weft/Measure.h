// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How fast a model is at one shape, beside the multiply-add rate of the core measured between its runs.
#ifndef WEFT_TOOLS_WEFT_MEASURE_H
#define WEFT_TOOLS_WEFT_MEASURE_H

#include "tools/weft/Model.h"

#include <map>
#include <string>
#include <vector>

namespace weft::cli {

using Extents = std::map<std::string, int64_t>;

/// Inputs of these extents: every index drawn from its table, the same each time; optional inputs are left out.
/// W0513: an extent is missing.
Result<std::vector<Array>> inventInputs(const Entry &entry, const Extents &extents);

/// The named dimensions that arrays of these shapes give.
Extents extentsOf(const Entry &entry, const std::vector<Array> &inputs);

struct Measurement {
  Extents extents;
  std::vector<double> seconds; ///< each run
  /// Median that speeds are counted from: with one thread its processor time, as the peak is, so that other programs
  /// disturb neither; otherwise the time passed.
  double speedSeconds = 0;
  double flops = 0; ///< of a run; 0 where unknown
  double weightBytes = 0;
  double peakGflops = 0; ///< of the core, multiply-adds in f32; 0 where a GPU does the work

  /// The time that this share of the runs did not exceed.
  double percentile(double share) const;
  double gflops() const { return flops / speedSeconds * 1e-9; }
  double gbps() const { return weightBytes / speedSeconds * 1e-9; }
  double percentOfPeak() const { return peakGflops > 0 ? 100 * gflops() / peakGflops : 0; }
};

/// Warms up, then runs `repeat` times, or about a second long where that is 0.
Result<Measurement> measure(Runner &runner, const Entry &entry, const std::optional<Work> &work,
                            const std::vector<Array> &inputs, int repeat);

/// Reads `context` with the entry prefill, then feeds the columns of `next` [batch, tokens] to decode one by one: a
/// time for each. W0508: there is no prefill; W0513: the two batches differ.
Result<Measurement> measureSteps(const Model &model, Runner &decode, const Entry &entry, const Array &context,
                                 const Array &next);

/// "batch=1, sequence=128"
std::string printableExtents(const Extents &extents);

/// Highest resident memory of this process so far.
long peakRssKb();

} // namespace weft::cli

#endif // WEFT_TOOLS_WEFT_MEASURE_H
