// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.combine on memrefs → for each row whose token is one: its columns, a vector at a time, times its weight, added
// to the token's:
//   scf.for %i { scf.if (token < tokens) { scf.for %c { vector.load, vector.load, vector.fma, vector.store } } }
#include "lowering/vectorize/Passes.h"

#include "dialects/weft/RoutingOps.h"
#include "lowering/vectorize/IndexLoops.h"
#include "lowering/vectorize/OperandAccess.h"
#include "lowering/vectorize/RegisterTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace weft {
#define GEN_PASS_DEF_VECTORIZECOMBINE
#include "lowering/vectorize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

class CombineEmitter : IndexLoops {
public:
  CombineEmitter(CombineOp op, const RegisterPlan &registers) : IndexLoops(op.getLoc()), op(op), registers(registers) {}

  void emit() {
    OpBuilder b(op);
    Value rows = memref::DimOp::create(b, loc, op.getInput(), 0),
          tokens = memref::DimOp::create(b, loc, op.getInit(), 0);
    columns = memref::DimOp::create(b, loc, op.getInit(), 1);
    forEach(b, rows, 1, [&](OpBuilder &body, Value row) {
      Value token = memref::LoadOp::create(body, loc, op.getTokens(), row);
      token = arith::IndexCastOp::create(body, loc, body.getIndexType(), token);
      // A negative token is a large unsigned one.
      Value isThere = arith::CmpIOp::create(body, loc, arith::CmpIPredicate::ult, token, tokens);
      scf::IfOp::create(body, loc, isThere, [&](OpBuilder &inner, Location) {
        emitRow(inner, row, token);
        scf::YieldOp::create(inner, loc);
      });
    });
    op.erase();
  }

private:
  void emitRow(OpBuilder &b, Value row, Value token) {
    int64_t lanes = registers.lanes;
    auto vector = VectorType::get({lanes}, b.getF32Type());
    Value weight = memref::LoadOp::create(b, loc, op.getWeights(), row);
    weight = vector::BroadcastOp::create(b, loc, vector, weight);
    Value rest = arith::RemUIOp::create(b, loc, columns, constant(b, lanes));
    Value whole = arith::SubIOp::create(b, loc, columns, rest);
    auto addAt = [&](OpBuilder &at, Value column, Value mask) {
      AffineMap map = at.getMultiDimIdentityMap(2);
      IterationPoint from{{row, column}, 1, lanes, mask}, to{{token, column}, 1, lanes, mask};
      Value sum = emitLoad(at, loc, op.getInit(), map, to);
      sum = emitMultiplyAdd(at, loc, registers, weight, emitLoad(at, loc, op.getInput(), map, from), sum);
      emitStore(at, loc, sum, op.getInit(), map, to);
    };
    forEach(b, whole, lanes, [&](OpBuilder &body, Value column) { addAt(body, column, Value()); });
    Value isPartial = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, rest, constant(b, 0));
    scf::IfOp::create(b, loc, isPartial, [&](OpBuilder &body, Location) {
      auto mask = VectorType::get({lanes}, body.getI1Type());
      addAt(body, whole, vector::CreateMaskOp::create(body, loc, mask, rest));
      scf::YieldOp::create(body, loc);
    });
  }

  CombineOp op;
  const RegisterPlan &registers;
  Value columns;
};

struct VectorizeCombinePass : impl::VectorizeCombineBase<VectorizeCombinePass> {
  void runOnOperation() override {
    FailureOr<TargetAttr> target = targetOf(getOperation());
    if (failed(target))
      return signalPassFailure();
    RegisterPlan registers = RegisterPlan::forTarget(*target);
    SmallVector<CombineOp> ops;
    getOperation()->walk([&](CombineOp op) { ops.push_back(op); });
    for (CombineOp op : ops)
      CombineEmitter(op, registers).emit();
  }
};

} // namespace
} // namespace weft
