// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.scan compiled for each level against float64, walked whole and in blocks, and against itself.
#include "test/conformance/CompiledModule.h"
#include "test/conformance/Halves.h"
#include "test/conformance/Numbers.h"
#include "test/reference/sequence.h"

#include "gtest/gtest.h"

#include <cmath>

namespace weft::test {
namespace {

constexpr const char *kSum = R"(
    combine {
    ^bb0(%a: f32, %b: f32):
      %c = arith.addf %a, %b : f32
      weft.yield %c : f32
    })";
constexpr const char *kLogSumExp = R"(
    combine {
    ^bb0(%a: f32, %b: f32):
      %m = arith.maximumf %a, %b : f32
      %da = arith.subf %a, %m : f32
      %db = arith.subf %b, %m : f32
      %ea = math.exp %da : f32
      %eb = math.exp %db : f32
      %s = arith.addf %ea, %eb : f32
      %l = math.log %s : f32
      %r = arith.addf %m, %l : f32
      weft.yield %r : f32
    })";
constexpr const char *kMaxPlus = R"(
    combine {
    ^bb0(%f0: f32, %m0: f32, %f1: f32, %m1: f32):
      %f = arith.addf %f0, %f1 : f32
      %shifted = arith.addf %m0, %f1 : f32
      %m = arith.maximumf %shifted, %m1 : f32
      weft.yield %f, %m : f32, f32
    })";
constexpr const char *kSoftmax = R"(
    combine {
    ^bb0(%m0: f32, %s0: f32, %v0: f32, %m1: f32, %s1: f32, %v1: f32):
      %m = arith.maximumf %m0, %m1 : f32
      %d0 = arith.subf %m0, %m : f32
      %d1 = arith.subf %m1, %m : f32
      %w0 = math.exp %d0 : f32
      %w1 = math.exp %d1 : f32
      %t0 = arith.mulf %s0, %w0 : f32
      %t1 = arith.mulf %s1, %w1 : f32
      %s = arith.addf %t0, %t1 : f32
      %u0 = arith.mulf %v0, %w0 : f32
      %u1 = arith.mulf %v1, %w1 : f32
      %v = arith.addf %u0, %u1 : f32
      weft.yield %m, %s, %v : f32, f32, f32
    })";

/// A scan over [batch, steps, lanes]; accumulators of an 's' have no lanes.
struct Case {
  std::string name, kinds; ///< one letter an accumulator: 'v' with lanes, 's' without
  int64_t lanes;
  const char *combine;
  reference::Combine reference;
  bool state = false, reset = false, reverse = false;
  std::string type = "f32"; ///< of inputs and outputs
};

using reference::Accumulators;
Accumulators sum(const Accumulators &a, const Accumulators &b) { return {a[0] + b[0]}; }
Accumulators logSumExp(const Accumulators &a, const Accumulators &b) {
  double m = std::fmax(a[0], b[0]);
  return {m + std::log(std::exp(a[0] - m) + std::exp(b[0] - m))};
}
Accumulators maxPlus(const Accumulators &a, const Accumulators &b) {
  return {a[0] + b[0], std::fmax(a[1] + b[0], b[1])};
}
Accumulators softmax(const Accumulators &a, const Accumulators &b) {
  double m = std::fmax(a[0], b[0]), x = std::exp(a[0] - m), y = std::exp(b[0] - m);
  return {m, a[1] * x + b[1] * y, a[2] * x + b[2] * y};
}

const Case kCases[] = {
    {"sum_1", "v", 1, kSum, sum},
    {"sum_7", "v", 7, kSum, sum},
    {"sum_64", "v", 64, kSum, sum},
    {"sum_131", "v", 131, kSum, sum, true},
    {"sum_600", "v", 600, kSum, sum},
    {"sum_reverse", "v", 20, kSum, sum, true, false, true},
    {"log_sum_exp", "v", 16, kLogSumExp, logSumExp, false, true},
    {"max_plus", "vv", 33, kMaxPlus, maxPlus, true, true, true},
    {"max_plus_heads", "vv", 4, kMaxPlus, maxPlus, true},
    {"softmax", "ssv", 80, kSoftmax, softmax, true},
    {"softmax_reset", "ssv", 20, kSoftmax, softmax, true, true},
    {"softmax_plain", "ssv", 16, kSoftmax, softmax, false, false, true},
    {"sum_bf16", "v", 37, kSum, sum, true, false, false, "bf16"},
};

std::string joined(size_t count, const std::function<std::string(size_t)> &part) {
  std::string text;
  for (size_t i = 0; i < count; ++i)
    text += (i ? ", " : "") + part(i);
  return text;
}

std::string entryOf(const Case &c) {
  size_t count = c.kinds.size();
  auto lanes = [&](size_t i) { return c.kinds[i] == 'v' ? "x" + std::to_string(c.lanes) : std::string(); };
  auto type = [&](size_t i) { return "tensor<?x?" + lanes(i) + "x" + c.type + ">"; };
  auto stateType = [&](size_t i) { return "tensor<?" + lanes(i) + "xf32>"; };
  auto dims = [&](size_t i, bool state) {
    return std::string("weft.dims = [\"batch\"") + (state ? "" : ", \"steps\"") + (c.kinds[i] == 'v' ? ", \"\"]" : "]");
  };
  auto number = [](const char *name, size_t i) { return name + std::to_string(i); };
  auto list = [&](const char *name) { return joined(count, [&](size_t i) { return "%" + number(name, i); }); };
  std::string arguments = joined(count, [&](size_t i) {
    return "%x" + std::to_string(i) + ": " + type(i) + " {weft.name = \"" + number("x", i) + "\", " + dims(i, false) +
           "}";
  });
  std::string results = joined(
      count, [&](size_t i) { return type(i) + " {weft.name = \"" + number("y", i) + "\", " + dims(i, false) + "}"; });
  std::string types = joined(count, type), all = types, values = list("r");
  if (c.reset)
    arguments += ", %reset: tensor<?x?xi32> {weft.name = \"reset\", weft.dims = [\"batch\", \"steps\"]}";
  if (c.state) {
    arguments += ", " + joined(count, [&](size_t i) {
                   return "%state" + std::to_string(i) + ": " + stateType(i) + " {weft.name = \"" + number("s", i) +
                          "\", " + dims(i, true) + "}";
                 });
    results += ", " + joined(count, [&](size_t i) {
                 return stateType(i) + " {weft.name = \"" + number("n", i) + "\", " + dims(i, true) + "}";
               });
    all += ", " + joined(count, stateType);
    values += ", " + list("n");
  }
  std::string text = "func.func @" + c.name + "(" + arguments + ") -> (" + results + ") attributes {weft.entry} {\n";
  text += "  %zero = arith.constant 0 : index\n  %one = arith.constant 1 : index\n";
  text += "  %batch = tensor.dim %x0, %zero : " + type(0) + "\n  %steps = tensor.dim %x0, %one : " + type(0) + "\n";
  for (size_t i = 0; i < count; ++i)
    text += "  %e" + std::to_string(i) + " = tensor.empty(%batch, %steps) : " + type(i) + "\n";
  std::string maps = joined(count + c.reset, [&](size_t i) {
    bool shared = i == count || c.kinds[i] == 's';
    return std::string("affine_map<(b, t, d) -> (b, t") + (shared ? ")>" : ", d)>");
  });
  text += "  " + values + " = weft.scan {dimension = 1 : i64, indexing_maps = [" + maps + "]" +
          (c.reverse ? ", reverse" : "") + "} ins(" + list("x") + " : " + types + ")";
  if (c.reset)
    text += " reset(%reset : tensor<?x?xi32>)";
  text += " outs(" + list("e") + " : " + types + ")";
  if (c.state)
    text += " state(" + list("state") + " : " + joined(count, stateType) + ")";
  return text + c.combine + " -> " + all + "\n  return " + values + " : " + all + "\n}\n";
}

/// Along rows: no other dimension is contiguous.
constexpr const char *kRows = R"(
func.func @rows(%x: tensor<?x?xf32> {weft.name = "x", weft.dims = ["batch", "steps"]})
    -> (tensor<?x?xf32> {weft.name = "y", weft.dims = ["batch", "steps"]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %batch = tensor.dim %x, %zero : tensor<?x?xf32>
  %steps = tensor.dim %x, %one : tensor<?x?xf32>
  %e = tensor.empty(%batch, %steps) : tensor<?x?xf32>
  %y = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t) -> (b, t)>]} ins(%x : tensor<?x?xf32>)
    outs(%e : tensor<?x?xf32>) @COMBINE -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}
)";

struct ScanConformance : testing::Test {
  static void SetUpTestSuite() {
    std::string text =
        "module attributes {weft.dim_bounds = {batch = array<i64: 1, 64>, steps = array<i64: 1, 8192>}} {";
    for (const Case &c : kCases)
      text += entryOf(c);
    module = std::make_unique<CompiledModule>(text + replaced(kRows, {{"@COMBINE", kSum}}) + "}\n");
  }
  static void TearDownTestSuite() { module.reset(); }

  static const Case &find(const std::string &name) {
    return *std::find_if(std::begin(kCases), std::end(kCases), [&](const Case &c) { return c.name == name; });
  }

  static std::vector<int64_t> shapeOf(const Case &c, size_t i, std::vector<int64_t> shape) {
    if (c.kinds[i] == 'v')
      shape.push_back(c.lanes);
    return shape;
  }

  /// The second accumulator of softmax is a weight: positive.
  static Array numbersFor(const Case &c, size_t i, const std::string &name, std::vector<int64_t> shape,
                          Numbers &numbers) {
    Array array = numbers.array(name, shapeOf(c, i, shape));
    if (c.type == "bf16" && name[0] == 'x') {
      std::vector<float> values = floatsOf(array);
      for (float &value : values)
        value = rounded(kStored[0], value);
      return arrayOf(kStored[0], name, array.shape, values);
    }
    if (c.kinds.size() != 3 || i != 1)
      return array;
    std::vector<float> values = floatsOf(array);
    for (float &value : values)
      value = 0.1f + std::fabs(value);
    return Array::of<float>(name, array.shape, values);
  }

  static Arrays inputs(const Case &c, int64_t batch, int64_t steps, Numbers &numbers) {
    Arrays all;
    for (size_t i = 0; i < c.kinds.size(); ++i)
      all.push_back(numbersFor(c, i, "x" + std::to_string(i), {batch, steps}, numbers));
    if (c.reset) {
      std::vector<int32_t> starts(batch * steps);
      for (int32_t &start : starts)
        start = numbers.below(9) == 0 ? -1 : 0;
      all.push_back(Array::of<int32_t>("reset", {batch, steps}, starts));
    }
    for (size_t i = 0; c.state && i < c.kinds.size(); ++i)
      all.push_back(numbersFor(c, i, "s" + std::to_string(i), {batch}, numbers));
    return all;
  }

  static reference::ScanResult expected(const Case &c, const Arrays &in) {
    std::vector<std::vector<double>> x, states;
    std::vector<int64_t> reset;
    size_t count = c.kinds.size();
    for (size_t i = 0; i < count; ++i)
      x.push_back(widen(valuesOf(in[i])));
    if (c.reset)
      for (int32_t start : in[count].values<int32_t>())
        reset.push_back(start);
    for (size_t i = 0; c.state && i < count; ++i)
      states.push_back(widen(in[count + c.reset + i]));
    return reference::scan({in[0].shape[0], in[0].shape[1], c.lanes, c.reverse}, c.reference, x, reset, states);
  }

  static inline std::unique_ptr<CompiledModule> module;
};

// Few places and many steps are walked in blocks, the others whole.
TEST_F(ScanConformance, IsWithinBoundsOfFloat64) {
  Numbers numbers(70);
  for (const Case &c : kCases)
    for (auto [batch, steps] :
         {std::pair<int64_t, int64_t>{1, 1}, {3, 2}, {2, 37}, {9, 100}, {1, 511}, {1, 512}, {2, 1009}}) {
      Arrays in = inputs(c, batch, steps, numbers);
      reference::ScanResult want = expected(c, in);
      for (const std::string &variant : module->variants()) {
        std::string where = variant + " " + c.name + " " + std::to_string(batch) + " x " + std::to_string(steps);
        Arrays out = module->run(variant, c.name, in), again = module->run(variant, c.name, in, {3, Flush::AtStart});
        for (size_t i = 0; i < out.size(); ++i) {
          size_t count = c.kinds.size();
          RelativeError error;
          error.add(valuesOf(out[i]), i < count ? want.prefixes[i] : want.states[i - count]);
          EXPECT_LT(error.value(), c.type == "bf16" && i < count ? 4e-3 : 1e-6) << where << ", output " << i;
          EXPECT_TRUE(sameBits(out[i], again[i])) << where << ", output " << i;
        }
      }
    }
}

TEST_F(ScanConformance, RowsAreScannedOneElementAfterTheOther) {
  Numbers numbers(71);
  for (auto [batch, steps] : {std::pair<int64_t, int64_t>{1, 1}, {5, 17}, {2, 2000}, {11, 600}}) {
    Array x = numbers.array("x", {batch, steps});
    std::vector<double> want = reference::scan({batch, steps, 1}, sum, {widen(x)}, {}, {}).prefixes[0];
    for (const std::string &variant : module->variants()) {
      RelativeError error;
      error.add(floatsOf(module->run(variant, "rows", {x}, {2})[0]), want);
      EXPECT_LT(error.value(), 2e-6) << variant << " " << batch << " x " << steps; // 2000 sums, one after the other
    }
  }
}

TEST_F(ScanConformance, NonFiniteNumbersStayInTheirSequence) {
  Numbers numbers(72);
  const Case &c = find("softmax_reset");
  for (const std::string &variant : module->variants()) {
    Arrays in = inputs(c, 3, 40, numbers);
    std::vector<float> value = floatsOf(in[2]);
    value[(40 + 5) * 20 + 7] = NAN;
    value[(40 + 6) * 20 + 8] = INFINITY;
    in[2] = Array::of<float>("x2", {3, 40, 20}, value);
    std::vector<int32_t> starts(3 * 40);
    starts[40 + 11] = 1;
    in[3] = Array::of<int32_t>("reset", {3, 40}, starts);
    std::vector<float> out = floatsOf(module->run(variant, c.name, in)[2]);
    for (size_t i = 0; i < out.size(); ++i) {
      size_t row = i / 20, lane = i % 20;
      bool ill = (lane == 7 && row >= 45 && row < 51) || (lane == 8 && row >= 46 && row < 51);
      EXPECT_EQ(!std::isfinite(out[i]), ill) << variant << " row " << row << " lane " << lane;
    }
  }
}

// The bits of sequences run alone, and of a sequence in one call.
TEST_F(ScanConformance, PackedSequencesAreAsRunAlone) {
  Numbers numbers(73);
  const Case &c = find("softmax_reset");
  auto part = [](const Array &array, int64_t first, int64_t count) {
    Array result = array;
    size_t step = array.bytes.size() / array.shape[1];
    result.shape[1] = count;
    result.bytes.assign(array.bytes.begin() + first * step, array.bytes.begin() + (first + count) * step);
    return result;
  };
  for (const std::string &variant : module->variants()) {
    Arrays in = inputs(c, 1, 900, numbers);
    std::vector<int32_t> starts(900);
    starts[0] = starts[620] = 1;
    in[3] = Array::of<int32_t>("reset", {1, 900}, starts);
    Array packed = module->run(variant, c.name, in)[2];
    for (auto [first, count] : {std::pair<int64_t, int64_t>{0, 620}, {620, 280}}) {
      Arrays alone = in;
      for (size_t i = 0; i < 4; ++i)
        alone[i] = part(in[i], first, count);
      EXPECT_TRUE(sameBits(module->run(variant, c.name, alone)[2], part(packed, first, count))) << variant;
    }
  }
}

} // namespace
} // namespace weft::test
