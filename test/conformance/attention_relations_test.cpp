// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What weft.attention must be to itself: equal bits whatever else is in the batch, however many threads work and
// however the same mask is said; and where a NaN may show.
#include "test/conformance/AttentionCase.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace weft::test {
namespace {

/// With products that may round their operands to bf16, and without.
class AttentionRelations : public testing::TestWithParam<bool> {
protected:
  AttentionCase plain = {.name = "Plain", .headDim = 20, .valueDim = 12, .rounded = GetParam()};
  AttentionCase padded = {
      .name = "Padded", .headDim = 20, .valueDim = 12, .mask = MaskKind::Padding, .rounded = GetParam()};

  /// A bound where the variant rounds to bf16, and where it does not.
  double bound(const std::string &variant, double exact, double rounded) const {
    return roundsProducts(padded, variant) ? rounded : exact;
  }
};

INSTANTIATE_TEST_SUITE_P(Products, AttentionRelations, testing::Bool(),
                         [](const testing::TestParamInfo<bool> &info) { return info.param ? "Rounded" : "Exact"; });

/// The array with the parts along a dimension in this order (parts may repeat).
template <class T> Array taken(const Array &array, size_t dim, const std::vector<int64_t> &order) {
  int64_t before = 1, after = 1;
  for (size_t d = 0; d < array.shape.size(); ++d)
    (d < dim ? before : after) *= d == dim ? 1 : array.shape[d];
  std::span<const T> from = array.values<T>();
  std::vector<T> to;
  for (int64_t o = 0; o < before; ++o)
    for (int64_t part : order)
      for (int64_t i = 0; i < after; ++i)
        to.push_back(from[(o * array.shape[dim] + part) * after + i]);
  std::vector<int64_t> shape = array.shape;
  shape[dim] = order.size();
  return Array::of<T>(array.name, shape, to);
}

std::vector<int64_t> firstOnes(int64_t count) {
  std::vector<int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

/// A padding mask under which each item of the batch sees its first `visible` keys.
Array paddingOf(int64_t batch, int64_t keys, int64_t visible) {
  std::vector<int64_t> mask(batch * keys);
  for (int64_t i = 0; i < batch * keys; ++i)
    mask[i] = i % keys < visible;
  return Array::of<int64_t>("padding", {batch, keys}, mask);
}

void expectSame(const Arrays &a, const Arrays &b, const std::string &where) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_TRUE(sameBits(a[i], b[i])) << where << ", " << a[i].name;
}

constexpr AttentionExtents kExtents[] = {{1, 1, 1}, {3, 7, 5}, {2, 33, 40}, {2, 40, 131}, {1, 129, 260}};

std::string nameOf(const std::string &variant, AttentionExtents e) {
  return variant + ", queries " + std::to_string(e.queries) + ", keys " + std::to_string(e.keys);
}

TEST_P(AttentionRelations, GroupedHeadsAreRepeatedKeyHeads) {
  AttentionCase grouped = {
      .name = "Grouped", .heads = 6, .keyHeads = 2, .headDim = 12, .valueDim = 20, .rounded = GetParam()};
  AttentionCase repeated = grouped;
  repeated.keyHeads = 6;
  CompiledModule one(grouped.text()), other(repeated.text());
  Numbers numbers(40);
  for (AttentionExtents extents : kExtents) {
    Arrays inputs = makeInputs(grouped, extents, numbers), all = inputs;
    for (size_t i : {1, 2})
      all[i] = taken<float>(inputs[i], 2, {0, 0, 0, 1, 1, 1});
    for (const std::string &variant : one.variants())
      expectSame(one.run(variant, "attend", inputs), other.run(variant, "attend", all), nameOf(variant, extents));
  }
}

TEST_P(AttentionRelations, HiddenKeysAreAsIfAbsent) {
  CompiledModule module(padded.text());
  Numbers numbers(41);
  for (AttentionExtents extents : kExtents)
    for (int64_t visible : {int64_t(1), extents.keys / 2, extents.keys - 1, extents.keys}) {
      if (visible < 1)
        continue;
      Arrays inputs = makeInputs(padded, extents, numbers), shorter = inputs;
      inputs[3] = paddingOf(extents.batch, extents.keys, visible);
      for (size_t i : {1, 2})
        shorter[i] = taken<float>(inputs[i], 1, firstOnes(visible));
      shorter[3] = paddingOf(extents.batch, visible, visible);
      for (const std::string &variant : module.variants())
        expectSame(module.run(variant, "attend", inputs), module.run(variant, "attend", shorter),
                   nameOf(variant, extents) + ", visible " + std::to_string(visible));
    }
}

TEST_P(AttentionRelations, MaskOfOnesIsNoMask) {
  CompiledModule masked(padded.text()), unmasked(plain.text());
  Numbers numbers(42);
  for (AttentionExtents extents : kExtents) {
    Arrays inputs = makeInputs(plain, extents, numbers), all = inputs;
    all.push_back(paddingOf(extents.batch, extents.keys, extents.keys));
    for (const std::string &variant : masked.variants()) {
      Arrays with = masked.run(variant, "attend", all), without = unmasked.run(variant, "attend", inputs);
      RelativeError error;
      error.add(floatsOf(with[0]), widen(without[0]));
      EXPECT_LE(error.value(), 1e-6) << nameOf(variant, extents);
    }
  }
}

TEST_P(AttentionRelations, EqualValuesComeBack) {
  CompiledModule module(padded.text());
  Numbers numbers(43);
  for (AttentionExtents extents : kExtents) {
    Arrays inputs = makeInputs(padded, extents, numbers);
    inputs[2] = Array::of<float>("value", inputs[2].shape, std::vector<float>(elementsOf(inputs[2].shape), 1.0f));
    inputs[3] = paddingOf(extents.batch, extents.keys, (extents.keys + 1) / 2);
    for (const std::string &variant : module.variants())
      for (float x : floatsOf(module.run(variant, "attend", inputs)[0]))
        ASSERT_NEAR(x, 1.0f, bound(variant, 1e-5, 2e-3)) << nameOf(variant, extents);
  }
}

/// Variants with products of bf16 round to nearest even: as if the numbers had come so.
TEST(AttentionRounding, OperandsAreRoundedToNearestEven) {
  AttentionCase c = {.name = "Rounded", .headDim = 40, .valueDim = 24, .mask = MaskKind::Causal, .rounded = true},
                free = c;
  free.rounded = false;
  CompiledModule module(c.text());
  for (AttentionExtents extents : kExtents) {
    Numbers some(49), same(49);
    Arrays inputs = makeInputs(free, extents, some), rounded = makeInputs(c, extents, same);
    for (const std::string &variant : module.variants())
      if (roundsProducts(c, variant))
        expectSame(module.run(variant, "attend", inputs), module.run(variant, "attend", rounded),
                   nameOf(variant, extents));
  }
}

TEST_P(AttentionRelations, OrderOfTheBatchIsOrderOfTheResults) {
  CompiledModule module(padded.text());
  Numbers numbers(44);
  std::vector<int64_t> order = {3, 0, 4, 1, 2};
  for (AttentionExtents extents : {AttentionExtents{5, 7, 19}, AttentionExtents{5, 34, 130}}) {
    Arrays inputs = makeInputs(padded, extents, numbers), mixed;
    for (const Array &input : inputs)
      mixed.push_back(input.type == ElementType::I64 ? taken<int64_t>(input, 0, order) : taken<float>(input, 0, order));
    for (const std::string &variant : module.variants()) {
      Arrays results = module.run(variant, "attend", inputs);
      for (Array &result : results)
        result = taken<float>(result, 0, order);
      expectSame(results, module.run(variant, "attend", mixed), nameOf(variant, extents));
    }
  }
}

TEST_P(AttentionRelations, QueriesDoNotDependOnEachOther) {
  CompiledModule module(padded.text());
  Numbers numbers(45);
  AttentionExtents extents{2, 45, 70};
  Arrays inputs = makeInputs(padded, extents, numbers);
  for (const std::string &variant : module.variants()) {
    Array all = module.run(variant, "attend", inputs)[0];
    for (int64_t count = 1; count < extents.queries; ++count) {
      std::vector<int64_t> last = firstOnes(count);
      for (int64_t &row : last)
        row += extents.queries - count;
      Arrays few = inputs;
      few[0] = taken<float>(inputs[0], 1, last);
      EXPECT_TRUE(sameBits(module.run(variant, "attend", few)[0], taken<float>(all, 1, last)))
          << variant << ", the last " << count;
    }
  }
}

TEST_P(AttentionRelations, OrderOfTheKeysChangesRoundingOnly) {
  CompiledModule module(padded.text());
  Numbers numbers(46);
  for (AttentionExtents extents : kExtents) {
    Arrays inputs = makeInputs(padded, extents, numbers), turned = inputs;
    inputs[3] = paddingOf(extents.batch, extents.keys, (extents.keys + 1) / 2);
    std::vector<int64_t> order = firstOnes(extents.keys);
    std::reverse(order.begin(), order.end());
    for (size_t i : {1, 2})
      turned[i] = taken<float>(inputs[i], 1, order);
    turned[3] = taken<int64_t>(inputs[3], 1, order);
    for (const std::string &variant : module.variants()) {
      Arrays a = module.run(variant, "attend", inputs), b = module.run(variant, "attend", turned);
      RelativeError error;
      error.add(floatsOf(b[0]), widen(a[0]));
      EXPECT_LE(error.value(), bound(variant, 2e-6, 5e-3)) << nameOf(variant, extents);
    }
  }
}

TEST_P(AttentionRelations, ThreadsDoNotChangeBits) {
  for (const AttentionCase &c :
       {padded, AttentionCase{.name = "Causal", .mask = MaskKind::Causal, .rounded = GetParam()}}) {
    CompiledModule module(c.text());
    Numbers numbers(47);
    for (AttentionExtents extents :
         {AttentionExtents{1, 3, 3}, AttentionExtents{3, 40, 40}, AttentionExtents{2, 200, 150}}) {
      Arrays inputs = makeInputs(c, extents, numbers);
      for (const std::string &variant : module.variants()) {
        Arrays one = module.run(variant, "attend", inputs);
        for (int threads : {2, 4, 8})
          expectSame(one, module.run(variant, "attend", inputs, {threads}),
                     nameOf(variant, extents) + ", threads " + std::to_string(threads));
      }
    }
  }
}

//===--------------------------------------------------------------------------------------------------------------===//
// Numbers that are none
//===--------------------------------------------------------------------------------------------------------------===//

/// As compilers write it; for GPUs also as their instructions do, patterns that an addition to the bits carries into
/// the sign, or around. (2^x of CPUs before AVX-512 shifts a NaN's low bits into its exponent.)
std::vector<float> nansOf(const std::string &variant) {
  if (!variant.starts_with("sm_"))
    return {std::nanf("")};
  return {std::nanf(""), std::bit_cast<float>(0x7fffffffu), std::bit_cast<float>(0xffffffffu)};
}

/// NaN in place of a row of `input` (batch 0, sequence number `at`, all heads).
Array poisoned(const Array &input, int64_t at, float with = std::nanf("")) {
  std::vector<float> values = floatsOf(input);
  int64_t row = input.shape[2] * input.shape[3];
  std::fill_n(values.begin() + at * row, row, with);
  return Array::of<float>(input.name, input.shape, values);
}

struct PoisonTest : AttentionRelations {
  AttentionExtents extents{2, 37, 140};
  Numbers numbers{48};
  CompiledModule module{padded.text()};
  Arrays inputs;

  void SetUp() override {
    inputs = makeInputs(padded, extents, numbers);
    inputs[3] = paddingOf(2, extents.keys, 130);
  }

  /// Outputs of the items of the batch from `first` on are what they were.
  void expectUntouched(const std::string &variant, const Arrays &changed, int64_t first) {
    Arrays before = module.run(variant, "attend", inputs), after = module.run(variant, "attend", changed);
    for (size_t i = 0; i < before.size(); ++i)
      EXPECT_TRUE(sameBits(rowsOf(before[i], first, 2 - first), rowsOf(after[i], first, 2 - first)))
          << variant << ", " << before[i].name;
  }
};

INSTANTIATE_TEST_SUITE_P(Products, PoisonTest, testing::Bool(),
                         [](const testing::TestParamInfo<bool> &info) { return info.param ? "Rounded" : "Exact"; });

TEST_P(PoisonTest, KeyThatNobodySeesHasNoEffect) {
  for (float with : {std::nanf(""), INFINITY, -INFINITY}) {
    Arrays changed = inputs;
    changed[1] = poisoned(inputs[1], 135, with);
    for (const std::string &variant : module.variants())
      expectUntouched(variant, changed, 0);
  }
}

// docs/spec.md: the value of a key that nobody sees must be finite, since 0 · ∞ is NaN. It reaches its own item of the
// batch only.
TEST_P(PoisonTest, ValueThatNobodySeesReachesItsOwnItemOnly) {
  Arrays changed = inputs;
  changed[2] = poisoned(inputs[2], 135);
  for (const std::string &variant : module.variants())
    expectUntouched(variant, changed, 1);
}

TEST_P(PoisonTest, VisibleKeyOfNanShowsInItsItemOnly) {
  for (const std::string &variant : module.variants())
    for (float nan : nansOf(variant)) {
      Arrays changed = inputs;
      changed[1] = poisoned(inputs[1], 3, nan);
      expectUntouched(variant, changed, 1);
      for (float x : floatsOf(rowsOf(module.run(variant, "attend", changed)[0], 0, 1)))
        ASSERT_TRUE(std::isnan(x)) << variant;
    }
}

TEST_P(PoisonTest, QueryOfNanStaysInItsRow) {
  std::vector<int64_t> others = firstOnes(extents.queries);
  others.erase(others.begin() + 11);
  for (const std::string &variant : module.variants())
    for (float nan : nansOf(variant)) {
      Arrays changed = inputs;
      changed[0] = poisoned(inputs[0], 11, nan);
      Array before = module.run(variant, "attend", inputs)[0], after = module.run(variant, "attend", changed)[0];
      EXPECT_TRUE(sameBits(taken<float>(before, 1, others), taken<float>(after, 1, others))) << variant;
      for (float x : floatsOf(rowsOf(taken<float>(after, 1, {11}), 0, 1)))
        ASSERT_TRUE(std::isnan(x)) << variant;
    }
}

TEST_P(PoisonTest, LargeScoresDoNotOverflow) {
  for (float size : {1e2f, 1e6f, 1e15f}) {
    Arrays changed = inputs;
    for (size_t i : {0, 1}) {
      std::vector<float> values = floatsOf(inputs[i]);
      for (float &x : values)
        x *= size;
      changed[i] = Array::of<float>(inputs[i].name, inputs[i].shape, values);
    }
    for (const std::string &variant : module.variants()) {
      std::vector<float> output = floatsOf(module.run(variant, "attend", changed)[0]);
      for (float x : output)
        ASSERT_TRUE(std::isfinite(x)) << variant << ", size " << size;
    }
  }
}

} // namespace
} // namespace weft::test
