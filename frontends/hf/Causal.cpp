// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One body, three entries:
//   forward(input_ids [batch, sequence], …) → logits [batch, sequence, vocabulary] or last_hidden_state
//   prefill(input_ids [batch, sequence], …) → logits [batch, vocabulary] of the last token; the states go on
//   decode(input_ids [batch, 1])            → the same, for one token
// With caches in pages:
//   prefill(input_ids [batch, sequence], position_ids [batch, sequence], block_table [batch, blocks])
//   decode(input_ids [batch, 1], position_ids [batch, 1], block_table [batch, blocks])
#include "frontends/hf/Causal.h"

#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace weft {
namespace {

/// position_ids of 0 start a text. Absent ones start none.
constexpr int64_t kInside = 1;

/// [batch, sequence], f32: 1 where the token before is padding, which the first of a call is not.
Value followsPadding(GraphBuilder &graph) {
  OpBuilder &ops = graph.ops();
  Value padding =
      graph.map({graph.dim("batch"), graph.dim("sequence")}, ops.getF32Type(), {graph.input("attention_mask")},
                {graph.dimsMap(2, {0, 1})}, [](OpBuilder &b, Location l, ValueRange s) -> Value {
                  Value zero = arith::ConstantOp::create(b, l, b.getIntegerAttr(s[0].getType(), 0));
                  Value hidden = arith::CmpIOp::create(b, l, arith::CmpIPredicate::eq, s[0], zero);
                  return arith::UIToFPOp::create(b, l, b.getF32Type(), hidden);
                });
  return graph.delayed(padding);
}

/// [batch, sequence], i8: 1 where a text starts, by position_ids or because the padding before it ends there.
Value buildStarts(GraphBuilder &graph) {
  GraphBuilder::Scope scope(graph, "starts");
  AffineMap all = graph.dimsMap(2, {0, 1});
  Value before = followsPadding(graph);
  return graph.map({graph.dim("batch"), graph.dim("sequence")}, graph.ops().getI8Type(),
                   {before, graph.input("position_ids")}, {all, all},
                   [](OpBuilder &b, Location l, ValueRange s) -> Value {
                     Value zero = arith::ConstantOp::create(b, l, b.getF32FloatAttr(0.0f));
                     Value first = arith::ConstantOp::create(b, l, b.getIntegerAttr(s[1].getType(), 0));
                     Value afterPadding = arith::CmpFOp::create(b, l, arith::CmpFPredicate::UNE, s[0], zero);
                     Value atFirst = arith::CmpIOp::create(b, l, arith::CmpIPredicate::eq, s[1], first);
                     Value either = arith::OrIOp::create(b, l, afterPadding, atFirst);
                     return arith::ExtUIOp::create(b, l, b.getI8Type(), either);
                   });
}

std::vector<InputSpec> inputsOf(const CausalModel &model) {
  return {{"input_ids", {"batch", "sequence"}, model.vocabulary},
          {"attention_mask", {"batch", "sequence"}, 2, 1},
          {"position_ids", {"batch", "sequence"}, 0, kInside}};
}

/// hidden [rows, hidden] · headᵀ.
Value buildLogits(GraphBuilder &graph, const CausalModel &model, Value hidden) {
  GraphBuilder::Scope scope(graph, llvm::StringRef(model.head).drop_back(std::strlen(".weight")));
  // A head that is tied to the embeddings is not in the file; one that is there wins.
  bool isTied = model.tied && !graph.hasParameter(model.head);
  const std::string &weight = isTied ? model.wordEmbeddings : model.head;
  Value logits = graph.project(hidden, graph.parameter(weight, {model.vocabulary, model.hidden}));
  if (!model.headBias.empty())
    logits = graph.addRow(logits, graph.parameter(model.headBias, {model.vocabulary}));
  if (model.scoreCap == 0 && model.scoreFactor == 1)
    return logits;
  return graph.map({logits}, [&](OpBuilder &b, Location l, ValueRange s) -> Value {
    Value score = s[0];
    if (model.scoreFactor != 1)
      score = arith::MulFOp::create(
          b, l, score, arith::ConstantOp::create(b, l, b.getF32FloatAttr(static_cast<float>(model.scoreFactor))));
    return model.scoreCap == 0 ? score : buildSoftCap(b, l, score, model.scoreCap);
  });
}

/// Where keys and values are counted: the caller's, in pages.
bool countsPositions(const StateSpec &state) { return !state.fills.empty(); }

/// A slot for each position of each sequence.
bool isCache(const StateSpec &state) {
  return state.dims.size() > 2 && state.dims[0] == "batch" && state.dims[1] == "context";
}

/// The caches as pages: [pages, positions of one, …].
std::vector<StateSpec> inPages(const std::vector<StateSpec> &states, int64_t length) {
  std::vector<StateSpec> pages;
  for (StateSpec state : states) {
    if (countsPositions(state))
      continue;
    state.dims[0] = "pages";
    state.dims[1] = "";
    state.shape[1] = length;
    pages.push_back(std::move(state));
  }
  return pages;
}

/// A position below 0 is that of padding: it is written nowhere and sees nothing.
std::vector<InputSpec> pagedInputsOf(const CausalModel &model) {
  return {{"input_ids", {"batch", "sequence"}, model.vocabulary},
          {"position_ids", {"batch", "sequence"}},
          {kBlockTable, {"batch", "blocks"}}};
}

void buildPagedEntries(GraphBuilder &graph, const CausalModel &model, int64_t pageLength) {
  std::vector<StateSpec> states = inPages(model.states, pageLength);
  graph.beginEntry("prefill", pagedInputsOf(model), states);
  graph.output("logits", buildLogits(graph, model, graph.lastToken(model.run(graph, Value()))), {"batch", ""});
  graph.endEntry();
  graph.beginEntry("decode", pagedInputsOf(model), states, {{"sequence", 1}});
  graph.output("logits", buildLogits(graph, model, model.run(graph, Value())), {"batch", ""});
  graph.endEntry();
}

void buildForward(GraphBuilder &graph, const CausalModel &model, Task task) {
  graph.beginEntry("forward", inputsOf(model));
  Value hidden = model.run(graph, buildStarts(graph));
  bool isBase = task == Task::Base;
  Value result = isBase ? hidden : buildLogits(graph, model, hidden);
  graph.output(isBase ? "last_hidden_state" : "logits", graph.splitTokens(result), {"batch", "sequence", ""});
  graph.endEntry();
}

void buildPrefill(GraphBuilder &graph, const CausalModel &model) {
  graph.beginEntry("prefill", inputsOf(model), model.states);
  Value hidden = model.run(graph, buildStarts(graph));
  graph.output("logits", buildLogits(graph, model, graph.lastToken(hidden)), {"batch", ""});
  graph.endEntry();
}

void buildDecode(GraphBuilder &graph, const CausalModel &model) {
  graph.beginEntry("decode", {inputsOf(model).front()}, model.states, {{"sequence", 1}});
  graph.output("logits", buildLogits(graph, model, model.run(graph, Value())), {"batch", ""});
  graph.endEntry();
}

} // namespace

const StateSpec *findUnpagedState(const CausalModel &model) {
  auto found =
      llvm::find_if(model.states, [](const StateSpec &state) { return !countsPositions(state) && !isCache(state); });
  return found == model.states.end() ? nullptr : &*found;
}

void buildCausalEntries(GraphBuilder &graph, const CausalModel &model, Task task, const CacheLayout &cache) {
  buildForward(graph, model, task);
  if (task != Task::CausalLM || graph.failed())
    return;
  if (cache.isPaged())
    return buildPagedEntries(graph, model, cache.pageLength);
  buildPrefill(graph, model);
  buildDecode(graph, model);
}

} // namespace weft
