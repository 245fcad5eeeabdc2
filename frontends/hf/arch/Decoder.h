// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decoders whose layers all are attention and an MLP, as data: sizes, names, norms and where they stand.
#ifndef WEFT_FRONTENDS_HF_ARCH_DECODER_H
#define WEFT_FRONTENDS_HF_ARCH_DECODER_H

#include "frontends/hf/arch/Hybrid.h"

namespace weft {

/// The norms of a layer, by their names in it; empty: there is none. `afterAttention` and `afterMlp` norm what is
/// added.
struct DecoderNorms {
  std::string beforeAttention = "input_layernorm", afterAttention = {};
  std::string beforeMlp = "post_attention_layernorm", afterMlp = {};
  NormKind kind = NormKind::Rms;
  bool ofSums = false; ///< `afterAttention` and `afterMlp` norm the sums instead
};

struct Decoder {
  HybridSizes sizes;
  CausalAttention attention; ///< of every layer; its name in one, such as "self_attn"
  MlpSpec mlp;               ///< of every layer, with the names in one
  DecoderNorms norms = {};
  bool isParallel = false;   ///< attention and MLP read the same x; without a `beforeMlp` what the norm of both gives
  double residualFactor = 1; ///< of what is added
  /// What is a layer's own.
  std::function<void(int64_t layer, CausalAttention &attention)> own = {};
  std::string table = "embed_tokens", finalNorm = "norm";
  std::string layers = "layers"; ///< what the layers are called
  double embeddingFactor = 1;
  int64_t tableWidth = 0, outWidth = 0;      ///< see HybridModel
  std::vector<Part> before = {}, after = {}; ///< see HybridModel
  bool textsEnd = false;                     ///< no text is longer than `sizes.longest`
};

/// Sizes, rotary attention `self_attn` with the biases of `attention_bias`, and the gated MLP `mlp`: what Llama and its
/// kin have. A reader sets the defaults of its class in `sizes` and changes what is its own.
Decoder readDecoder(Config &config, HybridSizes sizes, double theta = 10000, double share = 1);

/// Sets how heads turn, by rope_parameters or its older names, scaled or not.
void readTurns(Config &config, Decoder &decoder, double theta = 10000, double share = 1);

CausalModel describeDecoder(Config &config, const Decoder &decoder, bool tiedByDefault = false);

/// For each layer whether it slides: by `layer_types`, or by its number.
std::vector<bool> readSlidingLayers(Config &config, int64_t layers, llvm::function_ref<bool(int64_t)> byNumber);

} // namespace weft

#endif // WEFT_FRONTENDS_HF_ARCH_DECODER_H
