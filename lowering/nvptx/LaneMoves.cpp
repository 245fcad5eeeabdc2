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
  using Base::Base;

  LogicalResult matchAndRewrite(vector::BroadcastOp op, Values in, ConversionPatternRewriter &rewriter) const override {
    int64_t elements = elementsOfLane(op.getResultVectorType());
    auto source = dyn_cast<VectorType>(op.getSourceType());
    if (!elements || (source && source != op.getResultVectorType() && source.getNumElements() != 1))
      return rewriter.notifyMatchFailure(op, "neither a scalar nor a vector of one element");
    if (source == op.getResultVectorType())
      return replace(op, rewriter, SmallVector<Value>(in.getSource()));
    Value value = in.getSource().front();
    LaneShuffle shuffle(rewriter, op.getLoc(), group);
    if (source)
      value = shuffle.from(value, shuffle.constant(0));
    return replace(op, rewriter, SmallVector<Value>(elements, value));
  }
};

/// Elements from any place of some vectors: element e of the result is `from[e]`, counted through all of them; −1 is
/// poison. Lanes that already have theirs move nothing.
class LanePermutation {
public:
  struct Source {
    SmallVector<Value> values; ///< of a lane
    int64_t elements;          ///< of the vector
  };

  LanePermutation(OpBuilder &b, Location loc, LaneGroup group) : b(b), loc(loc), shuffle(b, loc, group) {}

  SmallVector<Value> apply(ArrayRef<Source> sources, ArrayRef<int64_t> from) {
    int64_t count = from.size() <= kGroupLanes ? 1 : from.size() / kGroupLanes;
    SmallVector<Value> results;
    for (int64_t element = 0; element < count; ++element) {
      Value chosen;
      for (const auto &[value, lanes] : movesOf(sources, from, element, count)) {
        Value moved = move(value, lanes);
        chosen = chosen ? select(lanes, moved, chosen) : moved;
      }
      results.push_back(chosen ? chosen : sources.front().values.front());
    }
    return results;
  }

private:
  /// Of the lanes that take an element of this value, the lane that has it; −1: other lanes.
  using Lanes = std::array<int64_t, kGroupLanes>;

  static SmallVector<std::pair<Value, Lanes>> movesOf(ArrayRef<Source> sources, ArrayRef<int64_t> from, int64_t element,
                                                      int64_t count) {
    SmallVector<std::pair<Value, Lanes>> moves;
    for (size_t lane = 0, place = element; place < from.size(); ++lane, place += count) {
      int64_t wanted = from[place];
      if (wanted < 0)
        continue;
      const Source *source = sources.begin();
      while (wanted >= source->elements)
        wanted -= source++->elements;
      int64_t held = source->values.size();
      Value value = source->values[wanted % held];
      auto move = llvm::find_if(moves, [&](const auto &known) { return known.first == value; });
      if (move == moves.end()) {
        Lanes none;
        none.fill(-1);
        moves.emplace_back(value, none);
        move = std::prev(moves.end());
      }
      move->second[lane] = wanted / held;
    }
    return moves;
  }

  Value move(Value value, const Lanes &lanes) {
    if (value.getDefiningOp<arith::ConstantOp>()) // the same in every lane
      return value;
    bool stays = true;
    SmallVector<int64_t> table;
    for (auto [lane, source] : llvm::enumerate(lanes)) {
      stays &= source < 0 || source == static_cast<int64_t>(lane);
      table.push_back(std::max<int64_t>(source, 0));
    }
    return stays ? value : shuffle.from(value, shuffle.tableEntry(table));
  }

  Value select(const Lanes &lanes, Value mine, Value other) {
    int64_t bits = 0;
    for (auto [lane, source] : llvm::enumerate(lanes))
      bits |= static_cast<int64_t>(source >= 0) << lane;
    return arith::SelectOp::create(b, loc, shuffle.bit(bits), mine, other);
  }

  OpBuilder &b;
  Location loc;
  LaneShuffle shuffle;
};

struct DistributeShuffle : LanePattern<vector::ShuffleOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(vector::ShuffleOp op, Values in, ConversionPatternRewriter &rewriter) const override {
    if (!elementsOfLane(op.getResultVectorType()))
      return rewriter.notifyMatchFailure(op, "lanes cannot share the result");
    LanePermutation::Source first = {SmallVector<Value>(in.getV1()), op.getV1VectorType().getDimSize(0)};
    LanePermutation::Source second = {SmallVector<Value>(in.getV2()), op.getV2VectorType().getDimSize(0)};
    LanePermutation permutation(rewriter, op.getLoc(), group);
    return replace(op, rewriter, permutation.apply({first, second}, op.getMask()));
  }
};

struct DistributeSlice : LanePattern<vector::ExtractStridedSliceOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(vector::ExtractStridedSliceOp op, Values in,
                                ConversionPatternRewriter &rewriter) const override {
    auto result = cast<VectorType>(op.getType());
    if (!elementsOfLane(result))
      return rewriter.notifyMatchFailure(op, "lanes cannot share the result");
    int64_t offset = cast<IntegerAttr>(op.getOffsets()[0]).getInt();
    SmallVector<int64_t> from = llvm::to_vector(llvm::seq(offset, offset + result.getDimSize(0)));
    LanePermutation::Source source = {SmallVector<Value>(in.getSource()), op.getSourceVectorType().getDimSize(0)};
    return replace(op, rewriter, LanePermutation(rewriter, op.getLoc(), group).apply(source, from));
  }
};

struct DistributeInsertSlice : LanePattern<vector::InsertStridedSliceOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(vector::InsertStridedSliceOp op, Values in,
                                ConversionPatternRewriter &rewriter) const override {
    int64_t size = op.getSourceVectorType().getDimSize(0), whole = op.getDestVectorType().getDimSize(0);
    int64_t offset = cast<IntegerAttr>(op.getOffsets()[0]).getInt();
    SmallVector<int64_t> from = llvm::to_vector(llvm::seq<int64_t>(size, size + whole));
    for (int64_t element = 0; element < size; ++element)
      from[offset + element] = element;
    LanePermutation::Source source = {SmallVector<Value>(in.getValueToStore()), size};
    LanePermutation::Source rest = {SmallVector<Value>(in.getDest()), whole};
    return replace(op, rewriter, LanePermutation(rewriter, op.getLoc(), group).apply({source, rest}, from));
  }
};

/// A lane's number out of a static or dynamic position, as i32.
Value lanePosition(OpBuilder &b, Location loc, OpFoldResult position) {
  Value index = getValueOrCreateConstantIndexOp(b, loc, position);
  return arith::IndexCastOp::create(b, loc, b.getI32Type(), index);
}

struct DistributeExtract : LanePattern<vector::ExtractOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(vector::ExtractOp op, Values in, ConversionPatternRewriter &rewriter) const override {
    LaneShuffle shuffle(rewriter, op.getLoc(), group);
    OpFoldResult position = op.getMixedPosition().front();
    int64_t held = in.getSource().size();
    std::optional<int64_t> known = getConstantIntValue(position);
    if (held > 1 && !known)
      return rewriter.notifyMatchFailure(op, "an element of a wide vector that is not known");
    Value lane = held > 1 ? shuffle.constant(*known / held) : lanePosition(rewriter, op.getLoc(), position);
    rewriter.replaceOp(op, shuffle.from(in.getSource()[held > 1 ? *known % held : 0], lane));
    return success();
  }
};

struct DistributeInsert : LanePattern<vector::InsertOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(vector::InsertOp op, Values in, ConversionPatternRewriter &rewriter) const override {
    if (in.getDest().size() != 1)
      return rewriter.notifyMatchFailure(op, "an element of a wide vector");
    Value lane = lanePosition(rewriter, op.getLoc(), op.getMixedPosition().front());
    Value isLane = arith::CmpIOp::create(rewriter, op.getLoc(), arith::CmpIPredicate::eq, group.lane, lane);
    Value value =
        arith::SelectOp::create(rewriter, op.getLoc(), isLane, in.getValueToStore().front(), in.getDest().front());
    return replace(op, rewriter, value);
  }
};

struct DistributeFromElements : LanePattern<vector::FromElementsOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(vector::FromElementsOp op, Values in,
                                ConversionPatternRewriter &rewriter) const override {
    int64_t count = elementsOfLane(cast<VectorType>(op.getType()));
    if (!count)
      return rewriter.notifyMatchFailure(op, "lanes cannot share the result");
    ArrayRef<ValueRange> elements = in.getElements();
    SmallVector<Value> results;
    for (int64_t first = 0; first < count; ++first) {
      Value chosen = elements[elements.size() - count + first].front();
      for (int64_t place = first, lane = 0; place + count < int64_t(elements.size()); place += count, ++lane) {
        Value number = arith::ConstantIntOp::create(rewriter, op.getLoc(), lane, 32);
        Value isLane = arith::CmpIOp::create(rewriter, op.getLoc(), arith::CmpIPredicate::eq, group.lane, number);
        chosen = arith::SelectOp::create(rewriter, op.getLoc(), isLane, elements[place].front(), chosen);
      }
      results.push_back(chosen);
    }
    return replace(op, rewriter, results);
  }
};

/// A butterfly; every lane gets the same bits, since the operations commute.
struct DistributeReduction : LanePattern<vector::ReductionOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(vector::ReductionOp op, Values in, ConversionPatternRewriter &rewriter) const override {
    int64_t lanes = std::min<int64_t>(op.getSourceVectorType().getDimSize(0), kGroupLanes);
    if (!llvm::isPowerOf2_64(lanes))
      return rewriter.notifyMatchFailure(op, "a butterfly needs a power of two");
    Location loc = op.getLoc();
    LaneShuffle shuffle(rewriter, loc, group);
    auto combine = [&](Value a, Value b) {
      return vector::makeArithReduction(rewriter, loc, op.getKind(), a, b, op.getFastmathAttr());
    };
    Value value = in.getVector().front();
    for (Value element : in.getVector().drop_front())
      value = combine(value, element);
    for (int64_t difference = lanes / 2; difference > 0; difference /= 2)
      value = combine(value, shuffle.across(value, difference));
    if (lanes < kGroupLanes)
      value = shuffle.from(value, shuffle.constant(0));
    if (op.getAcc())
      value = combine(in.getAcc().front(), value);
    rewriter.replaceOp(op, value);
    return success();
  }
};

} // namespace

void populateLaneMovePatterns(const TypeConverter &types, RewritePatternSet &patterns, LaneGroup group) {
  patterns.add<DistributeBroadcast, DistributeShuffle, DistributeSlice, DistributeInsertSlice, DistributeExtract,
               DistributeInsert, DistributeFromElements, DistributeReduction>(types, patterns.getContext(), group);
}

} // namespace weft
