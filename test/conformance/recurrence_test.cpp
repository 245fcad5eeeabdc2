// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.recurrence compiled for each level against float64: the decays of the families, the delta rule, complex states,
// resets, both directions, states that fit the registers and that do not.
#include "test/conformance/Halves.h"
#include "test/conformance/RecurrenceCase.h"

#include "gtest/gtest.h"

namespace weft::test {
namespace {

class RecurrenceConformance : public testing::TestWithParam<RecurrenceFamily> {};
class RecurrenceDefinition : public testing::TestWithParam<RecurrenceFamily> {};

TEST_P(RecurrenceDefinition, IsWithinBoundsOfFloat64) {
  const RecurrenceFamily &family = GetParam();
  CompiledModule module(
      replaced(textOf(family), {{"{weft.dim_bounds", "{weft.definitions, weft.@BOUNDS"}, {"@BOUNDS", "dim_bounds"}}));
  Numbers numbers(61);
  Arrays inputs = inputsOf(family, {2, 9}, numbers);
  RelativeError error;
  error.add(floatsOf(module.run("v3", "scan", inputs)[0]), expectedOf(family, {2, 9}, inputs));
  EXPECT_LE(error.value(), 1e-6);
}

TEST_P(RecurrenceConformance, IsWithinBoundsOfFloat64) {
  const RecurrenceFamily &family = GetParam();
  CompiledModule module(textOf(family));
  Numbers numbers(60);
  // Steps around blocks of time (32); nothing to compute.
  for (auto [batch, steps] :
       {std::pair<int64_t, int64_t>{1, 1}, {2, 2}, {3, 7}, {1, 31}, {2, 32}, {1, 33}, {2, 100}, {0, 5}, {2, 0}}) {
    Arrays inputs = inputsOf(family, {batch, steps}, numbers);
    std::vector<double> expected = expectedOf(family, {batch, steps}, inputs);
    for (const std::string &variant : module.variants()) {
      SCOPED_TRACE(variant + ", batch " + std::to_string(batch) + ", steps " + std::to_string(steps));
      Arrays results = module.run(variant, "scan", inputs);
      RelativeError error;
      error.add(floatsOf(results[0]), expected);
      EXPECT_LE(error.value(), 1e-6);
      Arrays again = module.run(variant, "scan", inputs, {2, Flush::AtStart});
      EXPECT_TRUE(sameBits(results[0], again[0])) << "other bits with two threads or arrays at other addresses";
      if (HasFailure())
        return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, RecurrenceConformance, testing::ValuesIn(recurrenceFamilies()),
                         [](const auto &info) { return info.param.name; });

/// Of known columns: a definition keeps whole tiles in scratches.
std::vector<RecurrenceFamily> wholeTiles() {
  std::vector<RecurrenceFamily> families;
  for (const RecurrenceFamily &family : recurrenceFamilies())
    if (family.values % 16 == 0 || family.values < 16)
      families.push_back(family);
  return families;
}

INSTANTIATE_TEST_SUITE_P(Families, RecurrenceDefinition, testing::ValuesIn(wholeTiles()),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace weft::test
