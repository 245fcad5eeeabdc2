// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vectors in memory: each lane reads and writes its own element, or none where a mask says so.
#include "lowering/nvptx/LanePatterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {
namespace {

/// The place of the lane's element.
SmallVector<Value> laneIndices(OpBuilder &b, Location loc, ValueRange indices, LaneGroup group) {
  SmallVector<Value> place(indices);
  Value lane = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), group.lane);
  place.back() = arith::AddIOp::create(b, loc, place.back(), lane);
  return place;
}

/// Whether this lane belongs to a vector; null where all do.
Value isInVector(OpBuilder &b, Location loc, VectorType type, LaneGroup group) {
  if (type.getDimSize(0) == kGroupLanes)
    return Value();
  Value count = arith::ConstantIntOp::create(b, loc, type.getDimSize(0), 32);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, group.lane, count);
}

/// `mask`, restricted to the lanes of a vector.
Value restrictMask(OpBuilder &b, Location loc, Value mask, VectorType type, LaneGroup group) {
  Value inside = isInVector(b, loc, type, group);
  return inside ? arith::AndIOp::create(b, loc, mask, inside).getResult() : mask;
}

/// A load where `mask` is set (null: everywhere), else `otherwise`.
Value emitLoad(OpBuilder &b, Location loc, Value mask, Value base, ValueRange place, Value otherwise) {
  if (!mask)
    return memref::LoadOp::create(b, loc, base, place);
  Type type = otherwise.getType();
  auto branch = scf::IfOp::create(b, loc, TypeRange(type), mask, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Value loaded = memref::LoadOp::create(b, loc, base, place);
  scf::YieldOp::create(b, loc, loaded);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, otherwise);
  return branch.getResult(0);
}

void emitStore(OpBuilder &b, Location loc, Value mask, Value value, Value base, ValueRange place) {
  if (!mask) {
    memref::StoreOp::create(b, loc, value, base, place);
    return;
  }
  auto branch = scf::IfOp::create(b, loc, mask, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  memref::StoreOp::create(b, loc, value, base, place);
}

Value zeroOf(OpBuilder &b, Location loc, Type type) { return arith::ConstantOp::create(b, loc, b.getZeroAttr(type)); }

struct DistributeLoad : LanePattern<vector::LoadOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(vector::LoadOp op, OpAdaptor in, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    VectorType type = op.getVectorType();
    SmallVector<Value> place = laneIndices(rewriter, loc, in.getIndices(), group);
    Value mask = isInVector(rewriter, loc, type, group);
    Value zero = mask ? zeroOf(rewriter, loc, type.getElementType()) : Value();
    rewriter.replaceOp(op, emitLoad(rewriter, loc, mask, in.getBase(), place, zero));
    return success();
  }
};

struct DistributeMaskedLoad : LanePattern<vector::MaskedLoadOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(vector::MaskedLoadOp op, OpAdaptor in,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    SmallVector<Value> place = laneIndices(rewriter, loc, in.getIndices(), group);
    Value mask = restrictMask(rewriter, loc, in.getMask(), op.getVectorType(), group);
    rewriter.replaceOp(op, emitLoad(rewriter, loc, mask, in.getBase(), place, in.getPassThru()));
    return success();
  }
};

struct DistributeStore : LanePattern<vector::StoreOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(vector::StoreOp op, OpAdaptor in, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    SmallVector<Value> place = laneIndices(rewriter, loc, in.getIndices(), group);
    Value mask = isInVector(rewriter, loc, op.getVectorType(), group);
    emitStore(rewriter, loc, mask, in.getValueToStore(), in.getBase(), place);
    rewriter.eraseOp(op);
    return success();
  }
};

struct DistributeMaskedStore : LanePattern<vector::MaskedStoreOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(vector::MaskedStoreOp op, OpAdaptor in,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    SmallVector<Value> place = laneIndices(rewriter, loc, in.getIndices(), group);
    Value mask = restrictMask(rewriter, loc, in.getMask(), op.getVectorType(), group);
    emitStore(rewriter, loc, mask, in.getValueToStore(), in.getBase(), place);
    rewriter.eraseOp(op);
    return success();
  }
};

/// The place of an element that a lane looks up.
SmallVector<Value> gatheredIndices(OpBuilder &b, Location loc, ValueRange indices, Value offset) {
  SmallVector<Value> place(indices);
  if (!offset.getType().isIndex())
    offset = arith::IndexCastOp::create(b, loc, b.getIndexType(), offset);
  place.back() = arith::AddIOp::create(b, loc, place.back(), offset);
  return place;
}

struct DistributeGather : LanePattern<vector::GatherOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(vector::GatherOp op, OpAdaptor in, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    SmallVector<Value> place = gatheredIndices(rewriter, loc, in.getOffsets(), in.getIndices());
    Value mask = restrictMask(rewriter, loc, in.getMask(), op.getVectorType(), group);
    rewriter.replaceOp(op, emitLoad(rewriter, loc, mask, in.getBase(), place, in.getPassThru()));
    return success();
  }
};

} // namespace

void populateLaneMemoryPatterns(const TypeConverter &types, RewritePatternSet &patterns, LaneGroup group) {
  patterns.add<DistributeLoad, DistributeMaskedLoad, DistributeStore, DistributeMaskedStore, DistributeGather>(
      types, patterns.getContext(), group);
}

} // namespace weft
