// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RecurrentGemma (Botev et al. 2024, arXiv:2404.07839), Griffin's architecture: layers of a real-gated linear
// recurrence in turn with layers of attention to a window of tokens, and a gated MLP after each.
#include "frontends/builder/Mixers.h"
#include "frontends/builder/Rotary.h"
#include "frontends/builder/Scalars.h"
#include "frontends/hf/RotaryFields.h"
#include "frontends/hf/arch/PostNorm.h"
#include "frontends/weights/FloatValues.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <cmath>

using namespace mlir;

namespace weft {
namespace {

struct RecurrentGemmaSizes {
  int64_t vocabulary, hidden, layers, intermediate, width; ///< `width` of the recurrences
  int64_t heads, keyHeads, headDim;
  int64_t rotated; ///< elements of a head that turn
  int64_t window;  ///< tokens that attention sees, the own one included
  int64_t taps;
  std::vector<bool> recurrent; ///< by layer
  double theta, epsilon;
  bool attentionBias;
  Activation activation;
};

std::string layerName(int64_t layer) { return "layers." + std::to_string(layer); }

RealGatedRecurrence recurrenceOf(const RecurrentGemmaSizes &sizes, int64_t layer) {
  return {.name = layerName(layer) + ".temporal_block",
          .hidden = sizes.hidden,
          .width = sizes.width,
          .blocks = sizes.heads,
          .taps = sizes.taps,
          .activation = sizes.activation};
}

/// What all layers share.
struct Text {
  Value starts;      ///< [batch, sequence], i8: 1 at the first token of each text
  Value past;        ///< [batch, sequence], i64: tokens before each that attention sees
  Rotation rotation; ///< of queries and keys
  /// Of an entry with states, whose keys and values go round in rings of `window` slots: the tokens so far of the
  /// session before each, [batch, sequence], i64; and by how many tokens each slot precedes the first query,
  /// [batch, window], i64, as the rings are when queries see them.
  Value places = {}, ages = {};
};

const char *const kPosition = "position", *const kPlace = "place";

std::string keysOf(const std::string &layer) { return layer + ".keys"; }
std::string valuesOf(const std::string &layer) { return layer + ".values"; }

/// Whether a call is one token: it is in the ring when its query sees that.
bool isOneToken(GraphBuilder &graph) { return getConstantIntValue(graph.dim("sequence")) == 1; }

Value toInteger(GraphBuilder &graph, Value x) {
  return graph.map(graph.sizes(x), graph.ops().getI64Type(), {x}, {graph.dimsMap(2, {0, 1})},
                   [](OpBuilder &b, Location l, ValueRange v) -> Value {
                     return arith::FPToSIOp::create(b, l, b.getI64Type(), v[0]);
                   });
}

/// Slot s holds the last place that is s modulo the window: before the call, or with its only token.
Value buildAges(GraphBuilder &graph, const RecurrentGemmaSizes &sizes, Value places) {
  int64_t inside = isOneToken(graph) ? 0 : 1;
  llvm::SmallVector<OpFoldResult> extents{graph.dim("batch"), graph.ops().getIndexAttr(sizes.window)};
  return graph.map(
      extents, graph.ops().getI64Type(), {graph.column(places, 0)}, {graph.dimsMap(2, {0})},
      [&](OpBuilder &b, Location l, ValueRange v) -> Value {
        auto number = [&](int64_t n) -> Value { return arith::ConstantOp::create(b, l, b.getI64IntegerAttr(n)); };
        Value slot = arith::IndexCastOp::create(b, l, b.getI64Type(), linalg::IndexOp::create(b, l, 1));
        Value last = arith::AddIOp::create(b, l, v[0], number(sizes.window - inside));
        Value age = arith::RemSIOp::create(b, l, arith::SubIOp::create(b, l, last, slot), number(sizes.window));
        return arith::AddIOp::create(b, l, age, number(inside));
      });
}

/// Tokens are counted, for a text's first one has no decay and its angles are 0.
Text readText(GraphBuilder &graph, const RecurrentGemmaSizes &sizes, Value resets) {
  Value positions = graph.positions(graph.input("input_ids"), kPosition, resets);
  AffineMap all = graph.dimsMap(2, {0, 1});
  Value past = graph.map(graph.sizes(positions), graph.ops().getI64Type(), {positions}, {all},
                         [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                           Value most = arith::ConstantOp::create(b, l, b.getI64IntegerAttr(sizes.window - 1));
                           Value position = arith::FPToSIOp::create(b, l, b.getI64Type(), v[0]);
                           return arith::MinSIOp::create(b, l, position, most);
                         });
  Text text{RealGatedRecurrence::startsOf(graph, positions), past,
            buildRotation(graph, sizes.theta, sizes.rotated, positions)};
  if (graph.hasState(kPlace)) {
    text.places = toInteger(graph, graph.positions(graph.input("input_ids"), kPlace, Value()));
    text.ages = buildAges(graph, sizes, text.places);
  }
  return text;
}

/// To the tokens of the call and, with states, to those of the calls before; the last of all are kept.
Value attendToWindow(GraphBuilder &graph, const RecurrentGemmaSizes &sizes, AttentionSpec spec, const Text &text) {
  AttentionSpec inRing = spec;
  inRing.ages = text.ages;
  auto keep = [&] {
    inRing.key = graph.cacheUpdate(keysOf(spec.name), spec.key, text.places, /*ring=*/true);
    inRing.value = graph.cacheUpdate(valuesOf(spec.name), spec.value, text.places, /*ring=*/true);
  };
  if (text.ages && isOneToken(graph)) {
    keep();
    return graph.attention(inRing);
  }
  spec.reach = sizes.window - 1;
  if (!text.ages)
    return graph.attention(spec);
  inRing.key = graph.state(keysOf(spec.name));
  inRing.value = graph.state(valuesOf(spec.name));
  Value joined = graph.joinAttention(graph.attentionWithSum(spec), graph.attentionWithSum(inRing));
  keep();
  return joined;
}

Value attend(GraphBuilder &graph, const RecurrentGemmaSizes &sizes, const std::string &name, Value x,
             const Text &text) {
  GraphBuilder::Scope scope(graph, name);
  auto project = [&](const char *module, int64_t heads) {
    return graph.splitHeads(graph.linear(x, name + module, heads * sizes.headDim, sizes.attentionBias), heads);
  };
  AttentionSpec spec;
  spec.name = name;
  spec.query = rotate(graph, project(".q_proj", sizes.heads), text.rotation);
  spec.key = rotate(graph, project(".k_proj", sizes.keyHeads), text.rotation);
  spec.value = project(".v_proj", sizes.keyHeads);
  spec.headsPerGroup = sizes.heads / sizes.keyHeads;
  spec.scale = 1.0 / std::sqrt(static_cast<double>(sizes.headDim));
  spec.past = text.past;
  return graph.linear(graph.mergeHeads(attendToWindow(graph, sizes, spec, text)), name + ".o_proj", sizes.hidden);
}

Value applyMlp(GraphBuilder &graph, const RecurrentGemmaSizes &sizes, const std::string &name, Value x) {
  GraphBuilder::Scope scope(graph, name);
  Value gate = graph.activate(graph.linear(x, name + ".gate_proj", sizes.intermediate), sizes.activation);
  Value up = graph.linear(x, name + ".up_proj", sizes.intermediate);
  Value gated = graph.map(
      {gate, up}, [](OpBuilder &b, Location l, ValueRange v) -> Value { return Scalars{b, l}.mul(v[0], v[1]); });
  return graph.linear(gated, name + ".down_proj", sizes.hidden);
}

/// Embeddings times √hidden, which the library rounds to bf16.
Value embed(GraphBuilder &graph, const RecurrentGemmaSizes &sizes) {
  Value table = graph.parameter("embed_tokens.weight", {sizes.vocabulary, sizes.hidden});
  float root = std::sqrt(static_cast<float>(sizes.hidden)), scale = floatFromBF16(bf16FromFloat(root));
  return graph.map({graph.embedding(graph.tokenIds("input_ids"), table)},
                   [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                     Scalars s{b, l};
                     return s.mul(v[0], s.constant(scale));
                   });
}

Value run(GraphBuilder &graph, const RecurrentGemmaSizes &sizes, Value resets) {
  Value x = embed(graph, sizes);
  if (graph.failed()) // before tables are made of a width that no weight confirms
    return x;
  Text text = readText(graph, sizes, resets);
  for (int64_t layer = 0; layer < sizes.layers && !graph.failed(); ++layer) {
    std::string name = layerName(layer);
    GraphBuilder::Scope scope(graph, name);
    Value normed = graph.rmsNormFromOne(x, name + ".temporal_pre_norm", sizes.epsilon);
    x = graph.add(x, sizes.recurrent[layer] ? recurrenceOf(sizes, layer).mix(graph, normed, text.starts)
                                            : attend(graph, sizes, name + ".temporal_block", normed, text));
    x = graph.add(x, applyMlp(graph, sizes, name + ".mlp_block",
                              graph.rmsNormFromOne(x, name + ".channel_pre_norm", sizes.epsilon)));
  }
  return graph.rmsNormFromOne(x, "final_norm", sizes.epsilon);
}

std::vector<StateSpec> statesOf(const RecurrentGemmaSizes &sizes) {
  std::vector<StateSpec> states{{kPosition, {"batch"}, {0}}, {kPlace, {"batch"}, {0}}};
  for (int64_t layer = 0; layer < sizes.layers && layer < static_cast<int64_t>(sizes.recurrent.size()); ++layer) {
    if (sizes.recurrent[layer]) {
      std::vector<StateSpec> own = recurrenceOf(sizes, layer).states();
      states.insert(states.end(), own.begin() + 1, own.end()); // the count is the model's
      continue;
    }
    std::string name = layerName(layer) + ".temporal_block";
    for (const std::string &state : {keysOf(name), valuesOf(name)})
      states.push_back({state, {"batch", "", "", ""}, {0, sizes.window, sizes.keyHeads, sizes.headDim}});
  }
  return states;
}

/// `block_types`, over and over.
std::vector<bool> readBlockTypes(Config &config, int64_t layers) {
  std::vector<std::string> types =
      config.texts("block_types").value_or(std::vector<std::string>{"recurrent", "recurrent", "attention"});
  for (const std::string &type : types)
    if (type != "recurrent" && type != "attention")
      config.refuse("W0206", "block_types holds \"" + type + "\"", "the known ones are recurrent and attention");
  if (types.empty())
    config.refuse("W0203", "block_types is empty", "name at least one type, recurrent or attention");
  std::vector<bool> recurrent;
  for (int64_t layer = 0; layer < layers && !types.empty(); ++layer)
    recurrent.push_back(types[layer % types.size()] == "recurrent");
  return recurrent;
}

/// The rotation's base, and how many elements of a head turn.
void readRotation(Config &config, RecurrentGemmaSizes &sizes) {
  RotaryFields fields =
      readRotaryFields(config, sizes.headDim,
                       {.share = 0.5, .takesOldScaling = true, .widthFields = ", hidden_size or num_attention_heads"});
  sizes.theta = fields.theta;
  sizes.rotated = std::max<int64_t>(fields.dims, 2);
}

/// Widths that heads share.
void checkShares(Config &config, RecurrentGemmaSizes &sizes) {
  auto check = [&](const std::string &what, int64_t width, int64_t parts, const std::string &help) {
    if (width % parts != 0)
      config.refuse("W0207", what + " " + std::to_string(width) + " is no multiple of " + std::to_string(parts), help);
  };
  check("the width of the recurrences", sizes.width, sizes.heads, "correct lru_width or num_attention_heads");
  check("the number of heads", sizes.heads, sizes.keyHeads, "correct num_attention_heads or num_key_value_heads");
}

RecurrentGemmaSizes readSizes(Config &config) {
  RecurrentGemmaSizes sizes;
  sizes.vocabulary = config.size({"vocab_size"}, 256000);
  sizes.hidden = config.size({"hidden_size"}, 2560);
  sizes.layers = config.integer({"num_hidden_layers"}, 26, 1, kMaxLayers);
  // The field counts both halves of the gated MLP.
  sizes.intermediate = config.integer({"intermediate_size"}, 7680, 2, Config::kMaxSize) / 2;
  sizes.width = config.size({"lru_width"}, sizes.hidden);
  sizes.heads = config.size({"num_attention_heads"}, 10);
  sizes.keyHeads = config.size({"num_key_value_heads"}, sizes.heads);
  sizes.headDim = config.size({"head_dim"}, std::max<int64_t>(1, sizes.hidden / sizes.heads));
  sizes.window = config.size({"attention_window_size", "sliding_window"}, 2048);
  sizes.taps = config.integer({"conv1d_width"}, 4, 1, 1024);
  sizes.recurrent = readBlockTypes(config, sizes.layers);
  sizes.epsilon = config.number({"rms_norm_eps"}, 1e-6);
  sizes.attentionBias = config.flag("attention_bias", false);
  sizes.activation = config.activation("hidden_activation", "gelu_pytorch_tanh");
  readRotation(config, sizes);
  checkShares(config, sizes);
  return sizes;
}

} // namespace

CausalModel readRecurrentGemma(Config &config) {
  RecurrentGemmaSizes sizes = readSizes(config);
  CausalModel model;
  model.vocabulary = sizes.vocabulary;
  model.hidden = sizes.hidden;
  model.states = statesOf(sizes);
  model.run = [=](GraphBuilder &graph, Value resets) { return run(graph, sizes, resets); };
  model.wordEmbeddings = "embed_tokens.weight";
  model.tied = config.flag("tie_word_embeddings", true);
  model.scoreCap = config.number({"logits_soft_cap"}, 30.0);
  model.endToken = 1;
  return model;
}

} // namespace weft
