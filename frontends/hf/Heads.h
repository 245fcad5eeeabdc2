// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What follows the body of a model: the outputs of the class that config.json names, under the names of the library.
#ifndef WEFT_FRONTENDS_HF_HEADS_H
#define WEFT_FRONTENDS_HF_HEADS_H

#include "frontends/hf/arch/Architectures.h"

namespace weft {

enum class Task {
  Base,
  CausalLM,
  MaskedLM,
  SequenceClassification,
  TokenClassification,
  QuestionAnswering,
  ReplacedTokens
};

/// The task of `architectures[0]`. Where the file does not say: of a causal model the language model, of an encoder the
/// base model.
Task readTask(Config &config, const Architecture &architecture);

/// The number of classes that classifiers tell apart.
int64_t readLabelCount(Config &config);

/// Adds the outputs of `task` on hidden states [tokens, hidden].
void buildOutputs(GraphBuilder &graph, const EncoderModel &model, Task task, int64_t labels, mlir::Value hidden);

/// Σ over the unmasked tokens of each text: hidden [tokens, n] → [batch, n].
mlir::Value sumOfTokens(GraphBuilder &graph, mlir::Value hidden);
/// The number of unmasked tokens of each text, at least `min`: [batch], f32.
mlir::Value countOfTokens(GraphBuilder &graph, double min);
/// vectors [batch, n] / divisors [batch].
mlir::Value divideRows(GraphBuilder &graph, mlir::Value vectors, mlir::Value divisors);

} // namespace weft

#endif // WEFT_FRONTENDS_HF_HEADS_H
