// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recurrences as the families of models use them: the text of an entry, its inputs, and what it gives in float64.
#ifndef WEFT_TEST_CONFORMANCE_RECURRENCECASE_H
#define WEFT_TEST_CONFORMANCE_RECURRENCECASE_H

#include "test/conformance/CompiledModule.h"
#include "test/conformance/Numbers.h"
#include "test/reference/recurrence.h"

#include <functional>

namespace weft::test {

/// What an input's numbers are drawn from.
enum class Draw { Normal, Unit, Component, SmallKey, Step, Rate };

struct RecurrenceInput {
  std::string name;
  std::string dims; ///< of "bhtne", and g for h floordiv 2
  Draw draw = Draw::Normal;
  bool bf16 = false;
};

/// An input's element at a point, by its place in the list of inputs.
using Elements = std::vector<double>;

struct RecurrenceFamily {
  std::string name;
  std::vector<RecurrenceInput> inputs;
  std::string step;        ///< the region's ops; %0, %1 … are the inputs' elements as f32
  std::string output = {}; ///< ops that give %r of %o (and %oi), and the inputs' elements; empty: no region
  std::function<reference::StepNumbers(const Elements &)> numbers;
  /// What the output region makes of o.
  std::function<double(std::complex<double>, const Elements &)> result = {};
  int64_t heads = 1, keys = 1, values = 1;
  bool reset = false, reverse = false, complex = false;
};

struct RecurrenceExtents {
  int64_t batch, steps;
};

/// An entry "scan" over any batch and number of steps.
std::string textOf(const RecurrenceFamily &family);
/// The dimensions that index the output.
std::string outputDimsOf(const RecurrenceFamily &family);
Arrays inputsOf(const RecurrenceFamily &family, RecurrenceExtents extents, Numbers &numbers);
/// The output, [batch, heads, steps, values], where a family lacks a dimension of extent 1.
std::vector<double> expectedOf(const RecurrenceFamily &family, RecurrenceExtents extents, const Arrays &inputs);

const std::vector<RecurrenceFamily> &recurrenceFamilies();

std::ostream &operator<<(std::ostream &out, const RecurrenceFamily &family);

} // namespace weft::test

#endif // WEFT_TEST_CONFORMANCE_RECURRENCECASE_H
