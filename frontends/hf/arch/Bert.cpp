// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// BERT (Devlin et al. 2019, arXiv:1810.04805), RoBERTa (Liu et al. 2019, arXiv:1907.11692), XLM-RoBERTa (Conneau et
// al. 2020, arXiv:1911.02116), CamemBERT (Martin et al. 2020, arXiv:1911.03894) and ELECTRA (Clark et al. 2020,
// arXiv:2003.10555): one skeleton. RoBERTa and its kin count positions from the pad token's id; ELECTRA's embeddings
// may be narrower than its layers.
#include "frontends/hf/arch/PostNorm.h"

using namespace mlir;

namespace weft {
namespace {

constexpr PostNormNames kNames = {
    "attention.self.query",       "attention.self.key", "attention.self.value", "attention.output.dense",
    "attention.output.LayerNorm", "intermediate.dense", "output.dense",         "output.LayerNorm"};

Value encode(GraphBuilder &graph, const PostNormSizes &sizes, std::optional<int64_t> padId) {
  Value x = buildEmbeddings(graph, sizes, padId);
  if (sizes.embedding != sizes.hidden)
    x = graph.linear(x, "embeddings_project", sizes.hidden);
  for (int64_t layer = 0; layer < sizes.layers && !graph.failed(); ++layer)
    x = buildPostNormLayer(graph, sizes, kNames, "encoder.layer." + std::to_string(layer), x);
  return x;
}

EncoderModel describe(const PostNormSizes &sizes, std::optional<int64_t> padId) {
  EncoderModel model;
  model.vocabulary = sizes.vocabulary;
  model.tokenTypes = sizes.tokenTypes;
  model.maxTokens = padId ? sizes.positions - *padId - 1 : sizes.positions;
  model.hidden = sizes.hidden;
  model.encode = [=](GraphBuilder &graph) { return encode(graph, sizes, padId); };
  model.heads.wordEmbeddings = "embeddings.word_embeddings.weight";
  return model;
}

EncoderModel describeRoberta(Config &config, PostNormSizes defaults) {
  PostNormSizes sizes = readPostNormSizes(config, std::move(defaults));
  int64_t padId = config.integer({"pad_token_id"}, 1, 0, sizes.vocabulary - 1);
  if (padId + 1 >= sizes.positions)
    config.refuse("W0207",
                  "positions count from pad_token_id + 1 = " + std::to_string(padId + 1) + ", but there are only " +
                      std::to_string(sizes.positions) + " of them",
                  "correct pad_token_id or max_position_embeddings");
  EncoderModel model = describe(sizes, padId);
  nameRobertaHeads(model, sizes);
  return model;
}

} // namespace

EncoderModel readBert(Config &config) {
  PostNormSizes sizes = readPostNormSizes(config, {});
  EncoderModel model = describe(sizes, std::nullopt);
  model.heads.pooler = "pooler.dense";
  model.heads.maskedLM = {"cls.predictions.transform.dense", sizes.hidden, sizes.activation,
                          "cls.predictions.transform.LayerNorm", sizes.epsilon};
  model.heads.decoder = "cls.predictions.decoder.weight";
  model.heads.decoderBias = "cls.predictions.bias";
  model.heads.decoderBiasAlias = "cls.predictions.decoder.bias";
  model.heads.pooled = {"pooler.dense", sizes.hidden, Activation::Tanh};
  return model;
}

EncoderModel readRoberta(Config &config) {
  PostNormSizes defaults;
  defaults.vocabulary = 50265;
  return describeRoberta(config, defaults);
}

EncoderModel readXlmRoberta(Config &config) { return describeRoberta(config, {}); }

EncoderModel readElectra(Config &config) {
  PostNormSizes defaults;
  defaults.embedding = 128;
  defaults.hidden = 256;
  defaults.heads = 4;
  defaults.intermediate = 1024;
  PostNormSizes sizes = readPostNormSizes(config, std::move(defaults));
  EncoderModel model = describe(sizes, std::nullopt);
  model.heads.maskedLM = {"generator_predictions.dense", sizes.embedding, Activation::GeluErf,
                          "generator_predictions.LayerNorm", sizes.epsilon};
  model.heads.decoder = "generator_lm_head.weight";
  model.heads.decoderBias = "generator_lm_head.bias";
  model.heads.pooled = {"classifier.dense", sizes.hidden, Activation::GeluErf};
  model.heads.sequenceClassifier = "classifier.out_proj";
  model.heads.discriminator = {"discriminator_predictions.dense", sizes.hidden, sizes.activation};
  model.heads.replacedTokens = "discriminator_predictions.dense_prediction";
  return model;
}

} // namespace weft
