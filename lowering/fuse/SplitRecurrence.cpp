// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.recurrence over a long time with few work items → parts of the time beside one another (PartsPlan.h):
//   %y = weft.recurrence ins(%x) outs(%init) …
// becomes, with slots of S for each part p and the next one,
//   %x = weft.recurrence ins(%x of whole parts) state(%zeros) at t floordiv l + 1     what a part adds to S
//   %d = weft.recurrence … state(%ones) at t floordiv l + 1                          what it multiplies S by
//   %s = weft.recurrence ins(%x, %d) over the slots                                   S before each part
//   %y = weft.recurrence ins(%x) outs(%init) state(%s) at t floordiv l
// (Blelloch 1990, "Prefix sums and their applications".) Against the time, a part's S comes from the one after it.
#include "lowering/fuse/Passes.h"

#include "dialects/weft/Definition.h"
#include "lowering/analysis/PartsPlan.h"
#include "lowering/analysis/TensorExtents.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/Support/FormatVariadic.h"

namespace weft {
#define GEN_PASS_DEF_SPLITRECURRENCE
#include "lowering/fuse/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

constexpr unsigned kTime = RecurrenceOp::Time, kKey = RecurrenceOp::Key, kValue = RecurrenceOp::Value;

/// Slots of states, or of decays: a tensor for each of their parts.
struct Slots {
  SmallVector<Value> parts;
  SmallVector<unsigned> dims; ///< after that of the slots, in the order of b, h, n, e
};

/// Emits a plan.
class PartsEmitter {
public:
  PartsEmitter(RecurrenceOp op, int64_t length, OpBuilder &builder)
      : op(op), length(length), b(builder), def(builder, op.getLoc()), loc(op.getLoc()), f32(builder.getF32Type()) {}

  /// The results of the op in parts.
  SmallVector<Value> emit() {
    emitExtents();
    Slots added = emitAdded(), factors = emitFactors(), before = emitCombined(added, factors);
    RecurrenceOp all = emitAll(before);
    SmallVector<Value> results(all.getResults().take_front(op.getOutputs().size()));
    for (auto [index, state] : llvm::enumerate(op.getStates()))
      results.push_back(emitFinal(all.getResult(results.size()), state, op.getIndexingMap(op.getFirstState() + index)));
    return results;
  }

private:
  using MapOf = function_ref<SmallVector<AffineExpr>(AffineMap)>;

  // --- extents and maps

  void emitExtents() {
    extents.resize(RecurrenceOp::NumDims);
    for (unsigned operand : llvm::seq(op->getNumOperands()))
      for (auto [expr, extent] :
           llvm::zip_equal(op.getIndexingMap(operand).getResults(), extentsOfTensor(b, op->getOperand(operand))))
        if (auto dim = dyn_cast<AffineDimExpr>(expr); dim && !extents[dim.getPosition()])
          extents[dim.getPosition()] = extent;
    AffineExpr steps = b.getAffineDimExpr(0);
    auto apply = [&](AffineExpr expr) { return affine::makeComposedFoldedAffineApply(b, loc, expr, {extents[kTime]}); };
    last = apply(steps.floorDiv(length));
    slots = apply(steps.floorDiv(length) + 1);
    if (!op.getReverse()) {
      firstStep = b.getIndexAttr(0);
      stepCount = apply(steps.floorDiv(length) * length);
      return;
    }
    AffineMap within = AffineMap::get(1, 0, {steps, b.getAffineConstantExpr(length)}, b.getContext());
    firstStep = affine::makeComposedFoldedAffineMin(b, loc, within, {extents[kTime]});
    stepCount =
        affine::makeComposedFoldedAffineApply(b, loc, steps - b.getAffineDimExpr(1), {extents[kTime], firstStep});
  }

  bool has(unsigned dim) const { return bool(extents[dim]); }

  /// Those of b, h, n, e that the op has.
  SmallVector<unsigned> stateDims() const {
    SmallVector<unsigned> dims;
    for (unsigned dim : {RecurrenceOp::Batch, RecurrenceOp::Head, RecurrenceOp::Key, RecurrenceOp::Value})
      if (has(dim))
        dims.push_back(dim);
    return dims;
  }

  /// A map from the five dimensions.
  Attribute mapTo(ArrayRef<AffineExpr> exprs) {
    return AffineMapAttr::get(AffineMap::get(RecurrenceOp::NumDims, 0, exprs, b.getContext()));
  }

  SmallVector<AffineExpr> exprsOf(ArrayRef<unsigned> dims) {
    return llvm::map_to_vector(dims, [&](unsigned dim) { return b.getAffineDimExpr(dim); });
  }

  /// Slots of one value everywhere: an op and no fill, since what a part does not write is read too.
  Value emitSlots(ArrayRef<unsigned> dims, double value) {
    SmallVector<OpFoldResult> sizes = {slots};
    for (unsigned dim : dims)
      sizes.push_back(extents[dim]);
    return def.compute({}, def.empty(sizes, f32), {b.getMultiDimIdentityMap(sizes.size())},
                       [&](DefinitionBuilder &d, ValueRange) { return d.constant(f32, value); });
  }

  // --- the parts by themselves

  /// An operand over the steps of all parts but the one that nobody waits for.
  Value sliceSteps(Value operand, AffineMap map) {
    std::optional<unsigned> place = map.getResultPosition(b.getAffineDimExpr(kTime));
    if (!place)
      return operand;
    SmallVector<OpFoldResult> sizes = extentsOfTensor(b, operand);
    SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0)), strides(sizes.size(), b.getIndexAttr(1));
    offsets[*place] = firstStep;
    sizes[*place] = stepCount;
    return tensor::ExtractSliceOp::create(b, loc, operand, offsets, sizes, strides);
  }

  /// One element for each of these steps: says how many there are.
  std::pair<Value, AffineMap> sliceTime() {
    for (unsigned operand : llvm::seq(op->getNumOperands())) {
      Value value = op->getOperand(operand);
      std::optional<unsigned> place = op.getIndexingMap(operand).getResultPosition(b.getAffineDimExpr(kTime));
      if (!place)
        continue;
      auto type = cast<RankedTensorType>(value.getType());
      OpFoldResult one = b.getIndexAttr(1);
      SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)), sizes(type.getRank(), one),
          strides(type.getRank(), one);
      offsets[*place] = firstStep;
      sizes[*place] = stepCount;
      std::optional<int64_t> known = getConstantIntValue(stepCount);
      auto vector = RankedTensorType::get({known.value_or(ShapedType::kDynamic)}, type.getElementType());
      Value steps = tensor::ExtractSliceOp::create(b, loc, vector, value, offsets, sizes, strides);
      return {steps, AffineMap::get(RecurrenceOp::NumDims, 0, b.getAffineDimExpr(kTime))};
    }
    llvm_unreachable("without steps there are no parts");
  }

  /// The step region over whole parts, which end in the slots; `change` alters its numbers.
  RecurrenceOp createParts(ValueRange inputs, ArrayRef<Attribute> inputMaps, ArrayRef<unsigned> taken,
                           ValueRange states, ArrayRef<unsigned> dims, function_ref<void(StepOp)> change) {
    SmallVector<Attribute> maps(inputMaps);
    SmallVector<AffineExpr> exprs = exprsOf(dims);
    exprs.insert(exprs.begin(), b.getAffineDimExpr(kTime).floorDiv(length) + (op.getReverse() ? 0 : 1));
    maps.append(states.size(), mapTo(exprs));
    auto created = RecurrenceOp::create(b, loc, states.getTypes(), inputs, /*reset=*/Value(), /*outputs=*/ValueRange(),
                                        states, b.getArrayAttr(maps), op.getReverse());
    IRMapping mapping;
    op.getStep().cloneInto(&created.getStep(), mapping);
    change(created.getStepOp());
    Block &body = created.getStep().front();
    SmallVector<Operation *> ops =
        llvm::map_to_vector(body.without_terminator(), [](Operation &inner) { return &inner; });
    for (Operation *inner : llvm::reverse(ops))
      if (isOpTriviallyDead(inner))
        inner->erase();
    for (unsigned argument = body.getNumArguments(); argument-- > 0;)
      if (!llvm::is_contained(taken, argument))
        body.eraseArgument(argument);
    for (unsigned extra = taken.size(); extra < inputs.size(); ++extra)
      body.addArgument(getElementTypeOrSelf(inputs[extra].getType()), loc);
    return created;
  }

  Slots emitAdded() {
    StepOp step = op.getStepOp();
    SmallVector<Value> numbers(step.getDecay());
    llvm::append_range(numbers, step.getKey());
    llvm::append_range(numbers, step.getValue());
    Slots added{{}, stateDims()};
    for (unsigned part = 0; part < (op.isComplex() ? 2 : 1); ++part)
      added.parts.push_back(emitSlots(added.dims, 0));
    SmallVector<Value> inputs;
    SmallVector<Attribute> maps;
    SmallVector<unsigned> taken = inputsBehind(op, numbers);
    bool hasTime = false;
    for (unsigned input : taken) {
      AffineMap map = op.getIndexingMap(input);
      inputs.push_back(sliceSteps(op.getInputs()[input], map));
      maps.push_back(AffineMapAttr::get(map));
      hasTime |= map.isFunctionOfDim(kTime);
    }
    if (!hasTime)
      appendTime(inputs, maps);
    // The query alone may have made S complex.
    RecurrenceOp parts = createParts(inputs, maps, taken, added.parts, added.dims, [&](StepOp own) {
      if (op.isComplex() && own.getValue().size() == 1)
        own.getValueMutable().append(zeroBefore(own));
      own.getQueryMutable().clear();
    });
    added.parts.assign(parts.result_begin(), parts.result_end());
    return added;
  }

  void appendTime(SmallVector<Value> &inputs, SmallVector<Attribute> &maps) {
    auto [steps, map] = sliceTime();
    inputs.push_back(steps);
    maps.push_back(AffineMapAttr::get(map));
  }

  Value zeroBefore(StepOp step) {
    OpBuilder inner(step);
    return DefinitionBuilder(inner, loc).constant(f32, 0);
  }

  /// Products of the decays of a part, which are as many as the decays depend on n and e; none without decays.
  Slots emitFactors() {
    StepOp step = op.getStepOp();
    if (step.getDecay().empty())
      return {};
    SmallVector<unsigned> taken = inputsBehind(op, step.getDecay());
    auto isRead = [&](unsigned dim) {
      return llvm::any_of(taken, [&](unsigned input) { return op.getIndexingMap(input).isFunctionOfDim(dim); });
    };
    Slots factors;
    for (unsigned dim : stateDims()) // heads come with n, see collapse
      if (isRead(dim) || (dim == RecurrenceOp::Head && isRead(kKey)))
        factors.dims.push_back(dim);
    for (unsigned part = 0; part < step.getDecay().size(); ++part)
      factors.parts.push_back(emitSlots(factors.dims, part == 0 ? 1 : 0));
    // What depends on n alone takes its place in lanes, as e.
    bool turns = isRead(kKey) && !isRead(kValue);
    SmallVector<AffineExpr> place = exprsOf(llvm::to_vector(llvm::seq<unsigned>(RecurrenceOp::NumDims)));
    if (turns)
      place[kKey] = b.getAffineDimExpr(kValue);
    SmallVector<Value> inputs;
    SmallVector<Attribute> maps;
    for (unsigned input : taken) {
      AffineMap map = op.getIndexingMap(input);
      inputs.push_back(sliceSteps(op.getInputs()[input], map));
      maps.push_back(AffineMapAttr::get(map.replaceDimsAndSymbols(place, {}, RecurrenceOp::NumDims, 0)));
    }
    if (!isRead(kTime))
      appendTime(inputs, maps);
    SmallVector<unsigned> dims = factors.dims;
    if (turns)
      llvm::replace(dims, kKey, kValue);
    RecurrenceOp parts = createParts(inputs, maps, taken, factors.parts, dims, [&](StepOp own) {
      own.getQueryMutable().clear();
      own.getKeyMutable().clear();
      own.getValueMutable().assign(zeroBefore(own));
    });
    factors.parts.assign(parts.result_begin(), parts.result_end());
    return factors;
  }

  // --- S before each part

  /// Where the op has both, h and n are one dimension to the combination: heads of it, each with an S of one row.
  /// `leading` dimensions come before.
  SmallVector<ReassociationIndices> groups(ArrayRef<unsigned> dims, int64_t leading) {
    SmallVector<ReassociationIndices> result;
    for (int64_t place = 0; place < leading; ++place)
      result.push_back({place});
    for (auto [place, dim] : llvm::enumerate(dims))
      if (dim == kKey && has(RecurrenceOp::Head))
        result.back().push_back(leading + place);
      else
        result.push_back({leading + int64_t(place)});
    return result;
  }

  Value collapse(Value value, ArrayRef<ReassociationIndices> reassociation) {
    if (int64_t(reassociation.size()) == cast<ShapedType>(value.getType()).getRank())
      return value;
    return tensor::CollapseShapeOp::create(b, loc, value, reassociation);
  }

  /// How slots, without h and n apart, are indexed in the combination, whose time goes over slots.
  Attribute combinedMap(const Slots &of) {
    SmallVector<AffineExpr> exprs = {b.getAffineDimExpr(kTime)};
    bool hasKey = llvm::is_contained(of.dims, kKey);
    for (unsigned dim : of.dims) {
      AffineExpr head = b.getAffineDimExpr(RecurrenceOp::Head);
      if (dim == RecurrenceOp::Head && hasKey)
        continue;
      if (dim == RecurrenceOp::Head && has(kKey)) // the same for all n
        exprs.push_back(head.floorDiv(op.getStaticExtents()[kKey]));
      else
        exprs.push_back(dim == kKey ? head : b.getAffineDimExpr(dim));
    }
    return mapTo(exprs);
  }

  Slots emitCombined(const Slots &added, const Slots &factors) {
    SmallVector<Value> inputs, outputs, states;
    SmallVector<Attribute> maps;
    for (const Slots *of : {&added, &factors})
      for (Value part : of->parts) {
        inputs.push_back(collapse(part, groups(of->dims, 1)));
        maps.push_back(combinedMap(*of));
      }
    for (Value input : ArrayRef(inputs).take_front(added.parts.size())) {
      outputs.push_back(def.empty(extentsOfTensor(b, input), f32));
      maps.push_back(combinedMap(added));
    }
    for (auto [index, state] : llvm::enumerate(op.getStates())) {
      states.push_back(emitInitial(state, op.getIndexingMap(op.getFirstState() + index)));
      maps.push_back(mapTo(cast<AffineMapAttr>(combinedMap(added)).getValue().getResults().drop_front()));
    }
    SmallVector<Value> inits(outputs);
    llvm::append_range(inits, states);
    auto combined = RecurrenceOp::create(b, loc, ValueRange(inits).getTypes(), inputs, /*reset=*/Value(), outputs,
                                         states, b.getArrayAttr(maps), op.getReverse());
    emitCombination(combined, added.parts.size());
    Slots before{{}, added.dims};
    for (Value result : combined.getResults().take_front(outputs.size()))
      before.parts.push_back(expand(result, added.parts[before.parts.size()], groups(added.dims, 1)));
    return before;
  }

  /// S after a part = its decays · S before it + what it adds.
  void emitCombination(RecurrenceOp combined, unsigned parts) {
    OpBuilder::InsertionGuard guard(b);
    SmallVector<Type> types(combined.getInputs().size(), f32);
    SmallVector<Location> places(types.size(), loc);
    Block *step = b.createBlock(&combined.getStep(), {}, types, places);
    ValueRange arguments = step->getArguments();
    StepOp::create(b, loc, ValueRange(), ValueRange(), arguments.take_front(parts), arguments.drop_front(parts),
                   ValueRange());
    if (parts == 1)
      return;
    types.insert(types.begin(), parts, f32);
    places.assign(types.size(), loc);
    Block *output = b.createBlock(&combined.getOutput(), {}, types, places);
    YieldOp::create(b, loc, output->getArguments().take_front(parts));
  }

  /// A copy of slots in the shape of others: a view must not be written.
  Value expand(Value value, Value like, ArrayRef<ReassociationIndices> reassociation) {
    if (value.getType() == like.getType())
      return value;
    SmallVector<OpFoldResult> sizes = extentsOfTensor(b, like);
    Value view = tensor::ExpandShapeOp::create(b, loc, like.getType(), value, reassociation, sizes);
    return linalg::CopyOp::create(b, loc, view, def.empty(sizes, f32)).getResult(0);
  }

  /// The elements of `from` in the places of `to`; both maps are over the dimensions of a state, in order.
  Value copy(Value from, AffineMap fromMap, Value to, AffineMap toMap) {
    if (fromMap.isIdentity() && toMap.isIdentity()) // a named op, which no pattern takes for nothing
      return linalg::CopyOp::create(b, loc, from, to).getResult(0);
    return def.compute(from, to, {fromMap, toMap}, [](DefinitionBuilder &, ValueRange e) -> Value { return e[0]; });
  }

  /// A state's map over the dimensions of a state.
  AffineMap overStateDims(AffineMap map) {
    SmallVector<AffineExpr> place(RecurrenceOp::NumDims, b.getAffineConstantExpr(0));
    SmallVector<unsigned> dims = stateDims();
    for (auto [position, dim] : llvm::enumerate(dims))
      place[dim] = b.getAffineDimExpr(position);
    return map.replaceDimsAndSymbols(place, {}, dims.size(), 0);
  }

  /// A copy of a state before all parts, as the combination starts from it.
  Value emitInitial(Value state, AffineMap map) {
    SmallVector<unsigned> dims = stateDims();
    SmallVector<OpFoldResult> sizes = llvm::map_to_vector(dims, [&](unsigned dim) { return extents[dim]; });
    Value ordered = copy(state, overStateDims(map), def.empty(sizes, f32), b.getMultiDimIdentityMap(dims.size()));
    return collapse(ordered, groups(dims, 0));
  }

  // --- all again

  RecurrenceOp emitAll(const Slots &before) {
    SmallVector<AffineExpr> exprs = exprsOf(before.dims);
    exprs.insert(exprs.begin(), b.getAffineDimExpr(kTime).floorDiv(length));
    SmallVector<Attribute> maps(op.getIndexingMaps().getValue().take_front(op.getFirstState()));
    maps.append(before.parts.size(), mapTo(exprs));
    SmallVector<Value> inits(op.getOutputs());
    llvm::append_range(inits, before.parts);
    auto all = RecurrenceOp::create(b, loc, ValueRange(inits).getTypes(), op.getInputs(), /*reset=*/Value(),
                                    op.getOutputs(), before.parts, b.getArrayAttr(maps), op.getReverse());
    all.getStep().takeBody(op.getStep());
    all.getOutput().takeBody(op.getOutput());
    return all;
  }

  /// The slot that time ends in, written to the state.
  Value emitFinal(Value slotsAfter, Value state, AffineMap map) {
    auto type = cast<RankedTensorType>(slotsAfter.getType());
    SmallVector<OpFoldResult> sizes = extentsOfTensor(b, slotsAfter);
    SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0)), strides(sizes.size(), b.getIndexAttr(1));
    offsets[0] = op.getReverse() ? OpFoldResult(b.getIndexAttr(0)) : last;
    sizes[0] = b.getIndexAttr(1);
    auto one = RankedTensorType::get(type.getShape().drop_front(), f32);
    Value slot = tensor::ExtractSliceOp::create(b, loc, one, slotsAfter, offsets, sizes, strides);
    return copy(slot, b.getMultiDimIdentityMap(one.getRank()), state, overStateDims(map));
  }

  RecurrenceOp op;
  int64_t length;
  OpBuilder &b;
  DefinitionBuilder def;
  Location loc;
  Type f32;
  SmallVector<OpFoldResult> extents;              ///< null where no operand is indexed
  OpFoldResult slots, last, firstStep, stepCount; ///< of the parts that others wait for
};

struct SplitRecurrencePass : impl::SplitRecurrenceBase<SplitRecurrencePass> {
  void runOnOperation() override {
    SmallVector<RecurrenceOp> ops;
    getOperation()->walk([&](RecurrenceOp op) { ops.push_back(op); });
    for (RecurrenceOp op : ops) {
      PartsMatch match = matchParts(op);
      if (!match.obstacle.empty())
        remark::missed(op.getLoc(), remark::RemarkOpts::name("one-piece").category("weft-split-recurrence"))
            << "the time stays in one piece: " + match.obstacle;
      if (!match.plan)
        continue;
      remark::passed(op.getLoc(), remark::RemarkOpts::name("parts").category("weft-split-recurrence"))
          << llvm::formatv("parts of {0} steps run beside one another, with {1:F2} times the work in all",
                           match.plan->length, match.plan->work)
                 .str();
      OpBuilder builder(op);
      op->replaceAllUsesWith(PartsEmitter(op, match.plan->length, builder).emit());
      op.erase();
    }
  }
};

} // namespace
} // namespace weft
