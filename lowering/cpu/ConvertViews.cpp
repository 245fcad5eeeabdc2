// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// memref.expand_shape → memref.reinterpret_cast with the strides spelled out. MLIR 22.1.8's expand-strided-metadata
// cannot expand one dimension into two dynamic ones, as batch and sequence are; a view of tokens is just that.
#include "lowering/cpu/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace weft {
#define GEN_PASS_DEF_CONVERTVIEWS
#include "lowering/cpu/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Strides of the expanded dimensions: within a group, each is the next one's stride times its extent.
SmallVector<OpFoldResult> emitStrides(OpBuilder &b, memref::ExpandShapeOp op, ArrayRef<OpFoldResult> source) {
  SmallVector<int64_t> known;
  int64_t offset;
  (void)cast<MemRefType>(op.getType()).getStridesAndOffset(known, offset);
  SmallVector<OpFoldResult> sizes = op.getMixedOutputShape(), strides(sizes.size());
  for (auto [group, stride] : llvm::zip_equal(op.getReassociationIndices(), source)) {
    OpFoldResult next = stride;
    for (int64_t dim : llvm::reverse(group)) {
      strides[dim] = ShapedType::isDynamic(known[dim]) ? next : OpFoldResult(b.getIndexAttr(known[dim]));
      if (dim == group.front())
        break;
      Value size = getValueOrCreateConstantIndexOp(b, op.getLoc(), sizes[dim]);
      Value step = getValueOrCreateConstantIndexOp(b, op.getLoc(), strides[dim]);
      next = arith::MulIOp::create(b, op.getLoc(), size, step).getResult();
    }
  }
  return strides;
}

void convert(memref::ExpandShapeOp op) {
  OpBuilder b(op);
  auto metadata = memref::ExtractStridedMetadataOp::create(b, op.getLoc(), op.getSrc());
  auto type = cast<MemRefType>(op.getType());
  SmallVector<int64_t> known;
  int64_t offset;
  (void)type.getStridesAndOffset(known, offset);
  OpFoldResult start = ShapedType::isDynamic(offset) ? OpFoldResult(metadata.getOffset()) : b.getIndexAttr(offset);
  SmallVector<OpFoldResult> strides = emitStrides(b, op, metadata.getConstifiedMixedStrides());
  SmallVector<OpFoldResult> sizes = op.getMixedOutputShape();
  Value view = memref::ReinterpretCastOp::create(b, op.getLoc(), type, metadata.getBaseBuffer(), start, sizes, strides);
  op.replaceAllUsesWith(view);
  op.erase();
}

struct ConvertViewsPass : impl::ConvertViewsBase<ConvertViewsPass> {
  void runOnOperation() override {
    SmallVector<memref::ExpandShapeOp> ops;
    getOperation()->walk([&](memref::ExpandShapeOp op) { ops.push_back(op); });
    llvm::for_each(ops, convert);
  }
};

} // namespace
} // namespace weft
