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

/// What an entry may do with a state beside adding to it once.
constexpr const char *kHazards = R"(
#v = affine_map<(n) -> (n)>
#mn = affine_map<(m, n) -> (m, n)>
module {
// Two ops add to the state's old value; one result is kept.
func.func @two_updates(%x: tensor<24xf32> {weft.name = "x"}, %s: tensor<24xf32> {weft.name = "s", weft.state})
    -> (tensor<24xf32> {weft.name = "s", weft.state}, tensor<24xf32> {weft.name = "y"}) attributes {weft.entry} {
  %sum = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%x : tensor<24xf32>) outs(%s : tensor<24xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<24xf32>
  %difference = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%x : tensor<24xf32>) outs(%s : tensor<24xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.subf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<24xf32>
  return %difference, %sum : tensor<24xf32>, tensor<24xf32>
}
// The state is updated in another shape, and read in that shape after it.
func.func @through_views(%x: tensor<24xf32> {weft.name = "x"}, %s: tensor<24xf32> {weft.name = "s", weft.state})
    -> (tensor<24xf32> {weft.name = "s", weft.state}, tensor<4x6xf32> {weft.name = "y"}) attributes {weft.entry} {
  %old = tensor.expand_shape %s [[0, 1]] output_shape [4, 6] : tensor<24xf32> into tensor<4x6xf32>
  %rows = tensor.expand_shape %x [[0, 1]] output_shape [4, 6] : tensor<24xf32> into tensor<4x6xf32>
  %sum = linalg.generic {indexing_maps = [#mn, #mn], iterator_types = ["parallel", "parallel"]} ins(%rows : tensor<4x6xf32>) outs(%old : tensor<4x6xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<4x6xf32>
  %new = tensor.collapse_shape %sum [[0, 1]] : tensor<4x6xf32> into tensor<24xf32>
  return %new, %old : tensor<24xf32>, tensor<4x6xf32>
}
// Kept as it is, and given out; an input that is added to is not written.
func.func @unchanged(%x: tensor<24xf32> {weft.name = "x"}, %s: tensor<24xf32> {weft.name = "s", weft.state})
    -> (tensor<24xf32> {weft.name = "y"}, tensor<24xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  %sum = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%s : tensor<24xf32>) outs(%x : tensor<24xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<24xf32>
  return %sum, %s : tensor<24xf32>, tensor<24xf32>
}
// A product with a weight is added to the state.
func.func @product(%x: tensor<3x8xf32> {weft.name = "x"}, %s: tensor<3x24xf32> {weft.name = "p", weft.state})
    -> (tensor<3x24xf32> {weft.name = "p", weft.state}, tensor<3x24xf32> {weft.name = "y"}) attributes {weft.entry} {
  %zero = arith.constant 0.0 : f32
  %w = weft.parameter "w" : tensor<8x24xf32>
  %e = tensor.empty() : tensor<3x24xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<3x24xf32>) -> tensor<3x24xf32>
  %m = linalg.matmul ins(%x, %w : tensor<3x8xf32>, tensor<8x24xf32>) outs(%f : tensor<3x24xf32>) -> tensor<3x24xf32>
  %sum = linalg.generic {indexing_maps = [#mn, #mn, #mn], iterator_types = ["parallel", "parallel"]} ins(%m, %s : tensor<3x24xf32>, tensor<3x24xf32>) outs(%e : tensor<3x24xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<3x24xf32>
  return %sum, %sum : tensor<3x24xf32>, tensor<3x24xf32>
}
}
)";

std::vector<double> combined(const std::vector<double> &old, std::span<const float> x, double factor) {
  std::vector<double> result = old;
  for (size_t i = 0; i < result.size(); ++i)
    result[i] += factor * x[i];
  return result;
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

TEST_P(State, KeepsValuesWhateverIsWritten) {
  std::vector<float> weights(8 * 24);
  for (size_t i = 0; i < weights.size(); ++i)
    weights[i] = float(i % 5) - 2;
  CompiledModule module(kHazards, {Array::of("w", {8, 24}, weights)});
  for (const std::string &variant : module.variants()) {
    SCOPED_TRACE(variant);
    std::vector<double> s(24), p(3 * 24);
    RunOptions options = {.threads = GetParam()};
    for (unsigned round = 0; round < 3; ++round) {
      Array x = smallIntegers({24}, round), rows = smallIntegers({3, 8}, 50 + round);
      expectEqual(module.run(variant, "two_updates", {x}, options)[0], combined(s, x.values<float>(), 1), "sum");
      s = combined(s, x.values<float>(), -1);
      expectEqual(module.run(variant, "through_views", {x}, options)[0], s, "old rows");
      s = combined(s, x.values<float>(), 1);
      s = combined(s, x.values<float>(), 1);
      module.run(variant, "through_views", {x}, options);
      expectEqual(module.run(variant, "unchanged", {x}, options)[0], combined(s, x.values<float>(), 1), "unchanged");
      for (int64_t m = 0; m < 3; ++m)
        for (int64_t n = 0; n < 24; ++n)
          for (int64_t k = 0; k < 8; ++k)
            p[m * 24 + n] += double(rows.values<float>()[m * 8 + k]) * weights[k * 24 + n];
      expectEqual(module.run(variant, "product", {rows}, options)[0], p, "product");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, State, testing::Values(1, 2));

} // namespace
} // namespace weft::test
