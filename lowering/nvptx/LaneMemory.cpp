// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vectors in memory: each lane reads and writes its own elements, or none where a mask says so.
#include "lowering/nvptx/LanePatterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {
namespace {

/// A vector in memory, seen by one lane.
class LaneAccess {
public:
  LaneAccess(OpBuilder &b, Location loc, VectorType type, Value base, ValueRange indices, LaneGroup group)
      : b(b), loc(loc), type(type), base(base), indices(indices), group(group) {}

  /// The place of a lane's element.
  SmallVector<Value> place(int64_t element) {
    int64_t count = elementsOfLane(type);
    Value offset = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), group.lane);
    if (count > 1)
      offset = arith::MulIOp::create(b, loc, offset, arith::ConstantIndexOp::create(b, loc, count));
    if (element > 0)
      offset = arith::AddIOp::create(b, loc, offset, arith::ConstantIndexOp::create(b, loc, element));
    return moved(offset);
  }

  /// The place of an element that is looked up.
  SmallVector<Value> moved(Value offset) {
    SmallVector<Value> all(indices);
    if (!offset.getType().isIndex())
      offset = arith::IndexCastOp::create(b, loc, b.getIndexType(), offset);
    all.back() = arith::AddIOp::create(b, loc, all.back(), offset);
    return all;
  }

  /// `mask` (null: all) without the lanes beyond a short vector.
  Value restricted(Value mask) {
    if (type.getDimSize(0) >= kGroupLanes)
      return mask;
    Value count = arith::ConstantIntOp::create(b, loc, type.getDimSize(0), 32);
    Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, group.lane, count);
    return mask ? arith::AndIOp::create(b, loc, mask, inside).getResult() : inside;
  }

  /// A load where `mask` is set (null: everywhere), else `otherwise` (null: zero).
  Value load(Value mask, ValueRange where, Value otherwise) {
    if (!mask)
      return memref::LoadOp::create(b, loc, base, where);
    Type element = type.getElementType();
    if (!otherwise)
      otherwise = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
    auto branch = scf::IfOp::create(b, loc, TypeRange(element), mask, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    Value loaded = memref::LoadOp::create(b, loc, base, where);
    scf::YieldOp::create(b, loc, loaded);
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, loc, otherwise);
    return branch.getResult(0);
  }

  void store(Value mask, Value value, ValueRange where) {
    if (!mask) {
      memref::StoreOp::create(b, loc, value, base, where);
      return;
    }
    auto branch = scf::IfOp::create(b, loc, mask, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    memref::StoreOp::create(b, loc, value, base, where);
  }

private:
  OpBuilder &b;
  Location loc;
  VectorType type;
  Value base;
  SmallVector<Value> indices;
  LaneGroup group;
};

/// A value of each range, which are scalars here.
SmallVector<Value> flat(ArrayRef<ValueRange> ranges) {
  return llvm::map_to_vector(ranges, [](ValueRange range) -> Value { return range.front(); });
}

struct DistributeLoad : LanePattern<vector::LoadOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(vector::LoadOp op, Values in, ConversionPatternRewriter &rewriter) const override {
    VectorType type = op.getVectorType();
    LaneAccess access(rewriter, op.getLoc(), type, in.getBase().front(), flat(in.getIndices()), group);
    Value mask = access.restricted(Value());
    SmallVector<Value> results;
    for (int64_t element = 0; element < elementsOfLane(type); ++element)
      results.push_back(access.load(mask, access.place(element), Value()));
    return replace(op, rewriter, results);
  }
};

struct DistributeMaskedLoad : LanePattern<vector::MaskedLoadOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(vector::MaskedLoadOp op, Values in,
                                ConversionPatternRewriter &rewriter) const override {
    LaneAccess access(rewriter, op.getLoc(), op.getVectorType(), in.getBase().front(), flat(in.getIndices()), group);
    SmallVector<Value> results;
    for (auto [element, mask, otherwise] : llvm::enumerate(in.getMask(), in.getPassThru()))
      results.push_back(access.load(access.restricted(mask), access.place(element), otherwise));
    return replace(op, rewriter, results);
  }
};

struct DistributeStore : LanePattern<vector::StoreOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(vector::StoreOp op, Values in, ConversionPatternRewriter &rewriter) const override {
    LaneAccess access(rewriter, op.getLoc(), op.getVectorType(), in.getBase().front(), flat(in.getIndices()), group);
    Value mask = access.restricted(Value());
    for (auto [element, value] : llvm::enumerate(in.getValueToStore()))
      access.store(mask, value, access.place(element));
    rewriter.eraseOp(op);
    return success();
  }
};

struct DistributeMaskedStore : LanePattern<vector::MaskedStoreOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(vector::MaskedStoreOp op, Values in,
                                ConversionPatternRewriter &rewriter) const override {
    LaneAccess access(rewriter, op.getLoc(), op.getVectorType(), in.getBase().front(), flat(in.getIndices()), group);
    for (auto [element, mask, value] : llvm::enumerate(in.getMask(), in.getValueToStore()))
      access.store(access.restricted(mask), value, access.place(element));
    rewriter.eraseOp(op);
    return success();
  }
};

struct DistributeGather : LanePattern<vector::GatherOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(vector::GatherOp op, Values in, ConversionPatternRewriter &rewriter) const override {
    LaneAccess access(rewriter, op.getLoc(), op.getVectorType(), in.getBase().front(), flat(in.getOffsets()), group);
    SmallVector<Value> results;
    for (auto [offset, mask, otherwise] : llvm::zip_equal(in.getIndices(), in.getMask(), in.getPassThru()))
      results.push_back(access.load(access.restricted(mask), access.moved(offset), otherwise));
    return replace(op, rewriter, results);
  }
};

} // namespace

void populateLaneMemoryPatterns(const TypeConverter &types, RewritePatternSet &patterns, LaneGroup group) {
  patterns.add<DistributeLoad, DistributeMaskedLoad, DistributeStore, DistributeMaskedStore, DistributeGather>(
      types, patterns.getContext(), group);
}

} // namespace weft
