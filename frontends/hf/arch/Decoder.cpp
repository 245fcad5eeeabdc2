// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontends/hf/arch/Decoder.h"

#include "frontends/hf/RotaryFields.h"
#include "frontends/hf/arch/PostNorm.h"

namespace weft {

void readTurns(Config &config, Decoder &decoder, double theta, double share) {
  RotaryFields fields = readRotaryFields(config, decoder.attention.width,
                                         {.share = share, .theta = theta, .takesYarn = true, .takesScaling = true});
  decoder.attention.theta = fields.theta;
  decoder.attention.rotary = fields.dims;
  decoder.attention.frequencies = std::move(fields.frequencies);
  decoder.attention.turnScale = fields.turnScale;
  if (fields.longest > 0)
    decoder.sizes.longest = std::min(decoder.sizes.longest, fields.longest);
}

Decoder readDecoder(Config &config, HybridSizes sizes, double theta, double share) {
  readHybridSizes(config, sizes);
  Decoder decoder;
  decoder.sizes = sizes;
  decoder.attention = attentionOf(sizes, "self_attn");
  readTurns(config, decoder, theta, share);
  decoder.attention.bias = decoder.attention.outBias = config.flag("attention_bias", false);
  decoder.mlp = {"mlp.gate_proj", "mlp.up_proj", "mlp.down_proj", sizes.intermediate, sizes.hidden, sizes.activation};
  decoder.mlp.bias = config.flag("mlp_bias", false);
  return decoder;
}

/// part, between the norms that it has.
static Part between(const Decoder &decoder, const std::string &layer, const std::string &before, Part part,
                    const std::string &after) {
  std::vector<Part> parts;
  auto norm = [&](const std::string &name) {
    if (!name.empty())
      parts.push_back(normPart(layer + "." + name, decoder.sizes.epsilon, decoder.norms.kind));
  };
  norm(before);
  parts.push_back(std::move(part));
  norm(after);
  return inTurn(std::move(parts));
}

static Part layerOf(const Decoder &decoder, int64_t index) {
  std::string layer = decoder.layers + "." + std::to_string(index);
  CausalAttention attention = decoder.attention;
  attention.name = layer + "." + attention.name;
  if (decoder.own)
    decoder.own(index, attention);
  MlpSpec mlp = decoder.mlp;
  for (std::string *name : {&mlp.gate, &mlp.up, &mlp.down, &mlp.gateUp})
    if (!name->empty())
      *name = layer + "." + *name;
  const DecoderNorms &norms = decoder.norms;
  if (decoder.isParallel && norms.beforeMlp.empty())
    return added(between(decoder, layer, norms.beforeAttention, sumOf({attentionPart(attention), mlpPart(mlp)}), ""));
  if (norms.ofSums)
    return inTurn({between(decoder, layer, "", added(attentionPart(attention)), norms.afterAttention),
                   between(decoder, layer, "", added(mlpPart(mlp)), norms.afterMlp)});
  Part first = between(decoder, layer, norms.beforeAttention, attentionPart(attention), norms.afterAttention);
  Part second = between(decoder, layer, norms.beforeMlp, mlpPart(mlp), norms.afterMlp);
  if (decoder.isParallel)
    return added(sumOf({std::move(first), std::move(second)}));
  return inTurn({added(std::move(first), decoder.residualFactor), added(std::move(second), decoder.residualFactor)});
}

CausalModel describeDecoder(Config &config, const Decoder &decoder, bool tiedByDefault) {
  HybridModel model;
  model.table = decoder.table;
  model.finalNorm = decoder.finalNorm;
  model.finalNormKind = decoder.norms.kind;
  model.embeddingFactor = decoder.embeddingFactor;
  model.tableWidth = decoder.tableWidth;
  model.outWidth = decoder.outWidth;
  model.before = decoder.before;
  model.after = decoder.after;
  for (int64_t index = 0; index < decoder.sizes.layers; ++index)
    model.layers.push_back(layerOf(decoder, index));
  CausalModel described = describeHybrid(decoder.sizes, std::move(model));
  described.tied = config.flag("tie_word_embeddings", tiedByDefault);
  if (decoder.textsEnd)
    described.longestText = decoder.sizes.longest;
  return described;
}

std::vector<bool> readSlidingLayers(Config &config, int64_t layers, llvm::function_ref<bool(int64_t)> byNumber) {
  std::optional<std::vector<std::string>> types = config.layerTypes(layers);
  std::vector<bool> slides(layers);
  for (int64_t layer = 0; layer < layers && !config.failed(); ++layer) {
    slides[layer] = types ? (*types)[layer] == "sliding_attention" : byNumber(layer);
    if (types && !slides[layer] && (*types)[layer] != "full_attention")
      config.refuse("W0206", "layer_types holds \"" + (*types)[layer] + "\"",
                    "the known ones are full_attention and sliding_attention");
  }
  return slides;
}

} // namespace weft
