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

/// arith and math: the same op on scalars, for each of a lane's elements.
struct DistributeElementwise : ConversionPattern {
  DistributeElementwise(const TypeConverter &types, MLIRContext *context)
      : ConversionPattern(types, MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, ArrayRef<ValueRange> operands,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = op->getNumResults() == 1 ? dyn_cast<VectorType>(op->getResultTypes()[0]) : VectorType();
    if (!op->hasTrait<OpTrait::Elementwise>() || op->getNumRegions() || !type || !elementsOfLane(type))
      return rewriter.notifyMatchFailure(op, "lanes do not do it apart");
    SmallVector<Value> results;
    for (int64_t element = 0; element < elementsOfLane(type); ++element) {
      SmallVector<Value> scalars;
      for (ValueRange values : operands) // a scalar, as of a select, serves all elements
        scalars.push_back(values.size() == 1 ? values.front() : values[element]);
      OperationState state(op->getLoc(), op->getName().getStringRef(), scalars, type.getElementType(), op->getAttrs());
      results.push_back(rewriter.create(state)->getResult(0));
    }
    rewriter.replaceOpWithMultiple(op, ArrayRef<ValueRange>{results});
    return success();
  }
};

/// A constant of different elements: each lane chooses its own.
struct DistributeConstant : LanePattern<arith::ConstantOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(arith::ConstantOp op, Values, ConversionPatternRewriter &rewriter) const override {
    auto elements = dyn_cast<DenseElementsAttr>(op.getValue());
    auto type = dyn_cast<VectorType>(op.getType());
    if (!elements || !type || !elementsOfLane(type))
      return rewriter.notifyMatchFailure(op, "no vector of elements");
    SmallVector<Attribute> all(elements.getValues<Attribute>());
    SmallVector<Value> results;
    for (int64_t element = 0, count = elementsOfLane(type); element < count; ++element) {
      SmallVector<TypedAttr> ofLanes;
      for (size_t place = element; place < all.size(); place += count)
        ofLanes.push_back(cast<TypedAttr>(all[place]));
      results.push_back(choose(rewriter, op.getLoc(), ofLanes));
    }
    return replace(op, rewriter, results);
  }

private:
  Value choose(OpBuilder &b, Location loc, ArrayRef<TypedAttr> ofLanes) const {
    Value chosen = arith::ConstantOp::create(b, loc, ofLanes.back());
    if (llvm::all_equal(ofLanes))
      return chosen;
    for (auto [lane, attribute] : llvm::enumerate(ofLanes.drop_back())) {
      Value number = arith::ConstantIntOp::create(b, loc, lane, 32);
      Value isLane = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, group.lane, number);
      Value value = arith::ConstantOp::create(b, loc, attribute);
      chosen = arith::SelectOp::create(b, loc, isLane, value, chosen);
    }
    return chosen;
  }
};

struct DistributePoison : LanePattern<ub::PoisonOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(ub::PoisonOp op, Values, ConversionPatternRewriter &rewriter) const override {
    auto type = dyn_cast<VectorType>(op.getType());
    if (!type || !elementsOfLane(type))
      return rewriter.notifyMatchFailure(op, "no vector that lanes share");
    Value scalar = ub::PoisonOp::create(rewriter, op.getLoc(), type.getElementType(), op.getValue());
    return replace(op, rewriter, SmallVector<Value>(elementsOfLane(type), scalar));
  }
};

struct DistributeFma : LanePattern<vector::FMAOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(vector::FMAOp op, Values in, ConversionPatternRewriter &rewriter) const override {
    SmallVector<Value> results;
    for (auto [lhs, rhs, acc] : llvm::zip_equal(in.getLhs(), in.getRhs(), in.getAcc()))
      results.push_back(math::FmaOp::create(rewriter, op.getLoc(), lhs, rhs, acc));
    return replace(op, rewriter, results);
  }
};

/// The numbers of a lane's elements, as index.
SmallVector<Value> elementNumbers(OpBuilder &b, Location loc, VectorType type, LaneGroup group) {
  int64_t count = elementsOfLane(type);
  Value lane = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), group.lane);
  if (count > 1)
    lane = arith::MulIOp::create(b, loc, lane, arith::ConstantIndexOp::create(b, loc, count));
  SmallVector<Value> numbers = {lane};
  for (int64_t element = 1; element < count; ++element)
    numbers.push_back(arith::AddIOp::create(b, loc, lane, arith::ConstantIndexOp::create(b, loc, element)));
  return numbers;
}

struct DistributeStep : LanePattern<vector::StepOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(vector::StepOp op, Values, ConversionPatternRewriter &rewriter) const override {
    return replace(op, rewriter, elementNumbers(rewriter, op.getLoc(), cast<VectorType>(op.getType()), group));
  }
};

/// Whether a lane's elements are below `count`.
SmallVector<Value> elementsBelow(OpBuilder &b, Location loc, VectorType type, LaneGroup group, Value count) {
  SmallVector<Value> results;
  for (Value number : elementNumbers(b, loc, type, group))
    results.push_back(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, number, count));
  return results;
}

struct DistributeCreateMask : LanePattern<vector::CreateMaskOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(vector::CreateMaskOp op, Values in,
                                ConversionPatternRewriter &rewriter) const override {
    Value count = in.getOperands().front().front();
    return replace(op, rewriter, elementsBelow(rewriter, op.getLoc(), op.getVectorType(), group, count));
  }
};

struct DistributeConstantMask : LanePattern<vector::ConstantMaskOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(vector::ConstantMaskOp op, Values, ConversionPatternRewriter &rewriter) const override {
    Value count = arith::ConstantIndexOp::create(rewriter, op.getLoc(), op.getMaskDimSizes().front());
    return replace(op, rewriter, elementsBelow(rewriter, op.getLoc(), op.getVectorType(), group, count));
  }
};

/// The same bits in elements of another width: they stay in their lane where all lanes have some.
struct DistributeBitCast : LanePattern<vector::BitCastOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(vector::BitCastOp op, Values in, ConversionPatternRewriter &rewriter) const override {
    VectorType from = op.getSourceVectorType(), to = op.getResultVectorType();
    unsigned width = to.getElementTypeBitWidth(), old = from.getElementTypeBitWidth();
    Location loc = op.getLoc();
    if (width != old && std::min(from.getDimSize(0), to.getDimSize(0)) < kGroupLanes) {
      if (std::max(from.getDimSize(0), to.getDimSize(0)) > kGroupLanes)
        return rewriter.notifyMatchFailure(op, "lanes of one side have several elements, of the other one or none");
      Value source = in.getSource().front();
      return replace(op, rewriter,
                     width > old ? gather(rewriter, loc, source, to) : scatter(rewriter, loc, source, to));
    }
    SmallVector<Value> results;
    for (Value bits : packBits(rewriter, loc, in.getSource(), std::max(width, old)))
      for (unsigned shift = 0; shift < bits.getType().getIntOrFloatBitWidth(); shift += width)
        results.push_back(takeBits(rewriter, loc, bits, shift, to.getElementType()));
    return replace(op, rewriter, results);
  }

private:
  /// Lane l takes the narrow elements of lanes l · parts … as one.
  Value gather(OpBuilder &b, Location loc, Value value, VectorType to) const {
    LaneShuffle shuffle(b, loc, group);
    int64_t parts = to.getElementTypeBitWidth() / value.getType().getIntOrFloatBitWidth();
    Value first = arith::MulIOp::create(b, loc, group.lane, shuffle.constant(parts));
    SmallVector<Value> values;
    for (int64_t part = 0; part < parts; ++part)
      values.push_back(shuffle.from(value, arith::AddIOp::create(b, loc, first, shuffle.constant(part))));
    return takeBits(b, loc, packBits(b, loc, values, to.getElementTypeBitWidth()).front(), 0, to.getElementType());
  }

  /// Lane l takes part l mod parts of the wide element of lane l / parts.
  Value scatter(OpBuilder &b, Location loc, Value value, VectorType to) const {
    LaneShuffle shuffle(b, loc, group);
    unsigned old = value.getType().getIntOrFloatBitWidth(), width = to.getElementTypeBitWidth();
    Value parts = shuffle.constant(old / width);
    Value bits = shuffle.from(value, arith::DivUIOp::create(b, loc, group.lane, parts));
    bits = packBits(b, loc, bits, old).front();
    Value part = arith::RemUIOp::create(b, loc, group.lane, parts);
    Value shift = arith::MulIOp::create(b, loc, part, shuffle.constant(width));
    if (old > 32)
      shift = arith::ExtUIOp::create(b, loc, bits.getType(), shift);
    else if (old < 32)
      shift = arith::TruncIOp::create(b, loc, bits.getType(), shift);
    return takeBits(b, loc, arith::ShRUIOp::create(b, loc, bits, shift), 0, to.getElementType());
  }

  /// Integers of `width` bits of consecutive values, the first in the low bits.
  static SmallVector<Value> packBits(OpBuilder &b, Location loc, ValueRange values, unsigned width) {
    SmallVector<Value> words;
    auto word = b.getIntegerType(width);
    unsigned part = values.front().getType().getIntOrFloatBitWidth(), shift = 0;
    for (Value value : values) {
      auto integer = b.getIntegerType(part);
      if (value.getType() != integer)
        value = arith::BitcastOp::create(b, loc, integer, value);
      if (part < width)
        value = arith::ExtUIOp::create(b, loc, word, value);
      if (shift == 0) {
        words.push_back(value);
      } else {
        Value amount = arith::ConstantIntOp::create(b, loc, shift, width);
        words.back() = arith::OrIOp::create(b, loc, words.back(), arith::ShLIOp::create(b, loc, value, amount));
      }
      shift = (shift + part) % width;
    }
    return words;
  }

  static Value takeBits(OpBuilder &b, Location loc, Value bits, unsigned shift, Type type) {
    unsigned width = bits.getType().getIntOrFloatBitWidth(), wanted = type.getIntOrFloatBitWidth();
    if (shift != 0)
      bits = arith::ShRUIOp::create(b, loc, bits, arith::ConstantIntOp::create(b, loc, shift, width));
    if (wanted < width)
      bits = arith::TruncIOp::create(b, loc, b.getIntegerType(wanted), bits);
    return bits.getType() == type ? bits : arith::BitcastOp::create(b, loc, type, bits).getResult();
  }
};

} // namespace

int64_t elementsOfLane(VectorType type) {
  if (type.getRank() != 1 || type.isScalable())
    return 0;
  int64_t elements = type.getDimSize(0);
  if (elements <= kGroupLanes)
    return 1;
  return elements % kGroupLanes == 0 ? elements / kGroupLanes : 0;
}

void populateLanePatterns(const TypeConverter &types, RewritePatternSet &patterns, LaneGroup group) {
  MLIRContext *context = patterns.getContext();
  patterns.add<DistributeElementwise>(types, context);
  patterns.add<DistributeConstant, DistributePoison, DistributeFma, DistributeStep, DistributeCreateMask,
               DistributeConstantMask, DistributeBitCast>(types, context, group);
  populateLaneMemoryPatterns(types, patterns, group);
  populateLaneMovePatterns(types, patterns, group);
}

} // namespace weft
