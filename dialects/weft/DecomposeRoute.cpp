// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// route → its definition as linalg.generic on tensors: an expert's rank is the number of experts that come before it.
#include "dialects/weft/Definition.h"
#include "dialects/weft/RoutingOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace weft;

namespace {
using Def = DefinitionBuilder;

Value integer(Def &d, unsigned width, int64_t value) {
  return arith::ConstantOp::create(d.b, d.loc, d.b.getIntegerAttr(d.b.getIntegerType(width), value));
}
Value isBefore(Def &d, Value a, Value b) { return arith::CmpIOp::create(d.b, d.loc, arith::CmpIPredicate::sgt, a, b); }
Value isSame(Def &d, Value a, Value b) { return arith::CmpIOp::create(d.b, d.loc, arith::CmpIPredicate::eq, a, b); }
Value position(Def &d, int64_t loop, unsigned width) {
  Value index = linalg::IndexOp::create(d.b, d.loc, loop);
  return arith::IndexCastOp::create(d.b, d.loc, d.b.getIntegerType(width), index);
}

/// An integer that orders numbers as experts are chosen: the larger number, then the lower place. −0 is 0, a NaN above
/// all.
Value orderKey(Def &d, Value number, Value place) {
  Type i32 = d.b.getI32Type(), i64 = d.b.getI64Type();
  Value positive = arith::AddFOp::create(d.b, d.loc, number, d.constant(number.getType(), 0));
  Value bits = arith::BitcastOp::create(d.b, d.loc, i32, positive);
  Value sign = arith::ShRSIOp::create(d.b, d.loc, bits, integer(d, 32, 31));
  Value flipped = arith::AndIOp::create(d.b, d.loc, sign, integer(d, 32, 0x7fffffff));
  bits = arith::XOrIOp::create(d.b, d.loc, bits, flipped);
  Value isNan = arith::CmpFOp::create(d.b, d.loc, arith::CmpFPredicate::UNO, number, number);
  bits = arith::SelectOp::create(d.b, d.loc, isNan, integer(d, 32, 0x7fffffff), bits);
  Value high = arith::ShLIOp::create(d.b, d.loc, arith::ExtSIOp::create(d.b, d.loc, i64, bits), integer(d, 64, 32));
  Value low = arith::SubIOp::create(d.b, d.loc, integer(d, 64, 0xffffffff), place);
  return arith::OrIOp::create(d.b, d.loc, high, low);
}

class RouteDefinition {
public:
  RouteDefinition(RouteOp op, OpBuilder &builder)
      : op(op), def(builder, op.getLoc()), f32(builder.getF32Type()),
        tokens(tensor::getMixedSize(builder, op.getLoc(), op.getScores(), 0)),
        experts(tensor::getMixedSize(builder, op.getLoc(), op.getScores(), 1)),
        choices(tensor::getMixedSize(builder, op.getLoc(), op.getExperts(), 1)) {}

  SmallVector<Value> build() {
    Value scores = scored();
    Value keys = keysOf(chosenBy(scores));
    if (op.hasGroups())
      keys = amongGroups(keys, chosenBy(scores));
    Value ranks = ranksOf(keys, experts);
    Value zeros = linalg::FillOp::create(def.b, def.loc, integer(def, 32, 0), ValueRange(op.getExperts())).getResult(0);
    Value ids = choose(ranks, zeros, [&](Def &d) { return position(d, 2, 32); });
    Value weights = normalized(scores, ranks);
    return {ids, weights};
  }

private:
  AffineMap map(unsigned dims, ArrayRef<unsigned> results) {
    SmallVector<AffineExpr> exprs;
    for (unsigned dim : results)
      exprs.push_back(def.b.getAffineDimExpr(dim));
    return AffineMap::get(dims, 0, exprs, def.b.getContext());
  }
  Value integers(unsigned width, ArrayRef<OpFoldResult> shape, int64_t value) {
    Type type = def.b.getIntegerType(width);
    return linalg::FillOp::create(def.b, def.loc, integer(def, width, value), def.empty(shape, type)).getResult(0);
  }
  Value elementwise(ValueRange inputs, Type element, Def::Body body) {
    SmallVector<AffineMap> maps(inputs.size() + 1, map(2, {0, 1}));
    return def.compute(inputs, def.empty({tokens, experts}, element), maps, body);
  }
  /// Over the second dimension of [t, n].
  Value reduced(Value input, double start, Def::Body body) {
    return def.compute(input, def.filled({tokens}, f32, start), {map(2, {0, 1}), map(2, {0})}, body);
  }
  Value largest(Value input) {
    return reduced(input, -std::numeric_limits<double>::infinity(),
                   [](Def &d, ValueRange e) -> Value { return arith::MaximumFOp::create(d.b, d.loc, e[1], e[0]); });
  }
  Value sumOf(Value input) {
    return reduced(input, 0,
                   [](Def &d, ValueRange e) -> Value { return arith::AddFOp::create(d.b, d.loc, e[1], e[0]); });
  }
  /// body(element, the row's number) over [t, n].
  Value withRow(Value input, Value row, Value init, Def::Body body) {
    return def.compute({input, row}, init, {map(2, {0, 1}), map(2, {0}), map(2, {0, 1})}, body);
  }
  Value softmax(Value input, ArrayRef<OpFoldResult> shape) {
    Value powers = withRow(input, largest(input), def.empty(shape, f32), [](Def &d, ValueRange e) -> Value {
      return math::ExpOp::create(d.b, d.loc, arith::SubFOp::create(d.b, d.loc, e[0], e[1]));
    });
    return divided(powers, sumOf(powers), shape);
  }
  Value divided(Value input, Value row, ArrayRef<OpFoldResult> shape) {
    return withRow(input, row, def.empty(shape, f32),
                   [](Def &d, ValueRange e) -> Value { return arith::DivFOp::create(d.b, d.loc, e[0], e[1]); });
  }

  Value scored() {
    if (op.getScoring() == "softmax")
      return softmax(op.getScores(), {tokens, experts});
    if (op.getScoring() == "none")
      return op.getScores();
    return elementwise(op.getScores(), f32, [&](Def &d, ValueRange e) -> Value {
      Value one = d.constant(f32, 1);
      Value power = math::ExpOp::create(d.b, d.loc, arith::NegFOp::create(d.b, d.loc, e[0]));
      return arith::DivFOp::create(d.b, d.loc, one, arith::AddFOp::create(d.b, d.loc, one, power));
    });
  }

  Value chosenBy(Value scores) {
    if (!op.getBias())
      return scores;
    return def.compute({scores, op.getBias()}, def.empty({tokens, experts}, f32),
                       {map(2, {0, 1}), map(2, {1}), map(2, {0, 1})},
                       [](Def &d, ValueRange e) -> Value { return arith::AddFOp::create(d.b, d.loc, e[0], e[1]); });
  }
  Value keysOf(Value numbers) {
    return elementwise(numbers, def.b.getI64Type(),
                       [](Def &d, ValueRange e) { return orderKey(d, e[0], position(d, 1, 64)); });
  }
  /// How many of the `count` keys of the same row are before each.
  Value ranksOf(Value keys, OpFoldResult count) {
    Value zero = integers(32, {tokens, count}, 0);
    return def.compute({keys, keys}, zero, {map(3, {0, 1}), map(3, {0, 2}), map(3, {0, 1})},
                       [](Def &d, ValueRange e) -> Value {
                         Value more = arith::ExtUIOp::create(d.b, d.loc, d.b.getI32Type(), isBefore(d, e[1], e[0]));
                         return arith::AddIOp::create(d.b, d.loc, e[2], more);
                       });
  }
  /// [t, j] = the value at the expert of rank j.
  Value choose(Value ranks, Value init, llvm::function_ref<Value(Def &)> value) {
    return def.compute(ranks, init, {map(3, {0, 2}), map(3, {0, 1})},
                       [&](Def &d, ValueRange e) -> Value { return atRank(d, e[0], value(d), e[1]); });
  }
  Value atRank(Def &d, Value rank, Value value, Value otherwise) {
    Value isIt = arith::CmpIOp::create(d.b, d.loc, arith::CmpIPredicate::eq, rank, position(d, 1, 32));
    return arith::SelectOp::create(d.b, d.loc, isIt, value, otherwise);
  }

  /// Keys of experts outside of the best groups come after all others.
  Value amongGroups(Value keys, Value numbers);
  /// The weights of the chosen, from all experts' scores.
  Value normalized(Value scores, Value ranks);
  /// Σ exp(s_e − s_j) over the experts e that are left for choice j and not far below it, PhiMoE's denominators.
  Value mixerSums(Value scores, Value ranks, Value chosen);

  RouteOp op;
  Def def;
  Type f32;
  OpFoldResult tokens, experts, choices;
};
} // namespace

Value RouteDefinition::amongGroups(Value keys, Value numbers) {
  OpBuilder &b = def.b;
  int64_t groups = op.getGroups(), share = op.getScores().getType().getDimSize(1) / groups;
  OpFoldResult groupCount = b.getIndexAttr(groups);
  auto groupOfLoop = [&](Def &d, int64_t loop) -> Value {
    return arith::DivUIOp::create(d.b, d.loc, position(d, loop, 32), integer(d, 32, share));
  };
  // Among the experts of their group.
  Value ranks = def.compute({keys, keys}, integers(32, {tokens, experts}, 0),
                            {map(3, {0, 1}), map(3, {0, 2}), map(3, {0, 1})}, [&](Def &d, ValueRange e) -> Value {
                              Value isMate = isSame(d, groupOfLoop(d, 1), groupOfLoop(d, 2));
                              Value counts = arith::AndIOp::create(d.b, d.loc, isMate, isBefore(d, e[1], e[0]));
                              Value more = arith::ExtUIOp::create(d.b, d.loc, d.b.getI32Type(), counts);
                              return arith::AddIOp::create(d.b, d.loc, e[2], more);
                            });
  int64_t rank = op.getGroupRank();
  Value best = def.compute({ranks, numbers}, def.filled({tokens, groupCount}, f32, 0),
                           {map(3, {0, 2}), map(3, {0, 2}), map(3, {0, 1})}, [&](Def &d, ValueRange e) -> Value {
                             Value isMember = isSame(d, position(d, 1, 32), groupOfLoop(d, 2));
                             Value isBest = isBefore(d, integer(d, 32, rank), e[0]);
                             Value counts = arith::AndIOp::create(d.b, d.loc, isMember, isBest);
                             Value sum = arith::AddFOp::create(d.b, d.loc, e[2], e[1]);
                             return arith::SelectOp::create(d.b, d.loc, counts, sum, e[2]);
                           });
  auto onGroups = [&](Value input, Type element, Def::Body body) {
    return def.compute(input, def.empty({tokens, groupCount}, element), {map(2, {0, 1}), map(2, {0, 1})}, body);
  };
  Value groupKeys =
      onGroups(best, b.getI64Type(), [](Def &d, ValueRange e) { return orderKey(d, e[0], position(d, 1, 64)); });
  Value groupRanks = ranksOf(groupKeys, groupCount);
  AffineMap groupOf =
      AffineMap::get(2, 0, {b.getAffineDimExpr(0), b.getAffineDimExpr(1).floorDiv(share)}, b.getContext());
  return def.compute({keys, groupRanks}, def.empty({tokens, experts}, b.getI64Type()),
                     {map(2, {0, 1}), groupOf, map(2, {0, 1})}, [&](Def &d, ValueRange e) -> Value {
                       Value stays = isBefore(d, integer(d, 32, op.getTopGroups()), e[1]);
                       Value low = arith::AndIOp::create(d.b, d.loc, e[0], integer(d, 64, 0xffffffff));
                       Value last = integer(d, 64, std::numeric_limits<int64_t>::min());
                       last = arith::OrIOp::create(d.b, d.loc, low, last);
                       return arith::SelectOp::create(d.b, d.loc, stays, e[0], last);
                     });
}

Value RouteDefinition::mixerSums(Value scores, Value ranks, Value chosen) {
  double reach = 2 * op.getJitter().convertToDouble();
  return def.compute(
      {scores, ranks, chosen}, def.filled({tokens, choices}, f32, 0),
      {map(3, {0, 2}), map(3, {0, 2}), map(3, {0, 1}), map(3, {0, 1})}, [&](Def &d, ValueRange e) -> Value {
        Value wasChosen = arith::CmpIOp::create(d.b, d.loc, arith::CmpIPredicate::slt, e[1], position(d, 1, 32));
        Value magnitude = math::AbsFOp::create(d.b, d.loc, e[0]);
        magnitude = arith::MaximumFOp::create(d.b, d.loc, magnitude, e[2]);
        Value below = arith::SubFOp::create(d.b, d.loc, e[2], e[0]);
        Value share = arith::DivFOp::create(d.b, d.loc, below, magnitude);
        Value isFar = arith::CmpFOp::create(d.b, d.loc, arith::CmpFPredicate::OGT, share, d.constant(f32, reach));
        Value power = math::ExpOp::create(d.b, d.loc, arith::SubFOp::create(d.b, d.loc, e[0], e[2]));
        Value sum = arith::AddFOp::create(d.b, d.loc, e[3], power);
        Value isOut = arith::OrIOp::create(d.b, d.loc, wasChosen, isFar);
        return arith::SelectOp::create(d.b, d.loc, isOut, e[3], sum);
      });
}

Value RouteDefinition::normalized(Value scores, Value ranks) {
  SmallVector<OpFoldResult> shape = {tokens, choices};
  Value chosen =
      def.compute({ranks, scores}, def.filled(shape, f32, 0), {map(3, {0, 2}), map(3, {0, 2}), map(3, {0, 1})},
                  [&](Def &d, ValueRange e) -> Value { return atRank(d, e[0], e[1], e[2]); });
  StringRef how = op.getNormalize();
  if (how == "sum")
    chosen = divided(chosen, sumOf(chosen), shape);
  else if (how == "softmax")
    chosen = softmax(chosen, shape);
  else if (how == "sparsemixer")
    chosen = def.compute(
        mixerSums(scores, ranks, chosen), def.empty(shape, f32), {map(2, {0, 1}), map(2, {0, 1})},
        [&](Def &d, ValueRange e) -> Value { return arith::DivFOp::create(d.b, d.loc, d.constant(f32, 1), e[0]); });
  return def.compute(chosen, op.getWeights(), {map(2, {0, 1}), map(2, {0, 1})}, [&](Def &d, ValueRange e) -> Value {
    return arith::MulFOp::create(d.b, d.loc, e[0], d.constant(f32, op.getScale().convertToDouble()));
  });
}

FailureOr<SmallVector<Value>> RouteOp::decompose(OpBuilder &builder) {
  if (!hasPureTensorSemantics())
    return failure();
  return RouteDefinition(*this, builder).build();
}
