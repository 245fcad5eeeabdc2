// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers of experts, from scores to weighted sums: as MLIR text, weights, inputs, and as the references see them.
#ifndef WEFT_TEST_CONFORMANCE_EXPERTCASE_H
#define WEFT_TEST_CONFORMANCE_EXPERTCASE_H

#include "test/conformance/RouteCase.h"

namespace weft::test {

/// Each expert is down · (silu(gate · x) ∘ up · x).
struct Layer {
  RouteCase route;
  int64_t hidden, width;
  std::optional<int64_t> capacity = std::nullopt;
  bool residual = false;    ///< to what x holds, rather than to zeros
  const char *type = "f32"; ///< of the weights
  const std::string &entry() const { return route.name; }
  int64_t experts() const { return route.spec.experts; }
};

const std::vector<Layer> &layers();
const Layer &layer(const std::string &name);

/// The weights of a layer's experts, one vector an expert.
struct ExpertWeights {
  std::vector<std::vector<float>> gate, up, down;

  static ExpertWeights random(const Layer &l, Numbers &numbers);
  /// A tensor for each gate, stacks of the others.
  Arrays file(const Layer &l) const;
};

/// What the layer makes of hidden states, [tokens, hidden], by routes that are given.
std::vector<double> expected(const Layer &l, const ExpertWeights &weights, const Array &states,
                             const reference::Routes &routes);
/// And of its inputs.
std::vector<double> expected(const Layer &l, const ExpertWeights &weights, const Arrays &inputs);

/// x of numbers that bf16 holds, and scores that tell experts apart in f32 too.
Arrays inputsOf(const Layer &l, int64_t tokens, Numbers &numbers);

std::string moduleOf(const std::vector<const Layer *> &some);
std::unique_ptr<CompiledModule> compiled(const std::vector<const Layer *> &some,
                                         const std::vector<ExpertWeights> &weights);

} // namespace weft::test

#endif // WEFT_TEST_CONFORMANCE_EXPERTCASE_H
