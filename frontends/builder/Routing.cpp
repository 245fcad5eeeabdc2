// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which experts take which tokens.
#include "frontends/builder/MixtureOfExperts.h"

#include "dialects/weft/RoutingOps.h"
#include "frontends/builder/Scalars.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <limits>

using namespace mlir;

namespace weft {
namespace {

const char *nameOf(Scoring scoring) {
  return scoring == Scoring::None ? "none" : scoring == Scoring::Softmax ? "softmax" : "sigmoid";
}

const char *nameOf(WeightNorm norm) {
  switch (norm) {
  case WeightNorm::None:
    return "none";
  case WeightNorm::Sum:
    return "sum";
  case WeightNorm::Softmax:
    return "softmax";
  case WeightNorm::SparseMixer:
    return "sparsemixer";
  }
  llvm_unreachable("a norm without a name");
}

/// The k best of each row of scores [t, e], with what `spec` does to them.
Routing buildRoute(GraphBuilder &graph, const RouteSpec &spec, Value scores, Value correction, OpFoldResult top) {
  OpBuilder &b = graph.ops();
  llvm::SmallVector<OpFoldResult> sizes{graph.sizes(scores)[0], top};
  Value experts = graph.empty(sizes, b.getI32Type()), weights = graph.empty(sizes, b.getF32Type());
  auto number = [&](double value) { return b.getF32FloatAttr(static_cast<float>(value)); };
  auto route = RouteOp::create(b, graph.loc(), TypeRange{experts.getType(), weights.getType()}, scores, correction,
                               experts, weights, b.getStringAttr(nameOf(spec.scoring)),
                               b.getStringAttr(nameOf(spec.norm)), number(spec.scale), b.getI64IntegerAttr(spec.groups),
                               b.getI64IntegerAttr(spec.topGroups), b.getI64IntegerAttr(spec.groupRank),
                               number(spec.norm == WeightNorm::SparseMixer ? spec.jitter : 0));
  return {graph.known(route.getResults()[0], sizes), graph.known(route.getResults()[1], sizes)};
}

/// Of each row [t, e] the reduction by `combine`, [t].
Value reduceRows(GraphBuilder &graph, Value x, float start, bool sums) {
  Value init = graph.fill({graph.sizes(x)[0]}, graph.ops().getF32FloatAttr(start));
  return graph.reduce(init, graph.dimsMap(2, {0}), {x}, {graph.dimsMap(2, {0, 1})},
                      [&](OpBuilder &b, Location l, ValueRange s) -> Value {
                        Scalars of{b, l};
                        return sums ? of.add(s[1], s[0]) : of.max(s[1], s[0]);
                      });
}

/// Scores [t, e] by what `scoring` does to each row, as [e, t].
Value scoredByExpert(GraphBuilder &graph, Value scores, Scoring scoring) {
  AffineMap turned = graph.dimsMap(2, {1, 0}), ofToken = graph.dimsMap(2, {1});
  llvm::SmallVector<OpFoldResult> sizes(llvm::reverse(graph.sizes(scores)));
  llvm::SmallVector<Value> inputs{scores};
  llvm::SmallVector<AffineMap> maps{turned};
  if (scoring == Scoring::Softmax) {
    Value most = reduceRows(graph, scores, -std::numeric_limits<float>::infinity(), /*sums=*/false);
    AffineMap whole = graph.dimsMap(2, {0, 1}), row = graph.dimsMap(2, {0});
    inputs[0] = graph.map(graph.sizes(scores), graph.ops().getF32Type(), {scores, most}, {whole, row},
                          [](OpBuilder &b, Location l, ValueRange s) {
                            Scalars of{b, l};
                            return of.exp(of.sub(s[0], s[1]));
                          });
    inputs.push_back(reduceRows(graph, inputs[0], 0, /*sums=*/true));
    maps.push_back(ofToken);
  }
  return graph.map(sizes, graph.ops().getF32Type(), inputs, maps, [&](OpBuilder &b, Location l, ValueRange s) -> Value {
    Scalars of{b, l};
    if (scoring == Scoring::Softmax)
      return of.div(s[0], s[1]);
    return scoring == Scoring::Sigmoid ? of.sigmoid(s[0]) : s[0];
  });
}

OpFoldResult lesser(GraphBuilder &graph, OpFoldResult extent, int64_t limit) {
  OpBuilder &b = graph.ops();
  if (std::optional<int64_t> known = getConstantIntValue(extent))
    return b.getIndexAttr(std::min(*known, limit));
  Value limitValue = arith::ConstantIndexOp::create(b, graph.loc(), limit);
  return arith::MinSIOp::create(b, graph.loc(), cast<Value>(extent), limitValue).getResult();
}

/// 0, step, 2 · step, … of so many experts: [experts + 1], i32.
Value equalOffsets(GraphBuilder &graph, int64_t experts, OpFoldResult step) {
  OpBuilder &b = graph.ops();
  Value stepValue = getValueOrCreateConstantIndexOp(b, graph.loc(), step);
  return graph.map({b.getIndexAttr(experts + 1)}, b.getI32Type(), {}, {},
                   [&](OpBuilder &nested, Location l, ValueRange) -> Value {
                     Value index = linalg::IndexOp::create(nested, l, 0);
                     Value row = arith::MulIOp::create(nested, l, index, stepValue);
                     return arith::IndexCastOp::create(nested, l, nested.getI32Type(), row);
                   });
}

/// 24 bits of the number that SplitMix64 makes of a seed for its n-th counter, as an f32.
Value drawNumber(OpBuilder &b, Location l, Value counter, uint64_t seed) {
  auto constant = [&](uint64_t bits) -> Value {
    return arith::ConstantOp::create(b, l, b.getI64IntegerAttr(static_cast<int64_t>(bits)));
  };
  auto mixed = [&](Value z, uint64_t shift) -> Value {
    return arith::XOrIOp::create(b, l, z, arith::ShRUIOp::create(b, l, z, constant(shift)));
  };
  auto times = [&](Value z, uint64_t factor) -> Value { return arith::MulIOp::create(b, l, z, constant(factor)); };
  constexpr uint64_t kStep = 0x9e3779b97f4a7c15;
  Value z = arith::AddIOp::create(b, l, times(counter, kStep), constant(seed + kStep));
  z = times(mixed(z, 30), 0xbf58476d1ce4e5b9);
  z = mixed(times(mixed(z, 27), 0x94d049bb133111eb), 31);
  Value high = arith::TruncIOp::create(b, l, b.getI32Type(), arith::ShRUIOp::create(b, l, z, constant(40)));
  return arith::SIToFPOp::create(b, l, b.getF32Type(), high);
}

/// A number for each id and expert: [t, e].
Value drawScores(GraphBuilder &graph, Value ids, int64_t experts, uint64_t seed) {
  llvm::SmallVector<OpFoldResult> sizes{graph.sizes(ids)[0], graph.ops().getIndexAttr(experts)};
  return graph.map(
      sizes, graph.ops().getF32Type(), {ids}, {graph.dimsMap(2, {0})}, [&](OpBuilder &b, Location l, ValueRange s) {
        Value expert = arith::IndexCastOp::create(b, l, b.getI64Type(), linalg::IndexOp::create(b, l, 1));
        Value count = arith::ConstantOp::create(b, l, b.getI64IntegerAttr(experts));
        Value id = s[0].getType().isInteger(64) ? s[0] : arith::ExtUIOp::create(b, l, b.getI64Type(), s[0]).getResult();
        Value first = arith::MulIOp::create(b, l, id, count);
        return drawNumber(b, l, arith::AddIOp::create(b, l, first, expert), seed);
      });
}

} // namespace

Value RouteSpec::scores(GraphBuilder &graph, Value x) const {
  int64_t hidden = cast<RankedTensorType>(x.getType()).getShape().back();
  Value scores = graph.project(x, graph.parameter(weight, {experts, hidden}));
  return bias.empty() ? scores : graph.addRow(scores, graph.parameter(bias, {experts}));
}

Routing RouteSpec::build(GraphBuilder &graph, Value x) const {
  GraphBuilder::Scope scope(graph, weight);
  Value added = correction.empty() ? Value() : graph.parameter(correction, {experts});
  return buildRoute(graph, *this, scores(graph, x), added, graph.ops().getIndexAttr(top));
}

Groups RouteSpec::buildExpertChoice(GraphBuilder &graph, Value x, int64_t capacity) const {
  GraphBuilder::Scope scope(graph, weight);
  Value byExpert = scoredByExpert(graph, scores(graph, x), scoring);
  OpFoldResult taken = lesser(graph, graph.sizes(byExpert)[1], capacity);
  RouteSpec plain;
  plain.scoring = Scoring::None;
  plain.scale = scale;
  Routing chosen = buildRoute(graph, plain, byExpert, Value(), taken);
  return {graph.mergeLeading(chosen.experts), graph.mergeLeading(chosen.weights), equalOffsets(graph, experts, taken)};
}

Routing buildHashRoute(GraphBuilder &graph, Value ids, int64_t experts, int64_t top, uint64_t seed) {
  GraphBuilder::Scope scope(graph, "hash_route");
  RouteSpec plain;
  plain.scoring = Scoring::None;
  Value scores = drawScores(graph, ids, experts, seed);
  Routing routing = buildRoute(graph, plain, scores, Value(), graph.ops().getIndexAttr(top));
  auto share = graph.ops().getF32FloatAttr(1.0f / static_cast<float>(top));
  routing.weights = graph.fill(llvm::SmallVector<OpFoldResult>(graph.sizes(routing.experts)), share);
  return routing;
}

Groups dispatch(GraphBuilder &graph, const Routing &routing, int64_t experts, int64_t capacity) {
  OpBuilder &b = graph.ops();
  llvm::ArrayRef<OpFoldResult> choices = graph.sizes(routing.experts);
  llvm::SmallVector<OpFoldResult> rows{graph.product(choices[0], choices[1])}, ends{b.getIndexAttr(experts + 1)};
  Value tokens = graph.empty(rows, b.getI32Type()), weights = graph.empty(rows, b.getF32Type());
  Value offsets = graph.empty(ends, b.getI32Type());
  auto sorted = DispatchOp::create(b, graph.loc(), TypeRange{tokens.getType(), weights.getType(), offsets.getType()},
                                   routing.experts, routing.weights, tokens, weights, offsets,
                                   capacity ? b.getI64IntegerAttr(capacity) : IntegerAttr());
  ResultRange results = sorted.getResults();
  return {graph.known(results[0], rows), graph.known(results[1], rows), graph.known(results[2], ends)};
}

} // namespace weft
