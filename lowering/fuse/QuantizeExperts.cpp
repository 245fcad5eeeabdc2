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
// In 8 bits, where activations are rounded too ("int8"), each token's row once for all experts:
//   %q, %s = weft.quantize_rows ins(%x)
//   %v = weft.parameter "up.packed.int8" …;  %t = weft.parameter "up.packed.int8_scales" … : tensor<8x2048xf32>
//   %y = weft.grouped_matmul ins(%q, %v, %offsets) scales(%s, %t)
#include "lowering/fuse/Passes.h"

#include "dialects/weft/RoutingOps.h"
#include "lowering/fuse/RoundedRows.h"
#include "lowering/fuse/RoundedWeight.h"

#include "mlir/IR/Remarks.h"
#include "llvm/Support/MathExtras.h"

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
  if (product.getLhs().getType().isDynamicDim(1) || product.getInit().getType().isDynamicDim(1))
    return missed("the number of columns of an operand is not known");
  if (llvm::alignTo(product.getLhs().getType().getDimSize(1), QuantizedMatmulOp::kGroup) > QuantizedMatmulOp::kMaxDepth)
    return missed("the sum over so many products may not fit 32 bits");
  return weight;
}

void roundInGroups(OpBuilder &b, GroupedMatmulOp product, ParameterOp weight, const NamedGroupForm &named) {
  b.setInsertionPoint(weight);
  product.getRhsMutable().assign(roundedInGroups(b, weight, named));
  product.setBits(named.form.bits);
  product.setGroup(named.form.group);
}

/// Rows and weights as integers.
void roundBoth(OpBuilder &b, GroupedMatmulOp product, ParameterOp weight, RoundedRows &rounded) {
  int64_t depth = product.getLhs().getType().getDimSize(1), columns = product.getInit().getType().getDimSize(1);
  auto [values, scales] = rounded.of(b, product.getLhs(), depth, product);
  b.setInsertionPoint(weight);
  auto layout = PanelsAttr::get(b.getContext(), kPanelWidth, weight.getLayout()->getOutByIn(), true);
  SmallVector<int64_t> shape(cast<ShapedType>(weight.getType()).getShape());
  shape[2] = llvm::divideCeilSigned(depth, QuantizedMatmulOp::kGroup);
  shape[3] = kPanelWidth * QuantizedMatmulOp::kGroup;
  Value integers = roundedWeight(b, weight, ".int8", RankedTensorType::get(shape, b.getI8Type()), layout);
  auto perColumn = RankedTensorType::get({shape[0], columns}, b.getF32Type());
  Value columnScales = roundedWeight(b, weight, ".int8_scales", perColumn, layout);
  product.getLhsMutable().assign(values);
  product.getRhsMutable().assign(integers);
  product.getLhsScalesMutable().assign(scales);
  product.getRhsScalesMutable().assign(columnScales);
}

struct QuantizeExpertsPass : impl::QuantizeExpertsBase<QuantizeExpertsPass> {
  void runOnOperation() override {
    auto form = getOperation()->getAttrOfType<StringAttr>("weft.weights");
    if (!form || form == "keep")
      return;
    const NamedGroupForm *named = findGroupForm(form);
    if (form != "int8" && !named)
      return; // reported by weft-quantize-products
    SmallVector<GroupedMatmulOp> products;
    getOperation()->walk([&](GroupedMatmulOp op) { products.push_back(op); });
    OpBuilder b(&getContext());
    RoundedRows rows;
    for (GroupedMatmulOp product : products) {
      FailureOr<ParameterOp> weight = findWeight(product);
      if (failed(weight))
        continue;
      if (named)
        roundInGroups(b, product, *weight, *named);
      else
        roundBoth(b, product, *weight, rows);
      if ((*weight)->use_empty())
        weight->erase();
    }
  }
};

} // namespace
} // namespace weft
