// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ALBERT (Lan et al. 2020, arXiv:1909.11942): narrow embeddings, and layers that share the weights of their group.
#include "frontends/hf/arch/PostNorm.h"

using namespace mlir;

namespace weft {

static constexpr PostNormNames kNames = {"attention.query", "attention.key",        "attention.value",
                                         "attention.dense", "attention.LayerNorm",  "ffn",
                                         "ffn_output",      "full_layer_layer_norm"};

/// Layers in a group run one after another each time that the group does.
struct AlbertGroups {
  int64_t groups;
  int64_t layersInGroup;
};

static Value encode(GraphBuilder &graph, const PostNormSizes &sizes, AlbertGroups sharing) {
  Value x = buildEmbeddings(graph, sizes, std::nullopt);
  x = graph.linear(x, "encoder.embedding_hidden_mapping_in", sizes.hidden);
  double layersPerGroup = static_cast<double>(sizes.layers) / static_cast<double>(sharing.groups);
  for (int64_t layer = 0; layer < sizes.layers; ++layer) {
    auto group = static_cast<int64_t>(static_cast<double>(layer) / layersPerGroup);
    std::string name = "encoder.albert_layer_groups." + std::to_string(group) + ".albert_layers.";
    for (int64_t inner = 0; inner < sharing.layersInGroup && !graph.failed(); ++inner)
      x = buildPostNormLayer(graph, sizes, kNames, name + std::to_string(inner), x);
  }
  return x;
}

EncoderModel readAlbert(Config &config) {
  PostNormSizes defaults;
  defaults.vocabulary = 30000;
  defaults.hidden = 4096;
  defaults.embedding = 128;
  defaults.heads = 64;
  defaults.intermediate = 16384;
  defaults.activationName = "gelu_new";
  PostNormSizes sizes = readPostNormSizes(config, defaults);
  AlbertGroups sharing{config.integer({"num_hidden_groups"}, 1, 1, kMaxLayers),
                       config.integer({"inner_group_num"}, 1, 1, kMaxLayers)};
  EncoderModel model;
  model.vocabulary = sizes.vocabulary;
  model.tokenTypes = sizes.tokenTypes;
  model.maxTokens = sizes.positions;
  model.hidden = sizes.hidden;
  model.encode = [=](GraphBuilder &graph) { return encode(graph, sizes, sharing); };
  model.heads.pooler = "pooler";
  model.heads.wordEmbeddings = "embeddings.word_embeddings.weight";
  model.heads.maskedLM = {"predictions.dense", sizes.embedding, sizes.activation, "predictions.LayerNorm",
                          sizes.epsilon};
  model.heads.decoder = "predictions.decoder.weight";
  model.heads.decoderBias = "predictions.bias";
  model.heads.decoderBiasAlias = "predictions.decoder.bias";
  model.heads.pooled = {"pooler", sizes.hidden, Activation::Tanh};
  return model;
}

} // namespace weft
