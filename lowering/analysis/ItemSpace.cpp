// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/analysis/ItemSpace.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"

using namespace mlir;

namespace weft {

static Value mapped(OpBuilder &b, Location loc, const IRMapping &mapping, OpFoldResult value) {
  if (auto ssa = dyn_cast<Value>(value))
    return mapping.lookupOrDefault(ssa);
  return getValueOrCreateConstantIndexOp(b, loc, value);
}

SmallVector<Value> emitItemCounts(OpBuilder &b, scf::ForallOp forall, const IRMapping &mapping) {
  Location loc = forall.getLoc();
  SmallVector<Value> counts;
  for (auto [lower, upper, step] :
       llvm::zip_equal(forall.getMixedLowerBound(), forall.getMixedUpperBound(), forall.getMixedStep())) {
    Value length = arith::SubIOp::create(b, loc, mapped(b, loc, mapping, upper), mapped(b, loc, mapping, lower));
    counts.push_back(arith::CeilDivUIOp::create(b, loc, length, mapped(b, loc, mapping, step)));
  }
  return counts;
}

void mapItem(OpBuilder &b, scf::ForallOp forall, IRMapping &mapping, ArrayRef<Value> counts, Value item) {
  Location loc = forall.getLoc();
  SmallVector<OpFoldResult> lowers = forall.getMixedLowerBound(), steps = forall.getMixedStep();
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, counts.size()));
  if (!forall->hasAttr("weft.first_fastest"))
    std::reverse(order.begin(), order.end());
  for (int64_t dim : order) {
    bool last = dim == order.back();
    Value position = last ? item : arith::RemUIOp::create(b, loc, item, counts[dim]).getResult();
    if (!last)
      item = arith::DivUIOp::create(b, loc, item, counts[dim]);
    Value scaled = arith::MulIOp::create(b, loc, position, mapped(b, loc, mapping, steps[dim]));
    Value variable = arith::AddIOp::create(b, loc, scaled, mapped(b, loc, mapping, lowers[dim]));
    mapping.map(forall.getInductionVar(dim), variable);
  }
}

} // namespace weft
