// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products with weights, where the module asks for weights of integers → products that read such. In 8 bits, where
// activations are rounded too ("int8"):
//   %w = weft.parameter "w.packed" sources(["w"]) layout(#weft.panels<…>) : tensor<1x8x16xf32>
//   %y = weft.packed_matmul ins(%x, %w)
// becomes
//   %q, %s = weft.quantize_rows ins(%x)
//   %v = weft.parameter "w.packed.int8" … : tensor<1x2x64xi8>;  %t = weft.parameter "w.packed.int8_scales" … :
//   tensor<16xf32> %y = weft.quantized_matmul ins(%q, %s, %v, %t)
// In groups along k ("int4", "q8_0"):
//   %v = weft.parameter "w.packed.int4" … : tensor<1x1x288xi8>
//   %y = weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %v)
#include "lowering/fuse/Passes.h"

#include "dialects/weft/RoutingOps.h"
#include "lowering/fuse/RoundedRows.h"
#include "lowering/fuse/RoundedWeight.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/MathExtras.h"

namespace weft {
#define GEN_PASS_DEF_QUANTIZEPRODUCTS
#include "lowering/fuse/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// A product whose weight can be rounded.
struct QuantizePlan {
  PackedMatmulOp product;
  ParameterOp weight;
  int64_t depth, columns;
};

FailureOr<QuantizePlan> planQuantization(PackedMatmulOp product, bool wholeInIntegers) {
  auto missed = [&](StringRef reason) -> FailureOr<QuantizePlan> {
    remark::missed(product.getLoc(), remark::RemarkOpts::name("kept-weight").category("weft-quantize-products"))
        << reason;
    return failure();
  };
  auto weight = product.getRhs().getDefiningOp<ParameterOp>();
  auto out = cast<ShapedType>(product.getInit().getType());
  if (!weight || !weight.getLayout() || out.isDynamicDim(1))
    return missed("the right operand is not a weight");
  if (product.hasBlocks())
    return missed("a block-diagonal weight is not rounded");
  if (llvm::any_of(product->getUsers(), llvm::IsaPred<RouteOp>))
    return missed("its results choose experts, which rounding would change");
  for (Value operand : product->getOperands())
    if (!getElementTypeOrSelf(operand.getType()).isF32())
      return missed("only products of f32 are rounded");
  int64_t depth = cast<ShapedType>(weight.getType()).getDimSize(1);
  if (weight.getLayout()->getWidth() != kPanelWidth)
    return missed("the weight's panels have another width");
  if (wholeInIntegers && llvm::alignTo(depth, QuantizedMatmulOp::kGroup) > QuantizedMatmulOp::kMaxDepth)
    return missed("the sum over so many products may not fit 32 bits");
  if (!wholeInIntegers && cast<ShapedType>(product.getLhs().getType()).isDynamicDim(1))
    return missed("the number of columns of the left operand is not known");
  return QuantizePlan{product, weight, depth, out.getDimSize(1)};
}

void replaceProduct(const QuantizePlan &plan, Value result) {
  PackedMatmulOp product = plan.product;
  ParameterOp weight = plan.weight;
  product.getResult().replaceAllUsesWith(result);
  product.erase();
  if (weight->use_empty())
    weight.erase();
}

void applyQuantization(OpBuilder &b, const QuantizePlan &plan, RoundedRows &rounded) {
  PackedMatmulOp product = plan.product;
  ParameterOp weight = plan.weight;
  auto [values, scales] = rounded.of(b, product.getLhs(), plan.depth, product);
  b.setInsertionPoint(product);
  int64_t panels = cast<ShapedType>(weight.getType()).getDimSize(0);
  auto layout = PanelsAttr::get(b.getContext(), weight.getLayout()->getWidth(), weight.getLayout()->getOutByIn(), true);
  int64_t groups = llvm::divideCeilSigned(plan.depth, QuantizedMatmulOp::kGroup);
  Value integers =
      roundedWeight(b, weight, ".int8", RankedTensorType::get({panels, groups, 64}, b.getI8Type()), layout);
  Value weightScales =
      roundedWeight(b, weight, ".int8_scales", RankedTensorType::get({plan.columns}, b.getF32Type()), layout);
  auto quantized = QuantizedMatmulOp::create(b, product.getLoc(), TypeRange{product.getInit().getType()}, values,
                                             scales, integers, weightScales, product.getBias(), product.getInit());
  replaceProduct(plan, quantized.getResult());
}

void applyGroups(OpBuilder &b, const QuantizePlan &plan, const NamedGroupForm &named) {
  PackedMatmulOp product = plan.product;
  ParameterOp weight = plan.weight;
  b.setInsertionPoint(product);
  Value integers = roundedInGroups(b, weight, named);
  auto groupwise = GroupwiseMatmulOp::create(
      b, product.getLoc(), TypeRange{product.getInit().getType()}, product.getLhs(), integers, product.getBias(),
      product.getInit(), b.getI64IntegerAttr(named.form.bits), b.getI64IntegerAttr(named.form.group));
  replaceProduct(plan, groupwise.getResult());
}

struct QuantizeProductsPass : impl::QuantizeProductsBase<QuantizeProductsPass> {
  void runOnOperation() override {
    auto form = getOperation()->getAttrOfType<StringAttr>("weft.weights");
    if (!form || form == "keep")
      return;
    const NamedGroupForm *named = findGroupForm(form);
    if (form != "int8" && !named) {
      getOperation()->emitError("weft.weights must be keep, int8 or a form of groups, got ") << form;
      return signalPassFailure();
    }
    SmallVector<PackedMatmulOp> products;
    getOperation()->walk([&](PackedMatmulOp op) { products.push_back(op); });
    OpBuilder builder(&getContext());
    RoundedRows rows;
    for (PackedMatmulOp product : products)
      if (FailureOr<QuantizePlan> plan = planQuantization(product, !named); succeeded(plan)) {
        if (named)
          applyGroups(builder, *plan, *named);
        else
          applyQuantization(builder, *plan, rows);
      }
  }
};

} // namespace
} // namespace weft
