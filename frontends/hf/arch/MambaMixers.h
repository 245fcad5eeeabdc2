// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The mixers of Mamba and of Mamba-2, of which other models are made too.
#ifndef WEFT_FRONTENDS_HF_ARCH_MAMBAMIXERS_H
#define WEFT_FRONTENDS_HF_ARCH_MAMBAMIXERS_H

#include "frontends/hf/arch/StateSpace.h"

#include <limits>

namespace weft {

struct MambaSizes : StateSpaceSizes {
  int64_t rank = 48;                       ///< of the projection of the time step
  std::optional<double> innerEpsilon = {}; ///< of the norms of B, C and the time step; none: no norms
  bool innerScales = false;                ///< these norms have weights: `name`.{dt,b,c}_layernorm.weight
};

/// x [tokens, hidden] → [tokens, hidden], with the parameters `name`.{in_proj, conv1d, x_proj, dt_proj, A_log, D,
/// out_proj}.
mlir::Value buildMamba(GraphBuilder &graph, const MambaSizes &sizes, const std::string &name, mlir::Value x,
                       mlir::Value starts);
std::vector<StateSpec> mambaStates(const MambaSizes &sizes, const std::string &name);

/// What follows the scan of Mamba-2.
enum class ScanGate {
  BeforeNorm, ///< norm(y · silu(z))
  AfterNorm,  ///< norm(y) · silu(z)
  NoNorm      ///< y · silu(z)
};

struct Mamba2Sizes : StateSpaceSizes {
  int64_t heads = 128, headDim = 64, groups = 8;
  double leastStep = 0.0, greatestStep = std::numeric_limits<double>::infinity();
  ScanGate gate = ScanGate::BeforeNorm;
  std::optional<bool> outBias = {}; ///< of the projection out, where it is not `bias`
  double inFactor = 1.0;            ///< of what comes in
  /// Of the parts of the projection in: z, x, B, C and the time step.
  std::vector<double> partFactors = {1, 1, 1, 1, 1};

  /// Channels of B and of C, and of all that is convolved.
  int64_t selection() const { return groups * state; }
  int64_t convolved() const { return inner + 2 * selection(); }
};

/// The same, with the parameters `name`.{in_proj, conv1d, dt_bias, A_log, D, norm, out_proj}.
mlir::Value buildMamba2(GraphBuilder &graph, const Mamba2Sizes &sizes, const std::string &name, mlir::Value x,
                        mlir::Value starts);
std::vector<StateSpec> mamba2States(const Mamba2Sizes &sizes, const std::string &name);
/// What config.json calls these sizes.
struct Mamba2Keys {
  const char *heads, *headDim, *groups, *inner;
};
/// Refuses heads that do not make up the width, and groups that do not divide the heads.
void checkMamba2(Config &config, const Mamba2Sizes &sizes, const Mamba2Keys &keys);

} // namespace weft

#endif // WEFT_FRONTENDS_HF_ARCH_MAMBAMIXERS_H
