// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// vector.load of a staging tile's row; scales; bias; the epilogue's body; vector.store.
#include "lowering/vectorize/StagedResults.h"

#include "lowering/analysis/AmxPlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

void StagedResults::allocate(OpBuilder &b, int64_t slots) {
  Type sum = operands.rowScales ? Type(b.getI32Type()) : b.getF32Type();
  auto type = MemRefType::get({slots, AmxPlan::kRows, AmxPlan::kColumns}, sum);
  staging = memref::AllocaOp::create(b, loc, type, b.getI64IntegerAttr(AmxPlan::kRowBytes));
  Value out = epilogue.output();
  int64_t known = cast<MemRefType>(out.getType()).getDimSize(1);
  if (ShapedType::isDynamic(known) || known % AmxPlan::kColumns != 0)
    columns = memref::DimOp::create(b, loc, out, 1);
}

TilePlace StagedResults::tile(OpBuilder &b, Value slot) { return {staging, {slot, constant(b, 0), constant(b, 0)}}; }

void StagedResults::emit(OpBuilder &b, const Waiting &waiting, Value begin, Value end) {
  forEach(b, begin, end, 1, [&](OpBuilder &each, Value r) { emitRow(each, waiting, r); });
}

void StagedResults::emitRow(OpBuilder &b, const Waiting &waiting, Value r) {
  int64_t lanes = registers.lanes;
  Value row = arith::AddIOp::create(b, loc, waiting.row, r);
  AffineMap columnMap = AffineMap::get(2, 0, b.getAffineDimExpr(1));
  auto sumType = VectorType::get({lanes}, cast<MemRefType>(staging.getType()).getElementType());
  for (int64_t at = 0; at < AmxPlan::kColumns; at += lanes) {
    IterationPoint point = columnsAt(b, loc, row, add(b, waiting.column, at), lanes, columns);
    Value sums = vector::LoadOp::create(b, loc, sumType, staging, ValueRange{waiting.slot, r, constant(b, at)});
    if (operands.rowScales)
      sums = emitScaledSums(b, loc, sums, operands.rowScales, operands.columnScales, point);
    if (operands.bias)
      sums = arith::AddFOp::create(b, loc, sums, emitLoad(b, loc, operands.bias, columnMap, point));
    emitMatmulResult(b, loc, epilogue, sums, point);
  }
}

void StagedResults::askForLines(OpBuilder &b, Value row, Value column) {
  Value out = epilogue.output();
  int64_t line = AmxPlan::kRowBytes * 8 / cast<MemRefType>(out.getType()).getElementTypeBitWidth();
  // Hints may name what is not there.
  for (int64_t r = 0; r < AmxPlan::kRows; ++r)
    for (int64_t c = 0; c < AmxPlan::kColumns; c += line)
      memref::PrefetchOp::create(b, loc, out, ValueRange{add(b, row, r), add(b, column, c)}, /*isWrite=*/true,
                                 /*localityHint=*/3, /*isDataCache=*/true);
}

void StagedResults::askForTile(OpBuilder &b, Value slot, Value r) {
  for (int64_t c = 0; c < AmxPlan::kColumns; c += AmxPlan::kTileRows)
    memref::PrefetchOp::create(b, loc, staging, ValueRange{slot, r, constant(b, c)}, /*isWrite=*/true,
                               /*localityHint=*/3, /*isDataCache=*/true);
}

} // namespace weft
