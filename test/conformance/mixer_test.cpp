// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The layers of frontends/builder/Mixers.h against test/fixtures/mixers.py: whole sequences, step by step with carried
// states, and cut into calls anywhere. Those of MixtureOfExperts.h, which have no states, against mixtures.py.
#include "frontends/builder/Mixers.h"
#include "frontends/builder/MixtureOfExperts.h"
#include "frontends/builder/Scalars.h"
#include "frontends/weights/Safetensors.h"
#include "test/conformance/CompiledModule.h"
#include "test/conformance/Numbers.h"

#include "gtest/gtest.h"

namespace weft::test {
namespace {

/// These are tests of graphs; ops are tested at each level.
const char *const kTargets = __builtin_cpu_supports("avx512f") ? "cpu:v4" : "cpu:v3";

constexpr double kBound = 1e-6; ///< relative RMS error
constexpr int64_t kHidden = 20, kVocabulary = 31, kBatch = 2, kLength = 29;

/// A file of test/fixtures/mixers.
struct MixerFixture : ParameterSource {
  Arrays weights;
  std::vector<int64_t> ids;     ///< [batch, sequence]
  std::vector<double> expected; ///< [batch, sequence, hidden]

  explicit MixerFixture(const std::string &name) {
    auto file = SafetensorsFile::open(WEFT_TEST_SOURCE_DIR "/fixtures/mixers/" + name + ".safetensors");
    EXPECT_TRUE(file) << file.error().format();
    for (const TensorView &tensor : file->tensors())
      if (tensor.name == "ids")
        ids = tensor.values<int64_t>();
      else if (tensor.name == "expected")
        expected = tensor.values<double>();
      else
        weights.push_back(Array::of(tensor.name, tensor.shape, tensor.values<float>()));
  }

  std::optional<StoredTensor> find(std::string_view name) const override {
    for (const Array &weight : weights)
      if (weight.name == name)
        return StoredTensor{weight.name, "F32", weight.shape};
    return std::nullopt;
  }
  std::string place() const override { return "test/fixtures/mixers"; }

  /// So many steps of each row of the batch.
  Array steps(int64_t from, int64_t count) const {
    std::vector<int64_t> part;
    for (int64_t row = 0; row < kBatch; ++row)
      part.insert(part.end(), ids.begin() + row * kLength + from, ids.begin() + row * kLength + from + count);
    return Array::of("ids", {kBatch, count}, part);
  }
};

struct MixerCase {
  std::string name, fixture;
  std::vector<StateSpec> states;
  std::function<mlir::Value(GraphBuilder &, mlir::Value x, mlir::Value reset)> build;
};

template <class Layer> MixerCase caseOf(std::string name, std::string fixture, Layer layer) {
  std::vector<StateSpec> states = layer.states();
  return {std::move(name), std::move(fixture), std::move(states),
          [layer = std::move(layer)](GraphBuilder &graph, mlir::Value x, mlir::Value reset) {
            return layer.build(graph, x, reset);
          }};
}

/// Six experts of 14 channels, two a token.
MixtureOfExperts mixtureOf(const std::string &name) {
  MixtureOfExperts mixture{.route = {.weight = name + ".gate.weight", .experts = 6, .top = 2},
                           .experts = {.name = name + ".experts", .experts = 6, .hidden = kHidden, .width = 14}};
  auto all = [&](const std::string &part) {
    return StackedWeight{expertNames(name + ".experts.", 6, "." + part + ".weight")};
  };
  mixture.experts.gate = all("gate");
  mixture.experts.up = all("up");
  mixture.experts.down = all("down");
  return mixture;
}

mlir::Value buildGrouped(GraphBuilder &graph, mlir::Value x, mlir::Value) {
  MixtureOfExperts mixture = mixtureOf("mix");
  mixture.route.correction = "mix.correction";
  mixture.route.top = 3;
  mixture.route.scoring = Scoring::Sigmoid;
  mixture.route.norm = WeightNorm::Sum;
  mixture.route.scale = 1.7;
  mixture.route.groups = 3;
  mixture.route.topGroups = mixture.route.groupRank = 2;
  mixture.shared = {.gate = "mix.shared.gate_proj",
                    .up = "mix.shared.up_proj",
                    .down = "mix.shared.down_proj",
                    .width = 9,
                    .share = "mix.share"};
  return mixture.build(graph, x);
}

mlir::Value buildPairs(GraphBuilder &graph, mlir::Value x, mlir::Value) {
  MixtureOfExperts mixture = mixtureOf("mix");
  mixture.route = {.weight = "mix.router.weight",
                   .bias = "mix.router.bias",
                   .experts = 6,
                   .top = 2,
                   .scoring = Scoring::None,
                   .norm = WeightNorm::Softmax};
  mixture.experts.gate = mixture.experts.up = {};
  mixture.experts.gateUp = {{"mix.experts.gate_up_proj"}, {"mix.experts.gate_up_proj_bias"}, /*inByOut=*/true};
  mixture.experts.down = {{"mix.experts.down_proj"}, {"mix.experts.down_proj_bias"}, /*inByOut=*/true};
  mixture.experts.order = GateUp::Pairs;
  mixture.experts.combine = [](mlir::OpBuilder &b, mlir::Location l, mlir::Value gate, mlir::Value up) {
    Scalars of{b, l};
    auto lesser = [&](mlir::Value v) -> mlir::Value {
      return mlir::arith::MinimumFOp::create(b, l, v, of.constant(1.5));
    };
    mlir::Value activated = buildActivation(b, l, Activation::QuickGelu, lesser(gate));
    return of.mul(of.add(of.max(lesser(up), of.constant(-1.5)), of.constant(1)), activated);
  };
  return mixture.build(graph, x);
}

mlir::Value buildCapacity(GraphBuilder &graph, mlir::Value x, mlir::Value) {
  MixtureOfExperts mixture = mixtureOf("mix");
  mixture.capacity = 11;
  return mixture.build(graph, x);
}

mlir::Value buildExpertChoice(GraphBuilder &graph, mlir::Value x, mlir::Value) {
  MixtureOfExperts mixture = mixtureOf("mix");
  return mixture.experts.build(graph, x, mixture.route.buildExpertChoice(graph, x, 13));
}

mlir::Value buildEarly(GraphBuilder &graph, mlir::Value x, mlir::Value) {
  MixtureOfExperts first = mixtureOf("mix.0"), second = mixtureOf("mix.1");
  first.route.norm = second.route.norm = WeightNorm::Sum;
  Routing early = second.route.build(graph, x);
  mlir::Value y = graph.add(x, first.build(graph, x));
  return graph.add(y, second.build(graph, y, early));
}

mlir::Value buildHashed(GraphBuilder &graph, mlir::Value x, mlir::Value) {
  return mixtureOf("mix").build(graph, x, buildHashRoute(graph, graph.tokenIds("ids"), 6, 2, /*seed=*/77));
}

const std::vector<MixerCase> &mixerCases() {
  static const std::vector<MixerCase> cases = {
      caseOf("Retention", "retention",
             Retention{.name = "mix", .hidden = kHidden, .heads = 3, .keys = 8, .values = 12, .rotary = false}),
      caseOf("RetentionRotary", "retention-rotary",
             Retention{.name = "mix", .hidden = kHidden, .heads = 3, .keys = 8, .values = 12}),
      caseOf("RetentionXpos", "retention-xpos",
             Retention{.name = "mix", .hidden = kHidden, .heads = 3, .keys = 8, .values = 12, .scaleBase = 16}),
      caseOf("Gla", "gla",
             GatedLinearAttention{.name = "mix", .hidden = kHidden, .heads = 2, .keys = 12, .values = 10, .rank = 5}),
      caseOf("NormAttention", "norm-attention", NormAttention{.name = "mix", .hidden = kHidden, .heads = 2}),
      caseOf("GatedDeltaNet", "gated-delta-net",
             GatedDeltaNet{.name = "mix", .hidden = kHidden, .keyHeads = 2, .valueHeads = 4, .keys = 6, .values = 9}),
      caseOf("S4D", "s4d", DiagonalStateSpace{.name = "mix", .channels = kHidden, .modes = 6}),
      caseOf("S4DConvolution", "s4d",
             DiagonalStateSpace{.name = "mix", .channels = kHidden, .modes = 6, .mode = {kLength}}),
      caseOf("S5", "s5", SharedStateSpace{.name = "mix", .channels = kHidden, .modes = 11}),
      caseOf("S5Convolution", "s5",
             SharedStateSpace{.name = "mix", .channels = kHidden, .modes = 11, .mode = {kLength}}),
      caseOf("Aaren", "aaren", PrefixAttention{.name = "mix", .hidden = kHidden, .heads = 2}),
      caseOf("DiagonalAttention", "diagonal-attention",
             DiagonalAttention{.name = "mix", .hidden = kHidden, .heads = 2, .block = 8}),
      caseOf("RealGatedRecurrence", "real-gated-recurrence",
             RealGatedRecurrence{.name = "mix", .hidden = kHidden, .width = 36, .blocks = 3}),
      {"BidirectionalMamba",
       "bidirectional-mamba",
       {},
       [](GraphBuilder &graph, mlir::Value x, mlir::Value) {
         BidirectionalMamba layer{.name = "mix", .hidden = kHidden, .inner = 26, .state = 4, .rank = 3};
         return layer.build(graph, x);
       }},
      {"MixtureOfGroups", "mixture-grouped", {}, buildGrouped},
      {"MixtureOfPairs", "mixture-pairs", {}, buildPairs},
      {"MixtureWithCapacity", "mixture-capacity", {}, buildCapacity},
      {"MixtureOfExpertChoice", "mixture-expert-choice", {}, buildExpertChoice},
      {"MixtureOfEarlyChoice", "mixture-early", {}, buildEarly},
      {"MixtureByHash", "mixture-hash", {}, buildHashed},
  };
  return cases;
}

void addEntry(GraphBuilder &graph, const MixerCase &mixer, const std::string &entry, bool carries,
              const FixedDims &fixed) {
  std::vector<InputSpec> inputs{{"ids", {"batch", "sequence"}, kVocabulary}};
  if (entry == "packed")
    inputs.push_back({"reset", {"batch", "sequence"}, 2});
  graph.beginEntry(entry, inputs, carries ? mixer.states : std::vector<StateSpec>(), fixed);
  mlir::Value reset = entry == "packed" ? graph.input("reset") : mlir::Value();
  mlir::Value x = graph.embedding(graph.tokenIds("ids"), graph.parameter("table", {kVocabulary, kHidden}));
  graph.output("y", graph.splitTokens(mixer.build(graph, x, reset)), {"batch", "sequence", ""});
  graph.endEntry();
}

/// `forward` without states, `prefill`, `decode` and, with a reset, `packed` with them.
std::string textOf(const MixerCase &mixer, const MixerFixture &fixture) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  GraphBuilder graph(context, fixture, "mixer");
  graph.bound("batch", 1, 4);
  graph.bound("sequence", 1, 64);
  addEntry(graph, mixer, "forward", false, {});
  if (!mixer.states.empty()) {
    addEntry(graph, mixer, "prefill", true, {});
    addEntry(graph, mixer, "decode", true, {{"sequence", 1}});
    addEntry(graph, mixer, "packed", true, {});
  }
  auto module = graph.finish();
  EXPECT_TRUE(module) << module.error().format();
  std::string text;
  llvm::raw_string_ostream(text) << **module;
  return text;
}

class Mixer : public testing::TestWithParam<MixerCase> {
protected:
  Mixer() : fixture(GetParam().fixture), module(compiled()) {}

  /// One module for all tests of a case.
  CompiledModule &compiled() {
    static std::map<std::string, std::unique_ptr<CompiledModule>> modules;
    std::unique_ptr<CompiledModule> &made = modules[GetParam().name];
    if (!made)
      made = std::make_unique<CompiledModule>(textOf(GetParam(), fixture), fixture.weights, kTargets);
    return *made;
  }

  /// The outputs of `count` steps, against those steps of the definition.
  void compare(const Array &y, int64_t from, int64_t count, RelativeError &error) {
    std::vector<double> wanted;
    for (int64_t row = 0; row < kBatch; ++row) {
      auto begin = fixture.expected.begin() + (row * kLength + from) * kHidden;
      wanted.insert(wanted.end(), begin, begin + count * kHidden);
    }
    error.add(floatsOf(y), wanted);
  }

  /// The sequence in calls of so many steps each.
  double errorOf(const std::string &variant, const std::vector<int64_t> &calls) {
    RelativeError error;
    module.reset(variant);
    int64_t from = 0;
    for (int64_t count : calls) {
      const char *entry = count == 1 ? "decode" : "prefill";
      compare(module.run(variant, entry, {fixture.steps(from, count)})[0], from, count, error);
      from += count;
    }
    return error.value();
  }

  MixerFixture fixture;
  CompiledModule &module;
};

class MixerWithState : public Mixer {};

TEST_P(Mixer, IsItsDefinitionInAnyCut) {
  std::vector<std::vector<int64_t>> cuts;
  if (!GetParam().states.empty())
    cuts = {{kLength}, std::vector<int64_t>(kLength, 1), {13, 1, 1, 9, 1, 4}, {1, 2, 8, 17, 1}};
  for (const std::string &variant : module.variants()) {
    RelativeError error;
    compare(module.run(variant, "forward", {fixture.steps(0, kLength)})[0], 0, kLength, error);
    EXPECT_LE(error.value(), kBound) << variant;
    for (const std::vector<int64_t> &cut : cuts)
      EXPECT_LE(errorOf(variant, cut), kBound) << variant << ", " << cut.size() << " calls";
  }
}

/// After other tokens in the same call and calls before, a sequence that begins with a reset is as run alone.
TEST_P(MixerWithState, StartsAnewAtAReset) {
  constexpr int64_t kBefore = 11;
  const std::string variant = module.variants().front();
  std::vector<int64_t> ids, reset;
  for (int64_t row = 0; row < kBatch; ++row)
    for (int64_t step = 0; step < kBefore + kLength; ++step) {
      ids.push_back(step < kBefore ? 7 * step % kVocabulary : fixture.ids[row * kLength + step - kBefore]);
      reset.push_back(step == kBefore);
    }
  std::vector<int64_t> shape{kBatch, kBefore + kLength};
  module.reset(variant);
  module.run(variant, "prefill", {fixture.steps(0, 5)});
  std::vector<float> all =
      floatsOf(module.run(variant, "packed", {Array::of("ids", shape, ids), Array::of("reset", shape, reset)})[0]);
  std::vector<float> rest;
  for (int64_t row = 0; row < kBatch; ++row) {
    auto end = all.begin() + (row + 1) * (kBefore + kLength) * kHidden;
    rest.insert(rest.end(), end - kLength * kHidden, end);
  }
  RelativeError error;
  error.add(rest, fixture.expected);
  EXPECT_LE(error.value(), kBound);
}

/// Experts that could take more tokens than there are take all of them, so that none depends on another.
TEST(ExpertChoice, OfFewTokensIsOfAll) {
  MixerCase mixer{"FewTokens", "mixture-expert-choice", {}, buildExpertChoice};
  MixerFixture fixture(mixer.fixture);
  CompiledModule module(textOf(mixer, fixture), fixture.weights, kTargets);
  constexpr int64_t kSteps = 6; // of two sequences: less than thirteen tokens
  for (const std::string &variant : module.variants()) {
    std::vector<float> together = floatsOf(module.run(variant, "forward", {fixture.steps(0, kSteps)})[0]);
    RelativeError error;
    for (int64_t step = 0; step < kSteps; ++step) {
      std::vector<double> wanted;
      for (int64_t row = 0; row < kBatch; ++row) {
        auto begin = together.begin() + (row * kSteps + step) * kHidden;
        wanted.insert(wanted.end(), begin, begin + kHidden);
      }
      error.add(floatsOf(module.run(variant, "forward", {fixture.steps(step, 1)})[0]), wanted);
    }
    EXPECT_LE(error.value(), kBound) << variant;
  }
}

/// The others see a whole sequence at once.
std::vector<MixerCase> casesWithState() {
  std::vector<MixerCase> cases;
  for (const MixerCase &c : mixerCases())
    if (!c.states.empty())
      cases.push_back(c);
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Layers, MixerWithState, testing::ValuesIn(casesWithState()),
                         [](const testing::TestParamInfo<MixerCase> &info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(Layers, Mixer, testing::ValuesIn(mixerCases()),
                         [](const testing::TestParamInfo<MixerCase> &info) { return info.param.name; });

} // namespace
} // namespace weft::test
