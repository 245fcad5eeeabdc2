// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ops → the kinds of their products.
#include "lowering/analysis/ProductKinds.h"

#include "lowering/analysis/AmxPlan.h"
#include "lowering/analysis/DigitPlan.h"

using namespace mlir;

namespace weft {

unsigned productKindsOf(Operation *root) {
  unsigned kinds = kNoProducts;
  root->walk([&](Operation *op) {
    if (auto attention = dyn_cast<AttentionOp>(op))
      kinds |= (wantsTiles(attention) ? kHalfProducts : 0) | (wantsByteTiles(attention) ? kByteProducts : 0);
    else if (auto groupwise = dyn_cast<GroupwiseMatmulOp>(op))
      kinds |= digitsPay(groupwise.getForm()) ? kByteProducts : 0;
    else if (isa<QuantizedMatmulOp>(op))
      kinds |= kByteProducts;
    else if (wantsTiles(op))
      kinds |= kHalfProducts;
  });
  return kinds;
}

} // namespace weft
