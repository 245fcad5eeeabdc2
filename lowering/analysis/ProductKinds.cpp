// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ops → the kinds of their products.
#include "lowering/analysis/ProductKinds.h"

#include "dialects/weft/RoutingOps.h"
#include "lowering/analysis/AmxPlan.h"
#include "lowering/analysis/DigitPlan.h"

using namespace mlir;

namespace weft {

/// How the bytes of a product's weight in groups lie; none: it has no such weight.
static std::optional<GroupForm> groupFormOf(Operation *op) {
  if (auto groupwise = dyn_cast<GroupwiseMatmulOp>(op))
    return groupwise.getForm();
  auto grouped = dyn_cast<GroupedMatmulOp>(op);
  return grouped ? grouped.getForm() : std::nullopt;
}

static bool isGroupedInBytes(Operation *op) {
  auto grouped = dyn_cast<GroupedMatmulOp>(op);
  return grouped && grouped.getLhsScales();
}

unsigned productKindsOf(Operation *root) {
  unsigned kinds = kNoProducts;
  root->walk([&](Operation *op) {
    if (auto attention = dyn_cast<AttentionOp>(op))
      kinds |= (wantsTiles(attention) ? kHalfProducts : 0) | (wantsByteTiles(attention) ? kByteProducts : 0);
    else if (std::optional<GroupForm> form = groupFormOf(op))
      kinds |= digitsPay(*form) ? kByteProducts : 0;
    else if (isa<QuantizedMatmulOp>(op) || isGroupedInBytes(op))
      kinds |= kByteProducts;
    else if (wantsTiles(op))
      kinds |= kHalfProducts;
  });
  return kinds;
}

} // namespace weft
