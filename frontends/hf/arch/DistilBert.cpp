// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// DistilBERT (Sanh et al. 2019, arXiv:1910.01108): BERT without token types and pooler, under names of its own.
#include "frontends/hf/arch/PostNorm.h"

using namespace mlir;

namespace weft {

static constexpr PostNormNames kNames = {"attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin",
                                         "sa_layer_norm",   "ffn.lin1",        "ffn.lin2",        "output_layer_norm"};

static Value encode(GraphBuilder &graph, const PostNormSizes &sizes) {
  Value x = buildEmbeddings(graph, sizes, std::nullopt);
  for (int64_t layer = 0; layer < sizes.layers && !graph.failed(); ++layer)
    x = buildPostNormLayer(graph, sizes, kNames, "transformer.layer." + std::to_string(layer), x);
  return x;
}

EncoderModel readDistilBert(Config &config) {
  PostNormSizes defaults;
  defaults.layers = 6;
  defaults.tokenTypes = 0;
  PostNormSizes sizes = readPostNormSizes(config, defaults);
  sizes.epsilon = 1e-12; // the library fixes it, whatever the file says
  EncoderModel model;
  model.vocabulary = sizes.vocabulary;
  model.maxTokens = sizes.positions;
  model.hidden = sizes.hidden;
  model.encode = [=](GraphBuilder &graph) { return encode(graph, sizes); };
  model.heads.wordEmbeddings = "embeddings.word_embeddings.weight";
  model.heads.maskedLM = {"vocab_transform", sizes.hidden, sizes.activation, "vocab_layer_norm", sizes.epsilon};
  model.heads.decoder = "vocab_projector.weight";
  model.heads.decoderBias = "vocab_projector.bias";
  model.heads.pooled = {"pre_classifier", sizes.hidden, Activation::Relu};
  return model;
}

} // namespace weft
