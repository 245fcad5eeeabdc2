// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.causal_conv compiled for each level against float64, and against itself: cut into calls, reversed, packed.
#include "test/conformance/CompiledModule.h"
#include "test/conformance/Halves.h"
#include "test/conformance/Numbers.h"
#include "test/reference/sequence.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>

namespace weft::test {
namespace {

/// "state" takes bias, reset and state, and gives the next state; "plain" has none of them, and time may be cut.
constexpr const char *kState = R"(
func.func @state@R_@K_@D(%x: tensor<?x?x@Dx@T> {weft.name = "x", weft.dims = ["batch", "steps", ""]},
                      %w: tensor<@Dx@Kx@T> {weft.name = "weight"}, %bias: tensor<@Dxf32> {weft.name = "bias"},
                      %reset: tensor<?x?xi8> {weft.name = "reset", weft.dims = ["batch", "steps"]},
                      %state: tensor<?x@Bx@Dx@T> {weft.name = "state", weft.dims = ["batch", "", ""]})
    -> (tensor<?x?x@Dx@T> {weft.name = "y", weft.dims = ["batch", "steps", ""]},
        tensor<?x@Bx@Dx@T> {weft.name = "next", weft.dims = ["batch", "", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %batch = tensor.dim %x, %zero : tensor<?x?x@Dx@T>
  %steps = tensor.dim %x, %one : tensor<?x?x@Dx@T>
  %init = tensor.empty(%batch, %steps) : tensor<?x?x@Dx@T>
  %y, %next = weft.causal_conv @A ins(%x, %w, %bias : tensor<?x?x@Dx@T>, tensor<@Dx@Kx@T>, tensor<@Dxf32>)
    reset(%reset : tensor<?x?xi8>) outs(%init : tensor<?x?x@Dx@T>) state(%state : tensor<?x@Bx@Dx@T>)
    -> tensor<?x?x@Dx@T>, tensor<?x@Bx@Dx@T>
  return %y, %next : tensor<?x?x@Dx@T>, tensor<?x@Bx@Dx@T>
})";
constexpr const char *kPlain = R"(
func.func @plain@R_@K_@D(%x: tensor<?x?x@Dx@T> {weft.name = "x", weft.dims = ["batch", "steps", ""]},
                      %w: tensor<@Dx@Kx@T> {weft.name = "weight"})
    -> (tensor<?x?x@Dx@T> {weft.name = "y", weft.dims = ["batch", "steps", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %batch = tensor.dim %x, %zero : tensor<?x?x@Dx@T>
  %steps = tensor.dim %x, %one : tensor<?x?x@Dx@T>
  %init = tensor.empty(%batch, %steps) : tensor<?x?x@Dx@T>
  %y = weft.causal_conv @A ins(%x, %w : tensor<?x?x@Dx@T>, tensor<@Dx@Kx@T>)
    outs(%init : tensor<?x?x@Dx@T>) -> tensor<?x?x@Dx@T>
  return %y : tensor<?x?x@Dx@T>
})";

/// The first 20 channels of 43, with SiLU and times the last 20, resets within a part of the time.
constexpr const char *kGated = R"(
func.func @gated(%x: tensor<?x?x43xf32> {weft.name = "x", weft.dims = ["batch", "steps", ""]},
                 %w: tensor<20x4xf32> {weft.name = "weight"},
                 %reset: tensor<?x?xi64> {weft.name = "reset", weft.dims = ["batch", "steps"]})
    -> (tensor<?x?x20xf32> {weft.name = "y", weft.dims = ["batch", "steps", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %batch = tensor.dim %x, %zero : tensor<?x?x43xf32>
  %steps = tensor.dim %x, %one : tensor<?x?x43xf32>
  %in = tensor.extract_slice %x[0, 0, 0] [%batch, %steps, 20] [1, 1, 1] : tensor<?x?x43xf32> to tensor<?x?x20xf32>
  %gate = tensor.extract_slice %x[0, 0, 23] [%batch, %steps, 20] [1, 1, 1] : tensor<?x?x43xf32> to tensor<?x?x20xf32>
  %init = tensor.empty(%batch, %steps) : tensor<?x?x20xf32>
  %y = weft.causal_conv {extra_maps = [affine_map<(b, t, d) -> (b, t, d)>]}
    ins(%in, %w : tensor<?x?x20xf32>, tensor<20x4xf32>) extras(%gate : tensor<?x?x20xf32>)
    reset(%reset : tensor<?x?xi64>) outs(%init : tensor<?x?x20xf32>)
    output {
    ^bb0(%sum: f32, %g: f32):
      %c1 = arith.constant 1.0 : f32
      %minus = arith.negf %sum : f32
      %exp = math.exp %minus : f32
      %divisor = arith.addf %exp, %c1 : f32
      %silu = arith.divf %sum, %divisor : f32
      %gated = arith.mulf %silu, %g : f32
      weft.yield %gated : f32
    } -> tensor<?x?x20xf32>
  return %y : tensor<?x?x20xf32>
})";

struct Case {
  int64_t taps, channels;
  bool plain = false, turned = false; ///< has the entries "plain", and all entries in reverse too
  std::string type = "f32";           ///< of input, weight, state and result
  std::string name(const char *kind, bool reverse) const {
    return kind + std::string(reverse ? "_reverse" : "") + "_" + std::to_string(taps) + "_" + std::to_string(channels);
  }
};
const Case kCases[] = {
    {2, 1, true},    {3, 7, true, true}, {4, 16},       {4, 48}, {4, 259, true, true}, {5, 33},  {6, 65},
    {7, 3},          {8, 20, true},      {9, 21, true}, {32, 5}, {33, 20, true, true}, {64, 19}, {256, 16, true, true},
    {1024, 17, true}};
const Case kHalfCases[] = {{4, 37, false, false, "bf16"}, {3, 32, false, false, "f16"}, {45, 37, false, false, "bf16"}};

std::string entriesOf(const Case &c, bool reverse) {
  std::string texts = c.plain ? std::string(kState) + kPlain : kState;
  return replaced(texts, {{"@R", reverse ? "_reverse" : ""},
                          {"@A", reverse ? "{reverse}" : ""},
                          {"@K", std::to_string(c.taps)},
                          {"@D", std::to_string(c.channels)},
                          {"@B", std::to_string(c.taps - 1)},
                          {"@T", c.type}});
}

std::string moduleText() {
  std::string text = "module attributes {weft.dim_bounds = {batch = array<i64: 1, 8>, steps = array<i64: 1, 4096>}} {";
  for (const Case &c : kCases)
    text += entriesOf(c, false) + (c.turned ? entriesOf(c, true) : "");
  for (const Case &c : kHalfCases)
    text += entriesOf(c, false);
  return text + kGated + "}\n";
}

std::vector<float> plainConv(const reference::ConvShape &s, const std::vector<float> &x, const std::vector<float> &w) {
  std::vector<float> out(x.size());
  for (int64_t b = 0; b < s.batch; ++b)
    for (int64_t t = 0; t < s.steps; ++t)
      for (int64_t d = 0; d < s.channels; ++d) {
        float sum = 0;
        for (int64_t i = 0; i < s.taps; ++i) {
          int64_t from = s.reverse ? t + (s.taps - 1 - i) : t - (s.taps - 1 - i);
          if (from >= 0 && from < s.steps)
            sum += w[d * s.taps + i] * x[(b * s.steps + from) * s.channels + d];
        }
        out[(b * s.steps + t) * s.channels + d] = sum;
      }
  return out;
}

/// Steps [first, first + count) of [batch, steps, …].
Array stepsOf(const Array &array, int64_t first, int64_t count) {
  Array part = array;
  part.shape[1] = count;
  part.bytes.clear();
  size_t step = array.bytes.size() / (array.shape[0] * array.shape[1]);
  for (int64_t b = 0; b < array.shape[0]; ++b) {
    auto from = array.bytes.begin() + (b * array.shape[1] + first) * step;
    part.bytes.insert(part.bytes.end(), from, from + count * step);
  }
  return part;
}

/// The steps in the opposite order.
Array mirrored(const Array &array) {
  Array result = array;
  size_t step = array.bytes.size() / (array.shape[0] * array.shape[1]);
  for (int64_t b = 0; b < array.shape[0]; ++b)
    for (int64_t t = 0; t < array.shape[1]; ++t)
      std::memcpy(&result.bytes[(b * array.shape[1] + array.shape[1] - 1 - t) * step],
                  &array.bytes[(b * array.shape[1] + t) * step], step);
  return result;
}

struct CausalConvConformance : testing::Test {
  static void SetUpTestSuite() { module = std::make_unique<CompiledModule>(moduleText()); }
  static void TearDownTestSuite() { module.reset(); }

  /// Resets at a fifth of the steps, with any value that is not 0.
  static Array resets(int64_t batch, int64_t steps, Numbers &numbers) {
    std::vector<int8_t> values(batch * steps);
    for (int8_t &value : values)
      value = numbers.below(5) == 0 ? int8_t(1 + numbers.below(255)) : 0;
    return Array::of<int8_t>("reset", {batch, steps}, values);
  }

  static Arrays inputs(const Case &c, int64_t batch, int64_t steps, Numbers &numbers) {
    return {numbers.array("x", {batch, steps, c.channels}), numbers.array("weight", {c.channels, c.taps}),
            numbers.array("bias", {c.channels}), resets(batch, steps, numbers),
            numbers.array("state", {batch, c.taps - 1, c.channels})};
  }

  static std::vector<int64_t> flags(const Array &reset) {
    std::span<const int8_t> values = reset.values<int8_t>();
    return {values.begin(), values.end()};
  }

  static reference::ConvResult expected(const Case &c, const Arrays &in, bool reverse) {
    reference::ConvShape shape{in[0].shape[0], in[0].shape[1], c.channels, c.taps, reverse};
    return reference::causalConv(shape, widen(in[0]), widen(in[1]), widen(in[2]), flags(in[3]), widen(in[4]));
  }

  static inline std::unique_ptr<CompiledModule> module;
};

constexpr int64_t kSteps[] = {1, 2, 3, 4, 5, 7, 8, 31, 64, 601};

TEST_F(CausalConvConformance, WithStateIsWithinBoundsOfFloat64) {
  Numbers numbers(60);
  for (const Case &c : kCases)
    for (int64_t steps : kSteps)
      for (bool reverse : {false, true}) {
        if (reverse && !c.turned)
          continue;
        Arrays in = inputs(c, 1 + steps % 3, steps, numbers);
        reference::ConvResult want = expected(c, in, reverse);
        for (const std::string &variant : module->variants()) {
          SCOPED_TRACE(variant + " steps " + std::to_string(steps));
          std::string entry = c.name("state", reverse);
          Arrays out = module->run(variant, entry, in);
          RelativeError sums, next;
          sums.add(floatsOf(out[0]), want.sums);
          next.add(floatsOf(out[1]), want.state);
          EXPECT_LT(sums.value(), 1e-6) << entry;
          EXPECT_EQ(next.value(), 0) << entry;
          Arrays again = module->run(variant, entry, in, {3, Flush::AtStart});
          EXPECT_TRUE(sameBits(out[0], again[0]) && sameBits(out[1], again[1])) << entry;
        }
      }
}

TEST_F(CausalConvConformance, PlainIsWithinBoundsOfFloat64) {
  Numbers numbers(61);
  std::map<std::string, Accuracy> accuracies;
  for (const Case &c : kCases)
    for (int64_t steps : kSteps)
      for (bool reverse : {false, true}) {
        if (!c.plain || (reverse && !c.turned))
          continue;
        Arrays in = inputs(c, 1 + steps % 2, steps, numbers);
        reference::ConvShape shape{in[0].shape[0], steps, c.channels, c.taps, reverse};
        std::vector<double> want = reference::causalConv(shape, widen(in[0]), widen(in[1]), {}, {}, {}).sums;
        std::vector<float> plain = plainConv(shape, floatsOf(in[0]), floatsOf(in[1]));
        for (const std::string &variant : module->variants()) {
          std::string entry = c.name("plain", reverse);
          accuracies[variant].bound = 1e-6;
          Array out = module->run(variant, entry, {in[0], in[1]})[0];
          EXPECT_EQ(accuracies[variant].check(out, want, plain), "") << variant << " " << entry << ", steps " << steps;
          EXPECT_TRUE(sameBits(out, module->run(variant, entry, {in[0], in[1]}, {3, Flush::AtStart})[0]));
        }
      }
  for (auto &[variant, accuracy] : accuracies)
    EXPECT_TRUE(accuracy.withinTwicePlain()) << variant << ": " << accuracy.text();
}

TEST_F(CausalConvConformance, AnyCutIntoCallsGivesTheSameBits) {
  Numbers numbers(62);
  for (const Case &c : kCases)
    for (const std::string &variant : module->variants()) {
      std::string entry = c.name("state", false);
      Arrays in = inputs(c, 2, 40, numbers), whole = module->run(variant, entry, in);
      for (int64_t first = 0; first < 40;) {
        int64_t count = std::min<int64_t>(40 - first, 1 + numbers.below(first % 2 ? 3 : 12));
        Arrays part = in;
        part[0] = stepsOf(in[0], first, count);
        part[3] = stepsOf(in[3], first, count);
        Arrays out = module->run(variant, entry, part);
        EXPECT_TRUE(sameBits(out[0], stepsOf(whole[0], first, count))) << variant << " " << entry << " at " << first;
        in[4].bytes = out[1].bytes;
        first += count;
      }
      EXPECT_EQ(in[4].bytes, whole[1].bytes) << variant << " " << entry;
    }
}

TEST_F(CausalConvConformance, ReverseIsTheMirrorImage) {
  Numbers numbers(63);
  for (const Case &c : kCases)
    for (const std::string &variant : module->variants()) {
      if (!c.turned)
        continue;
      Arrays in = inputs(c, 2, 29, numbers), turned = in;
      turned[0] = mirrored(in[0]);
      turned[3] = mirrored(in[3]);
      Arrays out = module->run(variant, c.name("state", false), in);
      Arrays back = module->run(variant, c.name("state", true), turned);
      EXPECT_TRUE(sameBits(out[0], mirrored(back[0]))) << variant << " " << c.name("state", true);
      EXPECT_EQ(out[1].bytes, back[1].bytes) << variant << " " << c.name("state", true);
    }
}

// The bits of sequences run alone, whatever the state held and whatever was before.
TEST_F(CausalConvConformance, PackedSequencesAreAsRunAlone) {
  Numbers numbers(64);
  for (const Case &c : {Case{4, 48}, Case{33, 20}})
    for (const std::string &variant : module->variants()) {
      Arrays in = inputs(c, 1, 20, numbers);
      std::vector<int8_t> starts(20);
      starts[0] = starts[7] = starts[9] = 1;
      in[3] = Array::of<int8_t>("reset", {1, 20}, starts);
      Array packed = module->run(variant, c.name("state", false), in)[0];
      for (auto [first, count] : {std::pair<int64_t, int64_t>{0, 7}, {7, 2}, {9, 11}}) {
        Arrays alone = in;
        alone[0] = stepsOf(in[0], first, count);
        alone[3] = Array::of<int8_t>("reset", {1, count}, std::vector<int8_t>(count));
        alone[4] = Array::of<float>("state", in[4].shape, std::vector<float>((c.taps - 1) * c.channels));
        EXPECT_TRUE(sameBits(module->run(variant, c.name("state", false), alone)[0], stepsOf(packed, first, count)))
            << variant << " " << c.name("state", false) << " at " << first;
      }
    }
}

TEST_F(CausalConvConformance, NanStaysInItsSequence) {
  Numbers numbers(65);
  for (const Case &c : {Case{4, 16}, Case{256, 16}})
    for (const std::string &variant : module->variants()) {
      Arrays in = inputs(c, 3, 12, numbers);
      std::vector<float> x = floatsOf(in[0]), state = floatsOf(in[4]);
      std::vector<int8_t> starts(3 * 12);
      x[(1 * 12 + 4) * 16 + 3] = NAN;
      x[(1 * 12 + 5) * 16 + 3] = INFINITY;
      state[(2 * (c.taps - 1) + 2) * 16 + 5] = NAN;
      starts[1 * 12 + 6] = starts[2 * 12] = 1;
      in[0] = Array::of<float>("x", {3, 12, 16}, x);
      in[3] = Array::of<int8_t>("reset", {3, 12}, starts);
      in[4] = Array::of<float>("state", in[4].shape, state);
      std::vector<float> out = floatsOf(module->run(variant, c.name("state", false), in)[0]);
      for (size_t i = 0; i < out.size(); ++i) {
        bool ill = i % 16 == 3 && (i / 16 == 1 * 12 + 4 || i / 16 == 1 * 12 + 5);
        EXPECT_EQ(std::isnan(out[i]), ill) << variant << " " << c.taps << " taps, at " << i;
      }
    }
}

TEST_F(CausalConvConformance, HalvesAreSummedInF32AndRoundedOnce) {
  Numbers numbers(66);
  for (const Case &c : kHalfCases)
    for (int64_t steps : {1, 3, 40, 300}) {
      const Stored &stored = kStored[c.type == "bf16" ? 0 : 1];
      Arrays in = inputs(c, 2, steps, numbers);
      for (int i : {0, 1, 4}) {
        std::vector<float> values = floatsOf(in[i]);
        for (float &value : values)
          value = rounded(stored, value);
        in[i] = arrayOf(stored, in[i].name, in[i].shape, values);
      }
      Arrays wide = in;
      for (int i : {0, 1, 4})
        wide[i] = Array::of<float>(in[i].name, in[i].shape, valuesOf(in[i]));
      reference::ConvResult want = expected(c, wide, false);
      for (const std::string &variant : module->variants()) {
        Arrays out = module->run(variant, c.name("state", false), in);
        RelativeError sums, next;
        sums.add(valuesOf(out[0]), want.sums);
        next.add(valuesOf(out[1]), want.state);
        EXPECT_LT(sums.value(), c.type == "bf16" ? 4e-3 : 6e-4) << variant << " " << c.type << ", steps " << steps;
        EXPECT_EQ(next.value(), 0) << variant << " " << c.type;
      }
    }
}

TEST_F(CausalConvConformance, PartsOfRowsAreReadInPlaceAndTheOutputRegionApplied) {
  Numbers numbers(67);
  for (int64_t steps : {1, 5, 300}) {
    Array x = numbers.array("x", {2, steps, 43}), w = numbers.array("weight", {20, 4});
    std::vector<int64_t> starts(2 * steps);
    for (int64_t &value : starts)
      value = numbers.below(7) == 0;
    std::vector<double> all = widen(x), in;
    for (int64_t row = 0; row < 2 * steps; ++row)
      in.insert(in.end(), all.begin() + row * 43, all.begin() + row * 43 + 20);
    std::vector<double> want = reference::causalConv({2, steps, 20, 4}, in, widen(w), {}, starts, {}).sums;
    for (size_t i = 0; i < want.size(); ++i)
      want[i] = want[i] / (1 + std::exp(-want[i])) * all[i / 20 * 43 + 23 + i % 20];
    for (const std::string &variant : module->variants()) {
      RelativeError error;
      error.add(floatsOf(module->run(variant, "gated", {x, w, Array::of<int64_t>("reset", {2, steps}, starts)})[0]),
                want);
      EXPECT_LT(error.value(), 1e-6) << variant << ", steps " << steps;
    }
  }
}

} // namespace
} // namespace weft::test
