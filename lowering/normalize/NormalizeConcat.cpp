// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two tensor.insert_slice that together fill a tensor along its last dimension in halves → one elementwise linalg op
// on the tensor seen as [..., 2, half] (rotary embeddings are written so):
//   out[…, p, i] = p == 0 ? first[…, i] : second[…, i]
#include "lowering/normalize/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

namespace weft {
#define GEN_PASS_DEF_NORMALIZECONCAT
#include "lowering/normalize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// The column where an insertion of full rows starts and how many columns it fills.
struct Insertion {
  tensor::InsertSliceOp op;
  int64_t from, count;
};

/// Whether the insertion fills all of dimension `dim` of its destination, which comes from a tensor.empty.
bool coversRows(tensor::InsertSliceOp op, int64_t dim) {
  Value root = op.getDest();
  while (auto previous = root.getDefiningOp<tensor::InsertSliceOp>())
    root = previous.getDest();
  auto empty = root.getDefiningOp<tensor::EmptyOp>();
  return empty && isEqualConstantIntOrValue(empty.getMixedSizes()[dim], op.getMixedSizes()[dim]);
}

FailureOr<Insertion> matchInsertion(tensor::InsertSliceOp op) {
  auto dest = cast<RankedTensorType>(op.getType());
  int64_t last = dest.getRank() - 1;
  if (op.getSourceType().getRank() != dest.getRank())
    return failure();
  std::optional<int64_t> from = getConstantIntValue(op.getMixedOffsets()[last]);
  int64_t count = op.getSourceType().getDimSize(last);
  for (int64_t i = 0; i <= last; ++i) {
    bool whole = isZeroInteger(op.getMixedOffsets()[i]) && coversRows(op, i);
    if ((i != last && !whole) || !isOneInteger(op.getMixedStrides()[i]))
      return failure();
  }
  if (!from || ShapedType::isDynamic(count))
    return failure();
  return Insertion{op, *from, count};
}

/// The second of two insertions, with the first as its destination, when they are the halves of an empty tensor.
struct ConcatPlan {
  Insertion low, high;
};

FailureOr<ConcatPlan> planConcat(tensor::InsertSliceOp op) {
  FailureOr<Insertion> outer = matchInsertion(op);
  auto previous = op.getDest().getDefiningOp<tensor::InsertSliceOp>();
  if (failed(outer) || !previous || !previous->hasOneUse() || !previous.getDest().getDefiningOp<tensor::EmptyOp>())
    return failure();
  FailureOr<Insertion> inner = matchInsertion(previous);
  if (failed(inner))
    return failure();
  ConcatPlan plan{*inner, *outer};
  if (plan.low.from > plan.high.from)
    std::swap(plan.low, plan.high);
  int64_t columns = cast<RankedTensorType>(op.getType()).getShape().back();
  if (plan.low.from != 0 || plan.low.count != plan.high.count || plan.high.from != plan.low.count ||
      2 * plan.low.count != columns)
    return failure();
  return plan;
}

void applyConcat(OpBuilder &b, ConcatPlan plan, tensor::InsertSliceOp outer) {
  Location loc = outer.getLoc();
  b.setInsertionPoint(outer);
  auto type = cast<RankedTensorType>(outer.getType());
  int64_t rank = type.getRank();
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, plan.low.op.getSource());
  sizes.insert(sizes.end() - 1, b.getIndexAttr(2));
  Value init = tensor::EmptyOp::create(b, loc, sizes, type.getElementType());
  SmallVector<unsigned> halves;
  for (int64_t i = 0; i <= rank; ++i)
    if (i != rank - 1)
      halves.push_back(i);
  AffineMap half = AffineMap::getMultiDimMapWithTargets(rank + 1, halves, b.getContext());
  SmallVector<AffineMap> maps = {half, half, b.getMultiDimIdentityMap(rank + 1)};
  SmallVector<utils::IteratorType> iterators(rank + 1, utils::IteratorType::parallel);
  auto generic =
      linalg::GenericOp::create(b, loc, init.getType(), ValueRange{plan.low.op.getSource(), plan.high.op.getSource()},
                                init, maps, iterators, [&](OpBuilder &body, Location where, ValueRange values) {
                                  Value part = linalg::IndexOp::create(body, where, rank - 1);
                                  Value zero = arith::ConstantIndexOp::create(body, where, 0);
                                  Value first =
                                      arith::CmpIOp::create(body, where, arith::CmpIPredicate::eq, part, zero);
                                  Value chosen = arith::SelectOp::create(body, where, first, values[0], values[1]);
                                  linalg::YieldOp::create(body, where, chosen);
                                });
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0; i < rank; ++i)
    groups.push_back(i + 1 < rank ? ReassociationIndices{i} : ReassociationIndices{i, i + 1});
  Value joined = tensor::CollapseShapeOp::create(b, loc, type, generic.getResult(0), groups);
  outer.replaceAllUsesWith(joined);
  auto inner = outer.getDest().getDefiningOp<tensor::InsertSliceOp>();
  outer.erase();
  inner.erase();
}

struct NormalizeConcatPass : impl::NormalizeConcatBase<NormalizeConcatPass> {
  void runOnOperation() override {
    SmallVector<std::pair<tensor::InsertSliceOp, ConcatPlan>> plans;
    getOperation()->walk([&](tensor::InsertSliceOp op) {
      if (FailureOr<ConcatPlan> plan = planConcat(op); succeeded(plan))
        plans.push_back({op, *plan});
    });
    OpBuilder builder(&getContext());
    for (auto &[op, plan] : plans)
      applyConcat(builder, plan, op);
  }
};

} // namespace
} // namespace weft
