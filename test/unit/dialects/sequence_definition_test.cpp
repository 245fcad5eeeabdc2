// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// causal_conv by its definition, whole and in tiles, against float64.
#include "test/reference/layer.h"
#include "test/reference/sequence.h"
#include "test/unit/dialects/DefinitionExecution.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace weft;
using namespace weft::test;

namespace {
const char *kWithState = R"(
func.func @run(%xm: memref<?x?x?xf32>, %wm: memref<?x4xf32>, %bm: memref<?xf32>, %rm: memref<?x?xi32>,
               %om: memref<?x?x?xf32>, %sm: memref<?x3x?xf32>) attributes {llvm.emit_c_interface} {
  %x = bufferization.to_tensor %xm restrict : memref<?x?x?xf32> to tensor<?x?x?xf32>
  %w = bufferization.to_tensor %wm restrict : memref<?x4xf32> to tensor<?x4xf32>
  %b = bufferization.to_tensor %bm restrict : memref<?xf32> to tensor<?xf32>
  %r = bufferization.to_tensor %rm restrict : memref<?x?xi32> to tensor<?x?xi32>
  %o = bufferization.to_tensor %om restrict writable : memref<?x?x?xf32> to tensor<?x?x?xf32>
  %s = bufferization.to_tensor %sm restrict writable : memref<?x3x?xf32> to tensor<?x3x?xf32>
  %y:2 = weft.causal_conv {REVERSE} ins(%x, %w, %b : tensor<?x?x?xf32>, tensor<?x4xf32>, tensor<?xf32>)
    reset(%r : tensor<?x?xi32>) outs(%o : tensor<?x?x?xf32>) state(%s : tensor<?x3x?xf32>)
    -> tensor<?x?x?xf32>, tensor<?x3x?xf32>
  bufferization.materialize_in_destination %y#0 in writable %om : (tensor<?x?x?xf32>, memref<?x?x?xf32>) -> ()
  bufferization.materialize_in_destination %y#1 in writable %sm : (tensor<?x3x?xf32>, memref<?x3x?xf32>) -> ()
  return
})";

const char *kGated = R"(
func.func @run(%xm: memref<?x?x?xf32>, %wm: memref<?x3xf32>, %gm: memref<?x?xf32>, %rm: memref<?x?xi32>,
               %om: memref<?x?x?xf32>) attributes {llvm.emit_c_interface} {
  %x = bufferization.to_tensor %xm restrict : memref<?x?x?xf32> to tensor<?x?x?xf32>
  %w = bufferization.to_tensor %wm restrict : memref<?x3xf32> to tensor<?x3xf32>
  %g = bufferization.to_tensor %gm restrict : memref<?x?xf32> to tensor<?x?xf32>
  %r = bufferization.to_tensor %rm restrict : memref<?x?xi32> to tensor<?x?xi32>
  %o = bufferization.to_tensor %om restrict writable : memref<?x?x?xf32> to tensor<?x?x?xf32>
  %y = weft.causal_conv {extra_maps = [affine_map<(b, t, d) -> (t, d)>], REVERSE}
    ins(%x, %w : tensor<?x?x?xf32>, tensor<?x3xf32>) extras(%g : tensor<?x?xf32>) reset(%r : tensor<?x?xi32>)
    outs(%o : tensor<?x?x?xf32>)
    output {
    ^bb0(%sum: f32, %gate: f32):
      %gated = arith.mulf %sum, %gate : f32
      weft.yield %gated : f32
    } -> tensor<?x?x?xf32>
  bufferization.materialize_in_destination %y in writable %om : (tensor<?x?x?xf32>, memref<?x?x?xf32>) -> ()
  return
})";

std::string directed(std::string text, bool reverse) {
  size_t at = text.find("REVERSE");
  return text.replace(at, 7, reverse ? "reverse" : "unused");
}

std::vector<int32_t> startsEvery(int64_t count, int64_t period) {
  std::vector<int32_t> starts(count);
  for (int64_t i = period - 1; i < count; i += period)
    starts[i] = -3;
  return starts;
}

void expectState(bool reverse, int64_t steps, const std::vector<int64_t> &tileSizes) {
  auto program = DefinitionProgram::compile(directed(kWithState, reverse), tileSizes);
  ASSERT_NE(program, nullptr);
  reference::ConvShape shape{3, steps, 5, 4, reverse};
  std::vector<float> x = randomValues(3 * steps * 5, 1), w = randomValues(5 * 4, 2), bias = randomValues(5, 3),
                     state = randomValues(3 * 3 * 5, 4), y(x.size(), NAN);
  std::vector<int32_t> starts = startsEvery(3 * steps, 4);
  reference::ConvResult want = reference::causalConv(shape, widened(x), widened(w), widened(bias),
                                                     {starts.begin(), starts.end()}, widened(state));
  ASSERT_TRUE(program->run(
      {{x, {3, steps, 5}}, {w, {5, 4}}, {bias, {5}}, {starts, {3, steps}}, {y, {3, steps, 5}}, {state, {3, 3, 5}}}));
  EXPECT_LT(reference::relativeRms(y, want.sums), 1e-6) << steps;
  EXPECT_EQ(widened(state), want.state) << steps;
}

void expectGated(bool reverse, const std::vector<int64_t> &tileSizes) {
  auto program = DefinitionProgram::compile(directed(kGated, reverse), tileSizes);
  ASSERT_NE(program, nullptr);
  int64_t steps = 11;
  std::vector<float> x = randomValues(2 * steps * 5, 1), w = randomValues(5 * 3, 2), gate = randomValues(steps * 5, 3),
                     y(x.size(), NAN);
  std::vector<int32_t> starts = startsEvery(2 * steps, 5);
  std::vector<double> want =
      reference::causalConv({2, steps, 5, 3, reverse}, widened(x), widened(w), {}, {starts.begin(), starts.end()}, {})
          .sums;
  for (size_t i = 0; i < want.size(); ++i)
    want[i] *= gate[i % gate.size()];
  ASSERT_TRUE(
      program->run({{x, {2, steps, 5}}, {w, {5, 3}}, {gate, {steps, 5}}, {starts, {2, steps}}, {y, {2, steps, 5}}}));
  EXPECT_LT(reference::relativeRms(y, want), 1e-6);
}
} // namespace

TEST(CausalConvDefinition, FewerStepsThanTaps) {
  for (int64_t steps : {1, 2, 3, 9})
    for (bool reverse : {false, true})
      expectState(reverse, steps, {});
}

TEST(CausalConvDefinition, TilesOfBatchesAndChannelsWithState) {
  expectState(false, 9, {1, 0, 2});
  expectState(true, 9, {2, 0, 3});
}

TEST(CausalConvDefinition, TilesOfTimeLookBack) {
  for (bool reverse : {false, true})
    for (int64_t steps : {0, 1, 2, 4})
      expectGated(reverse, {1, steps, 3});
}

TEST(CausalConvDefinition, TilesOfTimeWithStateAreRefused) {
  EXPECT_EQ(DefinitionProgram::compile(directed(kWithState, false), {0, 4, 0}), nullptr);
}
