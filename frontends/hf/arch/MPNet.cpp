// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MPNet (Song et al. 2020, arXiv:2004.09297): BERT with RoBERTa's positions and, added to all scores, a bias for each
// head that depends on the distance between query and key (T5's buckets, Raffel et al. 2020, arXiv:1910.10683).
#include "frontends/builder/RelativeBias.h"
#include "frontends/hf/arch/PostNorm.h"

using namespace mlir;

namespace weft {
namespace {

constexpr PostNormNames kNames = {"attention.attn.q",    "attention.attn.k",   "attention.attn.v", "attention.attn.o",
                                  "attention.LayerNorm", "intermediate.dense", "output.dense",     "output.LayerNorm"};

/// The pad token that positions count from is fixed in the library, whatever the file says.
constexpr int64_t kPadId = 1;

/// The library's code fixes them, whatever the file says.
constexpr RelativeBuckets kBuckets;

Value encode(GraphBuilder &graph, const PostNormSizes &sizes) {
  Value x = buildEmbeddings(graph, sizes, kPadId);
  Value bias = buildRelativeBias(graph, "encoder.relative_attention_bias", kBuckets, sizes.heads);
  for (int64_t layer = 0; layer < sizes.layers && !graph.failed(); ++layer)
    x = buildPostNormLayer(graph, sizes, kNames, "encoder.layer." + std::to_string(layer), x, bias);
  return x;
}

} // namespace

EncoderModel readMPNet(Config &config) {
  PostNormSizes defaults;
  defaults.vocabulary = 30527;
  defaults.tokenTypes = 0;
  PostNormSizes sizes = readPostNormSizes(config, defaults);
  config.integer({"relative_attention_num_buckets"}, kBuckets.count, kBuckets.count, kBuckets.count);
  if (sizes.positions < kPadId + 2)
    config.refuse("W0207", "max_position_embeddings leaves no position, because the first is number 2",
                  "correct max_position_embeddings");
  EncoderModel model;
  model.vocabulary = sizes.vocabulary;
  model.maxTokens = sizes.positions - kPadId - 1;
  model.hidden = sizes.hidden;
  model.encode = [=](GraphBuilder &graph) { return encode(graph, sizes); };
  model.heads.wordEmbeddings = "embeddings.word_embeddings.weight";
  nameRobertaHeads(model, sizes);
  return model;
}

} // namespace weft
