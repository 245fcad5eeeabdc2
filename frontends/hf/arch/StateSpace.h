// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What state-space models share: layers x + mixer(norm(x)) between embeddings and a last norm, and mixers that project,
// convolve over time, scan, gate and project back.
#ifndef WEFT_FRONTENDS_HF_ARCH_STATESPACE_H
#define WEFT_FRONTENDS_HF_ARCH_STATESPACE_H

#include "frontends/hf/arch/Architectures.h"

namespace weft {

/// Sizes of a state-space model; the values here are the defaults of MambaConfig.
struct StateSpaceSizes {
  int64_t vocabulary = 50280;
  int64_t hidden = 768;
  int64_t inner = 1536; ///< expand · hidden
  int64_t layers = 32;
  int64_t state = 16;
  int64_t taps = 4; ///< of the convolution
  double epsilon = 1e-5;
  bool bias = false; ///< of the projections in and out
  bool convBias = true;
  Activation activation = Activation::Silu; ///< after the convolution

  /// The convolution of the mixer `name`, with its state.
  CausalConvSpec convolution(const std::string &name, mlir::Value x, mlir::Value starts) const;
};

/// The sizes of config.json; `defaults` holds what the file may leave out.
StateSpaceSizes readStateSpaceSizes(Config &config, StateSpaceSizes defaults);

/// A layer's part that differs: x [tokens, hidden] → [tokens, hidden].
using Mixer = std::function<mlir::Value(GraphBuilder &, const std::string &name, mlir::Value x, mlir::Value starts)>;

/// The model of such layers. `scanState` is the shape of a layer's scan, after the batch.
CausalModel describeStateSpace(const StateSpaceSizes &sizes, int64_t channels, const std::vector<int64_t> &scanState,
                               Mixer mixer);

/// Where the mixer `name` keeps the last inputs of its convolution, and its scan.
inline std::string convState(const std::string &name) { return name + ".conv_state"; }
inline std::string scanState(const std::string &name) { return name + ".ssm_state"; }

/// The states of the mixer `name`: the last inputs of a convolution of so many channels, and a scan's of this shape
/// after the batch.
std::vector<StateSpec> stateSpaceStates(const StateSpaceSizes &sizes, const std::string &name, int64_t channels,
                                        std::vector<int64_t> scanShape);

/// S = exp(Δ · A) · S + Δ · B · x;  y = (C · S + D · x) · silu(z), of the inputs x, Δ, A, B, C, D and z in this order;
/// without a gate, z and its factor are absent.
void describeSelectiveScan(RecurrenceSpec &spec, bool gated = true);

/// −e^x of a parameter that holds logarithms of rates: of all its elements, [n] or, transposed, [e, n] → [n, e].
mlir::Value buildRates(GraphBuilder &graph, mlir::Value logarithms);

} // namespace weft

#endif // WEFT_FRONTENDS_HF_ARCH_STATESPACE_H
