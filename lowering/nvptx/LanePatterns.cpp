// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that lanes do apart: arithmetic, constants, masks.
#include "lowering/nvptx/LanePatterns.h"

#include "lowering/nvptx/LaneShuffle.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {
namespace {

/// arith and math: the same op on scalars.
struct DistributeElementwise : ConversionPattern {
  DistributeElementwise(const TypeConverter &types, MLIRContext *context)
      : ConversionPattern(types, MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &rewriter) const override {
    if (!op->hasTrait<OpTrait::Elementwise>() || op->getNumRegions())
      return rewriter.notifyMatchFailure(op, "lanes do not do it apart");
    SmallVector<Type> results;
    if (failed(getTypeConverter()->convertTypes(op->getResultTypes(), results)))
      return rewriter.notifyMatchFailure(op, "a vector of more lanes than a group has");
    OperationState state(op->getLoc(), op->getName().getStringRef(), operands, results, op->getAttrs());
    rewriter.replaceOp(op, rewriter.create(state));
    return success();
  }
};

/// A constant of different elements: each lane chooses its own.
struct DistributeConstant : LanePattern<arith::ConstantOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(arith::ConstantOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    auto elements = dyn_cast<DenseElementsAttr>(op.getValue());
    if (!elements)
      return rewriter.notifyMatchFailure(op, "no vector of elements");
    Location loc = op.getLoc();
    SmallVector<TypedAttr> values;
    for (Attribute value : elements.getValues<Attribute>())
      values.push_back(cast<TypedAttr>(value));
    Value chosen = arith::ConstantOp::create(rewriter, loc, values.back());
    for (int64_t lane = values.size() - 2; lane >= 0 && !elements.isSplat(); --lane) {
      Value number = arith::ConstantIntOp::create(rewriter, loc, lane, 32);
      Value isLane = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::eq, group.lane, number);
      Value value = arith::ConstantOp::create(rewriter, loc, values[lane]);
      chosen = arith::SelectOp::create(rewriter, loc, isLane, value, chosen);
    }
    rewriter.replaceOp(op, chosen);
    return success();
  }
};

struct DistributePoison : LanePattern<ub::PoisonOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(ub::PoisonOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<ub::PoisonOp>(op, getTypeConverter()->convertType(op.getType()), op.getValue());
    return success();
  }
};

struct DistributeFma : LanePattern<vector::FMAOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(vector::FMAOp op, OpAdaptor in, ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<math::FmaOp>(op, in.getLhs(), in.getRhs(), in.getAcc());
    return success();
  }
};

/// The lane's number.
struct DistributeStep : LanePattern<vector::StepOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(vector::StepOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<arith::IndexCastUIOp>(op, rewriter.getIndexType(), group.lane);
    return success();
  }
};

struct DistributeCreateMask : LanePattern<vector::CreateMaskOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(vector::CreateMaskOp op, OpAdaptor in,
                                ConversionPatternRewriter &rewriter) const override {
    Value lane = arith::IndexCastUIOp::create(rewriter, op.getLoc(), rewriter.getIndexType(), group.lane);
    rewriter.replaceOpWithNewOp<arith::CmpIOp>(op, arith::CmpIPredicate::slt, lane, in.getOperands().front());
    return success();
  }
};

struct DistributeConstantMask : LanePattern<vector::ConstantMaskOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(vector::ConstantMaskOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value count = arith::ConstantIntOp::create(rewriter, op.getLoc(), op.getMaskDimSizes().front(), 32);
    rewriter.replaceOpWithNewOp<arith::CmpIOp>(op, arith::CmpIPredicate::ult, group.lane, count);
    return success();
  }
};

/// The same bits as another type of the same width.
struct DistributeBitCast : LanePattern<vector::BitCastOp> {
  using LanePattern::LanePattern;

  LogicalResult matchAndRewrite(vector::BitCastOp op, OpAdaptor in,
                                ConversionPatternRewriter &rewriter) const override {
    Type type = op.getResultVectorType().getElementType();
    if (type.getIntOrFloatBitWidth() != in.getSource().getType().getIntOrFloatBitWidth())
      return rewriter.notifyMatchFailure(op, "elements of another width lie in other lanes");
    rewriter.replaceOpWithNewOp<arith::BitcastOp>(op, type, in.getSource());
    return success();
  }
};

} // namespace

void populateLanePatterns(const TypeConverter &types, RewritePatternSet &patterns, LaneGroup group) {
  MLIRContext *context = patterns.getContext();
  patterns.add<DistributeElementwise>(types, context);
  patterns.add<DistributeConstant, DistributePoison, DistributeFma, DistributeStep, DistributeCreateMask,
               DistributeConstantMask, DistributeBitCast>(types, context, group);
  populateLaneMemoryPatterns(types, patterns, group);
  populateLaneMovePatterns(types, patterns, group);
}

} // namespace weft
