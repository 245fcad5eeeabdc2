// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ModernBERT (Warner et al. 2024, arXiv:2412.13663): pre-norm layers without biases, rotary positions (Su et al. 2021,
// arXiv:2104.09864), gated MLP, and layers that see the whole text in turn with layers that see a window.
#include "frontends/builder/Rotary.h"
#include "frontends/hf/arch/PostNorm.h"

#include <cmath>

using namespace mlir;

namespace weft {
namespace {

struct ModernBertSizes {
  int64_t vocabulary, hidden, layers, heads, intermediate, maxTokens;
  int64_t reach;           ///< of local layers, each way, ends included
  std::vector<bool> local; ///< by layer
  double globalTheta, localTheta;
  double epsilon;
  bool normBias, attentionBias, mlpBias;
  Activation activation;

  int64_t headDim() const { return hidden / heads; }
};

Value attend(GraphBuilder &graph, const ModernBertSizes &sizes, const std::string &name, Value x, Rotation rotation,
             bool local) {
  GraphBuilder::Scope scope(graph, name);
  Value fused = graph.linear(x, name + ".Wqkv", 3 * sizes.hidden, sizes.attentionBias);
  auto part = [&](int64_t index) {
    return graph.splitHeads(graph.lastSlice(fused, index * sizes.hidden, sizes.hidden), sizes.heads);
  };
  AttentionSpec spec;
  spec.name = name;
  spec.query = rotate(graph, part(0), rotation);
  spec.key = rotate(graph, part(1), rotation);
  spec.value = part(2);
  spec.scale = 1.0 / std::sqrt(static_cast<double>(sizes.headDim()));
  spec.paddingMask = graph.input("attention_mask");
  if (local)
    spec.reach = sizes.reach;
  return graph.linear(graph.mergeHeads(graph.attention(spec)), name + ".Wo", sizes.hidden, sizes.attentionBias);
}

Value encode(GraphBuilder &graph, const ModernBertSizes &sizes) {
  auto norm = [&](Value x, const std::string &name) { return graph.layerNorm(x, name, sizes.epsilon, sizes.normBias); };
  Value table = graph.parameter("embeddings.tok_embeddings.weight", {sizes.vocabulary, sizes.hidden});
  Value x = norm(graph.embedding(graph.tokenIds("input_ids"), table), "embeddings.norm");
  if (graph.failed()) // before tables are made of a width that no weight confirms
    return x;
  Rotation global = buildRotation(graph, sizes.globalTheta, sizes.headDim());
  Rotation local = buildRotation(graph, sizes.localTheta, sizes.headDim());
  for (int64_t index = 0; index < sizes.layers && !graph.failed(); ++index) {
    std::string layer = "layers." + std::to_string(index);
    GraphBuilder::Scope scope(graph, layer);
    bool isLocal = sizes.local[index];
    // The embeddings' norm serves the first layer too.
    Value normed = index == 0 ? x : norm(x, layer + ".attn_norm");
    x = graph.add(x, attend(graph, sizes, layer + ".attn", normed, isLocal ? local : global, isLocal));
    Value wide = graph.linear(norm(x, layer + ".mlp_norm"), layer + ".mlp.Wi", 2 * sizes.intermediate, sizes.mlpBias);
    x = graph.add(x, graph.linear(graph.gated(wide, sizes.activation), layer + ".mlp.Wo", sizes.hidden, sizes.mlpBias));
  }
  return norm(x, "final_norm");
}

/// Which layers are local: by `layer_types`, or all but every n-th.
std::vector<bool> readLayerTypes(Config &config, int64_t layers) {
  int64_t every = config.integer({"global_attn_every_n_layers"}, 3, 1, Config::kMaxSize);
  std::vector<bool> local;
  local.reserve(layers);
  for (int64_t layer = 0; layer < layers; ++layer)
    local.push_back(layer % every != 0);
  std::optional<std::vector<std::string>> types = config.layerTypes(layers);
  if (!types)
    return local;
  for (int64_t layer = 0; layer < layers && !config.failed(); ++layer) {
    local[layer] = (*types)[layer] == "sliding_attention";
    if (!local[layer] && (*types)[layer] != "full_attention")
      config.refuse("W0206", "layer_types holds \"" + (*types)[layer] + "\"",
                    "the known ones are full_attention and sliding_attention");
  }
  return local;
}

/// The base of the rotation: in `rope_parameters` by layer type, or in an older field of its own.
double readTheta(Config &config, const char *layerType, const char *oldKey, double byDefault) {
  double theta = config.number({oldKey}, byDefault);
  Config all = config.child("rope_parameters");
  Config mine = all.child(layerType);
  theta = mine.number({"rope_theta"}, theta);
  std::string type = mine.text("rope_type", "default");
  for (Config *section : {&all, &mine})
    if (section->failed())
      config.fail(section->takeError());
  if (type != "default" || config.has("rope_scaling"))
    config.refuse("W0206", "the rotary positions are scaled", "the supported rope_type is default, without scaling");
  if (theta < 1.0)
    config.refuse("W0203", "the base of the rotary positions is below 1", "correct rope_theta");
  return theta;
}

ModernBertSizes readSizes(Config &config) {
  ModernBertSizes sizes;
  sizes.vocabulary = config.size({"vocab_size"}, 50368);
  sizes.hidden = config.size({"hidden_size"}, 768);
  sizes.layers = config.integer({"num_hidden_layers"}, 22, 1, kMaxLayers);
  sizes.heads = config.size({"num_attention_heads"}, 12);
  sizes.intermediate = config.size({"intermediate_size"}, 1152);
  sizes.maxTokens = config.size({"max_position_embeddings"}, 8192);
  sizes.reach = config.integer({"local_attention"}, 128, 0, Config::kMaxSize) / 2;
  sizes.local = readLayerTypes(config, sizes.layers);
  sizes.globalTheta = readTheta(config, "full_attention", "global_rope_theta", 160000.0);
  sizes.localTheta = readTheta(config, "sliding_attention", "local_rope_theta", 10000.0);
  sizes.epsilon = config.number({"norm_eps"}, 1e-5);
  sizes.normBias = config.flag("norm_bias", false);
  sizes.attentionBias = config.flag("attention_bias", false);
  sizes.mlpBias = config.flag("mlp_bias", false);
  sizes.activation = config.activation("hidden_activation", "gelu");
  if (sizes.hidden % sizes.heads != 0 || sizes.hidden / sizes.heads % 2 != 0) {
    config.refuse("W0207",
                  "the hidden size " + std::to_string(sizes.hidden) + " does not give an even width to each of the " +
                      std::to_string(sizes.heads) + " attention heads",
                  "correct hidden_size or num_attention_heads");
    sizes.heads = 1;
  }
  return sizes;
}

} // namespace

EncoderModel readModernBert(Config &config) {
  refuseDecoderOptions(config);
  ModernBertSizes sizes = readSizes(config);
  std::string pooling = config.text("classifier_pooling", "cls");
  if (pooling != "cls" && pooling != "mean")
    config.refuse("W0206", "classifier_pooling is \"" + pooling + "\"", "the known ones are cls and mean");
  EncoderModel model;
  model.vocabulary = sizes.vocabulary;
  model.maxTokens = sizes.maxTokens;
  model.hidden = sizes.hidden;
  model.encode = [=](GraphBuilder &graph) { return encode(graph, sizes); };
  Transform head = {"head.dense", sizes.hidden, config.activation("classifier_activation", "gelu"), "head.norm",
                    sizes.epsilon};
  head.denseBias = config.flag("classifier_bias", false);
  head.normBias = sizes.normBias;
  model.heads.maskedLM = model.heads.pooled = model.heads.perToken = head;
  model.heads.wordEmbeddings = "embeddings.tok_embeddings.weight";
  model.heads.decoder = "decoder.weight";
  model.heads.decoderBias = config.flag("decoder_bias", true) ? "decoder.bias" : "";
  model.heads.meanPooled = pooling == "mean";
  model.heads.answers = "classifier";
  return model;
}

} // namespace weft
