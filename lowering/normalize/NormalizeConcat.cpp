// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tensor.insert_slice that together fill a tensor along its last dimension → one elementwise linalg op on the tensor
// seen as [..., parts, width], where the width divides that of each (rotary embeddings are written so, in halves):
//   out[…, p, i] = p == 0 ? first[…, i] : second[…, i]
#include "lowering/normalize/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Remarks.h"

#include <numeric>

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

/// The tensor.empty that a chain of insertions fills; null: it begins with another tensor.
tensor::EmptyOp rootOf(tensor::InsertSliceOp op) {
  Value root = op.getDest();
  while (auto previous = root.getDefiningOp<tensor::InsertSliceOp>())
    root = previous.getDest();
  return root.getDefiningOp<tensor::EmptyOp>();
}

/// Whether the insertion fills all of dimension `dim` of its destination, which comes from a tensor.empty.
bool coversRows(tensor::InsertSliceOp op, int64_t dim) {
  tensor::EmptyOp empty = rootOf(op);
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

/// Parts of one width, at most: each element looks at all of them.
constexpr int64_t kMostParts = 16;

/// Insertions that fill an empty tensor from the first column to the last, each into the one before.
struct ConcatPlan {
  SmallVector<Insertion> parts; ///< by column
  int64_t width;                ///< divides that of each

  int64_t count() const { return (parts.back().from + parts.back().count) / width; }
};

/// The insertions that `last` ends; fails where one is read by others too.
FailureOr<SmallVector<Insertion>> matchChain(tensor::InsertSliceOp last) {
  SmallVector<Insertion> chain;
  for (tensor::InsertSliceOp op = last; op; op = op.getDest().getDefiningOp<tensor::InsertSliceOp>()) {
    FailureOr<Insertion> insertion = matchInsertion(op);
    if (failed(insertion) || (op != last && !op->hasOneUse()))
      return failure();
    chain.push_back(*insertion);
  }
  if (!chain.back().op.getDest().getDefiningOp<tensor::EmptyOp>())
    return failure();
  return chain;
}

FailureOr<ConcatPlan> planConcat(tensor::InsertSliceOp op) {
  for (OpOperand &use : op->getUses())
    if (auto next = dyn_cast<tensor::InsertSliceOp>(use.getOwner()); next && &next.getDestMutable() == &use)
      return failure(); // that one's chain holds this
  FailureOr<SmallVector<Insertion>> chain = matchChain(op);
  if (failed(chain) || chain->size() < 2)
    return failure();
  ConcatPlan plan{*chain, 0};
  llvm::sort(plan.parts, [](const Insertion &a, const Insertion &b) { return a.from < b.from; });
  int64_t end = 0;
  for (const Insertion &part : plan.parts) {
    if (part.from != end)
      return failure();
    end += part.count;
    plan.width = std::gcd(plan.width, part.count);
  }
  if (end != cast<RankedTensorType>(op.getType()).getShape().back() || plan.width == 0)
    return failure();
  if (plan.count() <= kMostParts)
    return plan;
  remark::missed(op.getLoc(), remark::RemarkOpts::name("separate-parts").category("weft-normalize-concat"))
      << "the parts of " + std::to_string(end) + " columns have a common width of " + std::to_string(plan.width) +
             " only";
  return failure();
}

/// The parts as tensors of one width and of these sizes, by column.
SmallVector<Value> cutParts(OpBuilder &b, Location loc, const ConcatPlan &plan, ArrayRef<OpFoldResult> sizes) {
  SmallVector<Value> values;
  for (Insertion part : plan.parts) {
    Value source = part.op.getSource();
    if (part.count == plan.width) {
      values.push_back(source);
      continue;
    }
    SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0)), strides(sizes.size(), b.getIndexAttr(1));
    for (int64_t at = 0; at < part.count; at += plan.width) {
      offsets.back() = b.getIndexAttr(at);
      values.push_back(tensor::ExtractSliceOp::create(b, loc, source, offsets, sizes, strides));
    }
  }
  return values;
}

void applyConcat(OpBuilder &b, const ConcatPlan &plan, tensor::InsertSliceOp outer) {
  Location loc = outer.getLoc();
  b.setInsertionPoint(outer);
  auto type = cast<RankedTensorType>(outer.getType());
  int64_t rank = type.getRank(), count = plan.count();
  // Extents as the destination has them: those of a part may be of a view that no kernel holds.
  SmallVector<OpFoldResult> sizes = rootOf(outer).getMixedSizes();
  sizes.back() = b.getIndexAttr(plan.width);
  SmallVector<Value> parts = cutParts(b, loc, plan, sizes);
  sizes.insert(sizes.end() - 1, b.getIndexAttr(count));
  Value init = tensor::EmptyOp::create(b, loc, sizes, type.getElementType());
  SmallVector<unsigned> dims;
  for (int64_t i = 0; i <= rank; ++i)
    if (i != rank - 1)
      dims.push_back(i);
  SmallVector<AffineMap> maps(count, AffineMap::getMultiDimMapWithTargets(rank + 1, dims, b.getContext()));
  maps.push_back(b.getMultiDimIdentityMap(rank + 1));
  SmallVector<utils::IteratorType> iterators(rank + 1, utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      b, loc, init.getType(), parts, init, maps, iterators, [&](OpBuilder &body, Location where, ValueRange values) {
        Value part = linalg::IndexOp::create(body, where, rank - 1), chosen = values[count - 1];
        for (int64_t i = count - 2; i >= 0; --i) {
          Value place = arith::ConstantIndexOp::create(body, where, i);
          Value isHere = arith::CmpIOp::create(body, where, arith::CmpIPredicate::eq, part, place);
          chosen = arith::SelectOp::create(body, where, isHere, values[i], chosen);
        }
        linalg::YieldOp::create(body, where, chosen);
      });
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0; i < rank; ++i)
    groups.push_back(i + 1 < rank ? ReassociationIndices{i} : ReassociationIndices{i, i + 1});
  Value joined = tensor::CollapseShapeOp::create(b, loc, type, generic.getResult(0), groups);
  outer.replaceAllUsesWith(joined);
  for (tensor::InsertSliceOp op = outer; op;) {
    auto previous = op.getDest().getDefiningOp<tensor::InsertSliceOp>();
    op.erase();
    op = previous;
  }
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
