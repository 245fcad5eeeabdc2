// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The constraints of recurrence and step (docs/spec.md).
#include "dialects/weft/RecurrenceOps.h"

#include "dialects/weft/CastFolding.h"
#include "dialects/weft/StructuredOp.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace weft;

static constexpr StringLiteral kDimNames = "bhtne";

MutableOperandRange RecurrenceOp::getDpsInitsMutable() {
  unsigned inits = getOutputs().size() + getStates().size();
  return MutableOperandRange(*this, getNumOperands() - inits, inits);
}

StepOp RecurrenceOp::getStepOp() { return cast<StepOp>(getStep().front().getTerminator()); }

bool RecurrenceOp::isComplex() {
  StepOp step = getStepOp();
  return llvm::any_of(
      ArrayRef<size_t>{step.getQuery().size(), step.getKey().size(), step.getValue().size(), step.getDecay().size()},
      [](size_t numbers) { return numbers == 2; });
}

//===----------------------------------------------------------------------===//
// Indexing maps
//===----------------------------------------------------------------------===//

std::optional<int64_t> weft::headGroupOf(AffineExpr expr) { return divisorOf(expr, RecurrenceOp::Head); }

std::optional<PartIndex> weft::partIndexOf(AffineExpr expr) {
  int64_t shift = 0;
  auto sum = dyn_cast<AffineBinaryOpExpr>(expr);
  if (sum && sum.getKind() == AffineExprKind::Add && sum.getRHS() == getAffineConstantExpr(1, expr.getContext()))
    expr = sum.getLHS(), shift = 1;
  if (std::optional<int64_t> length = divisorOf(expr, RecurrenceOp::Time))
    return PartIndex{*length, shift};
  return std::nullopt;
}

/// The index by parts of a state's map.
static std::optional<PartIndex> partIndexIn(AffineMap map) {
  for (AffineExpr expr : map.getResults())
    if (std::optional<PartIndex> part = partIndexOf(expr))
      return part;
  return std::nullopt;
}

std::optional<int64_t> RecurrenceOp::getPartLength() {
  if (getStates().empty())
    return std::nullopt;
  std::optional<PartIndex> part = partIndexIn(getIndexingMap(getFirstState()));
  return part ? std::optional(part->length) : std::nullopt;
}

namespace {
/// What an operand is called, and the dimensions that may index it.
struct MapRule {
  std::string operand;
  StringRef allowed;
  bool isInit;  ///< indexed by all of these that the op has, and never by a group of heads
  bool isState; ///< may be indexed by parts of the time
};
} // namespace

static MapRule ruleOf(RecurrenceOp op, unsigned operand) {
  if (operand < op.getInputs().size())
    return {"input " + std::to_string(operand), kDimNames, false, false};
  if (operand < op.getFirstOutput())
    return {"reset", "bt", false, false}; // recurrence_c4
  if (operand < op.getFirstState())
    return {"output " + std::to_string(operand - op.getFirstOutput()), "bhte", true, false}; // recurrence_c5
  return {"state " + std::to_string(operand - op.getFirstState()), "bhne", true, true};      // recurrence_c6
}

/// The dimensions that operands are indexed by.
static std::string dimensionsOf(RecurrenceOp op) {
  std::string dims;
  for (unsigned operand : llvm::seq(op->getNumOperands()))
    for (AffineExpr expr : op.getIndexingMap(operand).getResults())
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        dims += kDimNames[dim.getPosition()];
      else if (!partIndexOf(expr))
        dims += 'h';
  return dims;
}

static LogicalResult verifyForm(RecurrenceOp op, unsigned operand) {
  AffineMap map = op.getIndexingMap(operand);
  auto type = cast<ShapedType>(op->getOperand(operand).getType());
  MapRule rule = ruleOf(op, operand);
  if (map.getNumDims() != RecurrenceOp::NumDims || map.getNumSymbols() != 0 ||
      int64_t(map.getNumResults()) != type.getRank())
    return op.emitOpError("indexing map of ") << rule.operand << " must map (b, h, t, n, e) to " << type.getRank()
                                              << " indices, is " << AffineMapAttr::get(map); // recurrence_c2
  std::string seen;
  for (AffineExpr expr : map.getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    bool isGroup = !rule.isInit && headGroupOf(expr), isPart = rule.isState && partIndexOf(expr);
    char name = dim ? kDimNames[dim.getPosition()] : isPart ? 't' : 'h';
    bool isKnown = dim ? rule.allowed.contains(name) : isPart || (isGroup && rule.allowed.contains(name));
    if (!isKnown || StringRef(seen).contains(name))
      return op.emitOpError("indexing map of ")
             << rule.operand << " must consist of different dimensions of (" << rule.allowed << ")"
             << (rule.isState  ? ", or of t floordiv a positive length"
                 : rule.isInit ? ""
                               : ", or of h floordiv a positive group")
             << ", is " << AffineMapAttr::get(map); // recurrence_c3
    seen += name;
  }
  return success();
}

static LogicalResult verifyParts(RecurrenceOp op) {
  for (unsigned state = op.getFirstState(); state < op->getNumOperands(); ++state) {
    AffineMap first = op.getIndexingMap(op.getFirstState()), map = op.getIndexingMap(state);
    std::optional<PartIndex> part = partIndexIn(map), wanted = partIndexIn(first);
    if (part.has_value() != wanted.has_value() ||
        (part && (part->length != wanted->length || part->shift != wanted->shift)))
      return op.emitOpError("indexing map of state ")
             << state - op.getFirstState() << " must cut the time as state 0 does, is "
             << AffineMapAttr::get(map); // recurrence_c16
  }
  return success();
}

static LogicalResult verifyMaps(RecurrenceOp op) {
  if (op.getIndexingMaps().size() != op->getNumOperands())
    return op.emitOpError("needs an indexing map for each of its ")
           << op->getNumOperands() << " operands, has " << op.getIndexingMaps().size(); // recurrence_c1
  for (unsigned operand : llvm::seq(op->getNumOperands()))
    if (failed(verifyForm(op, operand)))
      return failure();
  std::string dims = dimensionsOf(op);
  for (unsigned operand = op.getFirstOutput(); operand < op->getNumOperands(); ++operand) {
    MapRule rule = ruleOf(op, operand);
    for (char name : rule.allowed)
      if (StringRef(dims).contains(name) && !op.getIndexingMap(operand).isFunctionOfDim(kDimNames.find(name)))
        return op.emitOpError("indexing map of ")
               << rule.operand << " must have each of (" << rule.allowed << ") that another operand has, lacks "
               << std::string(1, name); // recurrence_c5, recurrence_c6
  }
  return verifyParts(op);
}

SmallVector<int64_t> RecurrenceOp::getStaticExtents() {
  SmallVector<int64_t> extents(NumDims, 1);
  SmallVector<bool> known(NumDims, false);
  for (unsigned operand : llvm::seq(getNumOperands())) {
    auto type = cast<ShapedType>(getOperand(operand).getType());
    for (auto [expr, extent] : llvm::zip_equal(getIndexingMap(operand).getResults(), type.getShape())) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim || known[dim.getPosition()])
        continue;
      extents[dim.getPosition()] = extent;
      known[dim.getPosition()] = !ShapedType::isDynamic(extent);
    }
  }
  return extents;
}

/// A state has a slot for each part.
static LogicalResult verifySlots(RecurrenceOp op, unsigned operand, PartIndex part, int64_t slots) {
  int64_t steps = op.getStaticExtents()[RecurrenceOp::Time];
  if (ShapedType::isDynamic(steps) || ShapedType::isDynamic(slots))
    return success();
  int64_t least = llvm::divideCeil(steps, part.length) + part.shift;
  if (slots >= least)
    return success();
  return op.emitOpError("dimension of parts of ")
         << ruleOf(op, operand).operand << " must be at least " << least << ", is " << slots; // recurrence_c7
}

static LogicalResult verifyExtents(RecurrenceOp op) {
  SmallVector<int64_t> extents = op.getStaticExtents();
  for (unsigned operand : llvm::seq(op->getNumOperands())) {
    auto type = cast<ShapedType>(op->getOperand(operand).getType());
    for (auto [expr, extent] : llvm::zip_equal(op.getIndexingMap(operand).getResults(), type.getShape())) {
      if (std::optional<PartIndex> part = partIndexOf(expr)) {
        if (failed(verifySlots(op, operand, *part, extent)))
          return failure();
        continue;
      }
      auto dim = dyn_cast<AffineDimExpr>(expr);
      unsigned position = dim ? dim.getPosition() : unsigned(RecurrenceOp::Head);
      int64_t wanted = extents[position];
      if (!dim && !ShapedType::isDynamic(wanted))
        wanted = llvm::divideCeil(wanted, *headGroupOf(expr));
      if (!extentsAgree(wanted, extent))
        return op.emitOpError("dimension ")
               << kDimNames.substr(position, 1) << " of " << ruleOf(op, operand).operand << " must be " << wanted
               << " as in another operand, is " << extent; // recurrence_c7
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Element types and regions
//===----------------------------------------------------------------------===//

static LogicalResult verifyElementTypes(RecurrenceOp op) {
  for (Type type : op.getInputs().getTypes())
    if (Type element = getElementTypeOrSelf(type); !element.isIntOrFloat() || element.getIntOrFloatBitWidth() > 64)
      return op.emitOpError("inputs must hold integers or floats, got ") << type; // recurrence_c8
  if (op.getReset() && !isa<IntegerType>(getElementTypeOrSelf(op.getReset().getType())))
    return op.emitOpError("reset must hold integers, got ") << op.getReset().getType(); // recurrence_c8
  for (Type type : op.getOutputs().getTypes())
    if (Type element = getElementTypeOrSelf(type); !isa<FloatType>(element) || element.getIntOrFloatBitWidth() > 32)
      return op.emitOpError("outputs must hold floats of at most 32 bits, got ") << type; // recurrence_c8
  for (Type type : op.getStates().getTypes())
    if (!getElementTypeOrSelf(type).isF32())
      return op.emitOpError("a state must hold f32, got ") << type; // recurrence_c8
  return success();
}

static LogicalResult verifyPure(RecurrenceOp op, Region &region, StringRef name) {
  for (Operation &inner : region.front())
    if (!isPure(&inner))
      return op.emitOpError() << name << " region must be pure, has " << inner.getName(); // recurrence_c9
  return success();
}

static LogicalResult verifyArguments(RecurrenceOp op, Region &region, StringRef name, unsigned leading) {
  SmallVector<Type> wanted(leading, Float32Type::get(op.getContext()));
  for (Type type : op.getInputs().getTypes())
    wanted.push_back(getElementTypeOrSelf(type));
  if (region.getArgumentTypes() == TypeRange(wanted))
    return verifyPure(op, region, name);
  return op.emitOpError() << name << " region must take (" << wanted << "), takes (" << region.getArgumentTypes()
                          << ")"; // recurrence_c10, recurrence_c11
}

/// Without an output region the real part of o is the one output, if any.
static LogicalResult verifyOutput(RecurrenceOp op) {
  Region &region = op.getOutput();
  if (region.empty()) {
    if (op.getOutputs().size() <= 1)
      return success();
    return op.emitOpError("without an output region there must be at most one output, has ")
           << op.getOutputs().size(); // recurrence_c11
  }
  unsigned parts = op.isComplex() ? 2 : 1;
  if (failed(verifyArguments(op, region, "output", parts)))
    return failure();
  SmallVector<Type> wanted;
  for (Type type : op.getOutputs().getTypes())
    wanted.push_back(getElementTypeOrSelf(type));
  Operation *terminator = region.front().empty() ? nullptr : &region.front().back();
  if (!isa_and_present<YieldOp>(terminator) || terminator->getOperandTypes() != TypeRange(wanted))
    return op.emitOpError("output region must yield (") << wanted << ")"; // recurrence_c11
  for (unsigned input : llvm::seq(op.getInputs().size()))
    if (op.getIndexingMap(input).isFunctionOfDim(RecurrenceOp::Key) && !region.getArgument(parts + input).use_empty())
      return op.emitOpError("output region must not read input ")
             << input << ", which is indexed by n: an output has no n"; // recurrence_c12
  return success();
}

LogicalResult RecurrenceOp::verify() {
  if (failed(verifyMaps(*this)) || failed(verifyExtents(*this)) || failed(verifyElementTypes(*this)))
    return failure();
  if (getStep().front().empty() || !isa<StepOp>(getStep().front().back()))
    return emitOpError("step region must end with weft.step"); // recurrence_c10
  if (failed(verifyArguments(*this, getStep(), "step", 0)) || failed(verifyOutput(*this)))
    return failure();
  if (getOutputs().empty() && getStates().empty())
    return emitOpError("needs an output or a state"); // recurrence_c17
  bool complex = isComplex();
  if (complex && !getStepOp().getLowRank().empty())
    return emitOpError(
        "low_rank is for real states: query, key, value and decay must be one number each"); // recurrence_c13
  unsigned parts = complex ? 2 : 1;
  if (!getStates().empty() && getStates().size() != parts)
    return emitOpError("needs ") << parts << " state operands for a " << (complex ? "complex" : "real")
                                 << " state, or none, has " << getStates().size(); // recurrence_c14
  return verifyStorage(*this);                                                     // recurrence_c15
}

LogicalResult StepOp::verify() {
  for (auto [name, numbers] : {std::pair<StringRef, OperandRange>("query", getQuery()),
                               {"key", getKey()},
                               {"value", getValue()},
                               {"decay", getDecay()}})
    if (numbers.size() > 2)
      return emitOpError(name) << " must be a number, or a real and an imaginary part, has "
                               << numbers.size(); // step_c1
  if (getValue().empty())
    return emitOpError("needs a value"); // step_c2
  if (!getLowRank().empty() && getLowRank().size() != 2)
    return emitOpError("low_rank must be a pair, has ") << getLowRank().size() << " numbers"; // step_c3
  return success();
}

//===----------------------------------------------------------------------===//
// Canonicalisation
//===----------------------------------------------------------------------===//

void RecurrenceOp::eraseInput(unsigned input) {
  unsigned parts = isComplex() ? 2 : 1;
  SmallVector<Attribute> maps(getIndexingMaps().getValue());
  maps.erase(maps.begin() + input);
  getInputsMutable().erase(input);
  setIndexingMapsAttr(ArrayAttr::get(getContext(), maps));
  getStep().front().eraseArgument(input);
  if (!getOutput().empty())
    getOutput().front().eraseArgument(parts + input);
}

/// Whether another operand has each dimension that this one is indexed by: what an extent is must not be lost.
static bool isIndexedElsewhere(RecurrenceOp op, unsigned operand) {
  return llvm::all_of(op.getIndexingMap(operand).getResults(), [&](AffineExpr expr) {
    return !isa<AffineDimExpr>(expr) || llvm::any_of(llvm::seq(op->getNumOperands()), [&](unsigned other) {
      return other != operand && llvm::is_contained(op.getIndexingMap(other).getResults(), expr);
    });
  });
}

std::optional<unsigned> weft::unusedInputOf(RecurrenceOp op) {
  unsigned parts = op.isComplex() ? 2 : 1;
  for (unsigned input : llvm::seq(op.getInputs().size())) {
    bool isRead = !op.getStep().getArgument(input).use_empty() ||
                  (!op.getOutput().empty() && !op.getOutput().getArgument(parts + input).use_empty());
    if (!isRead && isIndexedElsewhere(op, input))
      return input;
  }
  return std::nullopt;
}

/// An input that no region looks at goes.
static LogicalResult dropUnusedInputs(RecurrenceOp op, PatternRewriter &rewriter) {
  std::optional<unsigned> input = unusedInputOf(op);
  if (!input)
    return failure();
  rewriter.modifyOpInPlace(op, [&] { op.eraseInput(*input); });
  return success();
}

void RecurrenceOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  populateCastFolding(patterns, getOperationName());
  patterns.add(dropUnusedInputs);
}
