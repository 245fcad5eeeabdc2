// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.causal_conv → its definition: state and input one after the other, and a linalg.generic of a slice of that for
// each tap. Meant to be read and checked against, not to be fast.
#include "dialects/weft/Definition.h"
#include "dialects/weft/SequenceOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace weft;

namespace {
using Def = DefinitionBuilder;

class CausalConvDefinition {
public:
  CausalConvDefinition(CausalConvOp op, OpBuilder &builder)
      : op(op), def(builder, op.getLoc()), f32(builder.getF32Type()), before(op.getTaps() - 1),
        extents(tensor::getMixedSizes(builder, op.getLoc(), op.getInit())),
        steps(tensor::getMixedSize(builder, op.getLoc(), op.getInput(), CausalConvOp::Time)) {
    bindDims(builder.getContext(), b, t, d);
  }

  SmallVector<Value> build();

private:
  using Bounds = ArrayRef<OpFoldResult>;

  AffineMap map(ArrayRef<AffineExpr> results, unsigned dims = 3) {
    return AffineMap::get(dims, 0, results, def.b.getContext());
  }
  OpFoldResult index(int64_t value) { return def.b.getIndexAttr(value); }
  OpFoldResult sum(OpFoldResult x, int64_t y) {
    return affine::makeComposedFoldedAffineApply(def.b, def.loc, def.b.getAffineDimExpr(0) + y, {x});
  }
  Value ones(Def &d) { return d.constant(f32, 1); }
  Value isZero(Def &d, Value value) {
    return arith::CmpFOp::create(d.b, d.loc, arith::CmpFPredicate::OEQ, value, d.constant(f32, 0));
  }

  Value inF32(Value tensor);
  Value flags();
  Value extended(Value tensor, Value state);
  Value rows(Value tensor, OpFoldResult first, OpFoldResult count);
  Value mirrored(Value tensor);
  Value sums();
  Value tapSum(Def &d, ValueRange e, unsigned taps);
  Value nextState();

  CausalConvOp op;
  Def def;
  Type f32;
  int64_t before; ///< steps that the first looks back
  SmallVector<OpFoldResult> extents;
  OpFoldResult steps;
  AffineExpr b, t, d;
  Value seen;   ///< [b, t + before, d]: what lies before the first step, and the input; in the order of t
  Value starts; ///< [b, t + before]: 1 where a sequence starts; null without resets
};
} // namespace

Value CausalConvDefinition::inF32(Value tensor) {
  SmallVector<OpFoldResult> shape = tensor::getMixedSizes(def.b, def.loc, tensor);
  AffineMap all = def.b.getMultiDimIdentityMap(shape.size());
  return def.compute(tensor, def.empty(shape, f32), {all, all},
                     [&](Def &inner, ValueRange e) { return inner.convert(e[0], f32); });
}

Value CausalConvDefinition::flags() {
  SmallVector<OpFoldResult> shape = tensor::getMixedSizes(def.b, def.loc, op.getReset());
  AffineMap all = def.b.getMultiDimIdentityMap(2);
  return def.compute(op.getReset(), def.empty(shape, f32), {all, all}, [&](Def &inner, ValueRange e) -> Value {
    Value zero = arith::ConstantOp::create(inner.b, inner.loc, inner.b.getZeroAttr(e[0].getType()));
    Value starts = arith::CmpIOp::create(inner.b, inner.loc, arith::CmpIPredicate::ne, e[0], zero);
    return arith::SelectOp::create(inner.b, inner.loc, starts, ones(inner), inner.constant(f32, 0));
  });
}

/// The tensor with `before` steps on the side where time begins: those of `state`, or zeros.
Value CausalConvDefinition::extended(Value tensor, Value state) {
  SmallVector<OpFoldResult> shape = tensor::getMixedSizes(def.b, def.loc, tensor), size = shape;
  SmallVector<OpFoldResult> at(shape.size(), index(0)), strides(shape.size(), index(1)), place = at;
  shape[1] = sum(steps, before);
  (op.getReverse() ? place : at)[1] = op.getReverse() ? steps : index(before);
  Value result = def.filled(shape, f32, 0);
  result = tensor::InsertSliceOp::create(def.b, def.loc, tensor, result, at, size, strides);
  if (!state)
    return result;
  size[1] = index(before);
  return tensor::InsertSliceOp::create(def.b, def.loc, state, result, place, size, strides);
}

Value CausalConvDefinition::rows(Value tensor, OpFoldResult first, OpFoldResult count) {
  SmallVector<OpFoldResult> size = tensor::getMixedSizes(def.b, def.loc, tensor);
  SmallVector<OpFoldResult> at(size.size(), index(0)), strides(size.size(), index(1));
  at[1] = first;
  size[1] = count;
  return tensor::ExtractSliceOp::create(def.b, def.loc, tensor, at, size, strides);
}

/// `before` steps the other way round.
Value CausalConvDefinition::mirrored(Value tensor) {
  SmallVector<OpFoldResult> shape = tensor::getMixedSizes(def.b, def.loc, tensor);
  SmallVector<AffineExpr> from = {b, before - 1 - t, d}, to = {b, t, d};
  from.resize(shape.size());
  to.resize(shape.size());
  return def.compute(tensor, def.empty(shape, f32), {map(from, shape.size()), map(to, shape.size())},
                     [](Def &, ValueRange e) { return e[0]; });
}

/// The sum of the taps from the oldest on, a tap beyond a start counting as 0. The elements: taps, weights, starts at
/// the step and before it, bias.
Value CausalConvDefinition::tapSum(Def &inner, ValueRange e, unsigned taps) {
  ValueRange seenAt = e.take_front(taps), weights = e.slice(taps, taps), from = e.drop_front(2 * taps);
  Value total = inner.constant(f32, 0);
  if (op.getBias())
    total = inner.convert(from[starts ? before : 0], f32);
  SmallVector<Value> visible(taps); // by age; null: always
  if (starts)
    for (int64_t age = 1; age <= before; ++age) {
      visible[age] = isZero(inner, from[age - 1]);
      if (age > 1)
        visible[age] = arith::AndIOp::create(inner.b, inner.loc, visible[age - 1], visible[age]);
    }
  for (unsigned tap = 0; tap < taps; ++tap) {
    Value x = seenAt[tap];
    if (Value sees = visible[taps - 1 - tap])
      x = arith::SelectOp::create(inner.b, inner.loc, sees, x, inner.constant(f32, 0));
    Value product = arith::MulFOp::create(inner.b, inner.loc, inner.convert(weights[tap], f32), x);
    total = arith::AddFOp::create(inner.b, inner.loc, total, product);
  }
  return total;
}

Value CausalConvDefinition::sums() {
  unsigned taps = op.getTaps();
  OpFoldResult first = op.getFrom() ? OpFoldResult(op.getFrom()) : index(0);
  // What lies `age` steps before each step: forward at t + before − age, in reverse at t + age.
  auto ago = [&](Value tensor, int64_t age) {
    return rows(tensor, sum(first, op.getReverse() ? age : before - age), extents[1]);
  };
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (int64_t age = before; age >= 0; --age) {
    inputs.push_back(ago(seen, age));
    maps.push_back(map({b, t, d}));
  }
  for (unsigned tap = 0; tap < taps; ++tap) {
    inputs.push_back(op.getWeight());
    maps.push_back(map({d, def.b.getAffineConstantExpr(tap)}));
  }
  for (int64_t age = 0; starts && age < before; ++age) {
    inputs.push_back(ago(starts, age));
    maps.push_back(map({b, t}));
  }
  if (op.getBias()) {
    inputs.push_back(op.getBias());
    maps.push_back(map({d}));
  }
  unsigned firstExtra = inputs.size();
  for (auto [i, extra] : llvm::enumerate(op.getExtras())) {
    inputs.push_back(extra);
    maps.push_back(op.getExtraMap(i));
  }
  maps.push_back(map({b, t, d}));
  return def.compute(inputs, op.getInit(), maps, [&](Def &inner, ValueRange e) -> Value {
    Value total = tapSum(inner, e, taps);
    if (op.getOutput().empty())
      return inner.convert(total, e.back().getType());
    SmallVector<Value> arguments = {total};
    llvm::append_range(arguments, e.slice(firstExtra, op.getExtras().size()));
    IRMapping mapping;
    mapping.map(op.getOutput().getArguments(), arguments);
    for (Operation &step : op.getOutput().front().without_terminator())
      inner.b.clone(step, mapping);
    return mapping.lookupOrDefault(op.getOutput().front().getTerminator()->getOperand(0));
  });
}

/// The last steps of what was seen, 0 where a sequence starts after them.
Value CausalConvDefinition::nextState() {
  OpFoldResult first = op.getReverse() ? index(0) : steps;
  auto last = [&](Value tensor) {
    Value part = rows(tensor, first, index(before));
    return op.getReverse() ? mirrored(part) : part;
  };
  SmallVector<Value> inputs = {last(seen)};
  SmallVector<AffineMap> maps = {map({b, t, d})};
  if (starts) {
    // [b, j]: whether no sequence starts at one of the steps m > j.
    SmallVector<OpFoldResult> shape = {extents[0], index(before)};
    inputs.push_back(def.compute(
        last(starts), def.filled(shape, f32, 1), {map({b, d}), map({b, t})}, [&](Def &inner, ValueRange e) -> Value {
          Value j = linalg::IndexOp::create(inner.b, inner.loc, 1);
          Value m = linalg::IndexOp::create(inner.b, inner.loc, 2);
          Value later = arith::CmpIOp::create(inner.b, inner.loc, arith::CmpIPredicate::ugt, m, j);
          Value none = arith::SelectOp::create(inner.b, inner.loc, isZero(inner, e[0]), e[1], inner.constant(f32, 0));
          return arith::SelectOp::create(inner.b, inner.loc, later, none, e[1]);
        }));
    maps.push_back(map({b, t}));
  }
  maps.push_back(map({b, t, d}));
  return def.compute(inputs, op.getState(), maps, [&](Def &inner, ValueRange e) -> Value {
    Value x = e[0];
    if (starts)
      x = arith::SelectOp::create(inner.b, inner.loc, isZero(inner, e[1]), inner.constant(f32, 0), x);
    return inner.convert(x, e.back().getType());
  });
}

SmallVector<Value> CausalConvDefinition::build() {
  Value state = op.getState() ? inF32(op.getState()) : Value();
  seen = extended(inF32(op.getInput()), state && op.getReverse() ? mirrored(state) : state);
  if (op.getReset())
    starts = extended(flags(), nullptr);
  SmallVector<Value> results = {sums()};
  if (op.getState())
    results.push_back(nextState());
  return results;
}

FailureOr<SmallVector<Value>> CausalConvOp::decompose(OpBuilder &builder) {
  if (!hasPureTensorSemantics())
    return failure();
  return CausalConvDefinition(*this, builder).build();
}
