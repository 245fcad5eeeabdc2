// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sums: i32 → sitofp · row's scale · columns' scales + bias, the epilogue's body, a store.
#include "lowering/vectorize/QuantizedResults.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

void emitQuantizedRow(OpBuilder &b, Location loc, QuantizedMatmulOp matmul, MatmulEpilogue &epilogue,
                      const StagedRow &staged) {
  auto constant = [&](int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); };
  AffineMap columnMap = AffineMap::get(2, 0, b.getAffineDimExpr(1));
  auto sumType = VectorType::get({staged.lanes}, b.getI32Type());
  Value row = arith::AddIOp::create(b, loc, staged.row, staged.index), columns;
  int64_t known = cast<MemRefType>(epilogue.output().getType()).getDimSize(1);
  if (ShapedType::isDynamic(known) || known % (staged.vectors * staged.lanes) != 0)
    columns = memref::DimOp::create(b, loc, epilogue.output(), 1);
  for (int64_t v = 0; v < staged.vectors; ++v) {
    Value place = constant(v * staged.lanes), column = arith::AddIOp::create(b, loc, staged.column, place);
    IterationPoint point = columnsAt(b, loc, row, column, staged.lanes, columns);
    Value sum = vector::LoadOp::create(b, loc, sumType, staged.sums, ValueRange{staged.index, place});
    Value y = emitScaledSums(b, loc, sum, matmul.getLhsScales(), matmul.getRhsScales(), point);
    if (matmul.getBias())
      y = arith::AddFOp::create(b, loc, y, emitLoad(b, loc, matmul.getBias(), columnMap, point));
    emitMatmulResult(b, loc, epilogue, y, point);
  }
}

} // namespace weft
