// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The constraints of causal_conv (docs/spec.md).
#include "dialects/weft/SequenceOps.h"

#include "dialects/weft/CastFolding.h"
#include "dialects/weft/StructuredOp.h"

using namespace mlir;
using namespace weft;

MutableOperandRange CausalConvOp::getDpsInitsMutable() {
  unsigned inits = getState() ? 2 : 1;
  return MutableOperandRange(*this, getNumOperands() - inits, inits);
}

static bool isFloatOfAtMost32Bits(Type type) { return isa<FloatType>(type) && type.getIntOrFloatBitWidth() <= 32; }

/// The operand must have these extents.
static LogicalResult verifyShape(Operation *op, StringRef operand, ShapedType type, ArrayRef<int64_t> extents) {
  if (type.getRank() == int64_t(extents.size()) && llvm::all_of_zip(type.getShape(), extents, extentsAgree))
    return success();
  InFlightDiagnostic error = op->emitOpError() << operand << " must be [";
  llvm::interleaveComma(extents, error,
                        [&](int64_t extent) { ShapedType::isDynamic(extent) ? error << "?" : error << extent; });
  return error << "], is " << type;
}

static LogicalResult verifyShapes(CausalConvOp op) {
  ShapedType input = op.getInput().getType(), weight = op.getWeight().getType(), init = op.getInit().getType();
  if (input.getRank() != 3 || init.getRank() != 3) // causal_conv_c1
    return op.emitOpError("takes an input and a destination [b, t, d], got ") << input << " and " << init;
  if (weight.getRank() != 2 || weight.isDynamicDim(1) || weight.getDimSize(1) < 2) // causal_conv_c2
    return op.emitOpError("needs a weight [d, k] of a known number of taps, at least 2, got ") << weight;
  int64_t batch = input.getDimSize(0), time = input.getDimSize(1), channels = weight.getDimSize(0);
  if (!extentsAgree(input.getDimSize(2), channels) || !extentsAgree(init.getDimSize(2), channels) ||
      !extentsAgree(init.getDimSize(0), batch)) // causal_conv_c3
    return op.emitOpError("input, weight and destination must have the same batch and channels, got ")
           << input << ", " << weight << " and " << init;
  int64_t steps = init.getDimSize(1);
  bool known = !ShapedType::isDynamic(time) && !ShapedType::isDynamic(steps);
  if (known && (op.getFrom() ? steps > time : steps != time)) // causal_conv_c4
    return op.emitOpError("the destination has ")
           << steps << " steps, the input " << time << (op.getFrom() ? "" : "; a part of them needs `from`");
  if (op.getBias() && failed(verifyVector(op, "bias", op.getBias().getType(), channels)))
    return failure(); // causal_conv_c5
  if (op.getReset() && failed(verifyShape(op, "reset", op.getReset().getType(), {batch, time})))
    return failure(); // causal_conv_c6
  if (op.getState() && failed(verifyShape(op, "state", op.getState().getType(), {batch, op.getTaps() - 1, channels})))
    return failure();                // causal_conv_c7
  if (op.getState() && op.getFrom()) // causal_conv_c8
    return op.emitOpError("with a state all steps are computed: `from` must not be given");
  return success();
}

static LogicalResult verifyElements(CausalConvOp op) {
  SmallVector<Value> floats = {op.getInput(), op.getWeight(), op.getInit()};
  if (op.getBias())
    floats.push_back(op.getBias());
  for (Value value : floats)
    if (!isFloatOfAtMost32Bits(getElementTypeOrSelf(value.getType()))) // causal_conv_c9
      return op.emitOpError("input, weight, bias and destination must hold floats of at most 32 bits, got ")
             << getElementTypeOrSelf(value.getType());
  if (op.getReset() && !getElementTypeOrSelf(op.getReset().getType()).isSignlessInteger()) // causal_conv_c10
    return op.emitOpError("reset must hold integers, got ") << getElementTypeOrSelf(op.getReset().getType());
  Type input = getElementTypeOrSelf(op.getInput().getType());
  if (!op.getState())
    return success();
  Type state = getElementTypeOrSelf(op.getState().getType());
  if (state != input && !state.isF32()) // causal_conv_c11
    return op.emitOpError("state must hold what the input does, ") << input << ", or f32, got " << state;
  return success();
}

static LogicalResult verifyExtras(CausalConvOp op) {
  unsigned count = op.getExtras().size(), maps = op.getExtraMaps() ? op.getExtraMaps()->size() : 0;
  if (count != maps) // causal_conv_c12
    return op.emitOpError("needs a map in extra_maps for each of its ") << count << " extras, has " << maps;
  auto init = cast<ShapedType>(op.getInit().getType());
  for (auto [i, extra] : llvm::enumerate(op.getExtras())) {
    AffineMap map = op.getExtraMap(i);
    auto type = cast<ShapedType>(extra.getType());
    bool fits = map.getNumDims() == CausalConvOp::NumDims && map.getNumSymbols() == 0 && map.isProjectedPermutation() &&
                int64_t(map.getNumResults()) == type.getRank();
    for (unsigned dim = 0; fits && dim < map.getNumResults(); ++dim)
      fits = extentsAgree(type.getDimSize(dim), init.getDimSize(map.getDimPosition(dim)));
    if (!fits) // causal_conv_c13
      return op.emitOpError(
                 "an extra must be indexed by some of (b, t, d), each once, with the destination's extents; ")
             << type << " is indexed by " << AffineMapAttr::get(map);
  }
  return success();
}

static LogicalResult verifyOutput(CausalConvOp op) {
  Region &region = op.getOutput();
  if (region.empty()) {
    if (op.getExtras().empty())
      return success();
    return op.emitOpError("has extras but no output region that reads them"); // causal_conv_c14
  }
  SmallVector<Type> wanted = {Float32Type::get(op.getContext())};
  for (Value extra : op.getExtras())
    wanted.push_back(getElementTypeOrSelf(extra.getType()));
  if (region.getArgumentTypes() != TypeRange(wanted)) // causal_conv_c14
    return op.emitOpError("output region must take (") << wanted << "), takes (" << region.getArgumentTypes() << ")";
  Operation *terminator = region.front().empty() ? nullptr : &region.front().back();
  Type yielded = getElementTypeOrSelf(op.getInit().getType());
  if (!isa_and_present<YieldOp>(terminator) || terminator->getOperandTypes() != TypeRange(yielded)) // causal_conv_c15
    return op.emitOpError("output region must yield one ") << yielded;
  for (Operation &inner : region.front().without_terminator())
    if (!OpTrait::hasElementwiseMappableTraits(&inner) && !inner.hasTrait<OpTrait::ConstantLike>()) // causal_conv_c16
      return op.emitOpError("output region must compute with elementwise ops only, has ") << inner.getName();
  return success();
}

LogicalResult CausalConvOp::verify() {
  if (failed(verifyShapes(*this)) || failed(verifyElements(*this)) || failed(verifyExtras(*this)) ||
      failed(verifyOutput(*this)))
    return failure();
  if (hasPureTensorSemantics() && getNumResults() != getDpsInits().size()) // causal_conv_c17
    return emitOpError("has ") << getDpsInits().size() << " destinations, but " << getNumResults() << " results";
  return verifyStorage(*this); // causal_conv_c18
}

void CausalConvOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *) {
  populateCastFolding(patterns, getOperationName());
}
