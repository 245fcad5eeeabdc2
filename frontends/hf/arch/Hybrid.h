// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Models whose layers mix tokens in several ways: a list of parts, each a state-space mixer, attention or an MLP, on
// hidden states [tokens, hidden] between embeddings and a last norm.
#ifndef WEFT_FRONTENDS_HF_ARCH_HYBRID_H
#define WEFT_FRONTENDS_HF_ARCH_HYBRID_H

#include "frontends/builder/Mixers.h"
#include "frontends/hf/arch/MambaMixers.h"

namespace weft {

/// What the parts of a model share in a call.
struct HybridInputs {
  mlir::Value starts;     ///< [batch, sequence]: not 0 where a text starts; null: nowhere
  mlir::Value positions;  ///< [batch, sequence], of each token in its text
  mlir::Value embeddings; ///< [tokens, hidden], before the first layer
};

/// A part of a model, [tokens, n] → [tokens, m], and what it keeps of a text.
struct Part {
  std::function<mlir::Value(GraphBuilder &, mlir::Value x, const HybridInputs &)> build;
  std::vector<StateSpec> states = {};
};

Part mambaPart(const MambaSizes &sizes, const std::string &name);
Part mamba2Part(const Mamba2Sizes &sizes, const std::string &name);
Part attentionPart(const CausalAttention &layer);
/// One after the other.
Part inTurn(std::vector<Part> parts);
/// Root mean square norms, by weights or by 1 + weights; layer norms with a bias and without, with neither, and by 1 +
/// weights.
enum class NormKind { Rms, RmsFromOne, Layer, LayerWithoutBias, LayerWithoutWeight, LayerFromOne };
/// The norm `name`.weight alone.
Part normPart(const std::string &name, double epsilon, NormKind kind);
/// x + the rows of `table`.weight [rows, width], offset apart, that the tokens' positions name.
Part learnedPositionsPart(const std::string &table, int64_t rows, int64_t width, int64_t offset = 0);
/// x · `name`.weightᵀ.
Part linearPart(const std::string &name, int64_t width);
/// x + factor · part(x).
Part added(Part part, double factor = 1);
/// x + factor · part(norm(x)), with the weight `norm`.weight.
Part residual(const std::string &norm, double epsilon, Part part, double factor = 1, NormKind kind = NormKind::Rms);
Part scaledBy(double factor, Part part);
/// The sum of the parts' results.
Part sumOf(std::vector<Part> parts);

/// down(activation(gateFactor · gate(x)) · up(x)); without a gate, down(activation(up(x))).
struct MlpSpec {
  std::string gate, up, down; ///< modules
  int64_t width = 0, hidden = 0;
  Activation activation = Activation::Silu;
  bool squared = false; ///< the activation's square takes its place
  bool bias = false;
  double gateFactor = 1;
  std::string gateUp = {}; ///< gives both, the gate first; then `gate` and `up` are empty
  bool inByOut = false;    ///< the file holds the weights as [in, out]
};
Part mlpPart(const MlpSpec &spec);

/// Sizes that config.json gives under the same names for every hybrid; a reader sets the defaults of its class.
struct HybridSizes {
  int64_t vocabulary = 32000, hidden = 4096, intermediate = 14336, layers = 32;
  int64_t heads = 32, keyHeads = 8, width = 0; ///< of a head; 0: hidden / heads
  int64_t longest = 262144;                    ///< positions
  double epsilon = 1e-6;
  Activation activation = Activation::Silu;
  const char *epsilonField = "rms_norm_eps", *activationField = "hidden_act", *usualActivation = "silu";
};
void readHybridSizes(Config &config, HybridSizes &sizes);

/// Attention `name` of these sizes, without positions and biases.
CausalAttention attentionOf(const HybridSizes &sizes, const std::string &name);

/// Sets how heads turn, by rope_parameters or its older names. `share` of a head's channels turn where the file
/// does not say.
void readRotation(Config &config, CausalAttention &attention, double share = 1, double theta = 10000);

/// The names and numbers of mamba_d_state, mamba_n_heads and so on.
Mamba2Sizes readMamba2Sizes(Config &config, const HybridSizes &sizes, const Mamba2Sizes &defaults);

/// Names of what surrounds the layers, and the layers.
struct HybridModel {
  std::string table = "embed_tokens", finalNorm = "final_layernorm";
  NormKind finalNormKind = NormKind::Rms;
  double embeddingFactor = 1;
  int64_t tableWidth = 0; ///< of the embeddings; 0: hidden
  int64_t outWidth = 0;   ///< of what `after` gives; 0: hidden
  std::vector<Part> layers;
  std::vector<Part> before = {}, after = {}; ///< the layers; after the last norm
};
CausalModel describeHybrid(const HybridSizes &sizes, HybridModel model);

} // namespace weft

#endif // WEFT_FRONTENDS_HF_ARCH_HYBRID_H
