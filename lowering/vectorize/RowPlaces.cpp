// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/vectorize/RowPlaces.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace weft {

Value emitRowPlace(OpBuilder &b, Location loc, Value places, Value row, Value matrix) {
  Value place = memref::LoadOp::create(b, loc, places, row), rows = memref::DimOp::create(b, loc, matrix, 0);
  place = arith::IndexCastOp::create(b, loc, b.getIndexType(), place);
  // A negative place is a large unsigned one.
  Value last = arith::SubIOp::create(b, loc, rows, arith::ConstantIndexOp::create(b, loc, 1));
  return arith::MinUIOp::create(b, loc, place, last);
}

} // namespace weft
