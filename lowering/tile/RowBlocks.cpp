// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/tile/RowBlocks.h"

#include "lowering/analysis/ProductPlan.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace weft {

OpFoldResult evenRows(OpBuilder &b, Location loc, OpFoldResult rows, int64_t most, int64_t unit) {
  if (std::optional<int64_t> known = getConstantIntValue(rows))
    return b.getIndexAttr(ProductPlan::evenRows(*known, most, unit));
  auto constant = [&](int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); };
  Value count = cast<Value>(rows), one = constant(1);
  Value items = arith::MaxUIOp::create(b, loc, arith::CeilDivUIOp::create(b, loc, count, constant(most)), one);
  Value share = arith::MaxUIOp::create(b, loc, arith::CeilDivUIOp::create(b, loc, count, items), one);
  Value units = arith::CeilDivUIOp::create(b, loc, share, constant(unit));
  // An affine bound, from which scratch takes its size.
  AffineExpr whole = b.getAffineSymbolExpr(0) * unit;
  AffineMap bounded = AffineMap::get(0, 1, {whole, b.getAffineConstantExpr(most)}, b.getContext());
  return affine::makeComposedFoldedAffineMin(b, loc, bounded, {units});
}

} // namespace weft
