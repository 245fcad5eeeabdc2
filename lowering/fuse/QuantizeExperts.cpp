// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of ragged groups, where the module asks for weights of integers → the same products of weights that are
// rounded in groups along k:
//   %w = weft.parameter "up.packed" sources([…]) layout(#weft.panels<…>) : tensor<8x128x1024x16xf32>
//   %y = weft.grouped_matmul ins(%x, %w, %offsets)
// becomes
//   %v = weft.parameter "up.packed.int4" … : tensor<8x128x32x288xi8>
//   %y = weft.grouped_matmul {bits = 4, group = 32} ins(%x, %v, %offsets)
#include "lowering/fuse/Passes.h"

#include "dialects/weft/RoutingOps.h"
#include "lowering/fuse/RoundedWeight.h"

#include "mlir/IR/Remarks.h"

namespace weft {
#define GEN_PASS_DEF_QUANTIZEEXPERTS
#include "lowering/fuse/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// The weight of a product that can be rounded.
FailureOr<ParameterOp> findWeight(GroupedMatmulOp product) {
  auto missed = [&](StringRef reason) -> FailureOr<ParameterOp> {
    remark::missed(product.getLoc(), remark::RemarkOpts::name("kept-weight").category("weft-quantize-experts"))
        << reason;
    return failure();
  };
  auto weight = product.getRhs().getDefiningOp<ParameterOp>();
  if (!weight || !weight.getLayout() || !product.isPacked())
    return missed("the right operand is not a weight in panels");
  if (!getElementTypeOrSelf(weight.getType()).isF32() || !getElementTypeOrSelf(product.getLhs().getType()).isF32())
    return missed("only products of f32 are rounded");
  if (weight.getLayout()->getWidth() != kPanelWidth)
    return missed("the weight's panels have another width");
  if (product.getLhs().getType().isDynamicDim(1))
    return missed("the number of columns of the left operand is not known");
  return weight;
}

struct QuantizeExpertsPass : impl::QuantizeExpertsBase<QuantizeExpertsPass> {
  void runOnOperation() override {
    auto form = getOperation()->getAttrOfType<StringAttr>("weft.weights");
    if (!form || form == "keep")
      return;
    // Rows that go to several experts would be rounded for each: in 8 bits only the weight is.
    const NamedGroupForm *named = findGroupForm(form == "int8" ? StringRef("q8_0") : form.getValue());
    if (!named)
      return; // reported by weft-quantize-products
    SmallVector<GroupedMatmulOp> products;
    getOperation()->walk([&](GroupedMatmulOp op) { products.push_back(op); });
    OpBuilder b(&getContext());
    for (GroupedMatmulOp product : products) {
      FailureOr<ParameterOp> weight = findWeight(product);
      if (failed(weight))
        continue;
      b.setInsertionPoint(*weight);
      product.getRhsMutable().assign(roundedInGroups(b, *weight, *named));
      product.setBits(named->form.bits);
      product.setGroup(named->form.group);
      if ((*weight)->use_empty())
        weight->erase();
    }
  }
};

} // namespace
} // namespace weft
