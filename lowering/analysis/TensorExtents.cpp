// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expansions, collapses, slices and destinations → the extents that they were given.
#include "lowering/analysis/TensorExtents.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

using namespace mlir;

namespace weft {

/// The product of extents.
static OpFoldResult multiply(OpBuilder &b, Location loc, OpFoldResult x, OpFoldResult y) {
  std::optional<int64_t> a = getConstantIntValue(x), c = getConstantIntValue(y);
  if (a && c)
    return b.getIndexAttr(*a * *c);
  Value left = getValueOrCreateConstantIndexOp(b, loc, x), right = getValueOrCreateConstantIndexOp(b, loc, y);
  return arith::MulIOp::create(b, loc, left, right).getResult();
}

SmallVector<OpFoldResult> extentsOfTensor(OpBuilder &b, Value value) {
  Operation *op = value.getDefiningOp();
  if (auto expand = dyn_cast_or_null<tensor::ExpandShapeOp>(op))
    return expand.getMixedOutputShape();
  if (auto empty = dyn_cast_or_null<tensor::EmptyOp>(op))
    return empty.getMixedSizes();
  if (auto destination = dyn_cast_or_null<DestinationStyleOpInterface>(op))
    return extentsOfTensor(b, destination.getTiedOpOperand(cast<OpResult>(value))->get());
  if (auto slice = dyn_cast_or_null<tensor::ExtractSliceOp>(op)) {
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    SmallVector<OpFoldResult> sizes;
    for (auto [i, size] : llvm::enumerate(slice.getMixedSizes()))
      if (!dropped.test(i))
        sizes.push_back(size);
    return sizes;
  }
  if (auto collapse = dyn_cast_or_null<tensor::CollapseShapeOp>(op)) {
    SmallVector<OpFoldResult> source = extentsOfTensor(b, collapse.getSrc()), sizes;
    for (const ReassociationIndices &group : collapse.getReassociationIndices()) {
      OpFoldResult size = b.getIndexAttr(1);
      for (int64_t dim : group)
        size = multiply(b, op->getLoc(), size, source[dim]);
      sizes.push_back(size);
    }
    return sizes;
  }
  return tensor::getMixedSizes(b, value.getLoc(), value);
}

} // namespace weft
