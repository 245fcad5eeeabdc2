// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mixture of attention heads (Zhang et al. 2022, arXiv:2210.05144) as JetMoE has it: an expert is what makes queries
// and what makes the result; keys and values are those of all.
#ifndef WEFT_FRONTENDS_BUILDER_MIXTUREOFATTENTION_H
#define WEFT_FRONTENDS_BUILDER_MIXTUREOFATTENTION_H

#include "frontends/builder/Mixers.h"
#include "frontends/builder/MixtureOfExperts.h"

namespace weft {

/// Each of a token's experts has a head for each head of the keys.
struct MixtureOfAttention {
  CausalAttention attention; ///< its heads are keyHeads · top; `name`.kv_proj.weight gives keys and then values
  RouteSpec route;
  StackedWeight query;  ///< [keyHeads · width, hidden] each
  StackedWeight result; ///< [hidden, keyHeads · width] each
  std::string bias;     ///< parameter [hidden], of the sum

  /// x [tokens, hidden] → the same; `positions` are those of buildPositions.
  mlir::Value build(GraphBuilder &graph, mlir::Value x, mlir::Value positions) const;
};

} // namespace weft

#endif // WEFT_FRONTENDS_BUILDER_MIXTUREOFATTENTION_H
