// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The constraints of scan (docs/spec.md).
#include "dialects/weft/ScanAlgebra.h"
#include "dialects/weft/SequenceOps.h"
#include "dialects/weft/StructuredOp.h"

#include "mlir/Analysis/SliceAnalysis.h"

using namespace mlir;
using namespace weft;

MutableOperandRange ScanOp::getDpsInitsMutable() {
  unsigned inits = getOutputs().size() + getStates().size();
  return MutableOperandRange(*this, getNumOperands() - inits, inits);
}

AffineMap ScanOp::getStateMap(unsigned accumulator) {
  AffineMap map = getMap(accumulator);
  return map.dropResult(*map.getResultPosition(getAffineDimExpr(getDimension(), getContext())));
}

std::pair<Value, unsigned> ScanOp::getOperandWith(unsigned dim) {
  for (auto [i, input] : llvm::enumerate(getInputs()))
    if (std::optional<unsigned> place = getMap(i).getResultPosition(getAffineDimExpr(dim, getContext())))
      return {input, *place};
  llvm_unreachable("every dimension indexes an input");
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

static LogicalResult verifyCounts(ScanOp op) {
  size_t count = op.getInputs().size(), states = op.getStates().size();
  if (count == 0 || op.getOutputs().size() != count || (states && states != count)) // scan_c1
    return op.emitOpError("needs as many destinations, and states or none, as inputs; has ")
           << count << " inputs, " << op.getOutputs().size() << " destinations and " << states << " states";
  size_t maps = count + (op.getReset() ? 1 : 0);
  if (op.getIndexingMaps().size() != maps) // scan_c2
    return op.emitOpError("needs an indexing map for each of its ")
           << count << " accumulators" << (op.getReset() ? " and for reset" : "") << ", has "
           << op.getIndexingMaps().size();
  return success();
}

static LogicalResult verifyMaps(ScanOp op) {
  unsigned loops = op.getMap(0).getNumDims();
  uint64_t scanned = op.getDimension();
  llvm::SmallBitVector indexed(loops);
  for (unsigned i : llvm::seq(op.getIndexingMaps().size())) {
    AffineMap map = op.getMap(i);
    bool isScanned = scanned < loops && map.isFunctionOfDim(scanned);
    if (map.getNumDims() != loops || map.getNumSymbols() || !map.isProjectedPermutation() || !isScanned) // scan_c3
      return op.emitOpError("indexing map ") << i << " must map all dimensions to some of them, each once and "
                                             << scanned << " among them, is " << AffineMapAttr::get(map);
    if (i < op.getNumAccumulators())
      for (AffineExpr expr : map.getResults())
        indexed.set(cast<AffineDimExpr>(expr).getPosition());
  }
  if (!indexed.all()) // scan_c4
    return op.emitOpError("dimension d") << indexed.find_first_unset() << " indexes no accumulator";
  if (!op.getReset())
    return success();
  for (AffineExpr expr : op.getMap(op.getNumAccumulators()).getResults())
    for (unsigned i : llvm::seq(op.getNumAccumulators()))
      if (!op.getMap(i).isFunctionOfDim(cast<AffineDimExpr>(expr).getPosition())) // scan_c5
        return op.emitOpError("reset must be indexed by dimensions that index every accumulator, ")
               << "d" << cast<AffineDimExpr>(expr).getPosition() << " does not index accumulator " << i;
  return success();
}

/// Whether the operand has the extents of the dimensions that index it; notes those that are new.
static LogicalResult verifyExtents(ScanOp op, const Twine &operand, Value value, AffineMap map,
                                   SmallVectorImpl<int64_t> &extents) {
  auto type = cast<ShapedType>(value.getType());
  if (type.getRank() != int64_t(map.getNumResults())) // scan_c6
    return op.emitOpError() << operand << " must have " << map.getNumResults() << " dimensions, is " << type;
  for (auto [expr, extent] : llvm::zip_equal(map.getResults(), type.getShape())) {
    int64_t &wanted = extents[cast<AffineDimExpr>(expr).getPosition()];
    if (!extentsAgree(wanted, extent)) // scan_c6
      return op.emitOpError("dimension d") << cast<AffineDimExpr>(expr).getPosition() << " of " << operand
                                           << " must be " << wanted << " as in another operand, is " << extent;
    if (!ShapedType::isDynamic(extent))
      wanted = extent;
  }
  return success();
}

static LogicalResult verifyShapes(ScanOp op) {
  SmallVector<int64_t> extents(op.getNumLoops(), ShapedType::kDynamic);
  for (unsigned i : llvm::seq(op.getNumAccumulators())) {
    if (failed(verifyExtents(op, "input " + Twine(i), op.getInputs()[i], op.getMap(i), extents)) ||
        failed(verifyExtents(op, "destination " + Twine(i), op.getOutputs()[i], op.getMap(i), extents)))
      return failure();
    if (!op.getStates().empty() &&
        failed(verifyExtents(op, "state " + Twine(i), op.getStates()[i], op.getStateMap(i), extents)))
      return failure();
  }
  if (!op.getReset())
    return success();
  return verifyExtents(op, "reset", op.getReset(), op.getMap(op.getNumAccumulators()), extents);
}

static LogicalResult verifyElements(ScanOp op) {
  for (ValueRange values : {ValueRange(op.getInputs()), ValueRange(op.getOutputs())})
    for (Value value : values) {
      Type type = getElementTypeOrSelf(value.getType());
      if (!isa<FloatType>(type) || type.getIntOrFloatBitWidth() > 32) // scan_c7
        return op.emitOpError("inputs and destinations must hold floats of at most 32 bits, got ") << type;
    }
  for (Value state : op.getStates())
    if (!getElementTypeOrSelf(state.getType()).isF32()) // scan_c8
      return op.emitOpError("states must hold f32, got ") << getElementTypeOrSelf(state.getType());
  if (op.getReset() && !getElementTypeOrSelf(op.getReset().getType()).isSignlessInteger()) // scan_c9
    return op.emitOpError("reset must hold integers, got ") << getElementTypeOrSelf(op.getReset().getType());
  return success();
}

//===----------------------------------------------------------------------===//
// The region
//===----------------------------------------------------------------------===//

/// An accumulator that several others share cannot depend on what tells these apart.
static LogicalResult verifyDependences(ScanOp op) {
  Block &body = op.getCombine().front();
  unsigned count = op.getNumAccumulators();
  for (auto [i, yielded] : llvm::enumerate(body.getTerminator()->getOperands())) {
    llvm::SetVector<Operation *> slice;
    BackwardSliceOptions options;
    options.omitBlockArguments = true;
    options.inclusive = true;
    if (Operation *producer = yielded.getDefiningOp())
      (void)getBackwardSlice(producer, &slice, options);
    auto reads = [&](BlockArgument argument) {
      return yielded == argument ||
             llvm::any_of(argument.getUsers(), [&](Operation *user) { return slice.contains(user); });
    };
    for (BlockArgument argument : body.getArguments()) {
      unsigned from = argument.getArgNumber() % count;
      if (!reads(argument))
        continue;
      for (AffineExpr expr : op.getMap(from).getResults())
        if (!op.getMap(i).isFunctionOfDim(cast<AffineDimExpr>(expr).getPosition())) // scan_c12
          return op.emitOpError("accumulator ")
                 << i << " depends on accumulator " << from << ", but is not indexed by d"
                 << cast<AffineDimExpr>(expr).getPosition();
    }
  }
  return success();
}

static LogicalResult verifyCombine(ScanOp op) {
  Region &region = op.getCombine();
  SmallVector<Type> floats(op.getNumAccumulators(), Float32Type::get(op.getContext())), both = floats;
  both.append(floats);
  if (region.getArgumentTypes() != TypeRange(both)) // scan_c10
    return op.emitOpError("combine region must take the accumulators of two parts, ")
           << both.size() << " f32, takes (" << region.getArgumentTypes() << ")";
  Operation *terminator = region.front().empty() ? nullptr : &region.front().back();
  if (!isa_and_present<YieldOp>(terminator) || terminator->getOperandTypes() != TypeRange(floats)) // scan_c10
    return op.emitOpError("combine region must yield ") << floats.size() << " f32";
  for (Operation &inner : region.front().without_terminator())
    if (inner.getNumResults() != 1 ||
        (!OpTrait::hasElementwiseMappableTraits(&inner) && !inner.hasTrait<OpTrait::ConstantLike>())) // scan_c11
      return op.emitOpError("combine region must compute with elementwise ops only, has ") << inner.getName();
  if (failed(verifyDependences(op)))
    return failure();
  Associativity found = proveAssociative(region);
  if (found == Associativity::Disproved) // scan_c13
    return op.emitOpError("combine region is not associative: combine(combine(x, y), z) and combine(x, combine(y, z)) "
                          "differ");
  if (found == Associativity::Unknown && !op.getAssociative()) // scan_c13
    return op.emitOpError("combine region is not known to be associative: write `associative` if it is");
  return success();
}

LogicalResult ScanOp::verify() {
  if (failed(verifyCounts(*this)) || failed(verifyMaps(*this)) || failed(verifyShapes(*this)) ||
      failed(verifyElements(*this)) || failed(verifyCombine(*this)))
    return failure();
  if (hasPureTensorSemantics() && getNumResults() != getDpsInits().size()) // scan_c14
    return emitOpError("has ") << getDpsInits().size() << " destinations and states, but " << getNumResults()
                               << " results";
  return verifyStorage(*this); // scan_c15
}
