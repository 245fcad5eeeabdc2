// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/vectorize/RouteEmitter.h"

#include "lowering/vectorize/OperandAccess.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;

namespace weft {
namespace {

constexpr double kNegativeInfinity = -std::numeric_limits<double>::infinity();
constexpr int64_t kLeastKey = std::numeric_limits<int64_t>::min();
/// No key: the key of a NaN at place 0 is below.
constexpr int64_t kAboveAll = std::numeric_limits<int64_t>::max();
/// A key's low half is this less the place.
constexpr int64_t kFirstPlace = 0xfffffffe;
constexpr int64_t kLowHalf = 0xffffffff;

} // namespace

RouteEmitter::RouteEmitter(RouteOp op, const RegisterPlan &registers)
    : IndexLoops(op.getLoc()), op(op), registers(registers) {}

void RouteEmitter::emit() {
  OpBuilder b(op);
  Value tokens = memref::DimOp::create(b, loc, op.getScores(), 0);
  experts = memref::DimOp::create(b, loc, op.getScores(), 1);
  choices = memref::DimOp::create(b, loc, op.getExperts(), 1);
  auto scratch = [&](int64_t count, Type element) -> Value {
    return memref::AllocaOp::create(b, loc, MemRefType::get({count}, element), b.getI64IntegerAttr(64));
  };
  if (op.getScoring() != "none")
    scored = scratch(cast<MemRefType>(op.getScores().getType()).getDimSize(1), b.getF32Type());
  if (op.hasGroups()) {
    groupNumbers = scratch(op.getGroups(), b.getF32Type());
    isChosen = scratch(op.getGroups(), b.getI32Type());
  }
  forEach(b, tokens, 1, [&](OpBuilder &body, Value token) { emitToken(body, token); });
  op.erase();
}

//===----------------------------------------------------------------------===//
// Vectors of a row
//===----------------------------------------------------------------------===//

VectorType RouteEmitter::vectorOf(Type element) const { return VectorType::get({registers.lanes}, element); }

Value RouteEmitter::number(OpBuilder &b, double value) {
  auto type = vectorOf(b.getF32Type());
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, static_cast<float>(value)));
}

Value RouteEmitter::integer(OpBuilder &b, int64_t value) {
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(vectorOf(b.getI64Type()), value));
}

Value RouteEmitter::splat(OpBuilder &b, Value scalar) {
  return vector::BroadcastOp::create(b, loc, vectorOf(scalar.getType()), scalar);
}

static SmallVector<Value> placeIn(Value row, Value place) {
  return row ? SmallVector<Value>{row, place} : SmallVector<Value>{place};
}

Value RouteEmitter::load(OpBuilder &b, Value memref, Value row, Value place, Value mask, double padding) {
  SmallVector<Value> dims = placeIn(row, place);
  int64_t last = dims.size() - 1;
  AffineMap map = b.getMultiDimIdentityMap(dims.size());
  Value loaded = emitLoad(b, loc, memref, map, IterationPoint{dims, last, registers.lanes, mask});
  return mask ? arith::SelectOp::create(b, loc, mask, loaded, number(b, padding)).getResult() : loaded;
}

void RouteEmitter::store(OpBuilder &b, Value vector, Value memref, Value row, Value place, Value mask) {
  SmallVector<Value> dims = placeIn(row, place);
  int64_t last = dims.size() - 1;
  AffineMap map = b.getMultiDimIdentityMap(dims.size());
  emitStore(b, loc, vector, memref, map, IterationPoint{dims, last, registers.lanes, mask});
}

void RouteEmitter::overVectors(OpBuilder &b, Value begin, Value end, VectorBody body) {
  fold(b, begin, end, Value(), [&](OpBuilder &inner, Value place, Value mask, Value) {
    body(inner, place, mask);
    return Value();
  });
}

Value RouteEmitter::fold(OpBuilder &b, Value begin, Value end, Value start, SumBody body) {
  int64_t lanes = registers.lanes;
  SmallVector<Value> carried;
  if (start)
    carried.push_back(start);
  auto loop = scf::ForOp::create(b, loc, begin, end, constant(b, lanes), carried);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value place = loop.getInductionVar(), left = arith::SubIOp::create(b, loc, end, place);
  Value mask = vector::CreateMaskOp::create(b, loc, vectorOf(b.getI1Type()), left);
  Value next = body(b, place, mask, start ? loop.getRegionIterArg(0) : Value());
  if (!start)
    return Value();
  b.setInsertionPointToEnd(loop.getBody());
  scf::YieldOp::create(b, loc, next);
  return loop.getResult(0);
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

Value RouteEmitter::choiceAt(OpBuilder &b, Value token, Value place, Value mask) {
  Value scores = scored ? load(b, scored, Value(), place, mask) : load(b, op.getScores(), token, place, mask);
  if (!op.getBias())
    return scores;
  return arith::AddFOp::create(b, loc, scores, load(b, op.getBias(), Value(), place, mask));
}

Value RouteEmitter::scoreAt(OpBuilder &b, Value token, Value place) {
  if (scored)
    return memref::LoadOp::create(b, loc, scored, place);
  return memref::LoadOp::create(b, loc, op.getScores(), ValueRange{token, place});
}

Value RouteEmitter::keysOf(OpBuilder &b, Value numbers, Value place, Value mask) {
  auto i32 = vectorOf(b.getI32Type()), i64 = vectorOf(b.getI64Type());
  auto bitsOf = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(i32, static_cast<int32_t>(value)));
  };
  Value positive = arith::AddFOp::create(b, loc, numbers, number(b, 0)); // −0 as 0
  Value bits = arith::BitcastOp::create(b, loc, i32, positive);
  Value sign = arith::ShRSIOp::create(b, loc, bits, bitsOf(31));
  bits = arith::XOrIOp::create(b, loc, bits, arith::AndIOp::create(b, loc, sign, bitsOf(0x7fffffff)));
  Value isNan = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, numbers, numbers);
  bits = arith::SelectOp::create(b, loc, isNan, bitsOf(0x7fffffff), bits);
  Value high = arith::ShLIOp::create(b, loc, arith::ExtSIOp::create(b, loc, i64, bits), integer(b, 32));
  Value step = vector::StepOp::create(b, loc, vectorOf(b.getIndexType()));
  Value places = arith::AddIOp::create(b, loc, splat(b, place), step);
  places = arith::IndexCastOp::create(b, loc, i64, places);
  Value low = arith::SubIOp::create(b, loc, integer(b, kFirstPlace), places);
  Value keys = arith::OrIOp::create(b, loc, high, low);
  return arith::SelectOp::create(b, loc, mask, keys, integer(b, kLeastKey));
}

/// The largest of `keys` below `last`, at each lane, and of `best`.
static Value largerBelow(OpBuilder &b, Location loc, Value keys, Value last, Value best) {
  Value isBelow = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, keys, last);
  Value isLarger = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, keys, best);
  return arith::SelectOp::create(b, loc, arith::AndIOp::create(b, loc, isBelow, isLarger), keys, best);
}

static Value reduce(OpBuilder &b, Location loc, vector::CombiningKind kind, Value vector) {
  return vector::ReductionOp::create(b, loc, kind, vector);
}

Value RouteEmitter::bestOf(OpBuilder &b, Value token, Value begin, Value end, Value last) {
  Value lasts = splat(b, last);
  Value best = fold(b, begin, end, integer(b, kLeastKey), [&](OpBuilder &body, Value place, Value mask, Value sum) {
    Value keys = keysOf(body, choiceAt(body, token, place, mask), place, mask);
    return largerBelow(body, loc, keys, lasts, sum);
  });
  return reduce(b, loc, vector::CombiningKind::MAXSI, best);
}

Value RouteEmitter::bestBelow(OpBuilder &b, Value token, Value last) {
  if (!op.hasGroups())
    return bestOf(b, token, constant(b, 0), experts, last);
  int64_t share = cast<MemRefType>(op.getScores().getType()).getDimSize(1) / op.getGroups();
  Value least = arith::ConstantIntOp::create(b, loc, kLeastKey, 64);
  auto loop = scf::ForOp::create(b, loc, constant(b, 0), constant(b, op.getGroups()), constant(b, 1), least);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value group = loop.getInductionVar(), zero = arith::ConstantIntOp::create(b, loc, 0, 32);
  Value chosen = memref::LoadOp::create(b, loc, isChosen, group);
  Value isIn = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, chosen, zero);
  auto branch = scf::IfOp::create(b, loc, TypeRange{b.getI64Type()}, isIn, /*withElseRegion=*/true);
  OpBuilder then = branch.getThenBodyBuilder(), otherwise = branch.getElseBodyBuilder();
  Value begin = arith::MulIOp::create(then, loc, group, constant(then, share));
  Value best = bestOf(then, token, begin, add(then, begin, share), last);
  Value larger = arith::MaxSIOp::create(then, loc, best, loop.getRegionIterArg(0));
  scf::YieldOp::create(then, loc, larger);
  scf::YieldOp::create(otherwise, loc, loop.getRegionIterArg(0));
  scf::YieldOp::create(b, loc, branch.getResult(0));
  return loop.getResult(0);
}

Value RouteEmitter::placeOf(OpBuilder &b, Value key, Value count) {
  auto constant64 = [&](int64_t value) -> Value { return arith::ConstantIntOp::create(b, loc, value, 64); };
  Value low = arith::AndIOp::create(b, loc, key, constant64(kLowHalf));
  Value place = arith::SubIOp::create(b, loc, constant64(kFirstPlace), low);
  place = arith::IndexCastOp::create(b, loc, b.getIndexType(), place);
  return arith::MinUIOp::create(b, loc, place, add(b, count, -1));
}

//===----------------------------------------------------------------------===//
// A token
//===----------------------------------------------------------------------===//

void RouteEmitter::emitSoftmax(OpBuilder &b, Value from, Value to, Value token, Value count) {
  Value zero = constant(b, 0), row = to == scored ? Value() : token;
  Value most =
      fold(b, zero, count, number(b, kNegativeInfinity), [&](OpBuilder &body, Value place, Value mask, Value m) {
        Value x = load(body, from, token, place, mask, kNegativeInfinity);
        return arith::MaximumFOp::create(body, loc, m, x).getResult();
      });
  Value top = splat(b, reduce(b, loc, vector::CombiningKind::MAXIMUMF, most));
  Value sums = fold(b, zero, count, number(b, 0), [&](OpBuilder &body, Value place, Value mask, Value sum) -> Value {
    Value x = arith::SubFOp::create(body, loc, load(body, from, token, place, mask), top);
    Value power = math::ExpOp::create(body, loc, x);
    store(body, power, to, row, place, mask);
    power = arith::SelectOp::create(body, loc, mask, power, number(body, 0));
    return arith::AddFOp::create(body, loc, sum, power);
  });
  Value sum = splat(b, reduce(b, loc, vector::CombiningKind::ADD, sums));
  overVectors(b, zero, count, [&](OpBuilder &body, Value place, Value mask) {
    Value x = load(body, to, row, place, mask);
    store(body, arith::DivFOp::create(body, loc, x, sum), to, row, place, mask);
  });
}

void RouteEmitter::emitScoring(OpBuilder &b, Value token) {
  if (op.getScoring() == "softmax")
    return emitSoftmax(b, op.getScores(), scored, token, experts);
  overVectors(b, constant(b, 0), experts, [&](OpBuilder &body, Value place, Value mask) {
    Value x = load(body, op.getScores(), token, place, mask), one = number(body, 1);
    Value power = math::ExpOp::create(body, loc, arith::NegFOp::create(body, loc, x));
    Value sigmoid = arith::DivFOp::create(body, loc, one, arith::AddFOp::create(body, loc, one, power));
    store(body, sigmoid, scored, Value(), place, mask);
  });
}

/// What each group is chosen by, then the best groups, by the same order as experts.
void RouteEmitter::emitGroups(OpBuilder &b, Value token) {
  int64_t groups = op.getGroups(), share = cast<MemRefType>(op.getScores().getType()).getDimSize(1) / groups;
  Value above = arith::ConstantIntOp::create(b, loc, kAboveAll, 64);
  forEach(b, constant(b, groups), 1, [&](OpBuilder &body, Value group) {
    Value begin = arith::MulIOp::create(body, loc, group, constant(body, share)), last = above;
    Value sum = arith::ConstantOp::create(body, loc, body.getF32FloatAttr(0));
    for (int64_t rank = 0; rank < static_cast<int64_t>(op.getGroupRank()); ++rank) {
      last = bestOf(body, token, begin, add(body, begin, share), last);
      Value place = placeOf(body, last, experts);
      Value score = scoreAt(body, token, place);
      if (op.getBias())
        score = arith::AddFOp::create(body, loc, score, memref::LoadOp::create(body, loc, op.getBias(), place));
      sum = arith::AddFOp::create(body, loc, sum, score);
    }
    memref::StoreOp::create(body, loc, sum, groupNumbers, group);
    memref::StoreOp::create(body, loc, arith::ConstantIntOp::create(body, loc, 0, 32), isChosen, group);
  });
  auto loop = scf::ForOp::create(b, loc, constant(b, 0), constant(b, op.getTopGroups()), constant(b, 1), above);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value lasts = splat(b, loop.getRegionIterArg(0)), count = constant(b, groups);
  Value best =
      fold(b, constant(b, 0), count, integer(b, kLeastKey), [&](OpBuilder &body, Value place, Value mask, Value m) {
        Value keys = keysOf(body, load(body, groupNumbers, Value(), place, mask), place, mask);
        return largerBelow(body, loc, keys, lasts, m);
      });
  Value key = reduce(b, loc, vector::CombiningKind::MAXSI, best);
  memref::StoreOp::create(b, loc, arith::ConstantIntOp::create(b, loc, 1, 32), isChosen, placeOf(b, key, count));
  scf::YieldOp::create(b, loc, key);
}

Value RouteEmitter::emitMixerWeight(OpBuilder &b, Value token, Value key, Value score) {
  Value keys = splat(b, key), most = splat(b, score), reach = number(b, 2 * op.getJitter().convertToDouble());
  Value sums =
      fold(b, constant(b, 0), experts, number(b, 0), [&](OpBuilder &body, Value place, Value mask, Value sum) -> Value {
        Value scores = load(body, op.getScores(), token, place, mask);
        Value isBefore =
            arith::CmpIOp::create(body, loc, arith::CmpIPredicate::sgt, keysOf(body, scores, place, mask), keys);
        Value magnitude = arith::MaximumFOp::create(body, loc, math::AbsFOp::create(body, loc, scores), most);
        Value below = arith::SubFOp::create(body, loc, most, scores);
        Value share = arith::DivFOp::create(body, loc, below, magnitude);
        Value isFar = arith::CmpFOp::create(body, loc, arith::CmpFPredicate::OGT, share, reach);
        Value isOut = arith::OrIOp::create(body, loc, isBefore, isFar), zero = number(body, 0);
        Value power = math::ExpOp::create(body, loc, arith::SubFOp::create(body, loc, scores, most));
        power = arith::SelectOp::create(body, loc, isOut, zero, power);
        power = arith::SelectOp::create(body, loc, mask, power, zero);
        return arith::AddFOp::create(body, loc, sum, power);
      });
  Value one = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(1));
  return arith::DivFOp::create(b, loc, one, reduce(b, loc, vector::CombiningKind::ADD, sums));
}

/// The chosen scores, which lie in the token's row of weights, as weights.
void RouteEmitter::emitWeights(OpBuilder &b, Value token) {
  Value zero = constant(b, 0), weights = op.getWeights();
  double scale = op.getScale().convertToDouble();
  Value sum;
  if (op.getNormalize() == "softmax")
    emitSoftmax(b, weights, weights, token, choices);
  if (op.getNormalize() == "sum") {
    Value sums =
        fold(b, zero, choices, number(b, 0), [&](OpBuilder &body, Value place, Value mask, Value total) -> Value {
          return arith::AddFOp::create(body, loc, total, load(body, weights, token, place, mask));
        });
    sum = splat(b, reduce(b, loc, vector::CombiningKind::ADD, sums));
  }
  if (!sum && scale == 1)
    return;
  overVectors(b, zero, choices, [&](OpBuilder &body, Value place, Value mask) {
    Value weight = load(body, weights, token, place, mask);
    if (sum)
      weight = arith::DivFOp::create(body, loc, weight, sum);
    weight = arith::MulFOp::create(body, loc, weight, number(body, scale));
    store(body, weight, weights, token, place, mask);
  });
}

void RouteEmitter::emitToken(OpBuilder &b, Value token) {
  if (scored)
    emitScoring(b, token);
  if (op.hasGroups())
    emitGroups(b, token);
  Value above = arith::ConstantIntOp::create(b, loc, kAboveAll, 64);
  auto loop = scf::ForOp::create(b, loc, constant(b, 0), choices, constant(b, 1), above);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value choice = loop.getInductionVar(), key = bestBelow(b, token, loop.getRegionIterArg(0));
    Value place = placeOf(b, key, experts);
    Value score = scoreAt(b, token, place);
    if (op.getNormalize() == "sparsemixer")
      score = emitMixerWeight(b, token, key, score);
    Value id = arith::IndexCastOp::create(b, loc, b.getI32Type(), place);
    memref::StoreOp::create(b, loc, id, op.getExperts(), ValueRange{token, choice});
    memref::StoreOp::create(b, loc, score, op.getWeights(), ValueRange{token, choice});
    scf::YieldOp::create(b, loc, key);
  }
  emitWeights(b, token);
}

} // namespace weft
