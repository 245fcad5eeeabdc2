// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rotary positions (Su et al. 2021, arXiv:2104.09864): pairs of a head's elements turn by angles that grow with the
// position, so that the product of a query and a key depends on their distance.
#ifndef WEFT_FRONTENDS_BUILDER_ROTARY_H
#define WEFT_FRONTENDS_BUILDER_ROTARY_H

#include "frontends/builder/GraphBuilder.h"

namespace weft {

/// cos and sin of position · frequency: [sequence, dims / 2] each, or [batch, sequence, dims / 2].
struct Rotation {
  mlir::Value cos, sin;
};

/// For heads of which `dims` elements turn: the angles of a step, dims / 2 from 1 down to nearly 1 / theta.
std::vector<float> rotaryFrequencies(double theta, int64_t dims);

/// YaRN (Peng et al. 2023, arXiv:2309.00071): pairs that turn more than `fast` times over the trained positions keep
/// their frequency, those that turn less than `slow` times have it divided by `stretch`, and between them both are
/// mixed.
struct YarnSpec {
  double stretch = 1;         ///< of the positions that the model was trained with
  double trained = 4096;      ///< as many
  double fast = 32, slow = 1; ///< turns
  bool whole = true;          ///< the first and last pair that are mixed are rounded outwards
};
std::vector<float> yarnFrequencies(double theta, int64_t dims, const YarnSpec &spec);

/// The angles of `frequencies` times position, their cosines and sines times `scale`. `positions` is f32
/// [batch, sequence]; without it a token's position is its place in the row.
Rotation buildRotation(GraphBuilder &graph, llvm::ArrayRef<float> frequencies, mlir::Value positions = {},
                       double scale = 1);
Rotation buildRotation(GraphBuilder &graph, double theta, int64_t dims, mlir::Value positions = {});

/// x [batch, sequence, heads, d] with the first `dims` of each head turned, element i against element i + dims / 2:
/// (lower · cos − upper · sin, upper · cos + lower · sin, the rest).
mlir::Value rotate(GraphBuilder &graph, mlir::Value x, const Rotation &rotation);

/// x [batch, sequence, heads, dims] turned, element 2i against element 2i + 1. The result has all even elements first,
/// then the odd ones: where query and key both lie so, their product is the same.
mlir::Value rotateNeighbours(GraphBuilder &graph, mlir::Value x, const Rotation &rotation);

} // namespace weft

#endif // WEFT_FRONTENDS_BUILDER_ROTARY_H
