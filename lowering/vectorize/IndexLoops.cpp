// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// scf.for without results.
#include "lowering/vectorize/IndexLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace weft {

Value IndexLoops::constant(OpBuilder &builder, int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value IndexLoops::add(OpBuilder &builder, Value base, int64_t offset) {
  return offset ? add(builder, base, constant(builder, offset)) : base;
}

Value IndexLoops::add(OpBuilder &builder, Value x, Value y) { return arith::AddIOp::create(builder, loc, x, y); }

void IndexLoops::forEach(OpBuilder &builder, Value begin, Value end, int64_t step, LoopBody body) {
  scf::ForOp::create(builder, loc, begin, end, constant(builder, step), ValueRange(),
                     [&](OpBuilder &inner, Location, Value index, ValueRange) {
                       body(inner, index);
                       scf::YieldOp::create(inner, loc);
                     });
}

void IndexLoops::forEach(OpBuilder &builder, Value end, int64_t step, LoopBody body) {
  forEach(builder, constant(builder, 0), end, step, body);
}

} // namespace weft
