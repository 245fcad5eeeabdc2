// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The encoder of Switch Transformers (Fedus et al. 2021, arXiv:2101.03961): T5's, in whose MLPs' place every so many
// layers have experts, of which a token goes to one. An expert takes so many tokens of a text; those after them pass by
// the layer. Padding counts, as it does in the library.
#include "frontends/builder/RelativeBias.h"
#include "frontends/builder/Scalars.h"
#include "frontends/hf/arch/Experts.h"
#include "frontends/hf/arch/PostNorm.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace weft {
namespace {

/// Distances know no longest text; this is what an artifact is made for.
constexpr int64_t kLongestByDefault = 4096;

struct SwitchSizes {
  int64_t vocabulary, hidden, width, layers, heads, headDim;
  int64_t step; ///< every so many layers there are experts
  int64_t experts, capacity;
  bool routerBias;
  RelativeBuckets buckets;
  double epsilon;
  Activation activation;

  bool hasExperts(int64_t layer) const { return step == 1 || layer % step == 1; }
};

/// [tokens, experts], f32: 1 at the expert of each token.
Value markExperts(GraphBuilder &graph, Value experts, int64_t count) {
  return graph.map({graph.sizes(experts)[0], graph.ops().getIndexAttr(count)}, graph.ops().getF32Type(),
                   {graph.column(experts, 0)}, {graph.dimsMap(2, {0})},
                   [](OpBuilder &b, Location l, ValueRange s) -> Value {
                     Value index = linalg::IndexOp::create(b, l, 1);
                     Value expert = arith::IndexCastOp::create(b, l, b.getI32Type(), index);
                     Value isIt = arith::CmpIOp::create(b, l, arith::CmpIPredicate::eq, s[0], expert);
                     return arith::UIToFPOp::create(b, l, b.getF32Type(), isIt);
                   });
}

/// How many tokens of its text chose each token's expert, the token among them: [batch, sequence], f32.
Value countChosen(GraphBuilder &graph, Value marks) {
  RecurrenceSpec spec;
  spec.name = "chosen";
  spec.inputs = {{marks, "bte"}};
  spec.outputDims = "bte";
  spec.step = [](OpBuilder &, Location, ValueRange in) {
    RecurrenceStep step;
    step.value = in[0];
    return step;
  };
  Value zeros = graph.fill({graph.dim("batch"), graph.dim("sequence")}, graph.ops().getF32FloatAttr(0.0f));
  AffineMap whole = graph.dimsMap(3, {0, 1, 2});
  return graph.reduce(zeros, graph.dimsMap(3, {0, 1}), {graph.recurrence(spec), marks}, {whole, whole},
                      [](OpBuilder &b, Location l, ValueRange s) -> Value {
                        Scalars of{b, l};
                        return of.add(s[2], of.mul(s[0], s[1]));
                      });
}

/// Experts [tokens, 1] with −1 where the expert's capacity is used up.
Value withinCapacity(GraphBuilder &graph, const SwitchSizes &sizes, Value experts) {
  GraphBuilder::Scope scope(graph, "capacity");
  Value marks = graph.splitTokens(markExperts(graph, experts, sizes.experts));
  Value counts = graph.mergeLeading(countChosen(graph, marks));
  return graph.map(graph.sizes(experts), graph.ops().getI32Type(), {experts, counts},
                   {graph.dimsMap(2, {0, 1}), graph.dimsMap(2, {0})},
                   [&](OpBuilder &b, Location l, ValueRange s) -> Value {
                     Value most = Scalars{b, l}.constant(static_cast<double>(sizes.capacity));
                     Value fits = arith::CmpFOp::create(b, l, arith::CmpFPredicate::OLE, s[1], most);
                     Value none = arith::ConstantOp::create(b, l, b.getI32IntegerAttr(-1));
                     return arith::SelectOp::create(b, l, fits, s[0], none);
                   });
}

Value applyExperts(GraphBuilder &graph, const SwitchSizes &sizes, const std::string &name, Value x) {
  MixtureOfExperts mixture;
  mixture.route.weight = name + ".router.classifier.weight";
  if (sizes.routerBias)
    mixture.route.bias = name + ".router.classifier.bias";
  mixture.route.experts = mixture.experts.experts = sizes.experts;
  mixture.experts.name = name + ".experts";
  mixture.experts.hidden = sizes.hidden;
  mixture.experts.width = sizes.width;
  mixture.experts.activation = sizes.activation;
  mixture.experts.up.sources = expertNames(name + ".experts.expert_", sizes.experts, ".wi.weight");
  mixture.experts.down.sources = expertNames(name + ".experts.expert_", sizes.experts, ".wo.weight");
  Routing routing = mixture.route.build(graph, x);
  routing.experts = withinCapacity(graph, sizes, routing.experts);
  return mixture.build(graph, x, routing);
}

Value attend(GraphBuilder &graph, const SwitchSizes &sizes, const std::string &name, Value x, Value bias) {
  auto project = [&](const char *module) {
    return graph.splitHeads(graph.linear(x, name + module, sizes.heads * sizes.headDim, /*hasBias=*/false),
                            sizes.heads);
  };
  AttentionSpec spec;
  spec.name = name;
  spec.query = project(".q");
  spec.key = project(".k");
  spec.value = project(".v");
  spec.paddingMask = graph.input("attention_mask");
  spec.bias = bias;
  return graph.linear(graph.mergeHeads(graph.attention(spec)), name + ".o", sizes.hidden, /*hasBias=*/false);
}

Value applyMlp(GraphBuilder &graph, const SwitchSizes &sizes, const std::string &name, Value x) {
  Value wide = graph.linear(x, name + ".wi", sizes.width, /*hasBias=*/false);
  return graph.linear(graph.activate(wide, sizes.activation), name + ".wo", sizes.hidden, /*hasBias=*/false);
}

Value encode(GraphBuilder &graph, const SwitchSizes &sizes) {
  Value table = graph.parameter("shared.weight", {sizes.vocabulary, sizes.hidden});
  Value x = graph.embedding(graph.tokenIds("input_ids"), table);
  Value bias = buildRelativeBias(graph, "encoder.block.0.layer.0.SelfAttention.relative_attention_bias", sizes.buckets,
                                 sizes.heads);
  for (int64_t index = 0; index < sizes.layers && !graph.failed(); ++index) {
    std::string block = "encoder.block." + std::to_string(index), mlp = block + ".layer.1.mlp";
    GraphBuilder::Scope scope(graph, block);
    Value normed = graph.rmsNorm(x, block + ".layer.0.layer_norm", sizes.epsilon);
    x = graph.add(x, attend(graph, sizes, block + ".layer.0.SelfAttention", normed, bias));
    normed = graph.rmsNorm(x, block + ".layer.1.layer_norm", sizes.epsilon);
    x = graph.add(x, sizes.hasExperts(index) ? applyExperts(graph, sizes, mlp, normed)
                                             : applyMlp(graph, sizes, mlp, normed));
  }
  return graph.rmsNorm(x, "encoder.final_layer_norm", sizes.epsilon);
}

RelativeBuckets readBuckets(Config &config) {
  RelativeBuckets buckets;
  buckets.count = config.integer({"relative_attention_num_buckets"}, 32, 4, 1024);
  buckets.longest = config.integer({"relative_attention_max_distance"}, 128, 2, 1 << 20);
  if (buckets.count % 4 == 0 && buckets.longest > buckets.count / 4)
    return buckets;
  config.refuse(
      "W0207",
      std::to_string(buckets.count) + " buckets cannot be of distances up to " + std::to_string(buckets.longest),
      "correct relative_attention_num_buckets, a multiple of 4, or relative_attention_max_distance, more than "
      "a quarter of that");
  return {};
}

SwitchSizes readSizes(Config &config) {
  SwitchSizes sizes;
  sizes.vocabulary = config.size({"vocab_size"}, 32128);
  sizes.hidden = config.size({"d_model", "hidden_size"}, 768);
  sizes.width = config.size({"d_ff"}, 2048);
  sizes.layers = config.integer({"num_layers", "num_hidden_layers"}, 12, 1, kMaxLayers);
  sizes.heads = config.size({"num_heads", "num_attention_heads"}, 12);
  sizes.headDim = config.size({"d_kv"}, 64);
  // As many layers between those with experts as make about so many of them; none asked for are none but in one layer.
  int64_t sparse = config.integer({"num_sparse_encoder_layers"}, 3, 0, kMaxLayers);
  sizes.step = sparse ? sizes.layers / sparse : sizes.layers;
  if (sizes.step == 0)
    config.refuse("W0207", "num_sparse_encoder_layers is more than num_layers", "correct either");
  sizes.step = std::max<int64_t>(1, sizes.step);
  sizes.experts = config.integer({"num_experts"}, 8, 1, kMaxExperts);
  sizes.capacity = config.size({"expert_capacity"}, 64);
  sizes.routerBias = config.flag("router_bias", false);
  sizes.buckets = readBuckets(config);
  sizes.epsilon = config.number({"layer_norm_epsilon"}, 1e-6);
  sizes.activation = config.activation("dense_act_fn", "relu");
  if (std::string type = config.text("router_dtype", "float32"); type != "float32")
    config.refuse("W0206", "router_dtype is \"" + type + "\"", "the router is computed in float32: correct the field");
  return sizes;
}

} // namespace

EncoderModel readSwitch(Config &config) {
  SwitchSizes sizes = readSizes(config);
  EncoderModel model;
  model.vocabulary = sizes.vocabulary;
  model.maxTokens = config.size({"n_positions"}, kLongestByDefault);
  model.hidden = sizes.hidden;
  model.encode = [=](GraphBuilder &graph) { return encode(graph, sizes); };
  model.heads.wordEmbeddings = "shared.weight";
  return model;
}

} // namespace weft
