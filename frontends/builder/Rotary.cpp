// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rotary positions as tables of cosines and sines and elementwise ops.
#include "frontends/builder/Rotary.h"

#include "frontends/builder/Scalars.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <algorithm>
#include <cmath>

using namespace mlir;

namespace weft {

constexpr double kPi = 3.14159265358979324;

/// theta^(2k / dims), rounded as the library does.
static float waveOf(double theta, int64_t dims, int64_t k) {
  float exponent = static_cast<float>(2 * k) / static_cast<float>(dims);
  return static_cast<float>(std::pow(theta, static_cast<double>(exponent)));
}

std::vector<float> rotaryFrequencies(double theta, int64_t dims) {
  std::vector<float> frequencies;
  for (int64_t k = 0; k < dims / 2; ++k)
    frequencies.push_back(1.0f / waveOf(theta, dims, k));
  return frequencies;
}

std::vector<float> yarnFrequencies(double theta, int64_t dims, const YarnSpec &spec) {
  // The pair whose wave turns so many times over the trained positions: theta^(2k / dims) · 2π · turns = trained.
  auto pairOf = [&](double turns) {
    return static_cast<double>(dims) * std::log(spec.trained / (turns * 2 * kPi)) / (2 * std::log(theta));
  };
  double first = pairOf(spec.fast), last = pairOf(spec.slow);
  if (spec.whole)
    first = std::floor(first), last = std::ceil(last);
  first = std::max(first, 0.0), last = std::min(last, static_cast<double>(dims - 1));
  if (first == last)
    last += 0.001; // a step, as the library has it
  std::vector<float> frequencies;
  for (int64_t k = 0; k < dims / 2; ++k) {
    float wave = waveOf(theta, dims, k), place = static_cast<float>(k) - static_cast<float>(first);
    float share = std::clamp(place / static_cast<float>(last - first), 0.0f, 1.0f), kept = 1.0f - share;
    float stretched = 1.0f / (static_cast<float>(spec.stretch) * wave);
    frequencies.push_back(stretched * (1.0f - kept) + 1.0f / wave * kept);
  }
  return frequencies;
}

Rotation buildRotation(GraphBuilder &graph, double theta, int64_t dims, Value positions) {
  return buildRotation(graph, rotaryFrequencies(theta, dims), positions);
}

Rotation buildRotation(GraphBuilder &graph, llvm::ArrayRef<float> frequencies, Value positions, double scale) {
  GraphBuilder::Scope scope(graph, "rotary_emb");
  OpBuilder &ops = graph.ops();
  unsigned loops = positions ? 3 : 2;
  llvm::SmallVector<Value> inputs{graph.constant(frequencies)};
  llvm::SmallVector<AffineMap> maps{graph.dimsMap(loops, {loops - 1})};
  llvm::SmallVector<OpFoldResult> sizes{graph.dim("sequence"),
                                        ops.getIndexAttr(static_cast<int64_t>(frequencies.size()))};
  if (positions) {
    inputs.push_back(positions);
    maps.push_back(graph.dimsMap(3, {0, 1}));
    sizes.insert(sizes.begin(), graph.dim("batch"));
  }
  auto ofAngle = [&](bool cosine) {
    return graph.map(sizes, ops.getF32Type(), inputs, maps, [&](OpBuilder &b, Location l, ValueRange s) -> Value {
      Value position;
      if (positions) {
        position = s[1];
      } else {
        Value place = arith::IndexCastOp::create(b, l, b.getI32Type(), linalg::IndexOp::create(b, l, 0));
        position = arith::SIToFPOp::create(b, l, b.getF32Type(), place);
      }
      Scalars of{b, l};
      Value angle = of.mul(position, s[0]);
      Value turn = cosine ? math::CosOp::create(b, l, angle).getResult() : math::SinOp::create(b, l, angle).getResult();
      return scale == 1 ? turn : of.mul(turn, of.constant(scale));
    });
  };
  Value cos = ofAngle(true);
  return {cos, ofAngle(false)};
}

/// Pairs of `lower` and `upper`, [batch, sequence, heads, pairs] each, turned.
static std::pair<Value, Value> turn(GraphBuilder &graph, Value lower, Value upper, const Rotation &rotation) {
  bool ofRows = cast<RankedTensorType>(rotation.cos.getType()).getRank() == 3;
  AffineMap whole = graph.dimsMap(4, {0, 1, 2, 3}), angles = graph.dimsMap(4, {1, 3});
  if (ofRows)
    angles = graph.dimsMap(4, {0, 1, 3});
  auto combine = [&](Value same, Value other, bool add) {
    return graph.map(graph.sizes(same), graph.ops().getF32Type(), {same, other, rotation.cos, rotation.sin},
                     {whole, whole, angles, angles}, [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                       Scalars s{b, l};
                       Value kept = s.mul(v[0], v[2]), turned = s.mul(v[1], v[3]);
                       return add ? s.add(kept, turned) : s.sub(kept, turned);
                     });
  };
  Value first = combine(lower, upper, false);
  return {first, combine(upper, lower, true)};
}

static int64_t pairsOf(const Rotation &rotation) {
  return cast<RankedTensorType>(rotation.cos.getType()).getShape().back();
}

/// Both halves, in a tensor of the extents of x.
static Value join(GraphBuilder &graph, Value x, std::pair<Value, Value> halves, int64_t pairs) {
  Value joined = graph.empty(llvm::SmallVector<OpFoldResult>(graph.sizes(x)), graph.ops().getF32Type());
  return graph.insertLast(halves.second, graph.insertLast(halves.first, joined, 0), pairs);
}

Value rotate(GraphBuilder &graph, Value x, const Rotation &rotation) {
  int64_t half = pairsOf(rotation), all = cast<RankedTensorType>(x.getType()).getShape().back();
  Value lower = graph.lastSlice(x, 0, half), upper = graph.lastSlice(x, half, half);
  Value joined = join(graph, x, turn(graph, lower, upper, rotation), half);
  if (all == 2 * half)
    return joined;
  return graph.insertLast(graph.lastSlice(x, 2 * half, all - 2 * half), joined, 2 * half);
}

Value rotateNeighbours(GraphBuilder &graph, Value x, const Rotation &rotation) {
  int64_t pairs = pairsOf(rotation);
  Value both = graph.splitLast(x, pairs); // [batch, sequence, heads, pairs, 2]
  return join(graph, x, turn(graph, graph.column(both, 0), graph.column(both, 1), rotation), pairs);
}

} // namespace weft
