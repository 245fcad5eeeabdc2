// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/fuse/RoundedRows.h"

#include "dialects/weft/WeftDialect.h"
#include "lowering/analysis/TensorExtents.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace weft {

RoundedRows::Rows RoundedRows::of(OpBuilder &b, Value rows, int64_t depth, Operation *reader) {
  auto [known, isNew] = made.try_emplace({rows, reader->getBlock()});
  if (!isNew)
    return known->second;
  b.setInsertionPoint(reader);
  Location loc = reader->getLoc();
  OpFoldResult count = extentsOfTensor(b, rows)[0];
  int64_t padded = llvm::alignTo(depth, QuantizedMatmulOp::kGroup);
  Value values = tensor::EmptyOp::create(b, loc, {count, b.getIndexAttr(padded)}, b.getI8Type());
  Value scales = tensor::EmptyOp::create(b, loc, {count}, b.getF32Type());
  auto op = QuantizeRowsOp::create(b, loc, TypeRange{values.getType(), scales.getType()}, rows, values, scales);
  return known->second = {op.getResult(0), op.getResult(1)};
}

} // namespace weft
