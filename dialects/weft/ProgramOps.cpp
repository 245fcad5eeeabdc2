// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The constraints of parameter, kernel, yield and the attributes (docs/spec.md),
// and kernels without needless operands.
#include "dialects/weft/ElementFunction.h"
#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace weft;

//===----------------------------------------------------------------------===//
// parameter
//===----------------------------------------------------------------------===//

SmallVector<StringRef> ParameterOp::getSourceNames() {
  if (std::optional<ArrayAttr> sources = getSources())
    return llvm::to_vector(sources->getAsValueRange<StringAttr>());
  return {getName()};
}

static LogicalResult verifyPanels(ParameterOp op, PanelsAttr layout) {
  ShapedType type = op.getResult().getType();
  int64_t width = layout.getWidth();
  if (const NamedGroupForm *named = findGroupForm(layout.getForm())) { // parameter_c6
    bool fits = type.getElementType().isSignlessInteger(8) && (type.getRank() == 3 || type.getRank() == 4) &&
                width == kPanelWidth && type.getShape().back() == named->form.bytes();
    return fits ? success()
                : op.emitOpError("a weight in groups has i8 panels [panels, groups, ")
                      << named->form.bytes() << "] of " << kPanelWidth << " columns, or [blocks] of these, got "
                      << type;
  }
  bool isPacked = (type.getRank() == 3 || type.getRank() == 4) &&
                  type.getShape().back() == width * stepsPerWord(type.getElementType());
  if (!layout.getInt8() && !isPacked) // parameter_c4
    return op.emitOpError("a weight in panels has the shape [panels, K, ")
           << width << "], of 16-bit numbers [panels, K / 2, " << 2 * width << "], or [blocks] of these, got " << type;
  if (!layout.getInt8())
    return success();
  Type element = type.getElementType();
  bool isPanels = element.isSignlessInteger(8) && (type.getRank() == 3 || type.getRank() == 4) &&
                  type.getShape().back() == 4 * width;
  bool areScales = element.isF32() && (type.getRank() == 1 || type.getRank() == 2);
  if (!isPanels && !areScales) // parameter_c5
    return op.emitOpError("a weight in 8 bits has i8 panels [panels, ⌈K / 4⌉, ")
           << 4 * width << "] or f32 scales [N], or [blocks] of these, got " << type;
  return success();
}

/// What the compiler makes of a weight's elements and dimensions.
static LogicalResult verifyComputed(ParameterOp op) {
  if (!op.getFunctions() && !op.getOrder())
    return success();
  ShapedType type = op.getResult().getType();
  if (op.getLayout() || !type.getElementType().isF32()) // parameter_c7
    return op.emitOpError("with functions or an order is f32 and has no layout");
  if (op.getFunctions())
    for (StringRef name : op.getFunctions()->getAsValueRange<StringAttr>())
      if (!findElementFunction(name)) // parameter_c8
        return op.emitOpError("has no function '") << name << "': see dialects/weft/ElementFunction.cpp";
  if (op.getOrder() && (int64_t(op.getOrder()->size()) != type.getRank() || !isPermutationVector(*op.getOrder())))
    return op.emitOpError("order must be a permutation of the dimensions"); // parameter_c9
  return success();
}

LogicalResult ParameterOp::verify() {
  if (getName().empty()) // parameter_c1
    return emitOpError("needs a name");
  if (getSources() && getSources()->empty())
    return emitOpError("sources must name a tensor; leave them out when the "
                       "weight is stored under its own name"); // parameter_c2
  if (llvm::is_contained(getSourceNames(), ""))
    return emitOpError("sources must not be empty names"); // parameter_c2
  ShapedType type = getResult().getType();
  if (!type.hasStaticShape()) // parameter_c3
    return emitOpError("a weight has a static shape, got ") << type;
  if (failed(verifyComputed(*this)))
    return failure();
  std::optional<PanelsAttr> layout = getLayout();
  return layout ? verifyPanels(*this, *layout) : success();
}

//===----------------------------------------------------------------------===//
// kernel
//===----------------------------------------------------------------------===//

LogicalResult KernelOp::verify() {
  if (getName().empty()) // kernel_c1
    return emitOpError("needs a name");
  Block &block = getBody().front();
  if (block.getArgumentTypes() != getInputs().getTypes()) // kernel_c2
    return emitOpError("body must take the operands' types ")
           << getInputs().getTypes() << ", takes " << block.getArgumentTypes();
  if (getInputs().size() < getNumResults() ||
      getInputs().take_back(getNumResults()).getTypes() != getResultTypes()) // kernel_c4
    return emitOpError("last operands must be the results' destinations, of types ")
           << getResultTypes() << ", operands are " << getInputs().getTypes();
  TypeRange yielded = block.getTerminator()->getOperandTypes();
  if (yielded != getResultTypes()) // kernel_c3
    return emitOpError("body must yield the result types ") << getResultTypes() << ", yields " << yielded;
  return success();
}

/// An operand that the body does not use, or that comes twice, goes.
static LogicalResult dropNeedlessOperands(KernelOp op, PatternRewriter &rewriter) {
  Block &block = op.getBody().front();
  llvm::BitVector needless(op.getInputs().size());
  llvm::SmallDenseMap<Value, unsigned> first;
  // The destinations, last and one for each result, stay: each names memory of its own.
  OperandRange inputs = op.getInputs().drop_back(op.getNumResults());
  for (auto [index, input] : llvm::enumerate(inputs)) {
    auto [entry, isNew] = first.try_emplace(input, index);
    if (!isNew)
      rewriter.replaceAllUsesWith(block.getArgument(index), block.getArgument(entry->second));
    if (!isNew)
      needless.set(index);
  }
  for (BlockArgument argument : block.getArguments().take_front(inputs.size()))
    if (argument.use_empty())
      needless.set(argument.getArgNumber());
  if (needless.none())
    return failure();
  rewriter.modifyOpInPlace(op, [&] {
    block.eraseArguments(needless);
    op->eraseOperands(needless);
  });
  return success();
}

void KernelOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *) {
  patterns.add(dropNeedlessOperands);
}

//===----------------------------------------------------------------------===//
// yield
//===----------------------------------------------------------------------===//

LogicalResult YieldOp::verify() {
  Operation *parent = (*this)->getParentOp();
  if (parent && isa_and_nonnull<WeftDialect>(parent->getDialect())) // yield_c1
    return success();
  return emitOpError("must end a region of a weft op");
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

LogicalResult PanelsAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t width, bool outByIn, bool int8,
                                 StringRef form) {
  if (width < 1) // panels_c1
    return emitError() << "a panel needs at least one column, got width " << width;
  if (!form.empty() && (int8 || !findGroupForm(form))) // panels_c2
    return emitError() << "'" << form << "' is no form of groups" << (int8 ? " beside int8" : "");
  return success();
}

LogicalResult TargetAttr::verify(function_ref<InFlightDiagnostic()> emitError, StringRef isa, int64_t lanes,
                                 int64_t registers, StringRef cpu, StringRef features) {
  constexpr llvm::StringLiteral kLevels[] = {
      "portable", "v3", "v4", "v4-vnni", "v4-bf16", "amx", "v4-vectors", "v4-bf16-vectors", "amx-vectors"};
  constexpr llvm::StringLiteral kGpus[] = {"sm_80", "sm_86", "sm_89", "sm_90", "sm_90a"};
  if (!llvm::is_contained(kLevels, isa) && !llvm::is_contained(kGpus, isa)) // target_c1
    return emitError() << "isa must be portable, v3, v4, v4-vnni, v4-bf16, amx, v4-vectors, v4-bf16-vectors, "
                          "amx-vectors, sm_80, sm_86, sm_89, sm_90 or sm_90a, got '"
                       << isa << "'";
  if (lanes < 1 || !llvm::isPowerOf2_64(lanes)) // target_c2
    return emitError() << "lanes must be a power of two, got " << lanes;
  if (registers < 1) // target_c3
    return emitError() << "registers must be positive, got " << registers;
  return success();
}
