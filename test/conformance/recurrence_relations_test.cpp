// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a recurrence must not depend on: what else is in the batch, which sequences are packed into one, and what
// non-finite numbers other sequences hold.
#include "test/conformance/Halves.h"
#include "test/conformance/RecurrenceCase.h"

#include "gtest/gtest.h"

#include <limits>

namespace weft::test {
namespace {

class RecurrenceRelations : public testing::TestWithParam<RecurrenceFamily> {};

/// `steps` steps from `first` on of a batch of one sequence.
Array stepsOf(const Array &array, const std::string &dims, int64_t first, int64_t steps) {
  size_t place = dims.find('t');
  if (place == std::string::npos)
    return array;
  int64_t outer = 1, inner = int64_t(array.bytes.size());
  for (size_t i = 0; i <= place; ++i)
    inner /= array.shape[i];
  for (size_t i = 0; i < place; ++i)
    outer *= array.shape[i];
  Array part{array.name, array.type, array.shape, {}};
  part.shape[place] = steps;
  for (int64_t i = 0; i < outer; ++i) {
    auto begin = array.bytes.begin() + (i * array.shape[place] + first) * inner;
    part.bytes.insert(part.bytes.end(), begin, begin + steps * inner);
  }
  return part;
}

/// All elements of one step become `value`.
void poison(Array &array, const std::string &dims, int64_t step, float value) {
  std::vector<float> values = floatsOf(array);
  size_t place = dims.find('t');
  int64_t inner = 1;
  for (size_t i = place + 1; i < dims.size(); ++i)
    inner *= array.shape[i];
  for (size_t i = 0; i < values.size(); ++i)
    if (int64_t(i) / inner % array.shape[place] == step)
      values[i] = value;
  array = Array::of<float>(array.name, array.shape, values);
}

/// Sequences of these lengths in a row, each beginning with a reset (in the direction of time).
constexpr int64_t kLengths[] = {5, 1, 38, 2, 3, 33, 18};

struct Packed {
  Arrays inputs;
  std::vector<std::string> dims;
  std::string outputDims;
};

Packed pack(const RecurrenceFamily &family, Numbers &numbers) {
  Packed packed;
  int64_t steps = 0;
  for (int64_t length : kLengths)
    steps += length;
  packed.inputs = inputsOf(family, {1, steps}, numbers);
  for (const RecurrenceInput &input : family.inputs)
    packed.dims.push_back(input.dims);
  packed.dims.push_back("bt");
  std::vector<int64_t> marks(steps);
  int64_t first = 0;
  for (int64_t length : kLengths) {
    marks[family.reverse ? first + length - 1 : first] = 1;
    first += length;
  }
  packed.inputs.back() = Array::of<int64_t>("reset", {1, steps}, marks);
  packed.outputDims = outputDimsOf(family);
  return packed;
}

Arrays sequenceOf(const Packed &packed, int64_t first, int64_t steps) {
  Arrays inputs;
  for (size_t i = 0; i < packed.inputs.size(); ++i)
    inputs.push_back(stepsOf(packed.inputs[i], packed.dims[i], first, steps));
  return inputs;
}

TEST_P(RecurrenceRelations, PackedSequencesGiveTheBitsOfEachAlone) {
  const RecurrenceFamily &family = GetParam();
  CompiledModule module(textOf(family));
  Numbers numbers(62);
  Packed packed = pack(family, numbers);
  for (const std::string &variant : module.variants()) {
    Array all = module.run(variant, "scan", packed.inputs)[0];
    int64_t first = 0;
    for (int64_t length : kLengths) {
      SCOPED_TRACE(variant + ", sequence of " + std::to_string(length) + " from " + std::to_string(first));
      Arrays alone = sequenceOf(packed, first, length);
      EXPECT_TRUE(sameBits(stepsOf(all, packed.outputDims, first, length), module.run(variant, "scan", alone)[0]));
      // Nothing came before, so that no mark says the same.
      std::vector<int64_t> none(length);
      alone.back() = Array::of<int64_t>("reset", {1, length}, none);
      EXPECT_TRUE(sameBits(stepsOf(all, packed.outputDims, first, length), module.run(variant, "scan", alone)[0]));
      first += length;
    }
  }
}

TEST_P(RecurrenceRelations, NonFiniteNumbersStayInTheirSequence) {
  const RecurrenceFamily &family = GetParam();
  CompiledModule module(textOf(family));
  Numbers numbers(63);
  Packed packed = pack(family, numbers);
  constexpr int64_t kPoisoned = 6, kSteps = 38; // the third sequence
  for (const std::string &variant : module.variants()) {
    Array clean = module.run(variant, "scan", packed.inputs)[0];
    for (size_t i = 0; i < family.inputs.size(); ++i) {
      if (packed.dims[i].find('t') == std::string::npos || family.inputs[i].bf16)
        continue;
      Arrays poisoned = packed.inputs;
      float bad = i % 2 ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
      poison(poisoned[i], packed.dims[i], kPoisoned + 2, bad);
      Array result = module.run(variant, "scan", poisoned)[0];
      SCOPED_TRACE(variant + ", input " + family.inputs[i].name);
      EXPECT_FALSE(sameBits(result, clean));
      int64_t after = kPoisoned + kSteps, steps = result.shape[packed.outputDims.find('t')];
      EXPECT_TRUE(
          sameBits(stepsOf(result, packed.outputDims, 0, kPoisoned), stepsOf(clean, packed.outputDims, 0, kPoisoned)));
      EXPECT_TRUE(sameBits(stepsOf(result, packed.outputDims, after, steps - after),
                           stepsOf(clean, packed.outputDims, after, steps - after)));
    }
  }
}

std::vector<RecurrenceFamily> withResets() {
  std::vector<RecurrenceFamily> families;
  for (const RecurrenceFamily &family : recurrenceFamilies())
    if (family.reset)
      families.push_back(family);
  return families;
}

INSTANTIATE_TEST_SUITE_P(Families, RecurrenceRelations, testing::ValuesIn(withResets()),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace weft::test
