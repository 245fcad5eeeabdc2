// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// With q = [p, r], p what does not turn and r what does, a key [K · c, k] and a value V · c of the latent c, for a
// head:
//   p · (K · c) + r · k = [Kᵀ · p, r] · [c, k]        Σ w · (V · c) = V · (Σ w · c)
// so that all heads share the key [c, k] and the value c of each position.
#include "frontends/builder/LatentAttention.h"

#include "frontends/builder/Rotary.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <cmath>

using namespace mlir;

namespace weft {

std::vector<StateSpec> LatentAttention::states() const {
  return {{name + ".latents", {"batch", "context", "", ""}, {0, 0, 1, latent + turned}}};
}

namespace {

/// What a token gives: [batch, sequence, heads, …], of keys for one head.
struct LatentParts {
  Value plain, turned; ///< of queries
  Value latent, key;   ///< normed, and turned
};

Rotation rotationOf(GraphBuilder &graph, const LatentAttention &layer, Value positions) {
  Value places = graph.map(graph.sizes(positions), graph.ops().getF32Type(), {positions}, {graph.dimsMap(2, {0, 1})},
                           [](OpBuilder &b, Location l, ValueRange s) -> Value {
                             return arith::SIToFPOp::create(b, l, b.getF32Type(), s[0]);
                           });
  std::vector<float> frequencies =
      layer.frequencies.empty() ? rotaryFrequencies(layer.theta, layer.turned) : layer.frequencies;
  return buildRotation(graph, frequencies, places, layer.turnScale);
}

Value buildQueries(GraphBuilder &graph, const LatentAttention &layer, Value x) {
  int64_t width = layer.heads * (layer.plain + layer.turned);
  if (!layer.queryRank)
    return graph.linear(x, layer.name + ".q_proj", width, /*hasBias=*/false);
  Value low = graph.linear(x, layer.name + ".q_a_proj", layer.queryRank, layer.bias);
  low = graph.rmsNorm(low, layer.name + ".q_a_layernorm", layer.epsilon);
  return graph.linear(low, layer.name + ".q_b_proj", width, /*hasBias=*/false);
}

LatentParts buildParts(GraphBuilder &graph, const LatentAttention &layer, Value x, Value positions) {
  Value queries = graph.splitHeads(buildQueries(graph, layer, x), layer.heads);
  Value both = graph.linear(x, layer.name + ".kv_a_proj_with_mqa", layer.latent + layer.turned, layer.bias);
  Value latent = graph.lastSlice(both, 0, layer.latent), key = graph.lastSlice(both, layer.latent, layer.turned);
  // No table of a width that no weight confirms.
  Rotation rotation = graph.failed() ? Rotation() : rotationOf(graph, layer, positions);
  auto turn = [&](Value y) {
    if (graph.failed())
      return y;
    return layer.neighbours ? rotateNeighbours(graph, y, rotation) : rotate(graph, y, rotation);
  };
  Value normed = graph.rmsNorm(latent, layer.name + ".kv_a_layernorm", layer.epsilon);
  return {graph.lastSlice(queries, 0, layer.plain), turn(graph.lastSlice(queries, layer.plain, layer.turned)),
          graph.splitHeads(normed, 1), turn(graph.splitHeads(key, 1))};
}

/// x [batch, sequence, heads, n] and `width` zeros after each head: what the products of whole rows of weights want.
Value paddedBy(GraphBuilder &graph, Value x, int64_t width) {
  int64_t own = cast<RankedTensorType>(x.getType()).getShape().back();
  llvm::SmallVector<Value> parts{x}; // and x again, for a tensor of zeros alone would be stored
  for (int64_t rest = width; rest > 0; rest -= own)
    parts.push_back(rest < own ? graph.lastSlice(x, 0, rest) : x);
  return graph.map({graph.joinLast(parts)}, [&](OpBuilder &b, Location l, ValueRange s) -> Value {
    Value isOwn = arith::CmpIOp::create(b, l, arith::CmpIPredicate::ult, linalg::IndexOp::create(b, l, 3),
                                        arith::ConstantIndexOp::create(b, l, own));
    Value zero = arith::ConstantOp::create(b, l, b.getF32FloatAttr(0.0f));
    return arith::SelectOp::create(b, l, isOwn, s[0], zero);
  });
}

/// Attention to the cache. The weight that makes both keys and values is read whole for each.
Value attendToLatents(GraphBuilder &graph, const LatentAttention &layer, AttentionSpec spec, const LatentParts &parts,
                      Value positions) {
  std::string weight = layer.name + ".kv_b_proj.weight";
  Value byHead =
      graph.stackedParameter(weight + ".by_head", {weight}, {layer.heads, layer.plain + layer.values, layer.latent});
  Value absorbed = graph.projectBlocks(graph.mergeHeads(paddedBy(graph, parts.plain, layer.values)), byHead);
  spec.query = graph.joinLast({graph.splitHeads(absorbed, layer.heads), parts.turned});
  Value rows = graph.joinLast({parts.latent, parts.key});
  spec.key = graph.cacheUpdate(layer.states().front().name, rows, positions);
  spec.value = graph.lastSlice(spec.key, 0, layer.latent);
  spec.headsPerGroup = layer.heads;
  spec.last = positions;
  spec.table = graph.keyTable();
  Value means = graph.mergeHeads(graph.attention(spec));
  Value both = graph.splitHeads(graph.projectBlocks(means, byHead, /*transposed=*/true), layer.heads);
  return graph.mergeHeads(graph.lastSlice(both, layer.plain, layer.values));
}

/// Attention of the call's tokens to each other, with keys and values of their own for each head.
Value attendToCall(GraphBuilder &graph, const LatentAttention &layer, AttentionSpec spec, const LatentParts &parts,
                   Value positions) {
  int64_t width = layer.plain + layer.values;
  Value made = graph.linear(graph.mergeHeads(parts.latent), layer.name + ".kv_b_proj", layer.heads * width,
                            /*hasBias=*/false);
  Value both = graph.splitHeads(made, layer.heads), plain = graph.lastSlice(both, 0, layer.plain);
  llvm::SmallVector<OpFoldResult> sizes(graph.sizes(plain));
  sizes.back() = graph.ops().getIndexAttr(layer.turned);
  Value key = graph.map(sizes, graph.ops().getF32Type(), {graph.mergeLast(parts.key)}, {graph.dimsMap(4, {0, 1, 3})},
                        [](OpBuilder &, Location, ValueRange s) { return s[0]; });
  spec.query = graph.joinLast({parts.plain, parts.turned});
  spec.key = graph.joinLast({plain, key});
  spec.value = graph.lastSlice(both, layer.plain, layer.values);
  spec.past = positions;
  return graph.mergeHeads(graph.attention(spec));
}

} // namespace

Value LatentAttention::build(GraphBuilder &graph, Value x, Value positions) const {
  GraphBuilder::Scope scope(graph, name);
  LatentParts parts = buildParts(graph, *this, x, positions);
  AttentionSpec spec;
  spec.name = name;
  spec.scale = scale > 0 ? scale : 1.0 / std::sqrt(static_cast<double>(plain + turned));
  bool keeps = graph.hasState(states().front().name);
  Value y = keeps ? attendToLatents(graph, *this, spec, parts, positions)
                  : attendToCall(graph, *this, spec, parts, positions);
  return graph.linear(y, name + ".o_proj", hidden, bias);
}

} // namespace weft
