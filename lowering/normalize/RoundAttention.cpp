// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For GPUs, attention that may round its factors gets them rounded:
//   %q4 = tensor.expand_shape %q;  weft.attention {product_type = bf16} ins(%q4, …)
// becomes
//   %h = linalg.generic ins(%q) { arith.truncf … };  %h4 = tensor.expand_shape %h;  weft.attention … ins(%h4, …)
#include "lowering/normalize/Passes.h"

#include "dialects/weft/CacheOps.h"
#include "dialects/weft/WeftDialect.h"
#include "lowering/analysis/DecodePlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace weft {
#define GEN_PASS_DEF_ROUNDATTENTION
#include "lowering/normalize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// What a view shows a part or another shape of.
Value sourceOf(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ExtractSliceOp, tensor::CastOp>(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

/// Whether what computes a tensor can store it rounded. Caches and inputs would have to be read for it once more.
bool isComputed(Value value) {
  Operation *op = sourceOf(value).getDefiningOp();
  return getElementTypeOrSelf(value.getType()).isF32() && isa_and_nonnull<DestinationStyleOpInterface>(op) &&
         !isa<CacheUpdateOp>(op);
}

Value roundElements(OpBuilder &b, Value value, Type element) {
  Location loc = value.getLoc();
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, value);
  Value init = tensor::EmptyOp::create(b, loc, sizes, element);
  SmallVector<AffineMap> maps(2, b.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> loops(type.getRank(), utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(b, loc, init.getType(), value, init, maps, loops,
                                           [&](OpBuilder &inner, Location at, ValueRange elements) {
                                             Value rounded = arith::TruncFOp::create(inner, at, element, elements[0]);
                                             linalg::YieldOp::create(inner, at, rounded);
                                           });
  return generic.getResult(0);
}

/// Behind other shapes, next to what computes the elements.
Value round(OpBuilder &b, Value value, Type element) {
  Location loc = value.getLoc();
  auto typeOf = [&] { return RankedTensorType::get(cast<RankedTensorType>(value.getType()).getShape(), element); };
  if (auto expanded = value.getDefiningOp<tensor::ExpandShapeOp>()) {
    Value source = round(b, expanded.getSrc(), element);
    return tensor::ExpandShapeOp::create(b, loc, typeOf(), source, expanded.getReassociationIndices(),
                                         expanded.getMixedOutputShape());
  }
  if (auto collapsed = value.getDefiningOp<tensor::CollapseShapeOp>()) {
    Value source = round(b, collapsed.getSrc(), element);
    return tensor::CollapseShapeOp::create(b, loc, typeOf(), source, collapsed.getReassociationIndices());
  }
  return roundElements(b, value, element);
}

/// Many queries, and a product type that was chosen for the program.
bool wantsRounding(AttentionOp op, Type element) {
  return element && (element.isBF16() || element.isF16()) && op.getSplitLength() == 0 && !matchDecode(op).plan &&
         !op.getKeyScale() && !op.getValueScale() && isComputed(op.getQuery()) && isComputed(op.getKey()) &&
         isComputed(op.getValue());
}

struct RoundAttentionPass : impl::RoundAttentionBase<RoundAttentionPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (!module->hasAttr("weft.device"))
      return;
    auto dtype = module->getAttrOfType<TypeAttr>("weft.dtype");
    SmallVector<AttentionOp> ops;
    module.walk([&](AttentionOp op) { ops.push_back(op); });
    for (AttentionOp op : ops) {
      Type element = op.getProductType().value_or(dtype ? dtype.getValue() : Type());
      if (!wantsRounding(op, element))
        continue;
      OpBuilder b(op);
      for (OpOperand *operand : {&op.getQueryMutable(), &op.getKeyMutable(), &op.getValueMutable()})
        operand->set(round(b, operand->get(), element));
    }
  }
};

} // namespace
} // namespace weft
