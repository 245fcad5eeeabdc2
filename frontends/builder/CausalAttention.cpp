// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention to the tokens of a text that may come in several calls: keys and values go into the slots of their
// positions, and a query sees the slots up to its own. A text that starts anew writes from slot 0, so that what a text
// computes does not depend on where in its row, or after which padding, it starts.
#include "frontends/builder/Mixers.h"
#include "frontends/builder/Rotary.h"
#include "frontends/builder/Scalars.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;

namespace weft {

StateSpec textPositions() { return {"positions", {"batch"}, {0}, {"context", "sequence"}}; }

namespace {

constexpr const char *kPositions = "positions";

Value integer(OpBuilder &b, Location l, int64_t value) {
  return arith::ConstantOp::create(b, l, b.getI64IntegerAttr(value));
}

/// Tokens of its text before each in this call; where no text has started yet, from what came before the call.
Value countFromState(GraphBuilder &graph, Value starts) {
  Value count = graph.positions(starts, "", starts);
  llvm::SmallVector<Value> inputs{count};
  llvm::SmallVector<AffineMap> maps{graph.dimsMap(2, {0, 1})};
  bool goesOn = graph.hasState(kPositions);
  if (goesOn) {
    inputs.append({graph.state(kPositions), graph.column(starts, 0)});
    maps.append(2, graph.dimsMap(2, {0}));
  }
  return graph.map(graph.sizes(count), graph.ops().getI64Type(), inputs, maps,
                   [&](OpBuilder &b, Location l, ValueRange s) -> Value {
                     Value inCall = arith::FPToSIOp::create(b, l, b.getI64Type(), s[0]);
                     if (!goesOn)
                       return inCall;
                     Value step = arith::IndexCastOp::create(b, l, b.getI64Type(), linalg::IndexOp::create(b, l, 1));
                     Value zero = arith::ConstantOp::create(b, l, b.getIntegerAttr(s[2].getType(), 0));
                     Value isWhole = arith::CmpIOp::create(b, l, arith::CmpIPredicate::eq, inCall, step);
                     Value startsLater = arith::CmpIOp::create(b, l, arith::CmpIPredicate::eq, s[2], zero);
                     Value isOld = arith::AndIOp::create(b, l, isWhole, startsLater);
                     return arith::SelectOp::create(b, l, isOld, arith::AddIOp::create(b, l, s[1], inCall), inCall);
                   });
}

/// The only token of a call is where the state says: [batch, 1].
Value positionOfOne(GraphBuilder &graph) {
  return graph.map({graph.dim("batch"), graph.dim("sequence")}, graph.ops().getI64Type(), {graph.state(kPositions)},
                   {graph.dimsMap(2, {0})}, [](OpBuilder &, Location, ValueRange s) { return s[0]; });
}

/// The entry of the last token: positions [batch, sequence] → [batch].
Value lastOf(GraphBuilder &graph, Value positions) {
  OpBuilder &b = graph.ops();
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1), last = zero, steps = graph.dim("sequence");
  if (auto value = dyn_cast<Value>(steps))
    last = arith::SubIOp::create(b, graph.loc(), value, arith::ConstantIndexOp::create(b, graph.loc(), 1)).getResult();
  llvm::SmallVector<OpFoldResult> offsets{zero, last}, sizes{graph.dim("batch"), one}, strides(2, one);
  auto type = RankedTensorType::get({ShapedType::kDynamic}, b.getI64Type());
  Value slice = tensor::ExtractSliceOp::create(b, graph.loc(), type, positions, offsets, sizes, strides);
  return graph.known(slice, {graph.dim("batch")});
}

} // namespace

Value buildPositions(GraphBuilder &graph, Value starts) {
  if (graph.keyTable()) // the caller says where each token is: rows come and go
    return graph.input("position_ids");
  GraphBuilder::Scope scope(graph, kPositions);
  Value positions = starts ? countFromState(graph, starts) : positionOfOne(graph);
  if (graph.hasState(kPositions)) {
    Value last = lastOf(graph, positions);
    graph.setState(kPositions, graph.map(graph.sizes(last), graph.ops().getI64Type(), {last}, {graph.dimsMap(1, {0})},
                                         [](OpBuilder &b, Location l, ValueRange s) -> Value {
                                           return arith::AddIOp::create(b, l, s[0], integer(b, l, 1));
                                         }));
  }
  return positions;
}

std::vector<StateSpec> CausalAttention::states() const {
  const std::string &prefix = state.empty() ? name : state;
  std::vector<std::string> dims{"batch", "context", "", ""};
  std::vector<int64_t> shape{0, 0, keyHeads, width};
  return {{prefix + ".keys", dims, shape}, {prefix + ".values", dims, shape}};
}

namespace {

/// x with elements below −bound or above bound moved there.
Value clipped(GraphBuilder &graph, Value x, double bound) {
  return graph.map({x}, [&](OpBuilder &b, Location l, ValueRange s) -> Value {
    Scalars of{b, l};
    Value upper = arith::MinimumFOp::create(b, l, s[0], of.constant(bound));
    return of.max(upper, of.constant(-bound));
  });
}

/// Queries, keys or values by the norm of that name, if there is one.
Value normed(GraphBuilder &graph, const CausalAttention &layer, Value x, const std::string &norm) {
  std::string module = layer.name + "." + norm;
  if (norm.empty())
    return x;
  return layer.normsFromOne ? graph.rmsNormFromOne(x, module, layer.epsilon) : graph.rmsNorm(x, module, layer.epsilon);
}

/// What a projection gives, [tokens, heads · width], as heads [batch, sequence, heads, width], normed and clipped.
Value headsOf(GraphBuilder &graph, const CausalAttention &layer, Value x, int64_t heads, const std::string &norm) {
  if (layer.normsAllHeads)
    x = normed(graph, layer, x, norm);
  x = graph.splitHeads(x, heads);
  if (!layer.normsAllHeads)
    x = normed(graph, layer, x, norm);
  return layer.clip > 0 ? clipped(graph, x, layer.clip) : x;
}

/// Keys or queries [batch, sequence, heads, width] as they meet: scaled, turned.
Value prepare(GraphBuilder &graph, const CausalAttention &layer, Value x, double factor, Value positions) {
  if (factor != 1)
    x = graph.map({x}, [&](OpBuilder &b, Location l, ValueRange s) {
      Scalars of{b, l};
      return of.mul(s[0], of.constant(factor));
    });
  if (!layer.rotary || graph.failed()) // no table of a width that no weight confirms
    return x;
  Value places = graph.map(graph.sizes(positions), graph.ops().getF32Type(), {positions}, {graph.dimsMap(2, {0, 1})},
                           [](OpBuilder &b, Location l, ValueRange s) -> Value {
                             return arith::SIToFPOp::create(b, l, b.getF32Type(), s[0]);
                           });
  std::vector<float> frequencies =
      layer.frequencies.empty() ? rotaryFrequencies(layer.theta, layer.rotary) : layer.frequencies;
  Rotation rotation = buildRotation(graph, frequencies, places, layer.turnScale);
  if (!layer.neighbours)
    return rotate(graph, x, rotation);
  Value turned = rotateNeighbours(graph, graph.lastSlice(x, 0, layer.rotary), rotation);
  int64_t rest = layer.width - layer.rotary;
  return rest ? graph.joinLast({turned, graph.lastSlice(x, layer.rotary, rest)}) : turned;
}

/// How many keys before its own each query sees.
Value reachOf(GraphBuilder &graph, Value positions, int64_t window) {
  if (!window)
    return positions;
  return graph.map(graph.sizes(positions), graph.ops().getI64Type(), {positions}, {graph.dimsMap(2, {0, 1})},
                   [&](OpBuilder &b, Location l, ValueRange s) -> Value {
                     return arith::MinSIOp::create(b, l, s[0], integer(b, l, window - 1));
                   });
}

/// Means over keys, [batch, sequence, heads, width], as they are with one more key of value 0: by the share of the
/// others.
Value withSinks(GraphBuilder &graph, std::pair<Value, Value> attended, Value sinks) {
  auto [means, sums] = attended;
  return graph.map(graph.sizes(means), graph.ops().getF32Type(), {means, sums, sinks},
                   {graph.dimsMap(4, {0, 1, 2, 3}), graph.dimsMap(4, {0, 1, 2}), graph.dimsMap(4, {2})},
                   [](OpBuilder &b, Location l, ValueRange s) -> Value {
                     Scalars of{b, l};
                     return of.mul(s[0], of.sigmoid(of.sub(s[1], s[2])));
                   });
}

Value gatedBy(GraphBuilder &graph, Value x, Value gate) {
  return graph.map({x, gate}, [](OpBuilder &b, Location l, ValueRange s) -> Value {
    Scalars of{b, l};
    return of.mul(s[0], of.sigmoid(s[1]));
  });
}

Value linearOf(GraphBuilder &graph, const CausalAttention &layer, Value x, const std::string &projection, int64_t out,
               bool hasBias) {
  std::string module = layer.name + "." + projection;
  return layer.inByOut ? graph.linearInByOut(x, module, out, hasBias) : graph.linear(x, module, out, hasBias);
}

/// `channels` of queries, keys or values, which come after `first` heads, of what the fused projection gives.
Value partOfFused(GraphBuilder &graph, const CausalAttention &layer, Value all, int64_t first, int64_t channels) {
  int64_t groups = layer.fusedGroups, from = first * layer.width;
  assert(layer.heads % groups == 0 && layer.keyHeads % groups == 0 && "each group has its heads");
  if (groups == 1)
    return graph.lastSlice(all, from, channels);
  int64_t part = channels / groups;
  if (part == layer.width) // heads lie apart as their groups do
    return graph.mergeLast(graph.lastSlice(graph.splitLast(all, groups), from / groups, part));
  int64_t stride = (layer.heads + 2 * layer.keyHeads) * layer.width / groups;
  llvm::SmallVector<Value> parts;
  for (int64_t group = 0; group < groups; ++group)
    parts.push_back(graph.lastSlice(all, group * stride + from / groups, part));
  return graph.joinLast(parts);
}

} // namespace

Value CausalAttention::attend(GraphBuilder &graph, Value query, Value key, Value value, Value positions) const {
  AttentionSpec spec;
  spec.name = name;
  spec.query = prepare(graph, *this, query, 1, positions);
  spec.key = prepare(graph, *this, key, keyFactor, positions);
  spec.value = value;
  spec.scale = scale > 0 ? scale : 1.0 / std::sqrt(static_cast<double>(width));
  spec.cap = cap;
  spec.headsPerGroup = heads / keyHeads;
  const std::string &prefix = state.empty() ? name : state;
  if (graph.hasState(prefix + ".keys")) {
    spec.key = graph.cacheUpdate(prefix + ".keys", spec.key, positions);
    spec.value = graph.cacheUpdate(prefix + ".values", spec.value, positions);
    spec.last = positions;
    spec.window = window;
    spec.table = graph.keyTable();
  } else {
    spec.past = reachOf(graph, positions, window);
  }
  if (!slopes.empty()) {
    spec.slopes = graph.constant(slopes);
    spec.roundsSlopes = roundsSlopes;
  }
  if (sinks.empty())
    return graph.attention(spec);
  return withSinks(graph, graph.attentionWithSum(spec), graph.parameter(name + "." + sinks, {heads}));
}

Value CausalAttention::build(GraphBuilder &graph, Value x, Value positions) const {
  GraphBuilder::Scope scope(graph, name);
  Value all = fused.empty() ? Value() : linearOf(graph, *this, x, fused, (heads + 2 * keyHeads) * width, bias), gate;
  auto project = [&](const char *projection, int64_t first, int64_t channels) {
    Value y =
        all ? partOfFused(graph, *this, all, first, channels) : linearOf(graph, *this, x, projection, channels, bias);
    return adapter ? graph.add(y, adapter(graph, projection, x)) : y;
  };
  Value query = project("q_proj", 0, heads * width * (gated ? 2 : 1));
  if (gated) {
    Value both = graph.splitHeads(query, heads);
    query = normed(graph, *this, graph.lastSlice(both, 0, width), queryNorm);
    gate = graph.lastSlice(both, width, width);
  } else {
    query = headsOf(graph, *this, query, heads, queryNorm);
  }
  int64_t afterKeys = heads + (fusedValuesFirst ? 0 : keyHeads),
          afterValues = heads + (fusedValuesFirst ? keyHeads : 0);
  Value key = headsOf(graph, *this, project("k_proj", afterValues, keyHeads * width), keyHeads, keyNorm);
  Value value = headsOf(graph, *this, project("v_proj", afterKeys, keyHeads * width), keyHeads, "");
  Value result = attend(graph, query, key, value, positions);
  if (gated)
    result = gatedBy(graph, result, gate);
  return linearOf(graph, *this, graph.mergeHeads(result), out, hidden, outBias);
}

} // namespace weft
