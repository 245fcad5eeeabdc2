// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.packed_matmul on memrefs (+ the elementwise linalg.generic that alone reads its output) → register tiles with
// the generic's body applied to the accumulators before they are stored:
//   scf.for %column … { row tiles { vector.load bias; scf.for %k { vector.fma … }; body; vector.store } }
#include "lowering/cpu/Passes.h"

#include "lowering/cpu/MatmulEpilogue.h"
#include "lowering/cpu/RegisterTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace weft {
#define GEN_PASS_DEF_VECTORIZEMATMUL
#include "lowering/cpu/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Steps of k that a prefetch runs ahead: 16 lines of 64 bytes cover the latency of the third-level cache at one line
/// in 14 cycles (measured: 5 % on products whose weights come from there).
constexpr int64_t kPrefetchAhead = 16;

/// What is emitted for one product.
struct MatmulPlan {
  PackedMatmulOp matmul;
  MatmulEpilogue epilogue;
  RegisterPlan registers;
  int64_t vectors; ///< vectors side by side, fewer than the plan's when N is narrow
  bool masked;     ///< the last tile's columns may lie beyond N
  bool clamped;    ///< the last tile's panels may lie beyond the last
};

FailureOr<MatmulPlan> planMatmul(PackedMatmulOp matmul, const RegisterPlan &registers) {
  if (matmul.getPanelWidth() % registers.lanes != 0)
    return matmul.emitError("panels of ")
           << matmul.getPanelWidth() << " columns do not hold whole vectors of " << registers.lanes;
  for (Value operand : matmul->getOperands())
    if (!getElementTypeOrSelf(operand.getType()).isF32())
      return matmul.emitError("only f32 operands are lowered to the CPU, got ") << operand.getType();
  MatmulPlan plan{matmul, matchMatmulEpilogue(matmul, matmul.getInit()), registers, registers.vectors, true, true};
  int64_t columns = cast<MemRefType>(matmul.getInit().getType()).getDimSize(1);
  int64_t panels = cast<MemRefType>(matmul.getRhs().getType()).getDimSize(0);
  if (!ShapedType::isDynamic(columns) && columns <= registers.lanes)
    plan.vectors = 1;
  int64_t width = plan.vectors * registers.lanes;
  plan.masked = ShapedType::isDynamic(columns) || columns % width != 0;
  plan.clamped = ShapedType::isDynamic(panels) || (panels * matmul.getPanelWidth()) % width != 0;
  return plan;
}

/// Emits a plan; all of it at the place of the last op that it replaces.
class MatmulEmitter {
public:
  MatmulEmitter(const MatmulPlan &plan) : plan(plan), loc(this->plan.matmul.getLoc()) {}

  void emit(OpBuilder &b) {
    Value out = plan.epilogue.output();
    Value zero = constant(b, 0);
    columns = memref::DimOp::create(b, loc, out, 1);
    OpFoldResult rows = memref::getMixedSize(b, loc, out, 0);
    Value width = constant(b, plan.vectors * plan.registers.lanes);
    scf::ForOp::create(
        b, loc, zero, columns, width, ValueRange(), [&](OpBuilder &body, Location, Value column, ValueRange) {
          emitRowTiles(body, loc, plan.registers, rows,
                       [&](OpBuilder &inner, int64_t count, Value row) { emitTile(inner, count, row, column); });
          scf::YieldOp::create(body, loc);
        });
  }

private:
  Value constant(OpBuilder &b, int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value add(OpBuilder &b, Value base, int64_t offset) {
    return offset ? arith::AddIOp::create(b, loc, base, constant(b, offset)).getResult() : base;
  }

  /// The place of vector v of the tile's row r.
  IterationPoint pointAt(OpBuilder &b, Value row, Value column, int64_t r, int64_t v) {
    return columnsAt(b, loc, add(b, row, r), add(b, column, v * plan.registers.lanes), plan.registers.lanes,
                     plan.masked ? columns : Value());
  }

  /// The accumulators' start: the bias, or zero.
  SmallVector<Value> emitStart(OpBuilder &b, int64_t rows, Value row, Value column) {
    auto type = VectorType::get({plan.registers.lanes}, b.getF32Type());
    SmallVector<Value> start;
    for (int64_t v = 0; v < plan.vectors; ++v) {
      Value bias = plan.matmul.getBias();
      AffineMap map = AffineMap::get(2, 0, b.getAffineDimExpr(1));
      start.push_back(bias ? emitLoad(b, loc, bias, map, pointAt(b, row, column, 0, v))
                           : arith::ConstantOp::create(b, loc, b.getZeroAttr(type)).getResult());
    }
    SmallVector<Value> acc;
    for (int64_t r = 0; r < rows; ++r)
      llvm::append_range(acc, start);
    return acc;
  }

  /// The panels and columns within them that the tile's vectors come from.
  void emitPanels(OpBuilder &b, Value column, SmallVector<Value> &panels, SmallVector<Value> &offsets) {
    Value width = constant(b, plan.matmul.getPanelWidth());
    Value count = memref::DimOp::create(b, loc, plan.matmul.getRhs(), 0);
    Value last = arith::SubIOp::create(b, loc, count, constant(b, 1));
    for (int64_t v = 0; v < plan.vectors; ++v) {
      Value c = add(b, column, v * plan.registers.lanes);
      Value panel = arith::DivUIOp::create(b, loc, c, width);
      panels.push_back(plan.clamped ? arith::MinUIOp::create(b, loc, panel, last).getResult() : panel);
      offsets.push_back(arith::RemUIOp::create(b, loc, c, width));
    }
  }

  /// Asks for the weights of kPrefetchAhead steps later; at a panel's end these are the next panel's.
  void emitPrefetch(OpBuilder &b, Value panel, Value depth) {
    SmallVector<Value> place = {panel, add(b, depth, kPrefetchAhead), constant(b, 0)};
    memref::PrefetchOp::create(b, loc, plan.matmul.getRhs(), place, /*isWrite=*/false, /*localityHint=*/3,
                               /*isDataCache=*/true);
  }

  void emitTile(OpBuilder &b, int64_t rows, Value row, Value column) {
    SmallVector<Value> panels, offsets, rowIndices;
    emitPanels(b, column, panels, offsets);
    for (int64_t r = 0; r < rows; ++r)
      rowIndices.push_back(add(b, row, r));
    Value lhs = plan.matmul.getLhs(), rhs = plan.matmul.getRhs();
    auto type = VectorType::get({plan.registers.lanes}, b.getF32Type());
    TileOperands operands{[&](OpBuilder &k, Value depth, int64_t r) -> Value {
                            return memref::LoadOp::create(k, loc, lhs, ValueRange{rowIndices[r], depth});
                          },
                          [&](OpBuilder &k, Value depth, int64_t v) -> Value {
                            // One hint for a row of a panel, which is a cache line.
                            if (v * plan.registers.lanes % plan.matmul.getPanelWidth() == 0)
                              emitPrefetch(k, panels[v], depth);
                            return vector::LoadOp::create(k, loc, type, rhs, ValueRange{panels[v], depth, offsets[v]});
                          }};
    SmallVector<Value> acc =
        emitTileProduct(b, loc, plan.registers, rows, plan.vectors, memref::getMixedSize(b, loc, lhs, 1),
                        emitStart(b, rows, row, column), operands);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t v = 0; v < plan.vectors; ++v)
        emitMatmulResult(b, loc, plan.epilogue, acc[r * plan.vectors + v], pointAt(b, row, column, r, v));
  }

  MatmulPlan plan;
  Location loc;
  Value columns;
};

struct VectorizeMatmulPass : impl::VectorizeMatmulBase<VectorizeMatmulPass> {
  void runOnOperation() override {
    FailureOr<RegisterPlan> registers = registerPlanOf(getOperation());
    if (failed(registers))
      return signalPassFailure();
    SmallVector<PackedMatmulOp> matmuls;
    getOperation()->walk([&](PackedMatmulOp op) { matmuls.push_back(op); });
    for (PackedMatmulOp matmul : matmuls) {
      FailureOr<MatmulPlan> plan = planMatmul(matmul, *registers);
      if (failed(plan))
        return signalPassFailure();
      OpBuilder builder(plan->epilogue.anchor(matmul));
      MatmulEmitter(*plan).emit(builder);
      plan->epilogue.eraseWith(matmul);
    }
  }
};

} // namespace
} // namespace weft
