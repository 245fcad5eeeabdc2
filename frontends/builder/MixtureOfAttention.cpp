// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Choices (t, j) are sorted by expert, as tokens are, so that each has a row of its own between both products:
//   queries[choice] = x[choice / top] · query[expert]   …   y[choice / top] += weight · attended[choice] ·
//   result[expert]
#include "frontends/builder/MixtureOfAttention.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace weft {
namespace {

/// The same rows for two readers.
struct Choices {
  Groups byChoice; ///< tokens are choices, t · top + j
  Groups byToken;  ///< tokens are tokens
};

Choices sortChoices(GraphBuilder &graph, const RouteSpec &route, Value x) {
  Routing routing = route.build(graph, x);
  OpFoldResult one = graph.ops().getIndexAttr(1);
  auto alone = [&](Value y) {
    Value merged = graph.mergeLeading(y);
    return graph.splitLeading(merged, graph.sizes(merged)[0], one);
  };
  Groups groups = dispatch(graph, {alone(routing.experts), alone(routing.weights)}, route.experts);
  Value tokens = graph.map({groups.tokens}, [&](OpBuilder &b, Location l, ValueRange s) -> Value {
    auto number = [&](int32_t n) -> Value { return arith::ConstantOp::create(b, l, b.getI32IntegerAttr(n)); };
    auto top = static_cast<int32_t>(route.top);
    Value next = arith::DivSIOp::create(b, l, arith::AddIOp::create(b, l, s[0], number(top)), number(top));
    return arith::SubIOp::create(b, l, next, number(1)); // −1, no token, stays
  });
  return {groups, {tokens, groups.weights, groups.offsets}};
}

/// The two dimensions before the last exchanged: [tokens, a, b, width].
Value exchanged(GraphBuilder &graph, Value x) {
  llvm::SmallVector<OpFoldResult> sizes(graph.sizes(x));
  std::swap(sizes[1], sizes[2]);
  return graph.map(sizes, graph.ops().getF32Type(), {x}, {graph.dimsMap(4, {0, 2, 1, 3})},
                   [](OpBuilder &, Location, ValueRange s) { return s[0]; });
}

/// [tokens, hidden] → queries [batch, sequence, keyHeads · top, width]: those that share a key are neighbours.
Value buildQueries(GraphBuilder &graph, const MixtureOfAttention &layer, const Choices &choices, Value x) {
  const CausalAttention &attention = layer.attention;
  int64_t width = attention.keyHeads * attention.width;
  Value rows =
      projectGroups(graph, x, attention.name + ".query", layer.query, width, choices.byToken, /*gathers=*/true);
  llvm::SmallVector<OpFoldResult> sizes(graph.sizes(rows));
  FloatAttr zero = graph.ops().getF32FloatAttr(0.0f), one = graph.ops().getF32FloatAttr(1.0f);
  Groups unweighted = choices.byChoice;
  unweighted.weights = graph.fill({sizes[0]}, one);
  Value ordered = combineGroups(graph, rows, unweighted, graph.fill(sizes, zero)); // [choices, width]
  Value byToken = graph.splitLeading(ordered, graph.sizes(x)[0], graph.ops().getIndexAttr(layer.route.top));
  Value byHead = exchanged(graph, graph.splitLast(byToken, attention.keyHeads)); // [tokens, keyHeads, top, width]
  return graph.splitHeads(graph.mergeLast(graph.mergeLast(byHead)), attention.heads);
}

/// What each choice attended to, [batch, sequence, keyHeads · top, width], to what it gives its token: [tokens,
/// hidden].
Value buildResult(GraphBuilder &graph, const MixtureOfAttention &layer, const Choices &choices, Value attended) {
  const CausalAttention &attention = layer.attention;
  Value byHead = graph.splitLast(graph.splitLast(graph.mergeHeads(attended), attention.keyHeads), layer.route.top);
  Value rows = graph.mergeLeading(graph.mergeLast(exchanged(graph, byHead)));
  Value made = projectGroups(graph, rows, attention.name + ".result", layer.result, attention.hidden, choices.byChoice,
                             /*gathers=*/true);
  Value zeros = graph.fill({graph.sizes(byHead)[0], graph.ops().getIndexAttr(attention.hidden)},
                           graph.ops().getF32FloatAttr(0.0f));
  return graph.addRow(combineGroups(graph, made, choices.byToken, zeros),
                      graph.parameter(layer.bias, {attention.hidden}));
}

} // namespace

Value MixtureOfAttention::build(GraphBuilder &graph, Value x, Value positions) const {
  GraphBuilder::Scope scope(graph, attention.name);
  Choices choices = sortChoices(graph, route, x);
  int64_t width = attention.keyHeads * attention.width;
  Value both = graph.linear(x, attention.name + ".kv_proj", 2 * width, /*hasBias=*/false);
  auto heads = [&](int64_t from) { return graph.splitHeads(graph.lastSlice(both, from, width), attention.keyHeads); };
  Value attended = attention.attend(graph, buildQueries(graph, *this, choices, x), heads(0), heads(width), positions);
  return buildResult(graph, *this, choices, attended);
}

} // namespace weft
