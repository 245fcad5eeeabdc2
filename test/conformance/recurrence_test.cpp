// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.recurrence compiled for each level against float64: the decays of the families, the delta rule, complex states,
// resets, both directions, states that fit the registers and that do not.
#include "test/conformance/Halves.h"
#include "test/conformance/RecurrenceCase.h"

#include "gtest/gtest.h"

#include <cmath>

namespace weft::test {
namespace {

using reference::StepNumbers;

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

constexpr const char *kSum = "    weft.step value(%0)\n";
constexpr const char *kLinear = "    weft.step query(%1) key(%2) value(%0)\n";
constexpr const char *kDecayed = "    weft.step query(%1) key(%2) value(%0) decay(%3)\n";
constexpr const char *kMamba = R"(
    %log = arith.mulf %3, %4 : f32
    %decay = math.exp2 %log : f32
    %value = arith.mulf %3, %0 : f32
    weft.step query(%1) key(%2) value(%value) decay(%decay)
)";
constexpr const char *kSkip = "    %skip = arith.mulf %0, %5 : f32\n    %r = arith.addf %o, %skip : f32\n";
constexpr const char *kDelta = R"(
    %rate = arith.negf %4 : f32
    %a = arith.mulf %2, %3 : f32
    %c = arith.mulf %2, %rate : f32
    %key = arith.mulf %2, %4 : f32
    weft.step query(%1) key(%key) value(%0) decay(%3) low_rank(%a, %c)
)";
constexpr const char *kDiagonal = "    weft.step query(%3, %4) key(%5) value(%0) decay(%1, %2)\n";

StepNumbers sum(const Elements &x) { return {1, 1, x[0], 1}; }
StepNumbers linear(const Elements &x) { return {x[1], x[2], x[0], 1}; }
StepNumbers decayed(const Elements &x) { return {x[1], x[2], x[0], x[3]}; }
StepNumbers mamba(const Elements &x) { return {x[1], x[2], x[3] * x[0], std::exp2(x[3] * x[4])}; }
double skip(std::complex<double> o, const Elements &x) { return o.real() + x[0] * x[5]; }
StepNumbers delta(const Elements &x) { return {x[1], x[2] * x[4], x[0], x[3], x[2] * x[3], -x[2] * x[4]}; }
StepNumbers diagonal(const Elements &x) { return {{x[3], x[4]}, x[5], x[0], {x[1], x[2]}}; }
double imaginary(std::complex<double> o, const Elements &) { return o.imag() - o.real(); }

RecurrenceFamily mambaOf(std::string name, int64_t keys, int64_t values) {
  return {
      .name = std::move(name),
      .inputs =
          {{"x", "bte"}, {"c", "btn"}, {"b", "btn"}, {"dt", "bte", Draw::Step}, {"a", "ne", Draw::Rate}, {"d", "e"}},
      .step = kMamba,
      .output = kSkip,
      .numbers = mamba,
      .result = skip,
      .keys = keys,
      .values = values};
}

RecurrenceFamily headsOf(std::string name, std::string decay, int64_t keys, int64_t values) {
  return {.name = std::move(name),
          .inputs = {{"v", "bhte"}, {"q", "bgtn"}, {"k", "bgtn"}, {"g", std::move(decay), Draw::Unit}},
          .step = kDecayed,
          .numbers = decayed,
          .heads = 4,
          .keys = keys,
          .values = values};
}

RecurrenceFamily deltaOf(std::string name, int64_t keys, int64_t values) {
  return {.name = std::move(name),
          .inputs = {{"v", "bthe"},
                     {"q", "bthn"},
                     {"k", "bthn", Draw::SmallKey},
                     {"g", "bth", Draw::Unit},
                     {"beta", "bth", Draw::Unit}},
          .step = kDelta,
          .numbers = delta,
          .heads = 2,
          .keys = keys,
          .values = values};
}

RecurrenceFamily diagonalOf(std::string name, int64_t keys, int64_t values) {
  return {.name = std::move(name),
          .inputs = {{"u", "bte"},
                     {"re", "en", Draw::Unit},
                     {"im", "en", Draw::SmallKey},
                     {"cr", "en"},
                     {"ci", "en"},
                     {"k", "en"}},
          .step = kDiagonal,
          .numbers = diagonal,
          .keys = keys,
          .values = values,
          .complex = true};
}

RecurrenceFamily with(RecurrenceFamily family, void (*change)(RecurrenceFamily &)) {
  change(family);
  return family;
}
void reset(RecurrenceFamily &family) { family.reset = true, family.name += "Reset"; }
void reverse(RecurrenceFamily &family) { family.reverse = true, family.name += "Reverse"; }
void resetReverse(RecurrenceFamily &family) { reset(family), reverse(family); }
void bf16(RecurrenceFamily &family) {
  for (size_t i = 0; i < 3; ++i)
    family.inputs[i].bf16 = true;
  family.name += "Bf16";
}
void imaginaryOutput(RecurrenceFamily &family) {
  family.output = "    %r = arith.subf %oi, %o : f32\n";
  family.result = imaginary;
  family.name += "Imaginary";
}

const RecurrenceFamily kFamilies[] = {
    {.name = "CumulativeSum", .inputs = {{"x", "bte"}}, .step = kSum, .numbers = sum, .values = 70},
    {.name = "SumOfNumbers", .inputs = {{"x", "bt"}}, .step = kSum, .numbers = sum},
    {.name = "Linear",
     .inputs = {{"v", "bhte"}, {"q", "bhtn"}, {"k", "bhtn"}},
     .step = kLinear,
     .numbers = linear,
     .heads = 2,
     .keys = 8,
     .values = 8},
    headsOf("RetNet", "h", 16, 32),
    headsOf("Mamba2", "bht", 128, 64),
    headsOf("Mamba2Ragged", "bht", 37, 33),
    headsOf("Gla", "bhtn", 24, 20),
    headsOf("GlaWide", "bhtn", 64, 80),
    with(headsOf("Mamba2", "bht", 40, 64), resetReverse),
    with(headsOf("Mamba2", "bht", 16, 17), bf16),
    mambaOf("Mamba", 16, 48),
    mambaOf("MambaRagged", 16, 67),
    mambaOf("MambaOneKey", 1, 130),
    mambaOf("MambaManyKeys", 40, 32),
    with(mambaOf("Mamba", 16, 20), reset),
    with(mambaOf("Mamba", 16, 64), reverse),
    with(mambaOf("MambaManyKeys", 20, 16), resetReverse),
    deltaOf("Delta", 8, 16),
    deltaOf("DeltaWide", 64, 64),
    deltaOf("DeltaRagged", 21, 19),
    with(deltaOf("DeltaWide", 48, 32), resetReverse),
    diagonalOf("Diagonal", 8, 16),
    diagonalOf("DiagonalManyKeys", 32, 24),
    with(diagonalOf("Diagonal", 3, 5), reset),
    with(diagonalOf("DiagonalManyKeys", 19, 16), reverse),
    with(diagonalOf("Diagonal", 4, 16), imaginaryOutput),
};

INSTANTIATE_TEST_SUITE_P(Families, RecurrenceConformance, testing::ValuesIn(kFamilies),
                         [](const auto &info) { return info.param.name; });

/// Of known columns: a definition keeps whole tiles in scratches.
std::vector<RecurrenceFamily> wholeTiles() {
  std::vector<RecurrenceFamily> families;
  for (const RecurrenceFamily &family : kFamilies)
    if (family.values % 16 == 0 || family.values < 16)
      families.push_back(family);
  return families;
}

INSTANTIATE_TEST_SUITE_P(Families, RecurrenceDefinition, testing::ValuesIn(wholeTiles()),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace weft::test
