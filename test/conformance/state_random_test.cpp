// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random programs over an input and three states: sums out of place and in place, transpositions, views, fills, any
// value returned for any state and output. Compiled code, which shares memory, against the same steps on values.
#include "test/conformance/CompiledModule.h"

#include "gtest/gtest.h"

#include <random>

namespace weft::test {
namespace {

constexpr int kEntries = 150, kSteps = 8, kStates = 3, kOutputs = 2, kCalls = 3, kWidth = 16;

enum class Kind { Add, AddInPlace, Transpose, NegateThroughView, AddToFill };

/// value = kind(a, b); values are numbered: the input, the states, then one for each step.
struct Step {
  Kind kind;
  int a, b;
};

struct Program {
  std::vector<Step> steps;
  int returned[kStates + kOutputs];
};

Program invent(std::mt19937 &random) {
  Program program;
  auto below = [&](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
  for (int step = 0; step < kSteps; ++step) {
    int known = 1 + kStates + step;
    program.steps.push_back({Kind(below(5)), below(known), below(known)});
  }
  for (int &value : program.returned)
    value = below(1 + kStates + kSteps);
  return program;
}

using Values = std::vector<double>;

Values apply(const Step &step, const Values &a, const Values &b) {
  Values result(kWidth);
  for (int i = 0; i < kWidth; ++i)
    switch (step.kind) {
    case Kind::Add:
    case Kind::AddInPlace:
      result[i] = a[i] + b[i];
      break;
    case Kind::Transpose:
      result[i] = a[i % 4 * 4 + i / 4];
      break;
    case Kind::NegateThroughView:
      result[i] = -a[i];
      break;
    case Kind::AddToFill:
      result[i] = a[i] + 3;
      break;
    }
  return result;
}

// $R is the result, $A and $B are the operands.
std::string textOf(const Step &step, int number) {
  static const char *const kAdd =
      "{\n^bb0(%a: f32, %o: f32):\n  %r = arith.addf %o, %a : f32\n  linalg.yield %r : f32\n"
      "} -> tensor<16xf32>\n";
  std::string text;
  switch (step.kind) {
  case Kind::Add:
    text = "$R = linalg.add ins($A, $B : tensor<16xf32>, tensor<16xf32>) outs(%e : tensor<16xf32>) -> tensor<16xf32>\n";
    break;
  case Kind::AddInPlace:
    text = "$R = linalg.generic {indexing_maps = [#v, #v], iterator_types = [\"parallel\"]} ins($A : tensor<16xf32>) "
           "outs($B : tensor<16xf32>) " +
           std::string(kAdd);
    break;
  case Kind::Transpose:
    text = "$R_in = tensor.expand_shape $A [[0, 1]] output_shape [4, 4] : tensor<16xf32> into tensor<4x4xf32>\n"
           "$R_out = linalg.generic {indexing_maps = [#nm, #mn], iterator_types = [\"parallel\", \"parallel\"]} "
           "ins($R_in : tensor<4x4xf32>) outs(%square : tensor<4x4xf32>) {\n^bb0(%a: f32, %o: f32):\n"
           "  linalg.yield %a : f32\n} -> tensor<4x4xf32>\n"
           "$R = tensor.collapse_shape $R_out [[0, 1]] : tensor<4x4xf32> into tensor<16xf32>\n";
    break;
  case Kind::NegateThroughView:
    text = "$R_in = tensor.expand_shape $A [[0, 1]] output_shape [4, 4] : tensor<16xf32> into tensor<4x4xf32>\n"
           "$R_out = linalg.negf ins($R_in : tensor<4x4xf32>) outs(%square : tensor<4x4xf32>) -> tensor<4x4xf32>\n"
           "$R = tensor.collapse_shape $R_out [[0, 1]] : tensor<4x4xf32> into tensor<16xf32>\n";
    break;
  case Kind::AddToFill:
    text = "$R_three = linalg.fill ins(%three : f32) outs($B : tensor<16xf32>) -> tensor<16xf32>\n"
           "$R = linalg.generic {indexing_maps = [#v, #v], iterator_types = [\"parallel\"]} ins($A : tensor<16xf32>) "
           "outs($R_three : tensor<16xf32>) " +
           std::string(kAdd);
    break;
  }
  auto name = [](int value) { return "%v" + std::to_string(value); };
  return replaced(text, {{"$R", name(number)}, {"$A", name(step.a)}, {"$B", name(step.b)}});
}

std::string textOf(const Program &program, int entry) {
  std::string id = std::to_string(entry), arguments, results, returned, types;
  for (int s = 0; s < kStates + kOutputs; ++s) {
    std::string name = (s < kStates ? "s" : "y") + id + "_" + std::to_string(s), comma = s ? ", " : "";
    std::string attributes = " {weft.name = \"" + name + "\"" + (s < kStates ? ", weft.state}" : "}");
    if (s < kStates)
      arguments += ", %v" + std::to_string(1 + s) + ": tensor<16xf32>" + attributes;
    results += comma + "tensor<16xf32>" + attributes;
    returned += comma + "%v" + std::to_string(program.returned[s]);
    types += comma + "tensor<16xf32>";
  }
  std::string text = "func.func @f" + id + "(%v0: tensor<16xf32> {weft.name = \"x\"}" + arguments + ") -> (" + results +
                     ") attributes {weft.entry} {\n%three = arith.constant 3.0 : f32\n"
                     "%e = tensor.empty() : tensor<16xf32>\n%square = tensor.empty() : tensor<4x4xf32>\n";
  for (int step = 0; step < kSteps; ++step)
    text += textOf(program.steps[step], 1 + kStates + step);
  return text + "return " + returned + " : " + types + "\n}\n";
}

/// What comes out of a call on values; `states` become what they become.
std::vector<Values> call(const Program &program, const Values &x, std::vector<Values> &states) {
  std::vector<Values> values = {x}, outputs;
  values.insert(values.end(), states.begin(), states.end());
  for (const Step &step : program.steps)
    values.push_back(apply(step, values[step.a], values[step.b]));
  for (int s = 0; s < kStates + kOutputs; ++s)
    (s < kStates ? states[s] : outputs.emplace_back()) = values[program.returned[s]];
  return outputs;
}

void check(CompiledModule &module, const std::string &variant, const Program &program, int entry, int threads) {
  std::vector<Values> states(kStates, Values(kWidth));
  for (int round = 0; round < kCalls; ++round) {
    std::vector<float> x(kWidth);
    for (int i = 0; i < kWidth; ++i)
      x[i] = static_cast<float>((i * 5 + round * 3) % 7 - 3);
    std::vector<Values> expected = call(program, Values(x.begin(), x.end()), states);
    Arrays actual =
        module.run(variant, "f" + std::to_string(entry), {Array::of("x", {kWidth}, x)}, {.threads = threads});
    for (int output = 0; output < kOutputs; ++output)
      for (int i = 0; i < kWidth; ++i)
        ASSERT_EQ(actual[output].values<float>()[i], expected[output][i])
            << "call " << round << ", output " << output << ", element " << i << "\n"
            << textOf(program, entry);
  }
}

TEST(RandomStates, AreValuesWhateverSharesMemory) {
  std::mt19937 random(7);
  std::vector<Program> programs;
  std::string text =
      "#v = affine_map<(n) -> (n)>\n#mn = affine_map<(m, n) -> (m, n)>\n#nm = affine_map<(m, n) -> (n, m)>\n";
  for (int entry = 0; entry < kEntries; ++entry) {
    programs.push_back(invent(random));
    text += textOf(programs.back(), entry);
  }
  CompiledModule module(text);
  // What shares memory is decided before levels part.
  for (int entry = 0; entry < kEntries; ++entry)
    check(module, module.variants().front(), programs[entry], entry, 1 + entry % 2);
}

} // namespace
} // namespace weft::test
