// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an op that walks over its inputs cannot read in place → computed by an op of its own:
//   %one = linalg.fill …;  weft.scan ins(%x, %one)          →   %one = linalg.generic { yield 1 };  …
//   %part = tensor.extract_slice %x …;  tensor.collapse_shape %part   →   %copy = linalg.copy ins(%part);  …
#include "lowering/normalize/Passes.h"

#include "dialects/weft/RecurrenceOps.h"
#include "dialects/weft/RoutingOps.h"
#include "dialects/weft/SequenceOps.h"
#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace weft {
#define GEN_PASS_DEF_NORMALIZEINPUTS
#include "lowering/normalize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Whether the op goes over whole inputs, in a kernel of its own.
bool walksOverInputs(Operation *op) {
  return isa<AttentionOp, CausalConvOp, CombineOp, DispatchOp, GroupedMatmulOp, PackedMatmulOp, RecurrenceOp, RouteOp,
             ScanOp>(op);
}

/// The slice behind a view that merges dimensions which do not lie one after the other; null: the view is one of
/// memory.
tensor::ExtractSliceOp findScatteredSlice(tensor::CollapseShapeOp collapse) {
  auto slice = collapse.getSrc().getDefiningOp<tensor::ExtractSliceOp>();
  if (!slice || slice.getSourceType().getRank() != slice.getType().getRank())
    return nullptr;
  for (const ReassociationIndices &group : collapse.getReassociationIndices()) {
    bool isInner = false; // a dimension before it in the group has several elements
    for (int64_t dim : group) {
      int64_t size = slice.getType().getDimSize(dim), all = slice.getSourceType().getDimSize(dim);
      bool isPart = !ShapedType::isDynamic(size) && size != all;
      if (isInner && size != 1 && (isPart || !slice.hasUnitStride()))
        return slice;
      isInner |= size != 1;
    }
  }
  return nullptr;
}

/// A destination of the value's shape.
Value emptyLike(OpBuilder &b, Location loc, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return tensor::EmptyOp::create(b, loc, tensor::getMixedSizes(b, loc, value), type.getElementType());
}

/// The fill as an op that computes.
Value computeFill(OpBuilder &b, linalg::FillOp fill) {
  Value init = emptyLike(b, fill.getLoc(), fill.getOutputs().front());
  unsigned rank = cast<RankedTensorType>(init.getType()).getRank();
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  auto generic =
      linalg::GenericOp::create(b, fill.getLoc(), init.getType(), ValueRange(), init, b.getMultiDimIdentityMap(rank),
                                iterators, [&](OpBuilder &body, Location where, ValueRange) {
                                  linalg::YieldOp::create(body, where, fill.getInputs().front());
                                });
  return generic.getResult(0);
}

struct NormalizeInputsPass : impl::NormalizeInputsBase<NormalizeInputsPass> {
  void runOnOperation() override {
    SmallVector<OpOperand *> fills;
    llvm::SetVector<Operation *> collapses;
    getOperation()->walk([&](DestinationStyleOpInterface op) {
      if (!walksOverInputs(op))
        return;
      for (OpOperand *input : op.getDpsInputOperands()) {
        Operation *source = input->get().getDefiningOp();
        // A small one of known size is a scratch of the kernel.
        if (isa_and_nonnull<linalg::FillOp>(source) && !cast<ShapedType>(input->get().getType()).hasStaticShape())
          fills.push_back(input);
        while (isa_and_nonnull<tensor::ExpandShapeOp, tensor::CastOp>(source))
          source = source->getOperand(0).getDefiningOp();
        if (isa_and_nonnull<tensor::CollapseShapeOp>(source))
          collapses.insert(source);
      }
    });
    OpBuilder builder(&getContext());
    for (OpOperand *input : fills) {
      auto fill = input->get().getDefiningOp<linalg::FillOp>();
      builder.setInsertionPointAfter(fill);
      input->set(computeFill(builder, fill));
    }
    for (Operation *op : collapses) {
      auto collapse = cast<tensor::CollapseShapeOp>(op);
      tensor::ExtractSliceOp slice = findScatteredSlice(collapse);
      if (!slice)
        continue;
      builder.setInsertionPoint(collapse);
      Value init = emptyLike(builder, collapse.getLoc(), slice);
      auto copy = linalg::CopyOp::create(builder, collapse.getLoc(), slice.getResult(), init);
      collapse.getSrcMutable().assign(copy.getResult(0));
    }
  }
};

} // namespace
} // namespace weft
