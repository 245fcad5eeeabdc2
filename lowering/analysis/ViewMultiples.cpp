// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// memref.subview %x[0, %j] … : memref<?x96xbf16> to …, %j a loop's variable in steps of 16   →   offset 16, strides 96,
// 1
#include "lowering/analysis/ViewMultiples.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <numeric>

using namespace mlir;

namespace weft {
namespace {

int64_t multipleOf(OpFoldResult number) {
  if (std::optional<int64_t> known = getConstantIntValue(number))
    return *known;
  auto variable = cast<Value>(number);
  if (auto apply = variable.getDefiningOp<affine::AffineApplyOp>())
    return apply.getAffineMap().getResult(0).getLargestKnownDivisor();
  scf::ForallOp loop = scf::getForallOpThreadIndexOwner(variable);
  if (!loop)
    return 1;
  unsigned dim = cast<BlockArgument>(variable).getArgNumber();
  return std::gcd(getConstantIntValue(loop.getMixedStep()[dim]).value_or(1),
                  getConstantIntValue(loop.getMixedLowerBound()[dim]).value_or(1));
}

int64_t timesExtent(int64_t stride, int64_t extent) { return ShapedType::isDynamic(extent) ? stride : stride * extent; }

/// Of a whole buffer, from its type.
ViewMultiples multiplesOfType(MemRefType type) {
  auto known = [](int64_t number) { return ShapedType::isDynamic(number) ? 1 : number; };
  ViewMultiples made{1, SmallVector<int64_t>(type.getRank(), 1)};
  SmallVector<int64_t> strides;
  int64_t offset;
  if (type.getLayout().isIdentity()) {
    made.offset = 0;
    for (int64_t dim = type.getRank() - 2; dim >= 0; --dim)
      made.strides[dim] = timesExtent(made.strides[dim + 1], type.getDimSize(dim + 1));
  } else if (succeeded(type.getStridesAndOffset(strides, offset))) {
    made = {known(offset), llvm::map_to_vector(strides, known)};
  }
  return made;
}

ViewMultiples multiplesOfPart(memref::SubViewOp part) {
  ViewMultiples whole = multiplesOf(part.getSource()), made{whole.offset, {}};
  llvm::SmallBitVector dropped = part.getDroppedDims();
  for (auto [dim, stride] : llvm::enumerate(whole.strides)) {
    made.offset = std::gcd(made.offset, stride * multipleOf(part.getMixedOffsets()[dim]));
    if (!dropped.test(dim))
      made.strides.push_back(stride * multipleOf(part.getMixedStrides()[dim]));
  }
  return made;
}

ViewMultiples multiplesOfExpanded(memref::ExpandShapeOp op) {
  ViewMultiples source = multiplesOf(op.getSrc()), made{source.offset, SmallVector<int64_t>(op.getType().getRank(), 1)};
  for (auto [stride, group] : llvm::zip_equal(source.strides, op.getReassociationIndices())) {
    int64_t next = stride;
    for (int64_t dim : llvm::reverse(group)) {
      made.strides[dim] = next;
      next = timesExtent(next, op.getType().getDimSize(dim));
    }
  }
  return made;
}

ViewMultiples multiplesOfCollapsed(memref::CollapseShapeOp op) {
  ViewMultiples source = multiplesOf(op.getSrc()), made{source.offset, {}};
  for (const ReassociationIndices &group : op.getReassociationIndices()) {
    int64_t stride = 0; // that of the last dimension, or of one before it where that has one element
    for (int64_t dim : group)
      stride = std::gcd(stride, source.strides[dim]);
    made.strides.push_back(stride);
  }
  return made;
}

} // namespace

ViewMultiples multiplesOf(Value view) {
  if (auto part = view.getDefiningOp<memref::SubViewOp>())
    return multiplesOfPart(part);
  if (auto expanded = view.getDefiningOp<memref::ExpandShapeOp>())
    return multiplesOfExpanded(expanded);
  if (auto collapsed = view.getDefiningOp<memref::CollapseShapeOp>())
    return multiplesOfCollapsed(collapsed);
  if (auto cast = view.getDefiningOp<memref::CastOp>(); cast && isa<MemRefType>(cast.getSource().getType()))
    return multiplesOf(cast.getSource());
  return multiplesOfType(cast<MemRefType>(view.getType()));
}

int64_t alignmentOfRows(Value view, unsigned row, int64_t most) {
  ViewMultiples multiples = multiplesOf(view);
  int64_t bytes = cast<MemRefType>(view.getType()).getElementTypeBitWidth() / 8;
  int64_t known = std::gcd(multiples.offset, multiples.strides[row]) * bytes;
  while (most > bytes && known % most != 0)
    most /= 2;
  return most;
}

} // namespace weft
