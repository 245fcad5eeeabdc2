// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Normalisation, embedding and products with packed weights in float64, by their definitions in docs/spec.md.
#ifndef WEFT_TEST_REFERENCE_LAYER_H
#define WEFT_TEST_REFERENCE_LAYER_H

#include <cstdint>
#include <vector>

namespace weft::reference {

/// input [rows, n]; scale and bias [n], an empty bias is 0.
std::vector<double> layerNorm(int64_t n, const std::vector<double> &input, const std::vector<double> &scale,
                              const std::vector<double> &bias, double epsilon);

/// input [rows, n]; scale [n], an empty one is 1.
std::vector<double> rmsNorm(int64_t n, const std::vector<double> &input, const std::vector<double> &scale,
                            double epsilon);

/// table [rows, n] -> [ids, n].
std::vector<double> embedding(int64_t n, const std::vector<int64_t> &ids, const std::vector<double> &table);

/// [k, n] -> [⌈n / width⌉, k, width], columns beyond n zero.
std::vector<double> pack(int64_t k, int64_t n, int64_t width, const std::vector<double> &matrix);

/// lhs [m, k], packed rhs [⌈n / width⌉, k, width], bias [n] or empty -> [m, n].
std::vector<double> packedMatmul(int64_t m, int64_t n, int64_t k, int64_t width, const std::vector<double> &lhs,
                                 const std::vector<double> &rhs, const std::vector<double> &bias);

/// √(Σ (actual − expected)² / Σ expected²); infinite for NaN and for values where zeros are expected.
template <typename T> double relativeRms(const std::vector<T> &actual, const std::vector<double> &expected);

} // namespace weft::reference

#endif // WEFT_TEST_REFERENCE_LAYER_H
