// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What BERT and its kin share: summed embeddings, and layers that normalise after each residual sum
// (Devlin et al. 2019, arXiv:1810.04805). Members of the family differ in sizes, names and positions.
#ifndef WEFT_FRONTENDS_HF_ARCH_POSTNORM_H
#define WEFT_FRONTENDS_HF_ARCH_POSTNORM_H

#include "frontends/hf/arch/Architectures.h"

namespace weft {

/// Sizes of a post-norm encoder; the values here are the defaults of BertConfig.
struct PostNormSizes {
  int64_t vocabulary = 30522;
  int64_t hidden = 768;
  int64_t embedding = 0; ///< width of the embeddings; 0: hidden, whatever the file says
  int64_t layers = 12;
  int64_t heads = 12;
  int64_t intermediate = 3072;
  int64_t positions = 512;
  int64_t tokenTypes = 2; ///< 0: the architecture has none
  double epsilon = 1e-12;
  std::string activationName = "gelu";
  Activation activation = Activation::GeluErf;
};

/// The sizes of config.json, checked against each other; `defaults` holds what the file may leave out.
PostNormSizes readPostNormSizes(Config &config, PostNormSizes defaults);

/// Refuses what makes a decoder of a BERT, and positions other than absolute ones.
void refuseDecoderOptions(Config &config);

/// A bound far above every published depth: building costs time by layer.
constexpr int64_t kMaxLayers = 1024;

/// Where a layer keeps its weights, below the layer's own name.
struct PostNormNames {
  const char *query, *key, *value, *attentionOut, *attentionNorm, *up, *down, *outputNorm;
};

/// norm(word + type + position) [tokens, embedding]; positions count from 0, or as RoBERTa's from `padId`.
mlir::Value buildEmbeddings(GraphBuilder &graph, const PostNormSizes &sizes, std::optional<int64_t> padId);

/// Where RoBERTa and those after it keep the weights of their heads.
void nameRobertaHeads(EncoderModel &model, const PostNormSizes &sizes);

/// One layer: x [tokens, hidden] → [tokens, hidden]. `bias` [heads, i, j] is added to the scores where present.
mlir::Value buildPostNormLayer(GraphBuilder &graph, const PostNormSizes &sizes, const PostNormNames &names,
                               const std::string &layer, mlir::Value x, mlir::Value bias = {});

} // namespace weft

#endif // WEFT_FRONTENDS_HF_ARCH_POSTNORM_H
