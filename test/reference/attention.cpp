// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/reference/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace weft::reference {

namespace {
struct Row {
  std::vector<double> scores; // of the visible keys
  std::vector<int64_t> keys;  // their numbers
};
} // namespace

static double dot(const double *a, const double *b, int64_t n) {
  double sum = 0;
  for (int64_t d = 0; d < n; ++d)
    sum += a[d] * b[d];
  return sum;
}

static Row visibleScores(const AttentionShape &s, const double *query, const double *keys, double scale,
                         const Score &score, const Mask &mask, int64_t b, int64_t h, int64_t i) {
  Row row;
  for (int64_t j = 0; j < s.keys; ++j) {
    if (mask && !mask(b, h, i, j))
      continue;
    double x = scale * dot(query, keys + j * s.headDim, s.headDim);
    row.scores.push_back(score ? score(x, b, h, i, j) : x);
    row.keys.push_back(j);
  }
  return row;
}

/// Writes the weighted mean of the visible values; returns log Σ exp.
static double softmaxRow(const AttentionShape &s, Row row, const double *values, double *output) {
  double max = -std::numeric_limits<double>::infinity();
  for (double x : row.scores)
    max = std::max(max, x);
  std::fill(output, output + s.valueDim, 0.0);
  if (std::isinf(max) && max < 0)
    return max; // nothing to see
  double sum = 0;
  for (double &x : row.scores)
    sum += x = std::exp(x - max);
  for (size_t n = 0; n < row.keys.size(); ++n)
    for (int64_t e = 0; e < s.valueDim; ++e)
      output[e] += row.scores[n] / sum * values[row.keys[n] * s.valueDim + e];
  return max + std::log(sum);
}

AttentionResult attention(const AttentionShape &s, const std::vector<double> &query, const std::vector<double> &key,
                          const std::vector<double> &value, double scale, const Score &score, const Mask &mask) {
  AttentionResult result;
  result.output.resize(s.batch * s.heads * s.queries * s.valueDim);
  result.lse.resize(s.batch * s.heads * s.queries);
  int64_t group = s.heads / s.keyHeads;
  for (int64_t b = 0; b < s.batch; ++b)
    for (int64_t h = 0; h < s.heads; ++h)
      for (int64_t i = 0; i < s.queries; ++i) {
        int64_t row = (b * s.heads + h) * s.queries + i, keyHead = b * s.keyHeads + h / group;
        const double *keys = key.data() + keyHead * s.keys * s.headDim;
        const double *values = value.data() + keyHead * s.keys * s.valueDim;
        Row visible = visibleScores(s, query.data() + row * s.headDim, keys, scale, score, mask, b, h, i);
        result.lse[row] = softmaxRow(s, visible, values, result.output.data() + row * s.valueDim);
      }
  return result;
}

} // namespace weft::reference
