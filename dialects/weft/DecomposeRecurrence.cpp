// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.recurrence → its definition: an scf.for over time whose body computes the new state, [b, h, n, e], then o and
// the outputs of the step, each a linalg.generic. Meant to be read and checked against, not to be fast.
#include "dialects/weft/Definition.h"
#include "dialects/weft/RecurrenceOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace weft;

namespace {
using Def = DefinitionBuilder;
using Dims = ArrayRef<unsigned>;

constexpr unsigned kBatch = RecurrenceOp::Batch, kHead = RecurrenceOp::Head, kTime = RecurrenceOp::Time,
                   kKey = RecurrenceOp::Key, kValue = RecurrenceOp::Value;
constexpr unsigned kState[] = {kBatch, kHead, kKey, kValue}, kReduced[] = {kBatch, kHead, kValue, kKey},
                   kOut[] = {kBatch, kHead, kValue};

/// What the step region computes of the inputs' elements; an absent number is null.
struct Numbers {
  SmallVector<Value> query, key, value, decay, lowRank;
};

/// Operands at one step, each with its map over some loops.
struct Slice {
  Value value;
  AffineMap map; ///< over (b, h, t, n, e), t unused
};

class RecurrenceDefinition {
public:
  RecurrenceDefinition(RecurrenceOp op, OpBuilder &builder)
      : op(op), builder(builder), loc(op.getLoc()), f32(builder.getF32Type()) {
    for (Range range : op.getIterationDomain(builder))
      extents.push_back(range.size);
  }

  SmallVector<Value> build();

private:
  SmallVector<Value> initialStates();
  SmallVector<Value> finalStates(ValueRange states);
  /// From a state operand, or what its parts hold at this step, to [b, h, n, e]; and back.
  Value loadState(Def &def, const Slice &slot);
  Value storeState(Def &def, Value state, const Slice &slot);
  SmallVector<Slice> slotsAt(Def &def, ValueRange states, Value time);
  SmallVector<Value> carriedAfter(Def &def, Value time, ValueRange values);
  /// The step at `time`: from the states to the new states; writes the outputs.
  void step(Def &def, Value time, SmallVector<Value> &outputs, SmallVector<Value> &states);
  Value afterReset(Def &def, Value time, Value state);
  Value lowRankSum(Def &def, Value state);
  SmallVector<Value> newStates(Def &def, ArrayRef<Value> states);
  Value readOut(Def &def, ArrayRef<Value> states, bool imaginary);
  Value outputAt(Def &def, unsigned index, ArrayRef<Value> sums, const Slice &destination);

  /// `whole` with what was written to this slice of it.
  Value insert(Def &def, Value written, const Slice &slice, Value whole);

  /// An operand without its time, or at the part of that time.
  Slice sliceAt(OpBuilder &inner, Value operand, AffineMap map, Value time);
  AffineMap onLoops(Dims loops, AffineMap map);
  AffineMap select(Dims loops, Dims dims);
  SmallVector<OpFoldResult> shape(Dims dims);
  Numbers numbers(Def &d, ValueRange elements);
  SmallVector<Value> inlined(Def &d, Region &region, ValueRange arguments);
  /// The inputs at this step as operands of an op over these loops.
  void appendInputs(Dims loops, SmallVector<Value> &values, SmallVector<AffineMap> &maps);
  /// Part of a product of numbers that may be pairs.
  Value part(Def &d, ArrayRef<Value> x, ArrayRef<Value> y, bool imaginary);

  RecurrenceOp op;
  OpBuilder &builder;
  Location loc;
  Type f32;
  SmallVector<OpFoldResult> extents;
  SmallVector<Slice> inputs; ///< at the current step
};
} // namespace

//===----------------------------------------------------------------------===//
// Maps and slices
//===----------------------------------------------------------------------===//

AffineMap RecurrenceDefinition::onLoops(Dims loops, AffineMap map) {
  SmallVector<AffineExpr> place(RecurrenceOp::NumDims, builder.getAffineConstantExpr(0));
  for (auto [position, dim] : llvm::enumerate(loops))
    place[dim] = builder.getAffineDimExpr(position);
  return map.replaceDimsAndSymbols(place, {}, loops.size(), 0);
}

AffineMap RecurrenceDefinition::select(Dims loops, Dims dims) {
  SmallVector<AffineExpr> results;
  for (unsigned dim : dims)
    results.push_back(builder.getAffineDimExpr(llvm::find(loops, dim) - loops.begin()));
  return AffineMap::get(loops.size(), 0, results, builder.getContext());
}

SmallVector<OpFoldResult> RecurrenceDefinition::shape(Dims dims) {
  return llvm::map_to_vector(dims, [&](unsigned dim) { return extents[dim]; });
}

Slice RecurrenceDefinition::sliceAt(OpBuilder &inner, Value operand, AffineMap map, Value time) {
  const auto *place = llvm::find_if(
      map.getResults(), [&](AffineExpr expr) { return expr == inner.getAffineDimExpr(kTime) || partIndexOf(expr); });
  if (place == map.getResults().end())
    return {operand, map};
  unsigned at = place - map.getResults().begin();
  AffineMap index = onLoops({kTime}, map.getSubMap({at}));
  auto type = cast<RankedTensorType>(operand.getType());
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(inner, loc, operand);
  SmallVector<OpFoldResult> offsets(sizes.size(), inner.getIndexAttr(0)), strides(sizes.size(), inner.getIndexAttr(1));
  offsets[at] = affine::makeComposedFoldedAffineApply(inner, loc, index, {time});
  sizes[at] = inner.getIndexAttr(1);
  SmallVector<int64_t> kept(type.getShape());
  kept.erase(kept.begin() + at);
  auto reduced = RankedTensorType::get(kept, type.getElementType());
  Value slice = tensor::ExtractSliceOp::create(inner, loc, reduced, operand, offsets, sizes, strides);
  return {slice, map.dropResult(at)};
}

Value RecurrenceDefinition::insert(Def &def, Value written, const Slice &slice, Value whole) {
  if (slice.value == whole)
    return written;
  auto from = slice.value.getDefiningOp<tensor::ExtractSliceOp>();
  return tensor::InsertSliceOp::create(def.b, loc, written, whole, from.getMixedOffsets(), from.getMixedSizes(),
                                       from.getMixedStrides());
}

void RecurrenceDefinition::appendInputs(Dims loops, SmallVector<Value> &values, SmallVector<AffineMap> &maps) {
  for (const Slice &input : inputs) {
    values.push_back(input.value);
    maps.push_back(onLoops(loops, input.map));
  }
}

//===----------------------------------------------------------------------===//
// Numbers of a step
//===----------------------------------------------------------------------===//

SmallVector<Value> RecurrenceDefinition::inlined(Def &d, Region &region, ValueRange arguments) {
  IRMapping mapping;
  mapping.map(region.getArguments(), arguments);
  for (Operation &inner : region.front().without_terminator())
    d.b.clone(inner, mapping);
  return llvm::map_to_vector(region.front().getTerminator()->getOperands(),
                             [&](Value value) { return mapping.lookupOrDefault(value); });
}

Numbers RecurrenceDefinition::numbers(Def &d, ValueRange elements) {
  SmallVector<Value> all = inlined(d, op.getStep(), elements);
  ArrayRef<Value> rest(all);
  auto take = [&](size_t count) {
    SmallVector<Value> taken(rest.take_front(count));
    rest = rest.drop_front(count);
    return taken;
  };
  StepOp step = op.getStepOp();
  Numbers result;
  result.query = take(step.getQuery().size());
  result.key = take(step.getKey().size());
  result.value = take(step.getValue().size());
  result.decay = take(step.getDecay().size());
  result.lowRank = take(step.getLowRank().size());
  return result;
}

Value RecurrenceDefinition::part(Def &d, ArrayRef<Value> x, ArrayRef<Value> y, bool imaginary) {
  if (x.empty())
    x = y, y = {};
  auto at = [](ArrayRef<Value> number, bool im) { return number.size() > size_t(im) ? number[im] : Value(); };
  if (x.empty())
    return imaginary ? Value() : d.constant(f32, 1);
  if (y.empty())
    return at(x, imaginary);
  auto product = [&](Value l, Value r) -> Value {
    return l && r ? Value(arith::MulFOp::create(d.b, d.loc, l, r)) : Value();
  };
  Value first = product(at(x, false), at(y, imaginary)), second = product(at(x, true), at(y, !imaginary));
  if (!second)
    return first;
  if (!first)
    return second;
  if (imaginary)
    return arith::AddFOp::create(d.b, d.loc, first, second);
  return arith::SubFOp::create(d.b, d.loc, first, second);
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

Value RecurrenceDefinition::loadState(Def &def, const Slice &slot) {
  return def.compute(slot.value, def.empty(shape(kState), f32), {onLoops(kState, slot.map), select(kState, kState)},
                     [](Def &, ValueRange elements) -> Value { return elements[0]; });
}

/// A dimension that the operand lacks has the extent 1: of its map's point of view a reduction over one element.
Value RecurrenceDefinition::storeState(Def &def, Value state, const Slice &slot) {
  return def.compute(state, slot.value, {select(kState, kState), onLoops(kState, slot.map)},
                     [](Def &, ValueRange elements) -> Value { return elements[0]; });
}

SmallVector<Slice> RecurrenceDefinition::slotsAt(Def &def, ValueRange states, Value time) {
  SmallVector<Slice> slots;
  for (auto [index, state] : llvm::enumerate(states))
    slots.push_back(sliceAt(def.b, state, op.getIndexingMap(op.getFirstState() + index), time));
  return slots;
}

/// What is carried along time: S, or the S of all parts as the operands hold them.
SmallVector<Value> RecurrenceDefinition::initialStates() {
  if (op.getPartLength())
    return SmallVector<Value>(op.getStates());
  Def def(builder, loc);
  SmallVector<Value> states;
  for (unsigned index : llvm::seq(op.isComplex() ? 2u : 1u))
    states.push_back(op.getStates().empty()
                         ? def.filled(shape(kState), f32, 0)
                         : loadState(def, {op.getStates()[index], op.getIndexingMap(op.getFirstState() + index)}));
  return states;
}

SmallVector<Value> RecurrenceDefinition::finalStates(ValueRange states) {
  if (op.getPartLength())
    return SmallVector<Value>(states);
  Def def(builder, loc);
  SmallVector<Value> results;
  for (auto [index, destination] : llvm::enumerate(op.getStates()))
    results.push_back(storeState(def, states[index], {destination, op.getIndexingMap(op.getFirstState() + index)}));
  return results;
}

Value RecurrenceDefinition::afterReset(Def &def, Value time, Value state) {
  if (!op.getReset())
    return state;
  Slice reset = sliceAt(def.b, op.getReset(), op.getIndexingMap(op.getResetNumber()), time);
  AffineMap all = select(kState, kState);
  return def.compute({state, reset.value}, def.empty(shape(kState), f32), {all, onLoops(kState, reset.map), all},
                     [&](Def &d, ValueRange elements) -> Value {
                       Value zero = arith::ConstantOp::create(d.b, d.loc, d.b.getZeroAttr(elements[1].getType()));
                       Value goesOn = arith::CmpIOp::create(d.b, d.loc, arith::CmpIPredicate::eq, elements[1], zero);
                       return arith::SelectOp::create(d.b, d.loc, goesOn, elements[0], d.constant(f32, 0));
                     });
}

/// Σ_m low_rank_a[m] · S'[m, e]; null where there is no such term.
Value RecurrenceDefinition::lowRankSum(Def &def, Value state) {
  if (op.getStepOp().getLowRank().empty())
    return {};
  SmallVector<Value> values = {state};
  SmallVector<AffineMap> maps = {select(kReduced, kState)};
  appendInputs(kReduced, values, maps);
  maps.push_back(select(kReduced, kOut));
  return def.compute(values, def.filled(shape(kOut), f32, 0), maps, [&](Def &d, ValueRange elements) -> Value {
    Value a = numbers(d, elements.slice(1, inputs.size())).lowRank[0];
    Value product = arith::MulFOp::create(d.b, d.loc, a, elements[0]);
    return arith::AddFOp::create(d.b, d.loc, elements.back(), product);
  });
}

SmallVector<Value> RecurrenceDefinition::newStates(Def &def, ArrayRef<Value> states) {
  Value lowRank = lowRankSum(def, states[0]);
  SmallVector<Value> results;
  for (unsigned imaginary : llvm::seq<unsigned>(states.size())) {
    SmallVector<Value> values(states);
    SmallVector<AffineMap> maps(states.size(), select(kState, kState));
    if (lowRank) {
      values.push_back(lowRank);
      maps.push_back(select(kState, kOut));
    }
    size_t first = values.size();
    appendInputs(kState, values, maps);
    maps.push_back(select(kState, kState));
    results.push_back(
        def.compute(values, def.empty(shape(kState), f32), maps, [&](Def &d, ValueRange elements) -> Value {
          Numbers number = numbers(d, elements.slice(first, inputs.size()));
          SmallVector<Value> old(elements.take_front(states.size()));
          auto add = [&](Value sum, Value term) -> Value {
            return term ? Value(arith::AddFOp::create(d.b, d.loc, sum, term)) : sum;
          };
          Value sum = add(part(d, number.decay, old, imaginary), part(d, number.key, number.value, imaginary));
          if (lowRank)
            sum = add(sum, arith::MulFOp::create(d.b, d.loc, number.lowRank[1], elements[states.size()]));
          return sum;
        }));
  }
  return results;
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

/// A part of o, [b, h, e].
Value RecurrenceDefinition::readOut(Def &def, ArrayRef<Value> states, bool imaginary) {
  SmallVector<Value> values(states);
  SmallVector<AffineMap> maps(states.size(), select(kReduced, kState));
  appendInputs(kReduced, values, maps);
  maps.push_back(select(kReduced, kOut));
  return def.compute(values, def.filled(shape(kOut), f32, 0), maps, [&](Def &d, ValueRange elements) -> Value {
    Numbers number = numbers(d, elements.slice(states.size(), inputs.size()));
    SmallVector<Value> state(elements.take_front(states.size()));
    return arith::AddFOp::create(d.b, d.loc, elements.back(), part(d, number.query, state, imaginary));
  });
}

Value RecurrenceDefinition::outputAt(Def &def, unsigned index, ArrayRef<Value> sums, const Slice &destination) {
  SmallVector<Value> values(sums);
  SmallVector<AffineMap> maps(sums.size(), select(kOut, kOut));
  SmallVector<unsigned> read; // an input that is indexed by n has no element here, and no use either
  for (auto [number, input] : llvm::enumerate(inputs)) {
    if (input.map.isFunctionOfDim(kKey))
      continue;
    read.push_back(number);
    values.push_back(input.value);
    maps.push_back(onLoops(kOut, input.map));
  }
  maps.push_back(onLoops(kOut, destination.map));
  return def.compute(values, destination.value, maps, [&](Def &d, ValueRange elements) -> Value {
    if (op.getOutput().empty())
      return d.convert(elements[0], elements.back().getType());
    SmallVector<Value> arguments(elements.take_front(sums.size()));
    for (auto [number, input] : llvm::enumerate(op.getInputs())) {
      const auto *place = llvm::find(read, number);
      Type type = getElementTypeOrSelf(input.getType());
      arguments.push_back(place != read.end() ? elements[sums.size() + (place - read.begin())]
                                              : arith::ConstantOp::create(d.b, d.loc, d.b.getZeroAttr(type)));
    }
    return inlined(d, op.getOutput(), arguments)[index];
  });
}

void RecurrenceDefinition::step(Def &def, Value time, SmallVector<Value> &outputs, SmallVector<Value> &states) {
  inputs.clear();
  for (auto [index, input] : llvm::enumerate(op.getInputs()))
    inputs.push_back(sliceAt(def.b, input, op.getIndexingMap(index), time));
  for (Value &state : states)
    state = afterReset(def, time, state);
  states = newStates(def, states);
  if (outputs.empty())
    return;
  SmallVector<Value> sums = {readOut(def, states, false)};
  if (op.isComplex() && !op.getOutput().empty())
    sums.push_back(readOut(def, states, true));
  for (auto [index, output] : llvm::enumerate(outputs)) {
    Slice slice = sliceAt(def.b, output, op.getIndexingMap(op.getFirstOutput() + index), time);
    Value written = outputAt(def, index, sums, slice);
    output = insert(def, written, slice, output);
  }
}

/// Outputs and states after the step at `time`, from those before it.
SmallVector<Value> RecurrenceDefinition::carriedAfter(Def &def, Value time, ValueRange values) {
  size_t outputs = op.getOutputs().size();
  SmallVector<Value> written(values.take_front(outputs)), states(values.drop_front(outputs));
  if (op.getPartLength()) {
    SmallVector<Slice> slots = slotsAt(def, states, time);
    SmallVector<Value> held = llvm::map_to_vector(slots, [&](const Slice &slot) { return loadState(def, slot); });
    step(def, time, written, held);
    for (auto [state, slot, whole] : llvm::zip_equal(held, slots, states))
      written.push_back(insert(def, storeState(def, state, slot), slot, whole));
    return written;
  }
  step(def, time, written, states);
  // Into the memory that the step before left its own in.
  for (auto [state, held] : llvm::zip_equal(states, values.drop_front(outputs)))
    written.push_back(linalg::CopyOp::create(def.b, loc, state, held).getResult(0));
  return written;
}

SmallVector<Value> RecurrenceDefinition::build() {
  SmallVector<Value> carried(op.getOutputs());
  llvm::append_range(carried, initialStates());
  Value steps = getValueOrCreateConstantIndexOp(builder, loc, extents[kTime]);
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0), one = arith::ConstantIndexOp::create(builder, loc, 1);
  size_t outputs = op.getOutputs().size();
  auto loop = scf::ForOp::create(
      builder, loc, zero, steps, one, carried, [&](OpBuilder &inner, Location, Value index, ValueRange values) {
        Def def(inner, loc);
        Value time = index;
        if (op.getReverse()) {
          AffineExpr d0 = inner.getAffineDimExpr(0), d1 = inner.getAffineDimExpr(1);
          time = affine::makeComposedAffineApply(inner, loc, AffineMap::get(2, 0, d1 - d0 - 1),
                                                 ArrayRef<OpFoldResult>{index, steps});
        }
        scf::YieldOp::create(inner, loc, carriedAfter(def, time, values));
      });
  SmallVector<Value> results(loop.getResults().take_front(outputs));
  llvm::append_range(results, finalStates(loop.getResults().drop_front(outputs)));
  return results;
}

FailureOr<SmallVector<Value>> RecurrenceOp::decompose(OpBuilder &builder) {
  if (!hasPureTensorSemantics())
    return failure();
  return RecurrenceDefinition(*this, builder).build();
}
