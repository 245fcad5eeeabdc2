// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A folder of test/fixtures: the inputs of its batch, other batches made of the same rows, and what they must give.
#ifndef WEFT_TEST_E2E_FIXTURE_H
#define WEFT_TEST_E2E_FIXTURE_H

#include "compiler/include/weft/Compiler.h"
#include "frontends/weights/Safetensors.h"

#include <map>
#include <string>
#include <vector>

namespace weft::test {

/// The integer inputs of a call, each [batch, sequence].
struct Batch {
  int64_t rows = 0;
  int64_t columns = 0;
  std::map<std::string, std::vector<int64_t>> inputs;

  const std::vector<int64_t> &mask() const { return inputs.at("attention_mask"); }
  bool isToken(int64_t row, int64_t column) const { return mask()[row * columns + column] != 0; }
  /// Columns up to the row's last token: what is left when padding on the right is cut off.
  int64_t lengthOf(int64_t row) const;

  /// One row, without the padding on its right.
  Batch alone(int64_t row) const;
  /// So many columns of padding more on the right.
  Batch paddedBy(int64_t more) const;
  /// So many columns from one on.
  Batch part(int64_t first, int64_t count) const;
  /// The rows from last to first.
  Batch reversed() const;

  std::vector<Array> arrays() const;

private:
  int64_t paddingValue(const std::string &name) const;
};

/// An output with, where it has a value for each token, the number of elements of one.
struct Output {
  Array array;
  bool byToken = false;
};
using Outputs = std::vector<Output>;

struct Fixture {
  Batch batch;
  std::map<std::string, std::vector<double>> expected;
};

/// What is expected are outputs of the model whose products' weights are rounded to `dtype`, computed in float64.
Result<Fixture> readFixture(const std::string &folder, const std::string &dtype);

/// ‖got − expected‖ / ‖expected‖ over all that is not padding; infinite when a value is no number.
double relativeRms(const Output &got, const std::vector<double> &expected, const Batch &batch);

/// Whether row `row` of `batch` and row `other` of another run have the same bits for every token of the row.
bool sameRow(const Output &mine, int64_t row, const Output &other, int64_t otherRow, const Batch &batch);

} // namespace weft::test

#endif // WEFT_TEST_E2E_FIXTURE_H
