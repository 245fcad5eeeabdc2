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

/// The angles of `frequencies` times position, their cosines and sines times `scale`. `positions` is f32
/// [batch, sequence]; without it a token's position is its place in the row.
Rotation buildRotation(GraphBuilder &graph, llvm::ArrayRef<float> frequencies, mlir::Value positions = {},
                       double scale = 1);
Rotation buildRotation(GraphBuilder &graph, double theta, int64_t dims, mlir::Value positions = {});

/// x [batch, sequence, heads, d] with the first `dims` of each head turned, element i against element i + dims / 2:
/// (lower · cos − upper · sin, upper · cos + lower · sin, the rest).
mlir::Value rotate(GraphBuilder &graph, mlir::Value x, const Rotation &rotation);

} // namespace weft

#endif // WEFT_FRONTENDS_BUILDER_ROTARY_H
