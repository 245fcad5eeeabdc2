// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The families of recurrences that models use, and sizes that bring out each way to compute them.
#include "test/conformance/RecurrenceCase.h"

#include <cmath>

namespace weft::test {

namespace {

using reference::StepNumbers;

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
                     {"re", "en", Draw::Component},
                     {"im", "en", Draw::Component},
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

} // namespace

const std::vector<RecurrenceFamily> &recurrenceFamilies() {
  static const std::vector<RecurrenceFamily> families = {
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
      with(deltaOf("DeltaWide", 64, 64), reset),
      with(headsOf("Mamba2", "bht", 128, 64), reset),
      with(headsOf("Gla", "bhtn", 48, 40), reset),
      diagonalOf("Diagonal", 8, 16),
      diagonalOf("DiagonalManyKeys", 32, 24),
      with(diagonalOf("Diagonal", 3, 5), reset),
      with(diagonalOf("DiagonalManyKeys", 19, 16), reverse),
      with(diagonalOf("Diagonal", 4, 16), imaginaryOutput),
  };
  return families;
}

} // namespace weft::test
