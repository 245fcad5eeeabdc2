// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Multi-head latent attention of DeepSeek-V2 (2024, arXiv:2405.04434): keys and values of all heads are products of one
// vector a token, the latent, so that a session keeps the latent and one key that turns.
#ifndef WEFT_FRONTENDS_BUILDER_LATENTATTENTION_H
#define WEFT_FRONTENDS_BUILDER_LATENTATTENTION_H

#include "frontends/builder/GraphBuilder.h"

namespace weft {

/// An entry with the state keeps [latent, turned key] of each position, [batch, context, 1, latent + turned], and
/// attends to these: what makes keys of a latent is multiplied to the queries, and what makes values to the result. An
/// entry without it makes keys and values of the tokens of the call. Parameters: `name`.{q_proj.weight [heads · (plain
/// + turned), hidden], or with a rank q_a_proj.weight [rank, hidden], q_a_layernorm.weight [rank] and q_b_proj.weight;
/// kv_a_proj_with_mqa.weight [latent + turned, hidden], kv_a_layernorm.weight [latent], kv_b_proj.weight [heads ·
/// (plain
/// + values), latent], o_proj.weight [hidden, heads · values]}, and biases.
struct LatentAttention {
  std::string name;
  int64_t hidden = 0, heads = 1;
  int64_t queryRank = 0;         ///< 0: queries are one product
  int64_t latent = 0;            ///< channels of the latent
  int64_t plain = 0, turned = 0; ///< channels of a head's query and key that do not turn, and that do
  int64_t values = 0;            ///< channels of a head's value
  double scale = 0;              ///< of the scores; 0: 1 / √(plain + turned)
  double theta = 10000;
  std::vector<float> frequencies = {}; ///< turned / 2, by which they turn in a step; empty: those of theta
  double turnScale = 1;                ///< of the channels that turn
  bool neighbours = true;              ///< pairs that turn are neighbours, rather than half of the channels apart
  bool bias = false;                   ///< of q_a_proj, kv_a_proj_with_mqa and o_proj
  double epsilon = 1e-6;               ///< of both norms

  std::vector<StateSpec> states() const;
  /// x [tokens, hidden] → the same; `positions` are those of buildPositions.
  mlir::Value build(GraphBuilder &graph, mlir::Value x, mlir::Value positions) const;
};

} // namespace weft

#endif // WEFT_FRONTENDS_BUILDER_LATENTATTENTION_H
