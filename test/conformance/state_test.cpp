// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Entries that update states, compiled for each level, call after call, against the same recurrences in float64. Values
// are small integers, so that no order of sums matters and the numbers must be equal.
#include "test/conformance/CompiledModule.h"
#include "test/conformance/Numbers.h"

#include "gtest/gtest.h"

#include <cmath>

namespace weft::test {
namespace {

constexpr int64_t kBatch = 3, kWidth = 21;

constexpr const char *kModule = R"(
#id = affine_map<(b, d) -> (b, d)>
#btd = affine_map<(b, d, t) -> (b, t, d)>
#bd = affine_map<(b, d, t) -> (b, d)>
#mirrored = affine_map<(b, d) -> (b, 20 - d)>
#per_batch = affine_map<(b, d) -> (b)>
module {
func.func @prefill(%x: tensor<?x?x21xf32> {weft.name = "x", weft.dims = ["batch", "sequence", ""]},
                   %s: tensor<?x21xf32> {weft.name = "sum", weft.dims = ["batch", ""], weft.state})
    -> (tensor<?x21xf32> {weft.name = "y", weft.dims = ["batch", ""]},
        tensor<?x21xf32> {weft.name = "sum", weft.dims = ["batch", ""], weft.state}) attributes {weft.entry} {
  %next = linalg.generic {indexing_maps = [#btd, #bd], iterator_types = ["parallel", "parallel", "reduction"]}
          ins(%x : tensor<?x?x21xf32>) outs(%s : tensor<?x21xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<?x21xf32>
  return %next, %next : tensor<?x21xf32>, tensor<?x21xf32>
}
// The sum grows; the total over its elements follows; what it was before comes out.
func.func @decode(%x: tensor<?x21xf32> {weft.name = "x", weft.dims = ["batch", ""]},
                  %s: tensor<?x21xf32> {weft.name = "sum", weft.dims = ["batch", ""], weft.state},
                  %t: tensor<?xf32> {weft.name = "total", weft.dims = ["batch"], weft.state})
    -> (tensor<?x21xf32> {weft.name = "sum", weft.dims = ["batch", ""], weft.state},
        tensor<?xf32> {weft.name = "total", weft.dims = ["batch"], weft.state},
        tensor<?x21xf32> {weft.name = "before", weft.dims = ["batch", ""]},
        tensor<?xf32> {weft.name = "y", weft.dims = ["batch"]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x21xf32>
  %e = tensor.empty(%n) : tensor<?x21xf32>
  %next = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
          ins(%s, %x : tensor<?x21xf32>, tensor<?x21xf32>) outs(%e : tensor<?x21xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<?x21xf32>
  %total = linalg.generic {indexing_maps = [#id, #per_batch], iterator_types = ["parallel", "reduction"]}
           ins(%next : tensor<?x21xf32>) outs(%t : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  return %next, %total, %s, %total : tensor<?x21xf32>, tensor<?xf32>, tensor<?x21xf32>, tensor<?xf32>
}
// Two states change places, one of them back to front, and come out as they were.
func.func @swap(%x: tensor<?x21xf32> {weft.name = "x", weft.dims = ["batch", ""]},
                %s: tensor<?x21xf32> {weft.name = "sum", weft.dims = ["batch", ""], weft.state},
                %o: tensor<?x21xf32> {weft.name = "other", weft.dims = ["batch", ""], weft.state})
    -> (tensor<?x21xf32> {weft.name = "sum", weft.dims = ["batch", ""], weft.state},
        tensor<?x21xf32> {weft.name = "other", weft.dims = ["batch", ""], weft.state},
        tensor<?x21xf32> {weft.name = "was", weft.dims = ["batch", ""]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x21xf32>
  %e = tensor.empty(%n) : tensor<?x21xf32>
  %turned = linalg.generic {indexing_maps = [#mirrored, #id, #id], iterator_types = ["parallel", "parallel"]}
            ins(%s, %x : tensor<?x21xf32>, tensor<?x21xf32>) outs(%e : tensor<?x21xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<?x21xf32>
  return %o, %turned, %s : tensor<?x21xf32>, tensor<?x21xf32>, tensor<?x21xf32>
}
}
)";

/// The states in float64, and what each entry does to them.
struct Recurrence {
  using Rows = std::vector<double>; // [batch, width]
  Rows sum = Rows(kBatch * kWidth), other = sum;
  std::vector<double> total = std::vector<double>(kBatch);

  void prefill(std::span<const float> x, int64_t length) {
    for (int64_t b = 0; b < kBatch; ++b)
      for (int64_t t = 0; t < length; ++t)
        for (int64_t d = 0; d < kWidth; ++d)
          sum[b * kWidth + d] += x[(b * length + t) * kWidth + d];
  }
  void decode(std::span<const float> x) {
    for (int64_t i = 0; i < kBatch * kWidth; ++i) {
      sum[i] += x[i];
      total[i / kWidth] += sum[i];
    }
  }
  void swap(std::span<const float> x) {
    Rows turned(sum.size());
    for (int64_t b = 0; b < kBatch; ++b)
      for (int64_t d = 0; d < kWidth; ++d)
        turned[b * kWidth + d] = sum[b * kWidth + kWidth - 1 - d] + x[b * kWidth + d];
    sum = other;
    other = turned;
  }
};

Array smallIntegers(std::vector<int64_t> shape, unsigned seed) {
  size_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = float((i * 2654435761u + seed * 40503u) >> 7 & 7) - 3;
  return Array::of("x", shape, values);
}

void expectEqual(const Array &actual, const std::vector<double> &expected, const std::string &what) {
  auto values = actual.values<float>();
  ASSERT_EQ(values.size(), expected.size()) << what;
  for (size_t i = 0; i < values.size(); ++i)
    ASSERT_EQ(values[i], expected[i]) << what << ", element " << i;
}

class State : public testing::TestWithParam<int> {};

TEST_P(State, FollowsTheRecurrence) {
  CompiledModule module(kModule);
  for (const std::string &variant : module.variants()) {
    SCOPED_TRACE(variant);
    Recurrence expected;
    RunOptions options = {.threads = GetParam()};
    for (unsigned round = 0; round < 5; ++round) {
      int64_t length = 1 + 6 * round;
      Array context = smallIntegers({kBatch, length, kWidth}, round),
            next = smallIntegers({kBatch, kWidth}, 99 + round);
      Arrays filled = module.run(variant, "prefill", {context}, options);
      expected.prefill(context.values<float>(), length);
      expectEqual(filled[0], expected.sum, "y of prefill");
      for (int step = 0; step < 3; ++step) {
        Recurrence::Rows before = expected.sum;
        Arrays decoded = module.run(variant, "decode", {next}, options);
        expected.decode(next.values<float>());
        expectEqual(decoded[0], before, "before");
        expectEqual(decoded[1], expected.total, "y of decode");
      }
      Recurrence::Rows before = expected.sum;
      Arrays swapped = module.run(variant, "swap", {next}, options);
      expected.swap(next.values<float>());
      expectEqual(swapped[0], before, "was");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, State, testing::Values(1, 2));

} // namespace
} // namespace weft::test
