// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Entries that multiply their rows with a weight from a file, each in a module of many.
#ifndef WEFT_TEST_CONFORMANCE_LINEARENTRY_H
#define WEFT_TEST_CONFORMANCE_LINEARENTRY_H

#include "test/conformance/CompiledModule.h"

namespace weft::test {

struct LinearEntry {
  int64_t columns, depth;
  bool outByIn;                                                ///< the weight lies as [columns, depth]
  const char *rows = "f32", *stored = "f32", *results = "f32"; ///< types of the rows, the weight, and what is returned

  std::string name() const { return "linear_" + std::to_string(columns) + "_" + std::to_string(depth); }
  /// The entry: its product is %y; then come `epilogue` and the return of `result`. @N, @K, @ENTRY stand for the sizes
  /// and the name.
  std::string text(const std::string &epilogue, const std::string &result) const;
  /// What the entry reads, from [columns, depth].
  Array weight(const std::vector<float> &values) const;
  Array bias(const std::vector<float> &values) const;
};

/// %sum = %y + the bias.
extern const std::string kAddBias;

/// [columns, rows] of [rows, columns].
std::vector<float> transposed(const std::vector<float> &matrix, int64_t rows, int64_t columns);

} // namespace weft::test

#endif // WEFT_TEST_CONFORMANCE_LINEARENTRY_H
