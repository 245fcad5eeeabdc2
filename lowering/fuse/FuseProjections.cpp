// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of one tensor with several weights → one product with the weights side by side, and slices of it:
//   %q = packed_matmul(%x, %wq, %bq);  %k = packed_matmul(%x, %wk, %bk);  …
// becomes
//   %qkv = packed_matmul(%x, %wqkv, %bqkv);  %q = tensor.extract_slice %qkv [0, 0] …;  %k = …
#include "lowering/fuse/Passes.h"

#include "dialects/weft/WeftDialect.h"
#include "lowering/analysis/FusionCost.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

namespace weft {
#define GEN_PASS_DEF_FUSEPROJECTIONS
#include "lowering/fuse/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Products that can become one, in the order of the block.
struct ProjectionPlan {
  SmallVector<PackedMatmulOp> products;
  PanelsAttr layout;
};

ParameterOp weightOf(PackedMatmulOp op) { return op.getRhs().getDefiningOp<ParameterOp>(); }

/// Whether the product's values are only looked at through views: an elementwise reader would rather be its epilogue.
bool isReadThroughViews(PackedMatmulOp op) {
  return llvm::all_of(op.getResult().getUsers(), [](Operation *user) {
    return isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ExtractSliceOp>(user);
  });
}

bool canMerge(PackedMatmulOp op) {
  ParameterOp weight = weightOf(op);
  if (!weight || !weight.getLayout() || ShapedType::isDynamic(cast<ShapedType>(op.getInit().getType()).getDimSize(1)))
    return false;
  if (op.hasBlocks() || (op.getBias() && !op.getBias().getDefiningOp<ParameterOp>()))
    return false;
  if (isReadThroughViews(op))
    return true;
  remark::missed(op.getLoc(), remark::RemarkOpts::name("separate-product").category("weft-fuse-projections"))
      << "another product reads the same tensor, but this one's result has an elementwise reader";
  return false;
}

bool mergePays(ArrayRef<PackedMatmulOp> products) {
  FusionEstimate estimate = estimateMerge(SmallVector<Operation *>(products));
  auto options = remark::RemarkOpts::name(estimate.pays() ? "merged-products" : "separate-product");
  std::string text = "as one product: " + estimate.text();
  PackedMatmulOp first = products.front();
  if (estimate.pays())
    remark::analysis(first.getLoc(), options.category("weft-fuse-projections")) << text;
  else
    remark::missed(first.getLoc(), options.category("weft-fuse-projections")) << text;
  return estimate.pays();
}

SmallVector<ProjectionPlan> planProjections(ModuleOp module) {
  // Same left operand, same block, same layout and element type, all with or all without bias.
  using Key = std::tuple<Value, Block *, Attribute, Type, bool>;
  llvm::MapVector<Value, SmallVector<PackedMatmulOp>> readers;
  module.walk([&](PackedMatmulOp op) { readers[op.getLhs()].push_back(op); });
  std::vector<std::pair<Key, ProjectionPlan>> groups;
  for (auto &[lhs, ops] : readers) {
    if (ops.size() < 2)
      continue;
    for (PackedMatmulOp op : ops) {
      if (!canMerge(op))
        continue;
      Key key{lhs, op->getBlock(), *weightOf(op).getLayout(), op.getRhs().getType().getElementType(),
              static_cast<bool>(op.getBias())};
      auto group = llvm::find_if(groups, [&](auto &entry) { return entry.first == key; });
      if (group == groups.end())
        group = groups.insert(groups.end(), {key, ProjectionPlan{{}, *weightOf(op).getLayout()}});
      group->second.products.push_back(op);
    }
  }
  SmallVector<ProjectionPlan> plans;
  for (auto &entry : groups)
    if (entry.second.products.size() > 1 && mergePays(entry.second.products))
      plans.push_back(entry.second);
  return plans;
}

int64_t columnsOf(PackedMatmulOp op) { return cast<ShapedType>(op.getInit().getType()).getDimSize(1); }

/// One parameter out of several, named after all of them.
ParameterOp mergeParameters(OpBuilder &b, ArrayRef<ParameterOp> parts, RankedTensorType type, PanelsAttr layout) {
  SmallVector<StringRef> names, sources;
  Location weightLoc = ParameterOp(parts.front()).getLoc();
  for (ParameterOp part : SmallVector<ParameterOp>(parts)) {
    names.push_back(part.getName());
    llvm::append_range(sources, part.getSourceNames());
  }
  return ParameterOp::create(b, weightLoc, type, b.getStringAttr(llvm::join(names, "+")), b.getStrArrayAttr(sources),
                             layout);
}

void applyProjections(OpBuilder &b, const ProjectionPlan &plan) {
  PackedMatmulOp first = plan.products.front();
  Location loc = first.getLoc();
  b.setInsertionPoint(first);
  int64_t columns = 0;
  SmallVector<ParameterOp> weights, biases;
  for (PackedMatmulOp op : plan.products) {
    columns += columnsOf(op);
    weights.push_back(weightOf(op));
    if (op.getBias())
      biases.push_back(op.getBias().getDefiningOp<ParameterOp>());
  }
  ShapedType panels = first.getRhs().getType();
  Type f32 = b.getF32Type();
  Value weight = mergeParameters(b, weights,
                                 RankedTensorType::get({llvm::divideCeilSigned(columns, plan.layout.getWidth()),
                                                        panels.getDimSize(1), panels.getDimSize(2)},
                                                       panels.getElementType()),
                                 plan.layout);
  Value bias;
  if (!biases.empty())
    bias = mergeParameters(b, biases, RankedTensorType::get({columns}, f32), PanelsAttr());
  auto empty = first.getInit().getDefiningOp<tensor::EmptyOp>();
  OpFoldResult rows = empty ? empty.getMixedSizes()[0] : tensor::getMixedSize(b, loc, first.getInit(), 0);
  Value init = tensor::EmptyOp::create(b, loc, {rows, b.getIndexAttr(columns)}, f32);
  Value merged =
      PackedMatmulOp::create(b, loc, TypeRange{init.getType()}, first.getLhs(), weight, bias, init).getResult();
  int64_t at = 0;
  for (PackedMatmulOp op : plan.products) {
    SmallVector<OpFoldResult> offsets = {b.getIndexAttr(0), b.getIndexAttr(at)};
    SmallVector<OpFoldResult> sizes = {rows, b.getIndexAttr(columnsOf(op))};
    SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
    auto type = cast<RankedTensorType>(op.getResult().getType());
    Value slice = tensor::ExtractSliceOp::create(b, op.getLoc(), type, merged, offsets, sizes, strides);
    op.getResult().replaceAllUsesWith(slice);
    at += columnsOf(op);
  }
  for (PackedMatmulOp op : plan.products)
    op.erase();
}

struct FuseProjectionsPass : impl::FuseProjectionsBase<FuseProjectionsPass> {
  void runOnOperation() override {
    if (!isFusionOn(getOperation()))
      return;
    OpBuilder builder(&getContext());
    for (const ProjectionPlan &plan : planProjections(getOperation()))
      applyProjections(builder, plan);
  }
};

} // namespace
} // namespace weft
