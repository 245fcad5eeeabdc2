// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Experts' MLPs over the tokens that were routed to them.
#include "frontends/builder/MixtureOfExperts.h"

#include "dialects/weft/RoutingOps.h"
#include "frontends/builder/Scalars.h"

using namespace mlir;

namespace weft {

//===----------------------------------------------------------------------===//
// Stacks
//===----------------------------------------------------------------------===//

std::vector<std::string> expertNames(const std::string &before, int64_t experts, const std::string &after) {
  std::vector<std::string> names(experts, before);
  for (int64_t expert = 0; expert < experts; ++expert)
    names[expert].append(std::to_string(expert)).append(after);
  return names;
}

/// A tensor that holds all experts gives its name to the parameter.
static std::string nameOf(const std::string &name, llvm::ArrayRef<std::string> sources) {
  return sources.size() == 1 ? sources.front() : name;
}

Value stack(GraphBuilder &graph, const std::string &name, const StackedWeight &weight, int64_t experts, int64_t out,
            int64_t in) {
  llvm::SmallVector<int64_t> shape{experts, out, in};
  if (weight.inByOut)
    std::swap(shape[1], shape[2]);
  return graph.stackedParameter(nameOf(name + ".weight", weight.sources), weight.sources, shape, weight.inByOut);
}

//===----------------------------------------------------------------------===//
// Products and sums
//===----------------------------------------------------------------------===//

static int64_t lastExtent(Value x) { return cast<RankedTensorType>(x.getType()).getShape().back(); }

Value projectGroups(GraphBuilder &graph, Value x, const std::string &name, const StackedWeight &weight, int64_t out,
                    const Groups &groups, bool gathers) {
  GraphBuilder::Scope scope(graph, name);
  OpBuilder &b = graph.ops();
  int64_t experts = lastExtent(groups.offsets) - 1;
  Value matrices = stack(graph, name, weight, experts, out, lastExtent(x)), bias;
  if (!weight.bias.empty())
    bias = graph.stackedParameter(nameOf(name + ".bias", weight.bias), weight.bias, {experts, out});
  llvm::SmallVector<OpFoldResult> sizes{graph.sizes(groups.tokens)[0], b.getIndexAttr(out)};
  Value init = graph.empty(sizes, b.getF32Type());
  auto product = GroupedMatmulOp::create(b, graph.loc(), TypeRange{init.getType()}, x, matrices, groups.offsets,
                                         gathers ? groups.tokens : Value(), bias, init);
  return graph.known(product.getResult(), sizes);
}

Value combineGroups(GraphBuilder &graph, Value rows, const Groups &groups, Value into) {
  auto combined =
      CombineOp::create(graph.ops(), graph.loc(), TypeRange{into.getType()}, rows, groups.tokens, groups.weights, into);
  return graph.known(combined.getResult(), llvm::SmallVector<OpFoldResult>(graph.sizes(into)));
}

//===----------------------------------------------------------------------===//
// Experts
//===----------------------------------------------------------------------===//

namespace {

/// activation(gate) · up; without a gate, activation(up).
Value buildMiddle(GraphBuilder &graph, Activation activation, Value gate, Value up) {
  llvm::SmallVector<Value> inputs{up};
  if (gate)
    inputs.insert(inputs.begin(), gate);
  return graph.map(inputs, [&](OpBuilder &b, Location l, ValueRange s) -> Value {
    Value y = buildActivation(b, l, activation, s[0]);
    return gate ? Scalars{b, l}.mul(y, s[1]) : y;
  });
}

/// Gates and ups that one product gave, [rows, 2 · width].
std::pair<Value, Value> splitGateUp(GraphBuilder &graph, Value both, GateUp order) {
  int64_t width = lastExtent(both) / 2;
  if (order == GateUp::Halves)
    return {graph.lastSlice(both, 0, width), graph.lastSlice(both, width, width)};
  Value pairs = graph.splitLast(both, width);
  return {graph.mergeLast(graph.lastSlice(pairs, 0, 1)), graph.mergeLast(graph.lastSlice(pairs, 1, 1))};
}

Value buildShared(GraphBuilder &graph, const SharedExpert &shared, Activation activation, int64_t hidden, Value x) {
  Value gate, up;
  if (!shared.gateUp.empty()) {
    std::tie(gate, up) =
        splitGateUp(graph, graph.linear(x, shared.gateUp, 2 * shared.width, /*hasBias=*/false), GateUp::Halves);
  } else {
    if (!shared.gate.empty())
      gate = graph.linear(x, shared.gate, shared.width, /*hasBias=*/false);
    up = graph.linear(x, shared.up, shared.width, /*hasBias=*/false);
  }
  Value y = graph.linear(buildMiddle(graph, activation, gate, up), shared.down, hidden, /*hasBias=*/false);
  if (shared.share.empty())
    return y;
  Value share = graph.column(graph.linear(x, shared.share, 1, /*hasBias=*/false), 0);
  return graph.map(graph.sizes(y), graph.ops().getF32Type(), {y, share},
                   {graph.dimsMap(2, {0, 1}), graph.dimsMap(2, {0})},
                   [](OpBuilder &b, Location l, ValueRange s) -> Value {
                     Scalars of{b, l};
                     return of.mul(s[0], of.sigmoid(s[1]));
                   });
}

} // namespace

Value ExpertsSpec::build(GraphBuilder &graph, Value x, const Groups &groups, Value into) const {
  GraphBuilder::Scope scope(graph, name);
  auto first = [&](const char *part, const StackedWeight &weight, int64_t out) {
    return projectGroups(graph, x, name + part, weight, out, groups, /*gathers=*/true);
  };
  Value gateValue, upValue;
  if (!gateUp.sources.empty()) {
    std::tie(gateValue, upValue) = splitGateUp(graph, first(".gate_up", gateUp, 2 * width), order);
  } else {
    if (!gate.sources.empty())
      gateValue = first(".gate", gate, width);
    upValue = first(".up", up, width);
  }
  Value middle = !combine ? buildMiddle(graph, activation, gateValue, upValue)
                          : graph.map({gateValue, upValue}, [&](OpBuilder &b, Location l, ValueRange s) {
                              return combine(b, l, s[0], s[1]);
                            });
  Value rows = projectGroups(graph, middle, name + ".down", down, hidden, groups, /*gathers=*/false);
  if (!into)
    into = graph.fill({graph.sizes(x)[0], graph.ops().getIndexAttr(hidden)}, graph.ops().getF32FloatAttr(0.0f));
  return combineGroups(graph, rows, groups, into);
}

Value MixtureOfExperts::build(GraphBuilder &graph, Value x) const { return build(graph, x, route.build(graph, x)); }

Value MixtureOfExperts::build(GraphBuilder &graph, Value x, const Routing &routing) const {
  Groups groups = dispatch(graph, routing, experts.experts, capacity);
  Value into = shared.width ? buildShared(graph, shared, experts.activation, experts.hidden, x) : Value();
  return experts.build(graph, x, groups, into);
}

} // namespace weft
