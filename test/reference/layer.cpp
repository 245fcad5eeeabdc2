// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/reference/layer.h"

#include <cmath>
#include <limits>

namespace weft::reference {

std::vector<double> layerNorm(int64_t n, const std::vector<double> &input, const std::vector<double> &scale,
                              const std::vector<double> &bias, double epsilon) {
  std::vector<double> out(input.size());
  for (size_t row = 0; row < input.size(); row += n) {
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < n; ++i)
      mean += input[row + i] / n;
    for (int64_t i = 0; i < n; ++i)
      variance += (input[row + i] - mean) * (input[row + i] - mean) / n;
    for (int64_t i = 0; i < n; ++i)
      out[row + i] = (input[row + i] - mean) / std::sqrt(variance + epsilon) * scale[i] + (bias.empty() ? 0 : bias[i]);
  }
  return out;
}

std::vector<double> rmsNorm(int64_t n, const std::vector<double> &input, const std::vector<double> &scale,
                            double epsilon) {
  std::vector<double> out(input.size());
  for (size_t row = 0; row < input.size(); row += n) {
    double squares = 0;
    for (int64_t i = 0; i < n; ++i)
      squares += input[row + i] * input[row + i];
    for (int64_t i = 0; i < n; ++i)
      out[row + i] = input[row + i] / std::sqrt(squares / n + epsilon) * (scale.empty() ? 1 : scale[i]);
  }
  return out;
}

std::vector<double> embedding(int64_t n, const std::vector<int64_t> &ids, const std::vector<double> &table) {
  std::vector<double> out;
  for (int64_t id : ids)
    for (int64_t i = 0; i < n; ++i)
      out.push_back(table[id * n + i]);
  return out;
}

std::vector<double> pack(int64_t k, int64_t n, int64_t width, const std::vector<double> &matrix) {
  int64_t panels = (n + width - 1) / width;
  std::vector<double> packed(panels * k * width, 0.0);
  for (int64_t row = 0; row < k; ++row)
    for (int64_t column = 0; column < n; ++column)
      packed[(column / width * k + row) * width + column % width] = matrix[row * n + column];
  return packed;
}

std::vector<double> packedMatmul(int64_t m, int64_t n, int64_t k, int64_t width, const std::vector<double> &lhs,
                                 const std::vector<double> &rhs, const std::vector<double> &bias) {
  std::vector<double> out(m * n);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = bias.empty() ? 0 : bias[j];
      for (int64_t p = 0; p < k; ++p)
        sum += lhs[i * k + p] * rhs[(j / width * k + p) * width + j % width];
      out[i * n + j] = sum;
    }
  return out;
}

template <typename T> double relativeRms(const std::vector<T> &actual, const std::vector<double> &expected) {
  if (actual.size() != expected.size())
    return std::numeric_limits<double>::infinity();
  double error = 0, size = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (double(actual[i]) == expected[i] && std::isinf(expected[i]))
      continue; // the same infinity
    error += (actual[i] - expected[i]) * (actual[i] - expected[i]);
    size += expected[i] * expected[i];
  }
  double ratio = error == 0 ? 0 : std::sqrt(error / size);
  return std::isnan(ratio) ? std::numeric_limits<double>::infinity() : ratio;
}

template double relativeRms(const std::vector<float> &, const std::vector<double> &);
template double relativeRms(const std::vector<double> &, const std::vector<double> &);

} // namespace weft::reference
