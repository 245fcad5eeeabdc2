// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementwise ops before and after a recurrence, and after a convolution over time → ops of its regions:
//   %v = generic exp(%d);  %y = weft.recurrence ins(%x, %v) …;  %z = generic %y · %g
// becomes
//   %z = weft.recurrence ins(%x, %d, %g) … step { exp … } output { mulf … }
// so that what they compute exists in registers only. What depends on fewer dimensions is computed less often there.
#include "lowering/fuse/Passes.h"

#include "dialects/weft/RecurrenceOps.h"
#include "dialects/weft/SequenceOps.h"
#include "lowering/analysis/FusionCost.h"
#include "lowering/analysis/KernelGroups.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

namespace weft {
#define GEN_PASS_DEF_ABSORBELEMENTWISE
#include "lowering/fuse/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// An operand with its map over the dimensions of the op that absorbs.
struct Operand {
  Value value;
  AffineMap map;
};

/// An elementwise op whose body can stand in a region.
bool isAbsorbable(linalg::GenericOp op) {
  return op && isElementwise(op) && op.getMatchingBlockArgument(op.getDpsInitOperand(0)).use_empty() &&
         llvm::all_of(op.getBody()->without_terminator(), [](Operation &inner) {
           return OpTrait::hasElementwiseMappableTraits(&inner) || inner.hasTrait<OpTrait::ConstantLike>();
         });
}

/// The maps of an op's tensor inputs after `loops`, which gives its loops; fails where an index is none of `loops`.
FailureOr<SmallVector<Operand>> operandsThrough(linalg::GenericOp op, AffineMap loops, Value except) {
  SmallVector<Operand> operands;
  for (OpOperand *input : op.getDpsInputOperands()) {
    if (input->get() == except)
      continue;
    if (!isa<RankedTensorType>(input->get().getType()))
      return failure();
    AffineMap map = op.getMatchingIndexingMap(input);
    if (!map.isProjectedPermutation())
      return failure();
    operands.push_back({input->get(), map.compose(loops)});
  }
  return operands;
}

/// Copies the body with its arguments replaced; returns what it yields.
Value inlineBody(OpBuilder &b, linalg::GenericOp op, Value instead, Value replacement, ValueRange elements) {
  IRMapping mapping;
  for (OpOperand *input : op.getDpsInputOperands()) {
    Value value = replacement;
    if (!instead || input->get() != instead) {
      value = elements.front();
      elements = elements.drop_front();
    }
    mapping.map(op.getMatchingBlockArgument(input), value);
  }
  for (Operation &inner : op.getBody()->without_terminator())
    b.clone(inner, mapping);
  return mapping.lookupOrDefault(op.getBody()->getTerminator()->getOperand(0));
}

SmallVector<Value> addArguments(Region &region, ArrayRef<Operand> operands) {
  SmallVector<Value> arguments;
  for (const Operand &operand : operands)
    arguments.push_back(region.front().addArgument(getElementTypeOrSelf(operand.value.getType()), region.getLoc()));
  return arguments;
}

//===----------------------------------------------------------------------===//
// What computes an input
//===----------------------------------------------------------------------===//

struct ProducerPlan {
  RecurrenceOp op;
  unsigned input;
  linalg::GenericOp producer;
  SmallVector<Operand> operands;
};

/// Whether the producer would be the epilogue of a product, where it costs nothing.
bool followsProduct(linalg::GenericOp producer) {
  return llvm::any_of(producer.getDpsInputs(), [](Value value) {
    Operation *op = value.getDefiningOp();
    while (op && isView(op))
      op = op->getOperand(0).getDefiningOp();
    return op && (isProduct(op) || isa<linalg::MatmulOp>(op));
  });
}

/// `reported` are the producers of which a remark has said that they stay outside: each change looks at all again.
FailureOr<ProducerPlan> planProducer(RecurrenceOp op, unsigned input, DenseSet<Operation *> &reported) {
  Value value = op.getInputs()[input];
  auto producer = value.getDefiningOp<linalg::GenericOp>();
  if (!isAbsorbable(producer) || !value.hasOneUse() || followsProduct(producer))
    return failure();
  AffineMap loops = op.getIndexingMap(input);
  FusionEstimate estimate = estimateAbsorption(producer, op, loops);
  if (!estimate.pays()) {
    if (reported.insert(producer).second)
      remark::missed(producer->getLoc(),
                     remark::RemarkOpts::name("outside-recurrence").category("weft-absorb-elementwise"))
          << "in the recurrence: " << estimate.text();
    return failure();
  }
  FailureOr<SmallVector<Operand>> operands = operandsThrough(producer, loops, Value());
  if (failed(operands))
    return failure();
  return ProducerPlan{op, input, producer, *operands};
}

/// The op with these inputs and maps beside its own; `outputs` and their maps replace its own where given.
RecurrenceOp rebuild(RewriterBase &b, RecurrenceOp op, ArrayRef<Operand> more, unsigned changed = 0,
                     std::optional<Operand> output = std::nullopt) {
  SmallVector<Value> inputs(op.getInputs()), outputs(op.getOutputs());
  SmallVector<Attribute> maps(op.getIndexingMaps().getValue());
  for (auto [index, operand] : llvm::enumerate(more)) {
    maps.insert(maps.begin() + inputs.size(), AffineMapAttr::get(operand.map));
    inputs.push_back(operand.value);
  }
  SmallVector<Type> types(op->getResultTypes());
  if (output) {
    outputs[changed] = output->value;
    types[changed] = output->value.getType();
    maps[maps.size() - op.getOutputs().size() - op.getStates().size() + changed] = AffineMapAttr::get(output->map);
  }
  auto created = RecurrenceOp::create(b, op.getLoc(), types, inputs, op.getReset(), outputs, op.getStates(),
                                      b.getArrayAttr(maps), op.getReverse());
  b.inlineRegionBefore(op.getStep(), created.getStep(), created.getStep().end());
  b.inlineRegionBefore(op.getOutput(), created.getOutput(), created.getOutput().end());
  return created;
}

void applyProducer(RewriterBase &b, const ProducerPlan &plan) {
  RecurrenceOp old = plan.op;
  b.setInsertionPoint(old);
  RecurrenceOp op = rebuild(b, old, plan.operands);
  b.replaceOp(old, op->getResults());
  unsigned leading = op.isComplex() ? 2 : 1;
  std::pair<Region *, unsigned> regions[] = {{&op.getStep(), 0}, {&op.getOutput(), leading}};
  for (auto [region, first] : regions) {
    if (region->empty())
      continue;
    SmallVector<Value> elements = addArguments(*region, plan.operands);
    BlockArgument argument = region->getArgument(first + plan.input);
    if (argument.use_empty())
      continue;
    b.setInsertionPointToStart(&region->front());
    argument.replaceAllUsesWith(inlineBody(b, plan.producer, Value(), Value(), elements));
  }
  op.eraseInput(plan.input);
  b.eraseOp(plan.producer);
}

//===----------------------------------------------------------------------===//
// What reads an output
//===----------------------------------------------------------------------===//

struct ReaderPlan {
  Operation *op;
  unsigned result;
  linalg::GenericOp reader;
  SmallVector<Operand> operands; ///< that the reader has beside the result
  AffineMap loops;               ///< from the op's dimensions to the reader's loops
};

/// `out` maps the op's dimensions to the result's.
FailureOr<ReaderPlan> planReader(Operation *op, unsigned result, AffineMap out) {
  Value value = op->getResult(result);
  auto reader = value.use_empty() ? linalg::GenericOp() : dyn_cast<linalg::GenericOp>(*value.user_begin());
  if (!isAbsorbable(reader) || llvm::any_of(value.getUsers(), [&](Operation *user) { return user != reader; }))
    return failure();
  auto element = dyn_cast<FloatType>(getElementTypeOrSelf(reader.getResultTypes().front()));
  if (!element || element.getWidth() > 32)
    return failure();
  // The op moves to its reader: what else it computes must not be read before.
  for (Operation *user : op->getUsers())
    if (user != reader && (user->getBlock() != reader->getBlock() || user->isBeforeInBlock(reader)))
      return failure();
  std::optional<AffineMap> map;
  for (OpOperand *input : reader.getDpsInputOperands())
    if (input->get() == value) {
      AffineMap read = reader.getMatchingIndexingMap(input);
      if (!read.isPermutation() || (map && *map != read))
        return failure();
      map = read;
    }
  if (!map)
    return failure();
  AffineMap loops = inversePermutation(*map).compose(out);
  FailureOr<SmallVector<Operand>> operands = operandsThrough(reader, loops, value);
  if (failed(operands))
    return failure();
  return ReaderPlan{op, result, reader, *operands, loops};
}

/// The body of the reader at the end of an output region, after what yields `index`.
void inlineReader(RewriterBase &b, const ReaderPlan &plan, Region &region, unsigned index) {
  SmallVector<Value> elements = addArguments(region, plan.operands);
  Operation *yield = region.front().getTerminator();
  b.setInsertionPoint(yield);
  Value value = plan.op->getResult(plan.result);
  yield->setOperand(index, inlineBody(b, plan.reader, value, yield->getOperand(index), elements));
}

/// An output region that yields its first argument as a number of the destination's type.
void createOutput(RewriterBase &b, Region &region, ArrayRef<Type> arguments, Type element) {
  SmallVector<Location> places(arguments.size(), region.getLoc());
  Block *block = b.createBlock(&region, {}, arguments, places);
  Value value = block->getArgument(0);
  if (element != value.getType())
    value = arith::TruncFOp::create(b, region.getLoc(), element, value);
  YieldOp::create(b, region.getLoc(), value);
}

void applyReader(RewriterBase &b, RecurrenceOp old, const ReaderPlan &plan) {
  linalg::GenericOp reader = plan.reader;
  b.setInsertionPoint(reader);
  Value value = old->getResult(plan.result);
  SmallVector<Type> inputs(old.getInputs().getTypes());
  RecurrenceOp op = rebuild(b, old, plan.operands, plan.result, Operand{reader.getDpsInits()[0], plan.loops});
  addArguments(op.getStep(), plan.operands);
  if (op.getOutput().empty()) {
    SmallVector<Type> arguments(op.isComplex() ? 2 : 1, b.getF32Type());
    llvm::append_range(arguments, inputs);
    for (Type &type : arguments)
      type = getElementTypeOrSelf(type);
    createOutput(b, op.getOutput(), arguments, getElementTypeOrSelf(value.getType()));
  }
  inlineReader(b, plan, op.getOutput(), plan.result);
  for (auto [index, result] : llvm::enumerate(old->getResults()))
    if (index != plan.result)
      b.replaceAllUsesWith(result, op->getResult(index));
  b.replaceOp(reader, op->getResult(plan.result));
  b.eraseOp(old);
}

void applyReader(RewriterBase &b, CausalConvOp old, const ReaderPlan &plan) {
  linalg::GenericOp reader = plan.reader;
  b.setInsertionPoint(reader);
  SmallVector<Value> extras(old.getExtras());
  SmallVector<Attribute> maps;
  if (old.getExtraMaps())
    llvm::append_range(maps, old.getExtraMaps()->getValue());
  for (const Operand &operand : plan.operands) {
    extras.push_back(operand.value);
    maps.push_back(AffineMapAttr::get(operand.map));
  }
  SmallVector<Type> types(old->getResultTypes());
  Value init = reader.getDpsInits()[0];
  types[0] = init.getType();
  auto op = CausalConvOp::create(b, old.getLoc(), types, old.getInput(), old.getWeight(), old.getBias(), extras,
                                 old.getReset(), old.getFrom(), init, old.getState(),
                                 maps.empty() ? ArrayAttr() : b.getArrayAttr(maps), old.getReverseAttr());
  b.inlineRegionBefore(old.getOutput(), op.getOutput(), op.getOutput().end());
  if (op.getOutput().empty())
    createOutput(b, op.getOutput(), b.getF32Type(), getElementTypeOrSelf(old.getInit().getType()));
  inlineReader(b, plan, op.getOutput(), 0);
  if (old->getNumResults() > 1)
    b.replaceAllUsesWith(old->getResult(1), op->getResult(1));
  b.replaceOp(reader, op->getResult(0));
  b.eraseOp(old);
}

struct AbsorbElementwisePass : impl::AbsorbElementwiseBase<AbsorbElementwisePass> {
  void runOnOperation() override {
    if (!isFusionOn(getOperation()))
      return;
    reported.clear();
    // Each change makes a new op, which is looked at again.
    while (absorbOne())
      ;
  }

  bool absorbOne() {
    IRRewriter rewriter(&getContext());
    WalkResult changed = getOperation()->walk([&](Operation *op) {
      bool done = false;
      if (auto recurrence = dyn_cast<RecurrenceOp>(op))
        done = absorb(rewriter, recurrence);
      else if (auto conv = dyn_cast<CausalConvOp>(op))
        done = absorb(rewriter, conv);
      return done ? WalkResult::interrupt() : WalkResult::advance();
    });
    return changed.wasInterrupted();
  }

  bool absorb(RewriterBase &rewriter, RecurrenceOp op) {
    if (!op.hasPureTensorSemantics())
      return false;
    for (unsigned input : llvm::seq(op.getInputs().size()))
      if (FailureOr<ProducerPlan> plan = planProducer(op, input, reported); succeeded(plan)) {
        applyProducer(rewriter, *plan);
        return true;
      }
    for (unsigned output : llvm::seq(op.getOutputs().size()))
      if (FailureOr<ReaderPlan> plan = planReader(op, output, op.getIndexingMap(op.getFirstOutput() + output));
          succeeded(plan)) {
        applyReader(rewriter, op, *plan);
        return true;
      }
    return false;
  }

  DenseSet<Operation *> reported;

  bool absorb(RewriterBase &rewriter, CausalConvOp op) {
    if (!op.hasPureTensorSemantics())
      return false;
    FailureOr<ReaderPlan> plan = planReader(op, 0, rewriter.getMultiDimIdentityMap(CausalConvOp::NumDims));
    if (failed(plan))
      return false;
    applyReader(rewriter, op, *plan);
    return true;
  }
};

} // namespace
} // namespace weft
