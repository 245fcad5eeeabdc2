// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/conformance/Numbers.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace weft::test {

float Numbers::normal() {
  // Box and Muller: std::normal_distribution differs between libraries.
  double radius = std::sqrt(-2 * std::log((generator() + 1.0) / 4294967296.0));
  return float(radius * std::cos(6.283185307179586 * (generator() / 4294967296.0)));
}

std::vector<float> Numbers::normals(int64_t count) {
  std::vector<float> values(count);
  for (float &value : values)
    value = normal();
  return values;
}

Array Numbers::array(const std::string &name, std::vector<int64_t> shape, float scale) {
  std::vector<float> values = normals(elementsOf(shape));
  for (float &value : values)
    value *= scale;
  return Array::of<float>(name, std::move(shape), values);
}

int64_t elementsOf(const std::vector<int64_t> &shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

std::vector<double> widen(const std::vector<float> &values) { return {values.begin(), values.end()}; }

std::vector<float> floatsOf(const Array &array) {
  std::span<const float> values = array.values<float>();
  return {values.begin(), values.end()};
}

std::vector<double> widen(const Array &array) { return widen(floatsOf(array)); }

bool sameBits(const Array &a, const Array &b) { return a.type == b.type && a.shape == b.shape && a.bytes == b.bytes; }

Array rowsOf(const Array &array, int64_t first, int64_t count) {
  int64_t bytes = int64_t(array.bytes.size()) / array.shape[0];
  Array rows{array.name, array.type, array.shape, {}};
  rows.shape[0] = count;
  rows.bytes.assign(array.bytes.begin() + first * bytes, array.bytes.begin() + (first + count) * bytes);
  return rows;
}

void RelativeError::add(const std::vector<float> &actual, const std::vector<double> &expected) {
  if (actual.size() != expected.size())
    error = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < expected.size() && i < actual.size(); ++i) {
    if (std::isinf(expected[i]) && actual[i] == expected[i])
      continue;
    double distance = (actual[i] - expected[i]) * (actual[i] - expected[i]);
    error += std::isnan(distance) ? std::numeric_limits<double>::infinity() : distance;
    size += std::isinf(expected[i]) ? 0 : expected[i] * expected[i];
  }
}

double RelativeError::value() const { return error == 0 ? 0 : std::sqrt(error / size); }

std::string Accuracy::check(const Array &actual, const std::vector<double> &expected, const std::vector<float> &inF32) {
  std::vector<float> values = floatsOf(actual);
  RelativeError one;
  one.add(values, expected);
  compiled.add(values, expected);
  plain.add(inF32, expected);
  if (one.value() <= bound)
    return "";
  char text[160];
  size_t worst = 0;
  double distance = -1;
  for (size_t i = 0; i < std::min(values.size(), expected.size()); ++i)
    if (double d = std::abs(values[i] - expected[i]); !(d <= distance)) {
      worst = i, distance = d;
      if (std::isnan(d))
        break;
    }
  std::snprintf(text, sizeof(text), "relative RMS %.3e > %.0e; element %zu of %zu is %.9g, should be %.9g", one.value(),
                bound, worst, expected.size(), values.empty() ? 0 : values[worst],
                expected.empty() ? 0 : expected[worst]);
  return text;
}

std::string Accuracy::text() const {
  char text[96];
  std::snprintf(text, sizeof(text), "relative RMS %.3e, plain f32 %.3e", compiled.value(), plain.value());
  return text;
}

} // namespace weft::test
