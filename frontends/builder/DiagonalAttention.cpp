// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Softmax attention within blocks of a sequence that may come in several calls: to the keys of this call and to those
// that were kept, joined by their sums of exponentials.
#include "frontends/builder/Mixers.h"
#include "frontends/builder/Scalars.h"

#include <cmath>

using namespace mlir;

namespace weft {

std::vector<StateSpec> DiagonalAttention::states() const {
  std::vector<std::string> dims{"batch", "", ""};
  return {{name + ".count", {"batch"}, {0}},
          {name + ".keys", dims, {0, block, hidden}},
          {name + ".values", dims, {0, block, hidden}}};
}

namespace {

/// How many tokens of its block are before each: [batch, sequence]. x is [batch, sequence, n].
Value buildPast(GraphBuilder &graph, const DiagonalAttention &layer, Value x, Value reset) {
  Value positions = graph.positions(graph.column(x, 0), layer.name + ".count", reset);
  llvm::SmallVector<AffineMap> maps{graph.dimsMap(2, {0, 1})};
  return graph.map(graph.sizes(positions), graph.ops().getI64Type(), {positions}, maps,
                   [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                     Value position = arith::FPToSIOp::create(b, l, b.getI64Type(), v[0]);
                     Value block = arith::ConstantOp::create(b, l, b.getI64IntegerAttr(layer.block));
                     return arith::RemSIOp::create(b, l, position, block);
                   });
}

/// The state holds the last `block` of x [batch, sequence, n] afterwards: a convolution keeps them.
void keep(GraphBuilder &graph, const DiagonalAttention &layer, Value x, const std::string &state) {
  llvm::SmallVector<OpFoldResult> sizes{graph.ops().getIndexAttr(layer.hidden),
                                        graph.ops().getIndexAttr(layer.block + 1)};
  CausalConvSpec spec;
  spec.name = state;
  spec.x = x;
  spec.taps = layer.block + 1;
  spec.weight = graph.fill(sizes, graph.ops().getF32FloatAttr(0.0f));
  spec.state = state;
  graph.causalConv(spec);
}

} // namespace

Value DiagonalAttention::build(GraphBuilder &graph, Value x, Value reset) const {
  GraphBuilder::Scope scope(graph, name);
  auto part = [&](const char *module) {
    return graph.splitTokens(graph.linear(x, name + module, hidden, /*hasBias=*/false));
  };
  Value key = part(".k_proj"), value = part(".v_proj");
  AttentionSpec spec{.name = name,
                     .query = graph.splitLast(part(".q_proj"), heads),
                     .key = graph.splitLast(key, heads),
                     .value = graph.splitLast(value, heads)};
  int64_t headDim = hidden / heads;
  spec.scale = 1.0 / std::sqrt(static_cast<double>(headDim));
  spec.reach = block - 1;
  spec.past = buildPast(graph, *this, key, reset);
  bool carries = graph.hasState(name + ".keys");
  std::pair<Value, Value> seen = graph.attentionWithSum(spec, carries);
  if (carries) {
    spec.key = graph.splitLast(graph.state(name + ".keys"), heads);
    spec.value = graph.splitLast(graph.state(name + ".values"), heads);
    spec.lead = block;
    seen.first = graph.joinAttention(seen, graph.attentionWithSum(spec));
    keep(graph, *this, key, name + ".keys");
    keep(graph, *this, value, name + ".values");
  }
  return graph.linear(graph.mergeHeads(seen.first), name + ".out_proj", hidden, /*hasBias=*/false);
}

} // namespace weft
