// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// scf.for %row { scf.for %k step lanes { vector.load, widen, vector.store }; the last, partial vector masked }
#include "lowering/cpu/WidenRows.h"

#include "lowering/cpu/OperandAccess.h"
#include "lowering/cpu/StoredNumbers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

/// What rows may take of a thread's stack.
static constexpr int64_t kMostBytes = 256 << 10;

Value emitWideScratch(OpBuilder &builder, Value source, int64_t rows, std::optional<int64_t> depth) {
  auto given = cast<MemRefType>(source.getType());
  int64_t values = depth.value_or(given.getDimSize(1));
  if (given.getElementType().isF32() || ShapedType::isDynamic(values) ||
      rows * values > kMostBytes / int64_t(sizeof(float)))
    return Value();
  auto type = MemRefType::get({rows, values}, builder.getF32Type());
  return memref::AllocaOp::create(builder, source.getLoc(), type, builder.getI64IntegerAttr(64));
}

Value emitWidenRows(OpBuilder &builder, Location loc, const RegisterPlan &registers, Value source, int64_t rows,
                    Value scratch) {
  if (!scratch)
    return source;
  auto constant = [&](int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); };
  Value zero = constant(0), one = constant(1), lanes = constant(registers.lanes);
  Value depth = memref::DimOp::create(builder, loc, source, 1);
  Value rest = arith::RemUIOp::create(builder, loc, depth, lanes);
  Value whole = arith::SubIOp::create(builder, loc, depth, rest);
  auto move = [&](OpBuilder &b, Value row, Value k, Value mask) {
    IterationPoint point{{row, k}, 1, registers.lanes, mask};
    AffineMap identity = b.getMultiDimIdentityMap(2);
    Value wide = emitToF32(b, loc, registers, emitLoad(b, loc, source, identity, point));
    emitStore(b, loc, wide, scratch, identity, point);
  };
  auto emitRow = [&](OpBuilder &b, Location, Value row, ValueRange) {
    scf::ForOp::create(b, loc, zero, whole, lanes, ValueRange(), [&](OpBuilder &body, Location, Value k, ValueRange) {
      move(body, row, k, Value());
      scf::YieldOp::create(body, loc);
    });
    Value some = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, rest, zero);
    scf::IfOp::create(b, loc, some, [&](OpBuilder &body, Location) {
      auto type = VectorType::get({registers.lanes}, body.getI1Type());
      move(body, row, whole, vector::CreateMaskOp::create(body, loc, type, rest));
      scf::YieldOp::create(body, loc);
    });
    scf::YieldOp::create(b, loc);
  };
  scf::ForOp::create(builder, loc, zero, constant(rows), one, ValueRange(), emitRow);
  return scratch;
}

} // namespace weft
