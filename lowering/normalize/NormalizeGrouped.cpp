// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.grouped_matmul of a weight [groups, n, k] → of the same weight in panels:
//   %w = weft.parameter "up" sources(["0.up.weight", …]) : tensor<8x2048x1024xf32>
// becomes
//   %w = weft.parameter "up.packed" sources([…]) layout(#weft.panels<…>) : tensor<8x128x1024x16xf32>
// A weight that the files hold as [groups, k, n], which `order[0, 2, 1]` turns, is packed from there.
#include "lowering/normalize/Passes.h"

#include "dialects/weft/RoutingOps.h"
#include "lowering/normalize/PackedWeight.h"

#include "mlir/IR/Remarks.h"

namespace weft {
#define GEN_PASS_DEF_NORMALIZEGROUPED
#include "lowering/normalize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// A product whose weight can be packed.
struct GroupedPlan {
  GroupedMatmulOp product;
  ParameterOp weight; ///< as the files hold it but for the order
  bool outByIn;       ///< the files have [groups, n, k]
};

FailureOr<GroupedPlan> planGrouped(GroupedMatmulOp product) {
  auto missed = [&](StringRef reason) -> FailureOr<GroupedPlan> {
    remark::missed(product.getLoc(), remark::RemarkOpts::name("unpacked-product").category("weft-normalize-grouped"))
        << reason;
    return failure();
  };
  auto weight = product.getRhs().getDefiningOp<ParameterOp>();
  if (!weight || weight.getLayout() || weight.getFunctions())
    return missed("the right operand is not a weight as it is stored");
  std::optional<ArrayRef<int64_t>> order = weight.getOrder();
  if (order && *order != ArrayRef<int64_t>{0, 2, 1} && *order != ArrayRef<int64_t>{0, 1, 2})
    return missed("the files have the groups' weights in another order than [groups, n, k] or [groups, k, n]");
  return GroupedPlan{product, weight, !order || (*order)[1] == 1};
}

void applyGrouped(OpBuilder &b, const GroupedPlan &plan) {
  ParameterOp weight = plan.weight;
  b.setInsertionPoint(weight);
  ParameterOp stored = weight;
  if (weight.getOrder()) {
    auto type = cast<RankedTensorType>(weight.getType());
    ArrayRef<int64_t> shape = type.getShape();
    SmallVector<int64_t> inFile{shape[0], shape[plan.outByIn ? 1 : 2], shape[plan.outByIn ? 2 : 1]};
    SmallVector<StringRef> sources = weight.getSourceNames();
    stored = ParameterOp::create(b, weight.getLoc(), RankedTensorType::get(inFile, type.getElementType()),
                                 weight.getNameAttr(), b.getStrArrayAttr(sources), PanelsAttr());
  }
  GroupedMatmulOp product = plan.product;
  product.getRhsMutable().assign(packWeight(b, stored, plan.outByIn, storedTypeOf(weight)));
  if (stored != weight)
    stored.erase();
  if (weight->use_empty())
    weight.erase();
}

struct NormalizeGroupedPass : impl::NormalizeGroupedBase<NormalizeGroupedPass> {
  void runOnOperation() override {
    SmallVector<GroupedMatmulOp> products;
    getOperation()->walk([&](GroupedMatmulOp op) {
      if (!op.isPacked())
        products.push_back(op);
    });
    OpBuilder builder(&getContext());
    for (GroupedMatmulOp product : products)
      if (FailureOr<GroupedPlan> plan = planGrouped(product); succeeded(plan))
        applyGrouped(builder, *plan);
  }
};

} // namespace
} // namespace weft
