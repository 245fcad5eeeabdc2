// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Embeddings and layers that BERT and its kin share.
#include "frontends/hf/arch/PostNorm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <cmath>

using namespace mlir;

namespace weft {

void refuseDecoderOptions(Config &config) {
  for (const char *option : {"is_decoder", "add_cross_attention", "is_encoder_decoder"})
    if (config.flag(option, false))
      config.refuse("W0206", std::string(option) + " is true: the model is a decoder",
                    "this version compiles encoders; set it to false only if the model was trained as an encoder");
  if (std::string type = config.text("position_embedding_type", "absolute"); type != "absolute")
    config.refuse("W0206", "position_embedding_type is \"" + type + "\"", "the supported one is absolute");
}

PostNormSizes readPostNormSizes(Config &config, PostNormSizes sizes) {
  refuseDecoderOptions(config);
  bool hasEmbeddingSize = sizes.embedding != 0;
  sizes.vocabulary = config.size({"vocab_size"}, sizes.vocabulary);
  sizes.hidden = config.size({"hidden_size", "dim"}, sizes.hidden);
  sizes.embedding = hasEmbeddingSize ? config.size({"embedding_size"}, sizes.embedding) : sizes.hidden;
  sizes.layers = config.integer({"num_hidden_layers", "n_layers"}, sizes.layers, 1, kMaxLayers);
  sizes.heads = config.size({"num_attention_heads", "n_heads"}, sizes.heads);
  sizes.intermediate = config.size({"intermediate_size", "hidden_dim"}, sizes.intermediate);
  sizes.positions = config.size({"max_position_embeddings"}, sizes.positions);
  if (sizes.tokenTypes)
    sizes.tokenTypes = config.integer({"type_vocab_size"}, sizes.tokenTypes, 0, Config::kMaxSize);
  sizes.epsilon = config.number({"layer_norm_eps"}, sizes.epsilon);
  sizes.activation = config.activation(config.has("activation") ? "activation" : "hidden_act", sizes.activationName);
  if (sizes.hidden % sizes.heads != 0) {
    config.refuse("W0207",
                  "the hidden size " + std::to_string(sizes.hidden) + " is no multiple of the " +
                      std::to_string(sizes.heads) + " attention heads",
                  "correct hidden_size or num_attention_heads");
    sizes.heads = 1;
  }
  return sizes;
}

//===----------------------------------------------------------------------===//
// Positions
//===----------------------------------------------------------------------===//

/// 0, 1, 2, … in every row: [batch, sequence].
static Value countedPositions(GraphBuilder &graph) {
  Type i64 = graph.ops().getI64Type();
  return graph.map({graph.dim("batch"), graph.dim("sequence")}, i64, {}, {}, [&](OpBuilder &b, Location l, ValueRange) {
    return arith::IndexCastOp::create(b, l, i64, linalg::IndexOp::create(b, l, 1)).getResult();
  });
}

/// padId for pad tokens; for others padId + the number of tokens up to here that are no pads: [batch, sequence].
static Value positionsAfterPads(GraphBuilder &graph, int64_t padId) {
  OpBuilder &ops = graph.ops();
  Value ids = graph.input("input_ids");
  Value zeros = graph.fill(graph.sizes(ids), ops.getI64IntegerAttr(0));
  auto constant = [](OpBuilder &b, Location l, int64_t value) -> Value {
    return arith::ConstantOp::create(b, l, b.getI64IntegerAttr(value));
  };
  auto isToken = [&](OpBuilder &b, Location l, Value id) -> Value {
    return arith::CmpIOp::create(b, l, arith::CmpIPredicate::ne, id, constant(b, l, padId));
  };
  // (batch, i, j): how many j ≤ i hold a token.
  Value counts = graph.reduce(zeros, graph.dimsMap(3, {0, 1}), {ids}, {graph.dimsMap(3, {0, 2})},
                              [&](OpBuilder &b, Location l, ValueRange s) {
                                Value i = linalg::IndexOp::create(b, l, 1), j = linalg::IndexOp::create(b, l, 2);
                                Value before = arith::CmpIOp::create(b, l, arith::CmpIPredicate::sle, j, i);
                                Value counted = arith::AndIOp::create(b, l, before, isToken(b, l, s[0]));
                                Value one = arith::ExtUIOp::create(b, l, b.getI64Type(), counted);
                                return arith::AddIOp::create(b, l, s[1], one).getResult();
                              });
  return graph.map({ids, counts}, [&](OpBuilder &b, Location l, ValueRange s) {
    Value pad = constant(b, l, padId);
    Value position = arith::AddIOp::create(b, l, s[1], pad);
    return arith::SelectOp::create(b, l, isToken(b, l, s[0]), position, pad).getResult();
  });
}

//===----------------------------------------------------------------------===//
// Embeddings and layers
//===----------------------------------------------------------------------===//

Value buildEmbeddings(GraphBuilder &graph, const PostNormSizes &sizes, std::optional<int64_t> padId) {
  GraphBuilder::Scope scope(graph, "embeddings");
  auto rows = [&](Value ids, const char *table, int64_t count) {
    std::string name = std::string("embeddings.") + table;
    GraphBuilder::Scope tableScope(graph, name);
    return graph.embedding(ids, graph.parameter(name + ".weight", {count, sizes.embedding}));
  };
  Value sum = rows(graph.tokenIds("input_ids"), "word_embeddings", sizes.vocabulary);
  if (sizes.tokenTypes)
    sum = graph.add(sum, rows(graph.tokenIds("token_type_ids"), "token_type_embeddings", sizes.tokenTypes));
  Value positions = padId ? positionsAfterPads(graph, *padId) : countedPositions(graph);
  sum = graph.add(sum, rows(graph.mergeLeading(positions), "position_embeddings", sizes.positions));
  return graph.layerNorm(sum, "embeddings.LayerNorm", sizes.epsilon);
}

void nameRobertaHeads(EncoderModel &model, const PostNormSizes &sizes) {
  model.heads.pooler = "pooler.dense";
  model.heads.maskedLM = {"lm_head.dense", sizes.hidden, Activation::GeluErf, "lm_head.layer_norm", sizes.epsilon};
  model.heads.decoder = "lm_head.decoder.weight";
  model.heads.decoderBias = "lm_head.bias";
  model.heads.decoderBiasAlias = "lm_head.decoder.bias";
  model.heads.pooled = {"classifier.dense", sizes.hidden, Activation::Tanh};
  model.heads.sequenceClassifier = "classifier.out_proj";
}

Value buildPostNormLayer(GraphBuilder &graph, const PostNormSizes &sizes, const PostNormNames &names,
                         const std::string &layer, Value x, Value bias) {
  GraphBuilder::Scope scope(graph, layer);
  auto heads = [&](const char *name) {
    return graph.splitHeads(graph.linear(x, layer + "." + name, sizes.hidden), sizes.heads);
  };
  AttentionSpec spec;
  // "attention.self" of "attention.self.query".
  spec.name = layer + "." + llvm::StringRef(names.query).rsplit('.').first.str();
  spec.query = heads(names.query);
  spec.key = heads(names.key);
  spec.value = heads(names.value);
  spec.scale = 1.0 / std::sqrt(static_cast<double>(sizes.hidden / sizes.heads));
  spec.paddingMask = graph.input("attention_mask");
  spec.bias = bias;
  Value attended = graph.mergeHeads(graph.attention(spec));
  attended = graph.linear(attended, layer + "." + names.attentionOut, sizes.hidden);
  x = graph.layerNorm(graph.add(attended, x), layer + "." + names.attentionNorm, sizes.epsilon);

  Value up = graph.activate(graph.linear(x, layer + "." + names.up, sizes.intermediate), sizes.activation);
  Value down = graph.linear(up, layer + "." + names.down, sizes.hidden);
  return graph.layerNorm(graph.add(down, x), layer + "." + names.outputNorm, sizes.epsilon);
}

} // namespace weft
