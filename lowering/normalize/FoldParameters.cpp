// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of a weight's elements → a weight that the compiler computes:
//   %w = weft.parameter "A_log";  %a = generic { exp; negf } %w
// becomes
//   %a = weft.parameter "A_log.exp.negf" sources(["A_log"]) functions(["math.exp", "arith.negf"])
#include "lowering/normalize/Passes.h"

#include "dialects/weft/ElementFunction.h"
#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"

namespace weft {
#define GEN_PASS_DEF_FOLDPARAMETERS
#include "lowering/normalize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

struct FoldPlan {
  linalg::GenericOp op;
  ParameterOp weight;
  SmallVector<StringRef> functions;
  SmallVector<int64_t> order; ///< of the weight's dimensions; empty: as they are
};

/// The body as a chain of functions from the one input to what it yields.
FailureOr<SmallVector<StringRef>> matchChain(linalg::GenericOp op) {
  SmallVector<StringRef> functions;
  Value value = op.getBody()->getArgument(0);
  for (Operation &inner : op.getBody()->without_terminator()) {
    StringRef name = inner.getName().getStringRef();
    if (inner.getNumOperands() != 1 || inner.getOperand(0) != value || !findElementFunction(name))
      return failure();
    functions.push_back(name);
    value = inner.getResult(0);
  }
  if (op.getBody()->getTerminator()->getOperand(0) != value)
    return failure();
  return functions;
}

FailureOr<FoldPlan> planFold(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1 || op.getNumReductionLoops() != 0)
    return failure();
  OpOperand *input = op.getDpsInputOperand(0);
  auto weight = input->get().getDefiningOp<ParameterOp>();
  AffineMap read = op.getMatchingIndexingMap(input), written = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!weight || weight.getLayout() || weight.getFunctions() || weight.getOrder() ||
      weight.getSourceNames().size() != 1 || !getElementTypeOrSelf(weight.getType()).isF32() ||
      !getElementTypeOrSelf(op.getResult(0).getType()).isF32() || !read.isPermutation() || !written.isIdentity())
    return failure();
  FailureOr<SmallVector<StringRef>> functions = matchChain(op);
  if (failed(functions))
    return failure();
  FoldPlan plan{op, weight, *functions, {}};
  if (!read.isIdentity())
    for (unsigned dim = 0; dim < read.getNumDims(); ++dim) // the loop over dimension i of the result
      plan.order.push_back(*read.getResultPosition(getAffineDimExpr(dim, op.getContext())));
  return plan;
}

void applyFold(RewriterBase &b, const FoldPlan &plan) {
  b.setInsertionPoint(plan.op);
  linalg::GenericOp op = plan.op;
  ParameterOp weight = plan.weight;
  std::string name = weight.getName().str();
  for (StringRef function : plan.functions)
    name += ("." + function.rsplit('.').second).str();
  for (int64_t dim : plan.order)
    name += "." + std::to_string(dim);
  SmallVector<StringRef> sources = weight.getSourceNames();
  b.replaceOpWithNewOp<ParameterOp>(op, op.getResult(0).getType(), b.getStringAttr(name), b.getStrArrayAttr(sources),
                                    PanelsAttr(),
                                    plan.functions.empty() ? ArrayAttr() : b.getStrArrayAttr(plan.functions),
                                    plan.order.empty() ? DenseI64ArrayAttr() : b.getDenseI64ArrayAttr(plan.order));
}

struct FoldParametersPass : impl::FoldParametersBase<FoldParametersPass> {
  void runOnOperation() override {
    SmallVector<linalg::GenericOp> ops;
    getOperation()->walk([&](linalg::GenericOp op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (linalg::GenericOp op : ops)
      if (FailureOr<FoldPlan> plan = planFold(op); succeeded(plan))
        applyFold(rewriter, *plan);
  }
};

} // namespace
} // namespace weft
