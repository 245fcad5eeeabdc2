// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A convolution over time and a scan whose states a session owns: a sequence in several calls has the bits of one call.
#include "test/conformance/CompiledModule.h"
#include "test/conformance/Numbers.h"
#include "test/reference/sequence.h"

#include "gtest/gtest.h"

namespace weft::test {
namespace {

constexpr const char *kModule = R"(
module {
func.func @decode(%x: tensor<?x?x40xf32> {weft.name = "x", weft.dims = ["batch", "steps", ""]},
                  %w: tensor<40x4xf32> {weft.name = "weight"},
                  %seen: tensor<?x3x40xf32> {weft.name = "seen", weft.dims = ["batch", "", ""], weft.state},
                  %sum: tensor<?x40xf32> {weft.name = "sum", weft.dims = ["batch", ""], weft.state})
    -> (tensor<?x?x40xf32> {weft.name = "y", weft.dims = ["batch", "steps", ""]},
        tensor<?x3x40xf32> {weft.name = "seen", weft.dims = ["batch", "", ""], weft.state},
        tensor<?x40xf32> {weft.name = "sum", weft.dims = ["batch", ""], weft.state}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %batch = tensor.dim %x, %zero : tensor<?x?x40xf32>
  %steps = tensor.dim %x, %one : tensor<?x?x40xf32>
  %e = tensor.empty(%batch, %steps) : tensor<?x?x40xf32>
  %c, %last = weft.causal_conv ins(%x, %w : tensor<?x?x40xf32>, tensor<40x4xf32>) outs(%e : tensor<?x?x40xf32>)
    state(%seen : tensor<?x3x40xf32>) -> tensor<?x?x40xf32>, tensor<?x3x40xf32>
  %y, %total = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>]}
    ins(%c : tensor<?x?x40xf32>) outs(%e : tensor<?x?x40xf32>) state(%sum : tensor<?x40xf32>)
    combine {
    ^bb0(%p: f32, %q: f32):
      %r = arith.addf %p, %q : f32
      weft.yield %r : f32
    } -> tensor<?x?x40xf32>, tensor<?x40xf32>
  return %y, %last, %total : tensor<?x?x40xf32>, tensor<?x3x40xf32>, tensor<?x40xf32>
}
}
)";

/// Steps [first, first + count) of [batch, steps, 40].
Array stepsOf(const Array &array, int64_t first, int64_t count) {
  std::vector<float> values = floatsOf(array), part;
  for (int64_t b = 0; b < array.shape[0]; ++b) {
    auto from = values.begin() + (b * array.shape[1] + first) * 40;
    part.insert(part.end(), from, from + count * 40);
  }
  return Array::of<float>(array.name, {array.shape[0], count, 40}, part);
}

TEST(SequenceStates, CarryASequenceFromCallToCall) {
  CompiledModule module(kModule);
  Numbers numbers(80);
  Array x = numbers.array("x", {2, 60, 40}), w = numbers.array("weight", {40, 4});
  std::vector<double> sums = reference::causalConv({2, 60, 40, 4}, widen(x), widen(w), {}, {}, {}).sums;
  auto add = [](const reference::Accumulators &a, const reference::Accumulators &b) {
    return reference::Accumulators{a[0] + b[0]};
  };
  std::vector<double> want = reference::scan({2, 60, 40}, add, {sums}, {}, {}).prefixes[0];
  for (const std::string &variant : module.variants()) {
    // A session for each number of threads: one takes all steps at once.
    Array whole = module.run(variant, "decode", {x, w}, {2})[0];
    RelativeError error;
    error.add(floatsOf(whole), want);
    EXPECT_LT(error.value(), 1e-6) << variant;
    for (int64_t first = 0; first < 60;) {
      int64_t count = std::min<int64_t>(60 - first, 1 + numbers.below(9));
      Array part = module.run(variant, "decode", {stepsOf(x, first, count), w})[0];
      EXPECT_TRUE(sameBits(part, stepsOf(whole, first, count))) << variant << " at " << first;
      first += count;
    }
  }
}

} // namespace
} // namespace weft::test
