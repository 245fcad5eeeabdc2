// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// causal_conv and scan by their definitions, whole and in tiles, against float64.
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

namespace {
const char *kSoftmax = R"(
func.func @run(%mm: memref<?x?xf32>, %um: memref<?x?xf32>, %vm: memref<?x?x?xf32>, %rm: memref<?x?xi32>,
               %am: memref<?x?xf32>, %bm: memref<?x?xf32>, %cm: memref<?x?x?xf32>,
               %dm: memref<?xf32>, %em: memref<?xf32>, %fm: memref<?x?xf32>) attributes {llvm.emit_c_interface} {
  %m = bufferization.to_tensor %mm restrict : memref<?x?xf32> to tensor<?x?xf32>
  %u = bufferization.to_tensor %um restrict : memref<?x?xf32> to tensor<?x?xf32>
  %v = bufferization.to_tensor %vm restrict : memref<?x?x?xf32> to tensor<?x?x?xf32>
  %r = bufferization.to_tensor %rm restrict : memref<?x?xi32> to tensor<?x?xi32>
  %a = bufferization.to_tensor %am restrict writable : memref<?x?xf32> to tensor<?x?xf32>
  %b = bufferization.to_tensor %bm restrict writable : memref<?x?xf32> to tensor<?x?xf32>
  %c = bufferization.to_tensor %cm restrict writable : memref<?x?x?xf32> to tensor<?x?x?xf32>
  %d = bufferization.to_tensor %dm restrict writable : memref<?xf32> to tensor<?xf32>
  %e = bufferization.to_tensor %em restrict writable : memref<?xf32> to tensor<?xf32>
  %f = bufferization.to_tensor %fm restrict writable : memref<?x?xf32> to tensor<?x?xf32>
  %y:6 = weft.scan {dimension = 1 : i64, REVERSE, indexing_maps = [affine_map<(b, t, e) -> (b, t)>,
      affine_map<(b, t, e) -> (b, t)>, affine_map<(b, t, e) -> (b, t, e)>, affine_map<(b, t, e) -> (b, t)>]}
    ins(%m, %u, %v : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?x?xf32>) reset(%r : tensor<?x?xi32>)
    outs(%a, %b, %c : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?x?xf32>)
    state(%d, %e, %f : tensor<?xf32>, tensor<?xf32>, tensor<?x?xf32>)
    combine {
    ^bb0(%m0: f32, %s0: f32, %v0: f32, %m1: f32, %s1: f32, %v1: f32):
      %max = arith.maximumf %m0, %m1 : f32
      %d0 = arith.subf %m0, %max : f32
      %d1 = arith.subf %m1, %max : f32
      %w0 = math.exp %d0 : f32
      %w1 = math.exp %d1 : f32
      %t0 = arith.mulf %s0, %w0 : f32
      %t1 = arith.mulf %s1, %w1 : f32
      %sum = arith.addf %t0, %t1 : f32
      %u0 = arith.mulf %v0, %w0 : f32
      %u1 = arith.mulf %v1, %w1 : f32
      %mix = arith.addf %u0, %u1 : f32
      weft.yield %max, %sum, %mix : f32, f32, f32
    } -> tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?x?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?x?xf32>
  bufferization.materialize_in_destination %y#0 in writable %am : (tensor<?x?xf32>, memref<?x?xf32>) -> ()
  bufferization.materialize_in_destination %y#1 in writable %bm : (tensor<?x?xf32>, memref<?x?xf32>) -> ()
  bufferization.materialize_in_destination %y#2 in writable %cm : (tensor<?x?x?xf32>, memref<?x?x?xf32>) -> ()
  bufferization.materialize_in_destination %y#3 in writable %dm : (tensor<?xf32>, memref<?xf32>) -> ()
  bufferization.materialize_in_destination %y#4 in writable %em : (tensor<?xf32>, memref<?xf32>) -> ()
  bufferization.materialize_in_destination %y#5 in writable %fm : (tensor<?x?xf32>, memref<?x?xf32>) -> ()
  return
})";

reference::Accumulators softmax(const reference::Accumulators &a, const reference::Accumulators &b) {
  double m = std::fmax(a[0], b[0]), x = std::exp(a[0] - m), y = std::exp(b[0] - m);
  return {m, a[1] * x + b[1] * y, a[2] * x + b[2] * y};
}

void expectSoftmax(bool reverse, const std::vector<int64_t> &tileSizes) {
  auto program = DefinitionProgram::compile(directed(kSoftmax, reverse), tileSizes);
  ASSERT_NE(program, nullptr);
  int64_t steps = 11, lanes = 5;
  std::vector<float> m = randomValues(2 * steps, 1), u(2 * steps, 1.0f), v = randomValues(2 * steps * lanes, 2);
  std::vector<float> a(m.size(), NAN), b(m.size(), NAN), c(v.size(), NAN);
  std::vector<float> d = randomValues(2, 3), e = {0.5f, 2}, f = randomValues(2 * lanes, 4);
  std::vector<int32_t> starts = startsEvery(2 * steps, 8);
  reference::ScanResult want =
      reference::scan({2, steps, lanes, reverse}, softmax, {widened(m), widened(u), widened(v)},
                      {starts.begin(), starts.end()}, {widened(d), widened(e), widened(f)});
  ASSERT_TRUE(program->run({{m, {2, steps}},
                            {u, {2, steps}},
                            {v, {2, steps, lanes}},
                            {starts, {2, steps}},
                            {a, {2, steps}},
                            {b, {2, steps}},
                            {c, {2, steps, lanes}},
                            {d, {2}},
                            {e, {2}},
                            {f, {2, lanes}}}));
  for (auto [values, expected] : {std::pair{&a, &want.prefixes[0]},
                                  {&b, &want.prefixes[1]},
                                  {&c, &want.prefixes[2]},
                                  {&d, &want.states[0]},
                                  {&e, &want.states[1]},
                                  {&f, &want.states[2]}})
    EXPECT_LT(reference::relativeRms(*values, *expected), 1e-6);
}
} // namespace

TEST(ScanDefinition, CarriesSharedAccumulators) {
  expectSoftmax(false, {});
  expectSoftmax(true, {});
}

TEST(ScanDefinition, TilesOfBatches) { expectSoftmax(false, {1, 0, 0}); }

TEST(ScanDefinition, WithoutAStateTheFirstStepBegins) {
  auto program = DefinitionProgram::compile(R"(
func.func @run(%xm: memref<?x?xf32>, %ym: memref<?x?xf32>) attributes {llvm.emit_c_interface} {
  %x = bufferization.to_tensor %xm restrict : memref<?x?xf32> to tensor<?x?xf32>
  %o = bufferization.to_tensor %ym restrict writable : memref<?x?xf32> to tensor<?x?xf32>
  %y = weft.scan {dimension = 0 : i64, indexing_maps = [affine_map<(t, d) -> (t, d)>]}
    ins(%x : tensor<?x?xf32>) outs(%o : tensor<?x?xf32>)
    combine {
    ^bb0(%a: f32, %b: f32):
      %c = arith.mulf %a, %b : f32
      weft.yield %c : f32
    } -> tensor<?x?xf32>
  bufferization.materialize_in_destination %y in writable %ym : (tensor<?x?xf32>, memref<?x?xf32>) -> ()
  return
})",
                                            {0, 2});
  ASSERT_NE(program, nullptr);
  std::vector<float> x = {1, 2, 3, 4, 5, 6, 7, 8, 9}, y(9, NAN);
  ASSERT_TRUE(program->run({{x, {3, 3}}, {y, {3, 3}}}));
  EXPECT_EQ(y, (std::vector<float>{1, 2, 3, 4, 10, 18, 28, 80, 162}));
}
