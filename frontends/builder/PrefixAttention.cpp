// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Aaren: what softmax needs of the tokens so far is their largest score, the sum of exponentials and the weighted sum
// of values, and of two parts of a sequence these combine.
#include "frontends/builder/Mixers.h"
#include "frontends/builder/Scalars.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <cmath>

using namespace mlir;

namespace weft {

std::vector<StateSpec> PrefixAttention::states() const {
  return {{name + ".greatest", {"batch", ""}, {0, heads}},
          {name + ".sum", {"batch", ""}, {0, heads}},
          {name + ".weighted", {"batch", "", ""}, {0, heads, hidden / heads}}};
}

namespace {

/// query · key / √d: key [batch, sequence, heads, d] → [batch, sequence, heads].
Value buildScores(GraphBuilder &graph, const PrefixAttention &layer, Value key) {
  int64_t d = layer.hidden / layer.heads;
  Value query = graph.splitLast(graph.parameter(layer.name + ".query", {layer.hidden}), layer.heads);
  Value zero = graph.fill(graph.sizes(key).drop_back(), graph.ops().getF32FloatAttr(0.0f));
  Value product = graph.reduce(zero, graph.dimsMap(4, {0, 1, 2}), {key, query},
                               {graph.dimsMap(4, {0, 1, 2, 3}), graph.dimsMap(4, {2, 3})},
                               [](OpBuilder &b, Location l, ValueRange v) -> Value {
                                 Scalars s{b, l};
                                 return s.add(v[2], s.mul(v[0], v[1]));
                               });
  return graph.map({product}, [&](OpBuilder &b, Location l, ValueRange v) -> Value {
    Scalars s{b, l};
    return s.mul(v[0], s.constant(1.0 / std::sqrt(static_cast<double>(d))));
  });
}

/// Not 0 where prefixes start: [batch, sequence, heads]. A state of sum 0 has seen nothing, and its maximum of 0 is
/// none.
Value buildStarts(GraphBuilder &graph, Value scores, Value sum, Value reset) {
  llvm::SmallVector<Value> inputs{sum};
  llvm::SmallVector<AffineMap> maps{graph.dimsMap(3, {0, 2})};
  if (reset) {
    inputs.push_back(reset);
    maps.push_back(graph.dimsMap(3, {0, 1}));
  }
  return graph.map(graph.sizes(scores), graph.ops().getI64Type(), inputs, maps,
                   [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                     Value first = arith::ConstantIndexOp::create(b, l, 0);
                     Value step = linalg::IndexOp::create(b, l, 1);
                     Value isFirst = arith::CmpIOp::create(b, l, arith::CmpIPredicate::eq, step, first);
                     Value none = Scalars{b, l}.constant(0.0);
                     Value isNew = arith::CmpFOp::create(b, l, arith::CmpFPredicate::OEQ, v[0], none);
                     Value starts = arith::AndIOp::create(b, l, isFirst, isNew);
                     if (reset) {
                       Value zero = arith::ConstantOp::create(b, l, b.getIntegerAttr(v[1].getType(), 0));
                       Value isReset = arith::CmpIOp::create(b, l, arith::CmpIPredicate::ne, v[1], zero);
                       starts = arith::OrIOp::create(b, l, starts, isReset);
                     }
                     return arith::ExtUIOp::create(b, l, b.getI64Type(), starts);
                   });
}

llvm::SmallVector<Value> combine(OpBuilder &b, Location l, ValueRange v) {
  Scalars s{b, l};
  Value greatest = s.max(v[0], v[3]);
  Value earlier = s.exp(s.sub(v[0], greatest)), later = s.exp(s.sub(v[3], greatest));
  auto sum = [&](Value a, Value c) { return s.add(s.mul(a, earlier), s.mul(c, later)); };
  return {greatest, sum(v[1], v[4]), sum(v[2], v[5])};
}

} // namespace

Value PrefixAttention::build(GraphBuilder &graph, Value x, Value reset) const {
  GraphBuilder::Scope scope(graph, name);
  auto byHead = [&](const char *module) {
    return graph.splitLast(graph.splitTokens(graph.linear(x, name + module, hidden, /*hasBias=*/false)), heads);
  };
  Value value = byHead(".v_proj"), scores = buildScores(graph, *this, byHead(".k_proj"));
  // A token alone: e^0 in units of its own score.
  Value ones = graph.map({scores}, [](OpBuilder &b, Location l, ValueRange) { return Scalars{b, l}.constant(1.0); });
  ScanSpec spec;
  spec.name = name;
  spec.inputs = {scores, ones, value};
  spec.combine = combine;
  spec.states = {name + ".greatest", name + ".sum", name + ".weighted"};
  bool carries = graph.hasState(name + ".sum");
  spec.reset = carries ? buildStarts(graph, scores, graph.state(name + ".sum"), reset) : reset;
  llvm::SmallVector<Value> prefixes = graph.scan(spec);
  AffineMap head = graph.dimsMap(4, {0, 1, 2}), all = graph.dimsMap(4, {0, 1, 2, 3});
  Value mean = graph.map(graph.sizes(value), graph.ops().getF32Type(), {prefixes[2], prefixes[1]}, {all, head},
                         [](OpBuilder &b, Location l, ValueRange v) -> Value { return Scalars{b, l}.div(v[0], v[1]); });
  return graph.linear(graph.mergeHeads(mean), name + ".out_proj", hidden, /*hasBias=*/false);
}

} // namespace weft
