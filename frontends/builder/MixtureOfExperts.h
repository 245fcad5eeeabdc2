// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mixture of experts: a layer in three steps, which may lie far apart.
//
//   Routing routing = route.build(graph, x);                  // which experts each token goes to, with which weights
//   Groups groups = dispatch(graph, routing, route.experts);  // the tokens of each expert, one expert after the other
//   Value y = experts.build(graph, x, groups);                // their MLPs, and the weighted sums
//
// Hidden states are [tokens, hidden]. A route that is built from the hidden states of a layer before is Pre-gated MoE's
// (Hwang et al. 2023, arXiv:2308.12066).
#ifndef WEFT_FRONTENDS_BUILDER_MIXTUREOFEXPERTS_H
#define WEFT_FRONTENDS_BUILDER_MIXTUREOFEXPERTS_H

#include "frontends/builder/GraphBuilder.h"

namespace weft {

/// For each token its experts, [tokens, top] i32, and what each counts, [tokens, top] f32.
struct Routing {
  mlir::Value experts, weights;
};

/// The rows of all experts, those of expert e from offsets[e] to before offsets[e + 1].
struct Groups {
  mlir::Value tokens;  ///< [rows], i32: the token of each row; −1: none
  mlir::Value weights; ///< [rows], f32
  mlir::Value offsets; ///< [experts + 1], i32
};

/// What becomes of a token's scores before the highest are chosen.
enum class Scoring { None, Softmax, Sigmoid };

/// What becomes of the chosen scores: weights that sum to 1, by division or by a softmax of the chosen alone, or
/// SparseMixer's (Liu et al. 2024, arXiv:2409.12136) softmax of what is near each.
enum class WeightNorm { None, Sum, Softmax, SparseMixer };

/// Learned scores: x · weightᵀ + bias, of which each token takes the `top` highest.
struct RouteSpec {
  std::string weight;          ///< parameter [experts, hidden]
  std::string bias = {};       ///< parameter [experts], of the scores; empty: none
  std::string correction = {}; ///< parameter [experts], added where experts are chosen, not to their weights
  int64_t experts = 1, top = 1;
  Scoring scoring = Scoring::Softmax;
  WeightNorm norm = WeightNorm::None;
  double jitter = 0.01; ///< SparseMixer: how near is near
  double scale = 1;     ///< of the weights
  /// Experts are chosen among those of the `topGroups` groups of neighbours whose `groupRank` (1 or 2) highest scores
  /// have the greatest sum (DeepSeek-V2 and V3). 1: no groups.
  int64_t groups = 1, topGroups = 1, groupRank = 1;

  /// x · weightᵀ + bias: [tokens, experts].
  mlir::Value scores(GraphBuilder &graph, mlir::Value x) const;
  Routing build(GraphBuilder &graph, mlir::Value x) const;
  /// The experts choose (Zhou et al. 2022, arXiv:2202.09368): each takes its `capacity` best tokens, or all where there
  /// are fewer, by the scores as `scoring` leaves them.
  Groups buildExpertChoice(GraphBuilder &graph, mlir::Value x, int64_t capacity) const;
};

/// Experts that nothing learned: those with the highest of the numbers that SplitMix64 (Steele et al. 2014,
/// doi:10.1145/2660193.2660195) makes of the seed and the id's and the expert's number, each weighing 1 / top. `ids` is
/// [tokens] of integers from 0 below 2³¹: tokens' ids (hash layers: Roller et al. 2021, arXiv:2106.04426), or a count
/// of tokens, for uniformly random experts.
Routing buildHashRoute(GraphBuilder &graph, mlir::Value ids, int64_t experts, int64_t top, uint64_t seed = 0);

/// Sorts tokens by expert. An expert takes the first `capacity` tokens that are routed to it, or with 0 all of them.
Groups dispatch(GraphBuilder &graph, const Routing &routing, int64_t experts, int64_t capacity = 0);

/// The matrices of all experts as the files hold them, joined in row-major order.
struct StackedWeight {
  std::vector<std::string> sources = {}; ///< one tensor for each expert, or one that holds all; empty: no such weight
  std::vector<std::string> bias = {};    ///< likewise, [experts, out]; empty: none
  bool inByOut = false;                  ///< a matrix is [in, out], rather than [out, in]
};

/// The names before + expert + after, of every expert.
std::vector<std::string> expertNames(const std::string &before, int64_t experts, const std::string &after);

/// The parameter `name`, [experts, out, in].
mlir::Value stack(GraphBuilder &graph, const std::string &name, const StackedWeight &weight, int64_t experts,
                  int64_t out, int64_t in);

/// Each row by its group's matrix of `weight`, the parameter `name` of [experts, out, in]: [rows, out]. x is [rows,
/// in], or with `gathers` [tokens, in].
mlir::Value projectGroups(GraphBuilder &graph, mlir::Value x, const std::string &name, const StackedWeight &weight,
                          int64_t out, const Groups &groups, bool gathers);

/// `into` [tokens, n], or zeros, and the weighted rows [rows, n] of each of its tokens.
mlir::Value combineGroups(GraphBuilder &graph, mlir::Value rows, const Groups &groups, mlir::Value into);

/// How a product holds gates and ups that share a weight: first all gates, or in turn.
enum class GateUp { Halves, Pairs };

/// Of each expert down(activation(gate(x)) · up(x)); without gates, down(activation(up(x))).
struct ExpertsSpec {
  std::string name; ///< of the layer, for locations and parameters
  int64_t experts = 1, hidden = 0, width = 0;
  StackedWeight gate = {}, up = {};
  StackedWeight gateUp = {}; ///< both, [2 · width, hidden] each, in place of `gate` and `up`
  GateUp order = GateUp::Halves;
  StackedWeight down = {};
  Activation activation = Activation::Silu;
  /// What becomes of a gate and an up, in place of activation(gate) · up.
  std::function<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::Value gate, mlir::Value up)> combine = {};

  /// x [tokens, hidden]: to `into` [tokens, hidden], or to zeros, the weighted sum of what each token's experts make.
  mlir::Value build(GraphBuilder &graph, mlir::Value x, const Groups &groups, mlir::Value into = {}) const;
};

/// An MLP that every token goes through beside its experts.
struct SharedExpert {
  std::string gate = {}, up = {}, down = {}; ///< modules; without a gate, down(activation(up(x)))
  std::string gateUp = {};                   ///< a module that holds both in halves, in place of `gate` and `up`
  int64_t width = 0;                         ///< 0: there is no such MLP
  std::string share = {};                    ///< module of one output, whose sigmoid scales the result; empty: 1
};

/// A whole layer: route, experts and what is shared.
struct MixtureOfExperts {
  RouteSpec route;
  ExpertsSpec experts;
  SharedExpert shared = {};
  int64_t capacity = 0; ///< tokens of an expert; 0: any number

  mlir::Value build(GraphBuilder &graph, mlir::Value x) const;
  /// The same by a routing that is at hand.
  mlir::Value build(GraphBuilder &graph, mlir::Value x, const Routing &routing) const;
};

} // namespace weft

#endif // WEFT_FRONTENDS_BUILDER_MIXTUREOFEXPERTS_H
