// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that move elements between lanes, or between lanes and scalars.
#include "lowering/nvptx/LanePatterns.h"

#include "lowering/nvptx/LaneShuffle.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {
namespace {

/// A scalar in every lane; of a vector of one element the first lane's.
struct DistributeBroadcast : LanePattern<vector::BroadcastOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(vector::BroadcastOp op, OpAdaptor in,
                                ConversionPatternRewriter &rewriter) const override {
    Value value = in.getSource();
    auto source = dyn_cast<VectorType>(op.getSourceType());
    if (source && source != op.getResultVectorType()) {
      LaneShuffle shuffle(rewriter, op.getLoc(), group);
      value = shuffle.from(value, shuffle.constant(0));
    }
    rewriter.replaceOp(op, value);
    return success();
  }
};

/// A lane's number out of a static or dynamic position, as i32.
Value lanePosition(OpBuilder &b, Location loc, OpFoldResult position) {
  Value index = getValueOrCreateConstantIndexOp(b, loc, position);
  return arith::IndexCastOp::create(b, loc, b.getI32Type(), index);
}

struct DistributeExtract : LanePattern<vector::ExtractOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(vector::ExtractOp op, OpAdaptor in,
                                ConversionPatternRewriter &rewriter) const override {
    LaneShuffle shuffle(rewriter, op.getLoc(), group);
    Value lane = lanePosition(rewriter, op.getLoc(), op.getMixedPosition().front());
    rewriter.replaceOp(op, shuffle.from(in.getSource(), lane));
    return success();
  }
};

struct DistributeInsert : LanePattern<vector::InsertOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(vector::InsertOp op, OpAdaptor in, ConversionPatternRewriter &rewriter) const override {
    Value lane = lanePosition(rewriter, op.getLoc(), op.getMixedPosition().front());
    Value isLane = arith::CmpIOp::create(rewriter, op.getLoc(), arith::CmpIPredicate::eq, group.lane, lane);
    rewriter.replaceOpWithNewOp<arith::SelectOp>(op, isLane, in.getValueToStore(), in.getDest());
    return success();
  }
};

struct DistributeFromElements : LanePattern<vector::FromElementsOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(vector::FromElementsOp op, OpAdaptor in,
                                ConversionPatternRewriter &rewriter) const override {
    Value chosen = in.getElements().back();
    for (int64_t lane = in.getElements().size() - 2; lane >= 0; --lane) {
      Value number = arith::ConstantIntOp::create(rewriter, op.getLoc(), lane, 32);
      Value isLane = arith::CmpIOp::create(rewriter, op.getLoc(), arith::CmpIPredicate::eq, group.lane, number);
      chosen = arith::SelectOp::create(rewriter, op.getLoc(), isLane, in.getElements()[lane], chosen);
    }
    rewriter.replaceOp(op, chosen);
    return success();
  }
};

struct DistributeSlice : LanePattern<vector::ExtractStridedSliceOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(vector::ExtractStridedSliceOp op, OpAdaptor in,
                                ConversionPatternRewriter &rewriter) const override {
    int64_t offset = cast<IntegerAttr>(op.getOffsets()[0]).getInt();
    if (offset == 0) {
      rewriter.replaceOp(op, in.getSource());
      return success();
    }
    LaneShuffle shuffle(rewriter, op.getLoc(), group);
    Value lane = arith::AddIOp::create(rewriter, op.getLoc(), group.lane, shuffle.constant(offset));
    rewriter.replaceOp(op, shuffle.from(in.getSource(), lane));
    return success();
  }
};

/// Each lane takes an element of the first vector or of the second.
struct DistributeShuffle : LanePattern<vector::ShuffleOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(vector::ShuffleOp op, OpAdaptor in,
                                ConversionPatternRewriter &rewriter) const override {
    LaneShuffle shuffle(rewriter, op.getLoc(), group);
    int64_t width = op.getV1VectorType().getDimSize(0), second = 0;
    SmallVector<int64_t> sources[2] = {SmallVector<int64_t>(kGroupLanes, 0), SmallVector<int64_t>(kGroupLanes, 0)};
    bool used[2] = {false, false}, stays[2] = {true, true};
    for (auto [lane, element] : llvm::enumerate(op.getMask())) {
      if (element < 0) // poison
        continue;
      bool which = element >= width;
      int64_t source = which ? element - width : element;
      second |= static_cast<int64_t>(which) << lane;
      sources[which][lane] = source;
      used[which] = true;
      stays[which] &= source == static_cast<int64_t>(lane);
    }
    Value vectors[2] = {in.getV1(), in.getV2()};
    for (int i : {0, 1})
      if (used[i] && !stays[i])
        vectors[i] = shuffle.from(vectors[i], shuffle.tableEntry(sources[i]));
    if (!used[0] || !used[1])
      rewriter.replaceOp(op, vectors[used[1]]);
    else
      rewriter.replaceOpWithNewOp<arith::SelectOp>(op, shuffle.bit(second), vectors[1], vectors[0]);
    return success();
  }
};

/// A butterfly; every lane gets the same bits, since the operations commute.
struct DistributeReduction : LanePattern<vector::ReductionOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(vector::ReductionOp op, OpAdaptor in,
                                ConversionPatternRewriter &rewriter) const override {
    int64_t lanes = op.getSourceVectorType().getDimSize(0);
    if (!llvm::isPowerOf2_64(lanes))
      return rewriter.notifyMatchFailure(op, "a butterfly needs a power of two");
    Location loc = op.getLoc();
    LaneShuffle shuffle(rewriter, loc, group);
    Value value = in.getVector();
    for (int64_t difference = lanes / 2; difference > 0; difference /= 2) {
      Value other = shuffle.across(value, difference);
      value = vector::makeArithReduction(rewriter, loc, op.getKind(), value, other, op.getFastmathAttr());
    }
    if (lanes < kGroupLanes)
      value = shuffle.from(value, shuffle.constant(0));
    if (in.getAcc())
      value = vector::makeArithReduction(rewriter, loc, op.getKind(), in.getAcc(), value, op.getFastmathAttr());
    rewriter.replaceOp(op, value);
    return success();
  }
};

} // namespace

void populateLaneMovePatterns(const TypeConverter &types, RewritePatternSet &patterns, LaneGroup group) {
  patterns.add<DistributeBroadcast, DistributeExtract, DistributeInsert, DistributeFromElements, DistributeSlice,
               DistributeShuffle, DistributeReduction>(types, patterns.getContext(), group);
}

} // namespace weft
