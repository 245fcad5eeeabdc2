// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Seeded random arrays, and how far results are from float64 beside a plain computation in f32.
#ifndef WEFT_TEST_CONFORMANCE_NUMBERS_H
#define WEFT_TEST_CONFORMANCE_NUMBERS_H

#include "compiler/include/weft/Compiler.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace weft::test {

/// Normal numbers of variance 1, the same on every machine.
class Numbers {
public:
  explicit Numbers(uint32_t seed) : generator(seed) {}
  float normal();
  /// In [0, limit).
  int64_t below(int64_t limit) { return int64_t(generator() % uint32_t(limit)); }
  std::vector<float> normals(int64_t count);
  Array array(const std::string &name, std::vector<int64_t> shape, float scale = 1.0f);

private:
  std::mt19937 generator;
};

int64_t elementsOf(const std::vector<int64_t> &shape);
std::vector<double> widen(const std::vector<float> &values);
std::vector<double> widen(const Array &array);
std::vector<float> floatsOf(const Array &array);
bool sameBits(const Array &a, const Array &b);
/// Rows (along the first dimension) of an array.
Array rowsOf(const Array &array, int64_t first, int64_t count);

/// √(Σ (actual − expected)² / Σ expected²), summed over any number of arrays.
class RelativeError {
public:
  /// Infinite values must be equal; a NaN makes the error infinite.
  void add(const std::vector<float> &actual, const std::vector<double> &expected);
  double value() const;

private:
  double error = 0, size = 0;
};

/// What one kind of result must reach: `bound` for each array, and over all arrays of a test at most twice the error
/// of the plain computation.
struct Accuracy {
  double bound;
  RelativeError compiled, plain;

  /// Empty where the array is within the bound; else what is wrong.
  std::string check(const Array &actual, const std::vector<double> &expected, const std::vector<float> &inF32);
  bool withinTwicePlain() const { return compiled.value() <= 2 * plain.value(); }
  std::string text() const;
};

} // namespace weft::test

#endif // WEFT_TEST_CONFORMANCE_NUMBERS_H
