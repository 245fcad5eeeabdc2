// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rotary positions as tables of cosines and sines and elementwise ops.
#include "frontends/builder/Rotary.h"

#include "frontends/builder/Scalars.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <cmath>

using namespace mlir;

namespace weft {

/// theta^(−2k / dims), rounded as the library does.
std::vector<float> rotaryFrequencies(double theta, int64_t dims) {
  std::vector<float> frequencies;
  for (int64_t k = 0; k < dims / 2; ++k) {
    float exponent = static_cast<float>(2 * k) / static_cast<float>(dims);
    frequencies.push_back(1.0f / static_cast<float>(std::pow(theta, static_cast<double>(exponent))));
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

Value rotate(GraphBuilder &graph, Value x, const Rotation &rotation) {
  auto table = cast<RankedTensorType>(rotation.cos.getType());
  int64_t half = table.getShape().back(), all = cast<RankedTensorType>(x.getType()).getShape().back();
  Value lower = graph.lastSlice(x, 0, half), upper = graph.lastSlice(x, half, half);
  AffineMap whole = graph.dimsMap(4, {0, 1, 2, 3});
  AffineMap angles = table.getRank() == 3 ? graph.dimsMap(4, {0, 1, 3}) : graph.dimsMap(4, {1, 3});
  auto combine = [&](Value same, Value other, bool add) {
    return graph.map(graph.sizes(same), graph.ops().getF32Type(), {same, other, rotation.cos, rotation.sin},
                     {whole, whole, angles, angles}, [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                       Scalars s{b, l};
                       Value kept = s.mul(v[0], v[2]), turned = s.mul(v[1], v[3]);
                       return add ? s.add(kept, turned) : s.sub(kept, turned);
                     });
  };
  Value first = combine(lower, upper, false), second = combine(upper, lower, true);
  Value joined = graph.empty(llvm::SmallVector<OpFoldResult>(graph.sizes(x)), graph.ops().getF32Type());
  joined = graph.insertLast(second, graph.insertLast(first, joined, 0), half);
  if (all == 2 * half)
    return joined;
  return graph.insertLast(graph.lastSlice(x, 2 * half, all - 2 * half), joined, 2 * half);
}

} // namespace weft
