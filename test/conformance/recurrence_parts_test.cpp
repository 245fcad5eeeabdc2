// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recurrences whose time is cut into parts beside one another, against float64: lengths of parts that divide the steps
// and that do not, both directions, states that a session carries, and what a NaN reaches.
#include "test/conformance/Halves.h"
#include "test/conformance/RecurrenceCase.h"

#include "gtest/gtest.h"

#include <limits>

namespace weft::test {
namespace {

class RecurrenceParts : public testing::TestWithParam<RecurrenceFamily> {};
class RecurrencePartsDefinition : public testing::TestWithParam<RecurrenceFamily> {};

/// The family's module with another attribute.
std::string textWith(const RecurrenceFamily &family, const std::string &attributes) {
  return replaced(textOf(family),
                  {{"{weft.dim_bounds", "{" + attributes + ", weft.@BOUNDS"}, {"@BOUNDS", "dim_bounds"}});
}

std::string partsOf(int64_t length) { return "weft.part_length = " + std::to_string(length) + " : i64"; }

/// Whatever the cost model would say; steps around parts, fewer than a part's, and none.
TEST_P(RecurrenceParts, AreWithinBoundsOfFloat64) {
  const RecurrenceFamily &family = GetParam();
  Numbers numbers(64);
  for (int64_t length : {7, 16}) {
    CompiledModule module(textWith(family, partsOf(length)));
    for (auto [batch, steps] : {std::pair<int64_t, int64_t>{1, 15}, {1, 32}, {3, 33}, {2, 100}, {0, 40}, {2, 0}}) {
      Arrays inputs = inputsOf(family, {batch, steps}, numbers);
      std::vector<double> expected = expectedOf(family, {batch, steps}, inputs);
      for (const std::string &variant : module.variants()) {
        SCOPED_TRACE(variant + ", parts of " + std::to_string(length) + ", batch " + std::to_string(batch) +
                     ", steps " + std::to_string(steps));
        Arrays results = module.run(variant, "scan", inputs);
        RelativeError error;
        error.add(floatsOf(results[0]), expected);
        ASSERT_LE(error.value(), 1e-6);
        Arrays again = module.run(variant, "scan", inputs, {2, Flush::AtStart});
        ASSERT_TRUE(sameBits(results[0], again[0])) << "other bits with two threads or arrays at other addresses";
      }
    }
  }
}

TEST_P(RecurrencePartsDefinition, IsWithinBoundsOfFloat64) {
  const RecurrenceFamily &family = GetParam();
  CompiledModule module(textWith(family, partsOf(4) + ", weft.definitions"), {}, "cpu:v3");
  Numbers numbers(65);
  Arrays inputs = inputsOf(family, {2, 11}, numbers);
  RelativeError error;
  error.add(floatsOf(module.run("v3", "scan", inputs)[0]), expectedOf(family, {2, 11}, inputs));
  EXPECT_LE(error.value(), 1e-6);
}

/// What is cut into parts; of known columns only, since a definition keeps whole tiles in scratches, or all.
std::vector<RecurrenceFamily> families(bool knownColumns) {
  std::vector<RecurrenceFamily> families;
  for (const RecurrenceFamily &family : recurrenceFamilies())
    if (!family.reset && family.step.find("low_rank") == std::string::npos &&
        (!knownColumns || family.values % 16 == 0 || family.values < 16))
      families.push_back(family);
  return families;
}

INSTANTIATE_TEST_SUITE_P(Families, RecurrenceParts, testing::ValuesIn(families(false)),
                         [](const auto &info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(Families, RecurrencePartsDefinition, testing::ValuesIn(families(true)),
                         [](const auto &info) { return info.param.name; });

// --- one head with a state, as the cost model cuts it: parts of 512 steps -------------------------------------------

constexpr int64_t kKeys = 24, kValues = 32, kBatch = 2, kSteps = 1300;

/// S lies transposed, [batch, values, keys].
constexpr const char *kModule = R"(
module {
func.func @scan(%v: tensor<?x?x32xf32> {weft.name = "v", weft.dims = ["batch", "steps", ""]},
                %k: tensor<?x?x24xf32> {weft.name = "k", weft.dims = ["batch", "steps", ""]},
                %g: tensor<?x?xf32> {weft.name = "g", weft.dims = ["batch", "steps"]},
                %s: tensor<?x32x24xf32> {weft.name = "s", weft.dims = ["batch", "", ""], weft.state})
    -> (tensor<?x?x32xf32> {weft.name = "y", weft.dims = ["batch", "steps", ""]},
        tensor<?x32x24xf32> {weft.name = "s", weft.dims = ["batch", "", ""], weft.state}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %batch = tensor.dim %v, %zero : tensor<?x?x32xf32>
  %steps = tensor.dim %v, %one : tensor<?x?x32xf32>
  %init = tensor.empty(%batch, %steps) : tensor<?x?x32xf32>
  %y, %last = weft.recurrence {indexing_maps = [
      affine_map<(b, h, t, n, e) -> (b, t, e)>, affine_map<(b, h, t, n, e) -> (b, t, n)>, affine_map<(b, h, t, n, e) -> (b, t)>,
      affine_map<(b, h, t, n, e) -> (b, t, e)>, affine_map<(b, h, t, n, e) -> (b, e, n)>]@REVERSE}
    ins(%v, %k, %g : tensor<?x?x32xf32>, tensor<?x?x24xf32>, tensor<?x?xf32>) outs(%init : tensor<?x?x32xf32>)
    state(%s : tensor<?x32x24xf32>)
    step {
    ^bb0(%value: f32, %key: f32, %decay: f32):
      weft.step query(%key) key(%key) value(%value) decay(%decay)
    } -> tensor<?x?x32xf32>, tensor<?x32x24xf32>
  return %y, %last : tensor<?x?x32xf32>, tensor<?x32x24xf32>
}
}
)";

/// Steps [first, first + count) of [batch, steps, width].
Array stepsOf(const Array &array, int64_t first, int64_t count) {
  std::vector<int64_t> shape = array.shape;
  int64_t width = shape.size() == 3 ? shape[2] : 1;
  std::vector<float> values = floatsOf(array), part;
  for (int64_t b = 0; b < shape[0]; ++b) {
    auto from = values.begin() + (b * shape[1] + first) * width;
    part.insert(part.end(), from, from + count * width);
  }
  shape[1] = count;
  return Array::of<float>(array.name, shape, part);
}

Arrays draw(Numbers &numbers) {
  Arrays inputs = {numbers.array("v", {kBatch, kSteps, kValues}), numbers.array("k", {kBatch, kSteps, kKeys})};
  std::vector<float> decays(kBatch * kSteps);
  for (float &decay : decays) // seldom 0, so that what parts hand on counts
    decay = numbers.below(400) == 0 ? 0.0f : 1 - 0.001f * float(numbers.below(9));
  inputs.push_back(Array::of<float>("g", {kBatch, kSteps}, decays));
  return inputs;
}

std::vector<double> expectedOf(const Arrays &inputs, bool reverse) {
  std::vector<double> v = widen(inputs[0]), k = widen(inputs[1]), g = widen(inputs[2]);
  auto step = [&](int64_t b, int64_t, int64_t t, int64_t n, int64_t e) {
    int64_t row = b * kSteps + t;
    return reference::StepNumbers{k[row * kKeys + n], k[row * kKeys + n], v[row * kValues + e], g[row]};
  };
  std::vector<double> output;
  for (std::complex<double> o :
       reference::recurrence({kBatch, 1, kSteps, kKeys, kValues}, step, {}, {}, reverse).output)
    output.push_back(o.real());
  return output;
}

class RecurrencePartsOfOneHead : public testing::TestWithParam<bool> {
protected:
  bool reverse = GetParam();
  CompiledModule module{replaced(kModule, {{"@REVERSE", reverse ? ", reverse" : ""}})};

  Array whole(const std::string &variant, const Arrays &inputs, int threads = 1) {
    module.reset(variant, threads);
    return module.run(variant, "scan", inputs, {threads})[0];
  }
};

TEST_P(RecurrencePartsOfOneHead, AreWithinBoundsOfFloat64InOneCallAndInSeveral) {
  Numbers numbers(66);
  Arrays inputs = draw(numbers);
  std::vector<double> expected = expectedOf(inputs, reverse);
  for (const std::string &variant : module.variants()) {
    SCOPED_TRACE(variant);
    Array result = whole(variant, inputs);
    RelativeError error, inCalls;
    error.add(floatsOf(result), expected);
    EXPECT_LE(error.value(), 1e-6);
    EXPECT_TRUE(sameBits(result, whole(variant, inputs, 2)));
    // Calls of less than a part, of a part, of one step, and of the rest: the state goes from one to the next.
    module.reset(variant);
    int64_t done = 0;
    for (int64_t count : {100, 512, 1, 687}) {
      int64_t first = reverse ? kSteps - done - count : done;
      Arrays part;
      for (const Array &input : inputs)
        part.push_back(stepsOf(input, first, count));
      std::vector<double> wanted = widen(
          stepsOf(Array::of<float>("", {kBatch, kSteps, kValues}, {expected.begin(), expected.end()}), first, count));
      inCalls.add(floatsOf(module.run(variant, "scan", part)[0]), wanted);
      done += count;
    }
    EXPECT_LE(inCalls.value(), 1e-6);
  }
}

TEST_P(RecurrencePartsOfOneHead, HandOnlyToLaterStepsOfTheirSequenceWhatIsNotFinite) {
  Numbers numbers(67);
  Arrays inputs = draw(numbers);
  constexpr int64_t kPoisoned = 700; // of the first sequence, in the second part
  for (const std::string &variant : module.variants())
    for (size_t input = 0; input < inputs.size(); ++input) {
      SCOPED_TRACE(variant + ", " + inputs[input].name);
      Array clean = whole(variant, inputs);
      Arrays poisoned = inputs;
      std::vector<float> values = floatsOf(inputs[input]);
      values[kPoisoned * (values.size() / (kBatch * kSteps))] = std::numeric_limits<float>::quiet_NaN();
      poisoned[input] = Array::of<float>(inputs[input].name, inputs[input].shape, values);
      Array result = whole(variant, poisoned);
      EXPECT_TRUE(sameBits(rowsOf(result, 1, 1), rowsOf(clean, 1, 1)));
      Array first = rowsOf(result, 0, 1), wanted = rowsOf(clean, 0, 1);
      EXPECT_FALSE(sameBits(first, wanted));
      int64_t from = reverse ? kPoisoned + 1 : 0, count = reverse ? kSteps - from : kPoisoned;
      EXPECT_TRUE(sameBits(stepsOf(first, from, count), stepsOf(wanted, from, count)));
    }
}

INSTANTIATE_TEST_SUITE_P(Directions, RecurrencePartsOfOneHead, testing::Bool(),
                         [](const auto &info) { return info.param ? "Reverse" : "Forward"; });

} // namespace
} // namespace weft::test
