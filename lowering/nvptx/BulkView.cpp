// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// memref.subview %k[%b, 0, %g, 0] [1, %n, 1, 64] … in a loop over %b and %g   →   boxes of %k at (0, %g, row, %b)
#include "lowering/nvptx/BulkView.h"

#include "lowering/analysis/ViewMultiples.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace weft {
namespace {

constexpr int64_t kUnit = 16; // bytes: what addresses and strides of tensor maps are multiples of
constexpr int64_t kMostDims = 5;

bool isOutside(scf::ForallOp forall, OpFoldResult number) {
  auto value = dyn_cast<Value>(number);
  return !value || !forall.getRegion().isAncestor(value.getParentRegion());
}

/// Whether the view of the host lies as tensor maps want it.
bool isAligned(Value whole) {
  auto type = cast<MemRefType>(whole.getType());
  ViewMultiples multiples = multiplesOf(whole);
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  SmallVector<int64_t> strides;
  int64_t offset;
  return type.getRank() <= kMostDims && succeeded(type.getStridesAndOffset(strides, offset)) && strides.back() == 1 &&
         multiples.offset * bytes % kUnit == 0 &&
         llvm::all_of(ArrayRef(multiples.strides).drop_back(),
                      [&](int64_t stride) { return stride * bytes % kUnit == 0; });
}

} // namespace

std::optional<BulkView> BulkView::of(scf::ForallOp forall, Value view, unsigned row, bool wholeRows) {
  Builder b(forall.getContext());
  BulkView made{
      view, SmallVector<OpFoldResult>(cast<MemRefType>(view.getType()).getRank(), b.getIndexAttr(0)), {}, row};
  OpFoldResult rows;
  if (!isOutside(forall, view)) {
    auto part = view.getDefiningOp<memref::SubViewOp>();
    if (!part || part.getDroppedDims().any() || !isOutside(forall, part.getSource()) ||
        !llvm::all_of(part.getMixedStrides(), [](OpFoldResult stride) { return isConstantIntValue(stride, 1); }))
      return std::nullopt;
    made.whole = part.getSource();
    made.offsets = part.getMixedOffsets();
    rows = part.getMixedSizes()[row];
    if (wholeRows && (!isConstantIntValue(made.offsets[row], 0) || !isOutside(forall, rows)))
      return std::nullopt;
    if (!isConstantIntValue(made.offsets.back(), 0))
      return std::nullopt;
  }
  if (!isAligned(made.whole))
    return std::nullopt;
  OpBuilder before(forall);
  Location loc = forall.getLoc();
  made.extents = memref::getMixedSizes(before, loc, made.whole);
  if (wholeRows && rows)
    made.extents[row] = rows;
  // There is no map of nothing; where a copy begins at row 1 then, it reads nothing.
  if (wholeRows && !getConstantIntValue(made.extents[row])) {
    Value known = getValueOrCreateConstantIndexOp(before, loc, made.extents[row]);
    made.extents[row] =
        arith::MaxUIOp::create(before, loc, known, arith::ConstantIndexOp::create(before, loc, 1)).getResult();
  }
  return made;
}

TensorMapPlan BulkView::map(int64_t rows, int64_t swizzle) const {
  auto type = cast<MemRefType>(whole.getType());
  SmallVector<int64_t> box(type.getRank(), 1);
  box[row] = rows;
  box.back() = swizzle / (type.getElementTypeBitWidth() / 8);
  return {whole, extents, box, swizzle};
}

SmallVector<Value> BulkView::coordinates(OpBuilder &b, Location loc, const IRMapping &mapping, Value first) const {
  SmallVector<Value> made;
  for (auto [dim, offset] : llvm::enumerate(offsets)) {
    Value place = mapping.lookupOrDefault(getValueOrCreateConstantIndexOp(b, loc, offset));
    made.push_back(dim == row ? b.createOrFold<arith::AddIOp>(loc, place, first) : place);
  }
  std::reverse(made.begin(), made.end());
  return made;
}

} // namespace weft
