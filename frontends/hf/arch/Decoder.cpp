// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontends/hf/arch/Decoder.h"

#include "frontends/hf/RotaryFields.h"
#include "frontends/hf/arch/PostNorm.h"

namespace weft {

Decoder readDecoder(Config &config, HybridSizes sizes, double theta, double share) {
  readHybridSizes(config, sizes);
  Decoder decoder;
  decoder.attention = attentionOf(sizes, "self_attn");
  RotaryFields fields =
      readRotaryFields(config, sizes.width, {.share = share, .theta = theta, .takesYarn = true, .takesScaling = true});
  decoder.attention.theta = fields.theta;
  decoder.attention.rotary = fields.dims;
  decoder.attention.frequencies = std::move(fields.frequencies);
  decoder.attention.turnScale = fields.turnScale;
  if (fields.longest > 0)
    sizes.longest = std::min(sizes.longest, fields.longest);
  decoder.attention.bias = decoder.attention.outBias = config.flag("attention_bias", false);
  decoder.mlp = {"mlp.gate_proj", "mlp.up_proj", "mlp.down_proj", sizes.intermediate, sizes.hidden, sizes.activation};
  decoder.mlp.bias = config.flag("mlp_bias", false);
  decoder.sizes = sizes;
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
  std::string layer = "layers." + std::to_string(index);
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
  for (int64_t index = 0; index < decoder.sizes.layers; ++index)
    model.layers.push_back(layerOf(decoder, index));
  CausalModel described = describeHybrid(decoder.sizes, std::move(model));
  described.tied = config.flag("tie_word_embeddings", tiedByDefault);
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
