// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Hidden states into the outputs that the library's classes return.
#include "frontends/hf/Heads.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace weft {
namespace {

struct TaskName {
  const char *suffix;
  Task task;
};
constexpr TaskName kTasks[] = {
    {"Model", Task::Base},
    {"ForCausalLM", Task::CausalLM},
    {"LMHeadModel", Task::CausalLM},
    {"ForMaskedLM", Task::MaskedLM},
    {"ForSequenceClassification", Task::SequenceClassification},
    {"ForTokenClassification", Task::TokenClassification},
    {"ForQuestionAnswering", Task::QuestionAnswering},
    {"ForPreTraining", Task::ReplacedTokens},
};

/// Only ELECTRA's pretraining is a head of one output; the others have two.
bool hasTask(const Architecture &architecture, const TaskName &name) {
  if (architecture.bareOnly)
    return name.task == Task::Base;
  bool isGpt2 = llvm::StringRef(architecture.modelType) == "gpt2"; // named before the library had its rule
  if (name.task == Task::CausalLM && isGpt2 != (llvm::StringRef(name.suffix) == "LMHeadModel"))
    return false;
  if (architecture.readCausal || name.task == Task::CausalLM)
    return architecture.readCausal && (name.task == Task::Base || name.task == Task::CausalLM);
  return name.task != Task::ReplacedTokens || llvm::StringRef(architecture.modelType) == "electra";
}

} // namespace

Task readTask(Config &config, const Architecture &architecture) {
  std::optional<std::vector<std::string>> names = config.texts("architectures");
  if (!names || names->empty())
    return architecture.readCausal ? Task::CausalLM : Task::Base;
  std::string known;
  for (const TaskName &name : kTasks) {
    if (!hasTask(architecture, name))
      continue;
    std::string candidate = std::string(architecture.classPrefix) + name.suffix;
    if (names->front() == candidate)
      return name.task;
    known += (known.empty() ? "" : ", ") + candidate;
  }
  config.refuse("W0205", "the class " + names->front() + " is not supported",
                "the supported ones of this model are " + known +
                    "; to compile the bare model, set architectures to [\"" + architecture.classPrefix + "Model\"]");
  return Task::Base;
}

int64_t readLabelCount(Config &config) {
  std::optional<int64_t> named = config.entries("id2label");
  int64_t count = named ? *named : config.size({"num_labels", "_num_labels"}, 2);
  if (count < 1 || count > Config::kMaxSize)
    config.refuse("W0203", "id2label names no class", "correct id2label");
  return std::max<int64_t>(count, 1);
}

//===----------------------------------------------------------------------===//
// Sums over the tokens of a text
//===----------------------------------------------------------------------===//

/// An integer mask value as 0.0 or 1.0.
static Value asWeight(OpBuilder &b, Location l, Value mask) {
  Value zero = arith::ConstantOp::create(b, l, b.getIntegerAttr(mask.getType(), 0));
  Value visible = arith::CmpIOp::create(b, l, arith::CmpIPredicate::ne, mask, zero);
  return arith::UIToFPOp::create(b, l, b.getF32Type(), visible);
}

Value sumOfTokens(GraphBuilder &graph, Value hidden) {
  Value split = graph.splitTokens(hidden);
  OpBuilder &ops = graph.ops();
  Value zeros = graph.fill({graph.sizes(split)[0], graph.sizes(split)[2]}, ops.getF32FloatAttr(0.0f));
  return graph.reduce(zeros, graph.dimsMap(3, {0, 2}), {split, graph.input("attention_mask")},
                      {graph.dimsMap(3, {0, 1, 2}), graph.dimsMap(3, {0, 1})},
                      [](OpBuilder &b, Location l, ValueRange s) -> Value {
                        Value weighted = arith::MulFOp::create(b, l, s[0], asWeight(b, l, s[1]));
                        return arith::AddFOp::create(b, l, s[2], weighted);
                      });
}

Value countOfTokens(GraphBuilder &graph, double min) {
  OpBuilder &ops = graph.ops();
  Value zeros = graph.fill({graph.dim("batch")}, ops.getF32FloatAttr(0.0f));
  Value count = graph.reduce(zeros, graph.dimsMap(2, {0}), {graph.input("attention_mask")}, {graph.dimsMap(2, {0, 1})},
                             [](OpBuilder &b, Location l, ValueRange s) -> Value {
                               return arith::AddFOp::create(b, l, s[1], asWeight(b, l, s[0]));
                             });
  return graph.map({count}, [&](OpBuilder &b, Location l, ValueRange s) -> Value {
    Value least = arith::ConstantOp::create(b, l, b.getF32FloatAttr(static_cast<float>(min)));
    return arith::MaximumFOp::create(b, l, s[0], least);
  });
}

Value divideRows(GraphBuilder &graph, Value vectors, Value divisors) {
  return graph.map(
      graph.sizes(vectors), graph.ops().getF32Type(), {vectors, divisors},
      {graph.dimsMap(2, {0, 1}), graph.dimsMap(2, {0})},
      [](OpBuilder &b, Location l, ValueRange s) -> Value { return arith::DivFOp::create(b, l, s[0], s[1]); });
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

static Value transform(GraphBuilder &graph, const Transform &stage, Value x) {
  if (stage.dense.empty())
    return x;
  GraphBuilder::Scope scope(graph, stage.dense);
  x = graph.activate(graph.linear(x, stage.dense, stage.width, stage.denseBias), stage.activation);
  return stage.norm.empty() ? x : graph.layerNorm(x, stage.norm, stage.epsilon, stage.normBias);
}

static void buildBase(GraphBuilder &graph, const Heads &heads, Value hidden) {
  graph.output("last_hidden_state", graph.splitTokens(hidden), {"batch", "sequence", ""});
  // Files of models trained with another head hold no pooler: then there is nothing to compute it from.
  if (heads.pooler.empty() || !graph.hasParameter(heads.pooler + ".weight"))
    return;
  GraphBuilder::Scope scope(graph, heads.pooler);
  int64_t width = cast<RankedTensorType>(hidden.getType()).getDimSize(1);
  Value pooled = graph.activate(graph.linear(graph.firstToken(hidden), heads.pooler, width), Activation::Tanh);
  graph.output("pooler_output", pooled, {"batch", ""});
}

static void buildMaskedLM(GraphBuilder &graph, const EncoderModel &model, Value hidden) {
  const Heads &heads = model.heads;
  Value x = transform(graph, heads.maskedLM, hidden);
  GraphBuilder::Scope scope(graph, llvm::StringRef(heads.decoder).drop_back(std::strlen(".weight")));
  // A head that is tied to the embeddings is not in the file; one that is there wins.
  bool isTied = heads.tied && !graph.hasParameter(heads.decoder);
  const std::string &weight = isTied ? heads.wordEmbeddings : heads.decoder;
  x = graph.project(x, graph.parameter(weight, {model.vocabulary, heads.maskedLM.width}));
  if (!heads.decoderBias.empty()) {
    bool isAlias = !graph.hasParameter(heads.decoderBias) && !heads.decoderBiasAlias.empty() &&
                   graph.hasParameter(heads.decoderBiasAlias);
    x = graph.addRow(x, graph.parameter(isAlias ? heads.decoderBiasAlias : heads.decoderBias, {model.vocabulary}));
  }
  graph.output("logits", graph.splitTokens(x), {"batch", "sequence", ""});
}

static void buildSequenceClassifier(GraphBuilder &graph, const Heads &heads, int64_t labels, Value hidden) {
  GraphBuilder::Scope scope(graph, heads.sequenceClassifier);
  Value vector = heads.meanPooled ? divideRows(graph, sumOfTokens(graph, hidden), countOfTokens(graph, 0.0))
                                  : graph.firstToken(hidden);
  Value logits = graph.linear(transform(graph, heads.pooled, vector), heads.sequenceClassifier, labels);
  graph.output("logits", logits, {"batch", ""});
}

static void buildAnswers(GraphBuilder &graph, const Heads &heads, Value hidden) {
  GraphBuilder::Scope scope(graph, heads.answers);
  Value both = graph.linear(transform(graph, heads.perToken, hidden), heads.answers, 2);
  graph.output("start_logits", graph.splitTokens(graph.column(both, 0)), {"batch", "sequence"});
  graph.output("end_logits", graph.splitTokens(graph.column(both, 1)), {"batch", "sequence"});
}

void buildOutputs(GraphBuilder &graph, const EncoderModel &model, Task task, int64_t labels, Value hidden) {
  const Heads &heads = model.heads;
  switch (task) {
  case Task::Base:
    return buildBase(graph, heads, hidden);
  case Task::CausalLM:
    llvm_unreachable("no encoder has this head");
  case Task::MaskedLM:
    return buildMaskedLM(graph, model, hidden);
  case Task::SequenceClassification:
    return buildSequenceClassifier(graph, heads, labels, hidden);
  case Task::TokenClassification: {
    GraphBuilder::Scope scope(graph, heads.tokenClassifier);
    Value logits = graph.linear(transform(graph, heads.perToken, hidden), heads.tokenClassifier, labels);
    return graph.output("logits", graph.splitTokens(logits), {"batch", "sequence", ""});
  }
  case Task::QuestionAnswering:
    return buildAnswers(graph, heads, hidden);
  case Task::ReplacedTokens: {
    GraphBuilder::Scope scope(graph, heads.replacedTokens);
    Value logits = graph.linear(transform(graph, heads.discriminator, hidden), heads.replacedTokens, 1);
    return graph.output("logits", graph.splitTokens(graph.column(logits, 0)), {"batch", "sequence"});
  }
  }
}

} // namespace weft
