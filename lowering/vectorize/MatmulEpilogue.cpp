// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// product → scratch → linalg.generic   becomes   the generic's body on the product's sums, then a vector.store.
#include "lowering/vectorize/MatmulEpilogue.h"

#include "lowering/analysis/CostModel.h"
#include "lowering/vectorize/IndexLoops.h"
#include "lowering/vectorize/VectorBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

Value MatmulEpilogue::output() { return generic ? generic.getDpsInits().front() : sums; }

Operation *MatmulEpilogue::anchor(Operation *product) { return generic ? generic.getOperation() : product; }

bool MatmulEpilogue::wantsStaging() {
  if (!generic)
    return false;
  Work work = Work::ofRegion(generic.getRegion());
  return work.transcendental + work.divide > 0 || work.simple + work.multiplyAdds > 2;
}

void MatmulEpilogue::eraseWith(Operation *product) {
  if (generic)
    generic.erase();
  product->erase();
  for (Operation *op : superseded)
    op->erase();
}

/// Whether the generic applies a vectorisable body to each element of `scratch`.
static bool isEpilogueOf(linalg::GenericOp generic, Value scratch) {
  if (generic.getNumLoops() != 2 || generic.getNumParallelLoops() != 2 || generic.getNumDpsInits() != 1 ||
      !isVectorizableBody(*generic.getBody()))
    return false;
  for (OpOperand &operand : generic->getOpOperands()) {
    AffineMap map = generic.getMatchingIndexingMap(&operand);
    bool whole = operand.get() == scratch || generic.isDpsInit(&operand);
    if (whole ? !map.isIdentity() : !map.isProjectedPermutation())
      return false;
    if (classifyAccess(operand.get(), map, 1) == AccessKind::Unsupported)
      return false;
  }
  return classifyAccess(generic.getDpsInits().front(), generic.getMatchingIndexingMap(generic.getDpsInitOperand(0)),
                        1) == AccessKind::Contiguous;
}

/// The allocation behind a scratch, or null.
static Operation *scratchOf(Value sums) {
  Operation *alloc = sums.getDefiningOp();
  bool isScratch = isa_and_nonnull<memref::AllocOp, memref::AllocaOp>(alloc);
  if (auto view = dyn_cast_or_null<memref::ViewOp>(alloc))
    isScratch = isa_and_nonnull<memref::AllocaOp>(view.getSource().getDefiningOp());
  return isScratch ? alloc : nullptr;
}

MatmulEpilogue matchMatmulEpilogue(Operation *product, Value sums) {
  MatmulEpilogue none{sums, nullptr, {}}, found = none;
  Operation *alloc = scratchOf(sums);
  if (!alloc)
    return none;
  for (Operation *user : alloc->getUsers()) {
    if (user == product)
      continue;
    if (isa<memref::DeallocOp>(user)) {
      found.superseded.push_back(user);
      continue;
    }
    auto generic = dyn_cast<linalg::GenericOp>(user);
    if (!generic || (found.generic && found.generic != generic) || generic->getBlock() != product->getBlock() ||
        !isEpilogueOf(generic, sums) || llvm::is_contained(generic.getDpsInits(), sums))
      return none;
    found.generic = generic;
  }
  if (!found.generic)
    return none;
  found.superseded.push_back(alloc);
  return found;
}

IterationPoint columnsAt(OpBuilder &b, Location loc, Value row, Value column, int64_t lanes, Value columns) {
  IterationPoint point;
  point.dims = {row, column};
  point.vectorDim = 1;
  point.lanes = lanes;
  if (columns) {
    Value left = arith::SubIOp::create(b, loc, columns, column);
    // A vector wholly beyond the last column has a negative count, which create_mask takes as none.
    point.mask = vector::CreateMaskOp::create(b, loc, VectorType::get({lanes}, b.getI1Type()), left);
  }
  return point;
}

Value emitScaledSums(OpBuilder &b, Location loc, Value sums, Value rowScales, Value columnScales,
                     const IterationPoint &point) {
  auto floats = VectorType::get({point.lanes}, b.getF32Type());
  Value rowScale = memref::LoadOp::create(b, loc, rowScales, point.dims[0]);
  Value results = arith::SIToFPOp::create(b, loc, floats, sums);
  results = arith::MulFOp::create(b, loc, results, vector::BroadcastOp::create(b, loc, floats, rowScale));
  AffineMap columnMap = AffineMap::get(2, 0, b.getAffineDimExpr(1));
  return arith::MulFOp::create(b, loc, results, emitLoad(b, loc, columnScales, columnMap, point));
}

void emitMatmulResult(OpBuilder &b, Location loc, MatmulEpilogue &epilogue, Value sums, const IterationPoint &point) {
  AffineMap identity = b.getMultiDimIdentityMap(2);
  linalg::GenericOp generic = epilogue.generic;
  if (!generic)
    return emitStore(b, loc, sums, epilogue.sums, identity, point);
  IRMapping mapping;
  for (OpOperand &operand : generic->getOpOperands()) {
    BlockArgument argument = generic.getMatchingBlockArgument(&operand);
    if (argument.use_empty())
      continue;
    Value value = operand.get() == epilogue.sums
                      ? sums
                      : emitLoad(b, loc, operand.get(), generic.getMatchingIndexingMap(&operand), point);
    mapping.map(argument, value);
  }
  auto index = [&](unsigned dim) -> Value {
    if (dim == 0)
      return point.dims[0];
    Value step = vector::StepOp::create(b, loc, VectorType::get({point.lanes}, b.getIndexType()));
    return arith::AddIOp::create(b, loc, widen(b, loc, point.dims[1], point.lanes), step);
  };
  Value result = emitVectorBody(b, *generic.getBody(), mapping, point.lanes, index).front();
  emitStore(b, loc, result, generic.getDpsInits().front(), identity, point);
}

namespace {

/// Vectors whose epilogue runs in one loop iteration.
constexpr int64_t kVectorsTogether = 4;

struct StagedEpilogue : IndexLoops {
  MatmulEpilogue &epilogue;
  const StagedTile &tile;

  StagedEpilogue(Location loc, MatmulEpilogue &epilogue, const StagedTile &tile)
      : IndexLoops(loc), epilogue(epilogue), tile(tile) {}

  /// The vector of the tile's row r that begins at its column c.
  void vectorAt(OpBuilder &b, Value r, Value c, Value columns) {
    IterationPoint from = columnsAt(b, loc, r, c, tile.lanes, Value());
    Value sum = emitLoad(b, loc, tile.sums, b.getMultiDimIdentityMap(2), from);
    IterationPoint to = columnsAt(b, loc, add(b, tile.row, r), add(b, tile.column, c), tile.lanes, columns);
    emitMatmulResult(b, loc, epilogue, sum, to);
  }

  void rowsFrom(OpBuilder &b, Value first, int64_t rows) {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t v = 0; v < tile.vectors; ++v)
        vectorAt(b, add(b, first, r), constant(b, v * tile.lanes), Value());
  }

  void whole(OpBuilder &b) {
    int64_t together = std::max<int64_t>(1, kVectorsTogether / tile.vectors), rest = tile.rows % together;
    if (int64_t main = tile.rows - rest)
      forEach(b, constant(b, main), together, [&](OpBuilder &body, Value r) { rowsFrom(body, r, together); });
    rowsFrom(b, constant(b, tile.rows - rest), rest);
  }

  void partial(OpBuilder &b, Value left) {
    forEach(b, constant(b, tile.rows), 1, [&](OpBuilder &body, Value r) {
      forEach(body, left, tile.lanes, [&](OpBuilder &inner, Value c) { vectorAt(inner, r, c, tile.columns); });
    });
  }
};

} // namespace

void emitStagedEpilogue(OpBuilder &b, Location loc, MatmulEpilogue &epilogue, const StagedTile &tile) {
  StagedEpilogue emitter(loc, epilogue, tile);
  if (!tile.columns)
    return emitter.whole(b);
  Value left = arith::SubIOp::create(b, loc, tile.columns, tile.column);
  Value width = arith::ConstantIndexOp::create(b, loc, tile.vectors * tile.lanes);
  Value isWhole = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, left, width);
  scf::IfOp::create(
      b, loc, isWhole,
      [&](OpBuilder &body, Location) {
        emitter.whole(body);
        scf::YieldOp::create(body, loc);
      },
      [&](OpBuilder &body, Location) {
        emitter.partial(body, left);
        scf::YieldOp::create(body, loc);
      });
}

} // namespace weft
