// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is emitted for a product of floats with a packed weight.
#ifndef WEFT_LOWERING_VECTORIZE_MATMULPLAN_H
#define WEFT_LOWERING_VECTORIZE_MATMULPLAN_H

#include "lowering/analysis/ProductPlan.h"
#include "lowering/vectorize/MatmulEpilogue.h"

namespace weft {

/// What is emitted for one product.
struct MatmulPlan {
  PackedMatmulOp matmul;
  MatmulEpilogue epilogue;
  ProductPlan shapes;
  bool words;         ///< a step of the sum multiplies words of two bf16
  int64_t depthBlock; ///< steps of the sum before partial sums are put down; all: the sum is not cut
  bool blocked;       ///< the sum is cut
  bool far;           ///< the weight comes from beyond the second-level cache
  bool streamed;      ///< later panels of such a weight are fetched ahead
};

/// The plan of a product on memrefs; reports an error where none fits it.
mlir::FailureOr<MatmulPlan> planMatmul(PackedMatmulOp matmul, const ProductPlan &shapes);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_MATMULPLAN_H
