// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.scan → its definition: a loop over the scanned dimension that carries the accumulators and the outputs, and in
// it a linalg.generic for each accumulator. Meant to be read and checked against, not to be fast.
#include "dialects/weft/Definition.h"
#include "dialects/weft/SequenceOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace weft;

namespace {
using Def = DefinitionBuilder;

class ScanDefinition {
public:
  ScanDefinition(ScanOp op, OpBuilder &builder)
      : op(op), def(builder, op.getLoc()), f32(builder.getF32Type()), count(op.getNumAccumulators()) {}

  SmallVector<Value> build();

private:
  using Values = SmallVector<Value>;

  OpFoldResult index(int64_t value) { return def.b.getIndexAttr(value); }
  /// [offsets], [sizes] of the step of an operand with this map.
  std::pair<SmallVector<OpFoldResult>, SmallVector<OpFoldResult>> step(Value tensor, AffineMap map);
  Value slice(Value tensor, AffineMap map);
  Value insert(Value value, Value tensor, AffineMap map);
  Value widened(Value tensor, Type element);
  Value combined(unsigned accumulator, ValueRange before, ValueRange now);
  Values start();
  Values emitStep(Value i, ValueRange carried);

  ScanOp op;
  Def def;
  Type f32;
  unsigned count;
  Value position, isFirst; ///< of the step in the scanned dimension; whether it begins the scan without a state
};
} // namespace

std::pair<SmallVector<OpFoldResult>, SmallVector<OpFoldResult>> ScanDefinition::step(Value tensor, AffineMap map) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(def.b, def.loc, tensor), offsets(sizes.size(), index(0));
  unsigned place = *map.getResultPosition(def.b.getAffineDimExpr(op.getDimension()));
  offsets[place] = position;
  sizes[place] = index(1);
  return {offsets, sizes};
}

/// The step, without the scanned dimension.
Value ScanDefinition::slice(Value tensor, AffineMap map) {
  auto [offsets, sizes] = step(tensor, map);
  SmallVector<OpFoldResult> strides(sizes.size(), index(1));
  SmallVector<int64_t> kept(cast<RankedTensorType>(tensor.getType()).getShape());
  kept.erase(kept.begin() + *map.getResultPosition(def.b.getAffineDimExpr(op.getDimension())));
  auto type = RankedTensorType::get(kept, getElementTypeOrSelf(tensor.getType()));
  return tensor::ExtractSliceOp::create(def.b, def.loc, type, tensor, offsets, sizes, strides);
}

Value ScanDefinition::insert(Value value, Value tensor, AffineMap map) {
  auto [offsets, sizes] = step(tensor, map);
  SmallVector<OpFoldResult> strides(sizes.size(), index(1));
  return tensor::InsertSliceOp::create(def.b, def.loc, value, tensor, offsets, sizes, strides);
}

Value ScanDefinition::widened(Value tensor, Type element) {
  SmallVector<OpFoldResult> shape = tensor::getMixedSizes(def.b, def.loc, tensor);
  AffineMap all = def.b.getMultiDimIdentityMap(shape.size());
  return def.compute(tensor, def.empty(shape, element), {all, all},
                     [&](Def &d, ValueRange e) { return d.convert(e[0], element); });
}

/// One accumulator after a step: what the region makes of it, or the input where a prefix begins.
Value ScanDefinition::combined(unsigned accumulator, ValueRange before, ValueRange now) {
  // Over the dimensions of this accumulator: those that it depends on have no others.
  AffineMap own = op.getStateMap(accumulator);
  SmallVector<AffineExpr> places(op.getNumLoops(), def.b.getAffineConstantExpr(0));
  for (auto [place, expr] : llvm::enumerate(own.getResults()))
    places[cast<AffineDimExpr>(expr).getPosition()] = def.b.getAffineDimExpr(place);
  auto overOwn = [&](AffineMap map) { return map.replaceDimsAndSymbols(places, {}, own.getNumResults(), 0); };
  Values inputs;
  SmallVector<AffineMap> maps;
  SmallVector<unsigned> arguments;
  for (unsigned i = 0; i < 2 * count; ++i) {
    AffineMap map = op.getStateMap(i % count);
    if (llvm::any_of(map.getResults(), [&](AffineExpr expr) { return !own.getResultPosition(expr); }))
      continue;
    inputs.push_back(i < count ? before[i] : now[i - count]);
    maps.push_back(overOwn(map));
    arguments.push_back(i);
  }
  if (op.getReset()) {
    AffineMap map = op.getMap(count);
    inputs.push_back(slice(op.getReset(), map));
    maps.push_back(overOwn(map.dropResult(*map.getResultPosition(def.b.getAffineDimExpr(op.getDimension())))));
  }
  maps.push_back(def.b.getMultiDimIdentityMap(own.getNumResults()));
  SmallVector<OpFoldResult> shape = tensor::getMixedSizes(def.b, def.loc, before[accumulator]);
  return def.compute(inputs, def.empty(shape, f32), maps, [&](Def &d, ValueRange e) -> Value {
    Block &body = op.getCombine().front();
    Value zero = d.constant(f32, 0), x = zero;
    IRMapping mapping;
    for (BlockArgument argument : body.getArguments())
      mapping.map(argument, zero); // what this accumulator does not depend on
    for (auto [place, argument] : llvm::enumerate(arguments)) {
      mapping.map(body.getArgument(argument), e[place]);
      if (argument == count + accumulator)
        x = e[place];
    }
    for (Operation &inner : body.without_terminator())
      d.b.clone(inner, mapping);
    Value result = mapping.lookupOrDefault(body.getTerminator()->getOperand(accumulator));
    if (isFirst)
      result = arith::SelectOp::create(d.b, d.loc, isFirst, x, result);
    if (!op.getReset())
      return result;
    Value flag = e[arguments.size()];
    Value none = arith::ConstantOp::create(d.b, d.loc, d.b.getZeroAttr(flag.getType()));
    Value begins = arith::CmpIOp::create(d.b, d.loc, arith::CmpIPredicate::ne, flag, none);
    return arith::SelectOp::create(d.b, d.loc, begins, x, result);
  });
}

/// The accumulators before the first step; zeros that are not read without states.
SmallVector<Value> ScanDefinition::start() {
  if (!op.getStates().empty())
    return op.getStates();
  Values zeros;
  for (unsigned i = 0; i < count; ++i) {
    SmallVector<OpFoldResult> shape = tensor::getMixedSizes(def.b, def.loc, op.getInputs()[i]);
    shape.erase(shape.begin() + *op.getMap(i).getResultPosition(def.b.getAffineDimExpr(op.getDimension())));
    zeros.push_back(def.filled(shape, f32, 0));
  }
  return zeros;
}

/// The accumulators, then the outputs.
SmallVector<Value> ScanDefinition::emitStep(Value i, ValueRange carried) {
  Values now, next;
  for (auto [number, input] : llvm::enumerate(op.getInputs()))
    now.push_back(widened(slice(input, op.getMap(number)), f32));
  for (unsigned number = 0; number < count; ++number)
    next.push_back(combined(number, carried.take_front(count), now));
  // Into the memory of those before, once all are computed.
  for (unsigned number = 0; number < count; ++number) {
    AffineMap all = def.b.getMultiDimIdentityMap(cast<RankedTensorType>(next[number].getType()).getRank());
    next[number] = def.compute(next[number], carried[number], {all, all}, [](Def &, ValueRange e) { return e[0]; });
  }
  for (unsigned number = 0; number < count; ++number) {
    Value stored = widened(next[number], getElementTypeOrSelf(op.getOutputs()[number].getType()));
    next.push_back(insert(stored, carried[count + number], op.getMap(number)));
  }
  return next;
}

SmallVector<Value> ScanDefinition::build() {
  auto [input, place] = op.getOperandWith(op.getDimension());
  auto constant = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(def.b, def.loc, value); };
  Value end = getValueOrCreateConstantIndexOp(def.b, def.loc, tensor::getMixedSize(def.b, def.loc, input, place));
  Values carried = start();
  llvm::append_range(carried, op.getOutputs());
  auto loop = scf::ForOp::create(
      def.b, def.loc, constant(0), end, constant(1), carried,
      [&](OpBuilder &body, Location, Value i, ValueRange values) {
        OpBuilder::InsertionGuard guard(def.b);
        def.b.setInsertionPoint(body.getInsertionBlock(), body.getInsertionPoint());
        position = i;
        if (op.getReverse())
          position = arith::SubIOp::create(def.b, def.loc, arith::SubIOp::create(def.b, def.loc, end, constant(1)), i);
        if (op.getStates().empty())
          isFirst = arith::CmpIOp::create(def.b, def.loc, arith::CmpIPredicate::eq, i, constant(0));
        scf::YieldOp::create(def.b, def.loc, emitStep(i, values));
      });
  Values results(loop.getResults().drop_front(count));
  if (!op.getStates().empty())
    llvm::append_range(results, loop.getResults().take_front(count));
  return results;
}

FailureOr<SmallVector<Value>> ScanOp::decompose(OpBuilder &builder) {
  if (!hasPureTensorSemantics())
    return failure();
  return ScanDefinition(*this, builder).build();
}
