// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// arith and math ops on bf16 and f16 → the same in f32 between conversions; conversions → shifts and additions where
// the target has no instruction. LLVM would call a library for both.
#include "lowering/vectorize/Passes.h"

#include "lowering/vectorize/StoredNumbers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace weft {
#define GEN_PASS_DEF_EXPANDHALVES
#include "lowering/vectorize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

bool isHalf(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isBF16() || element.isF16();
}

bool isF32(Type type) { return getElementTypeOrSelf(type).isF32(); }

bool roundsToNearest(arith::TruncFOp op) {
  return op.getRoundingmode().value_or(arith::RoundingMode::to_nearest_even) == arith::RoundingMode::to_nearest_even;
}

struct ExpandExtension : OpRewritePattern<arith::ExtFOp> {
  ExpandExtension(MLIRContext *context, RegisterPlan plan) : OpRewritePattern(context), plan(plan) {}

  LogicalResult matchAndRewrite(arith::ExtFOp op, PatternRewriter &rewriter) const override {
    if (!isHalf(op.getIn().getType()) || !isF32(op.getType()))
      return rewriter.notifyMatchFailure(op, "only bf16 and f16 to f32 is expanded");
    if (getElementTypeOrSelf(op.getIn().getType()).isF16() && plan.fused)
      return rewriter.notifyMatchFailure(op, "the target has an instruction");
    rewriter.replaceOp(op, emitToF32(rewriter, op.getLoc(), plan, op.getIn()));
    return success();
  }

  RegisterPlan plan;
};

struct ExpandTruncation : OpRewritePattern<arith::TruncFOp> {
  ExpandTruncation(MLIRContext *context, RegisterPlan plan) : OpRewritePattern(context), plan(plan) {}

  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    if (!isHalf(op.getType()) || !isF32(op.getIn().getType()))
      return rewriter.notifyMatchFailure(op, "only f32 to bf16 and f16 is expanded");
    if (!roundsToNearest(op))
      return rewriter.notifyMatchFailure(op, "only rounding to nearest even is expanded");
    Type element = getElementTypeOrSelf(op.getType());
    if (element.isBF16() ? plan.bfloat : plan.fused)
      return rewriter.notifyMatchFailure(op, "the target has an instruction");
    rewriter.replaceOp(op, emitFromF32(rewriter, op.getLoc(), plan, op.getIn(), element));
    return success();
  }

  RegisterPlan plan;
};

/// Whether an op computes with numbers, rather than moving, naming or converting them.
bool computes(Operation *op) {
  bool isOfDialect = op->getDialect() && isa<arith::ArithDialect, math::MathDialect>(op->getDialect());
  bool keepsBits = isa<arith::ExtFOp, arith::TruncFOp, arith::BitcastOp, arith::SelectOp>(op);
  return isOfDialect && OpTrait::hasElementwiseMappableTraits(op) && !keepsBits;
}

/// One op in f32. Sums, products, quotients and roots have the bits that the op in half precision is to have: f32 holds
/// more than twice the digits and two more.
struct ComputeInF32 : RewritePattern {
  ComputeInF32(MLIRContext *context, RegisterPlan plan)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context), plan(plan) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!computes(op) || !(llvm::any_of(op->getOperandTypes(), isHalf) || llvm::any_of(op->getResultTypes(), isHalf)))
      return rewriter.notifyMatchFailure(op, "computes nothing with bf16 or f16");
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(isHalf(operand.getType()) ? emitToF32(rewriter, op->getLoc(), plan, operand) : operand);
    SmallVector<Type> types;
    for (Type type : op->getResultTypes())
      types.push_back(isHalf(type) ? withElement(type, rewriter.getF32Type()) : type);
    OperationState state(op->getLoc(), op->getName(), operands, types, op->getAttrs());
    SmallVector<Value> results(rewriter.create(state)->getResults());
    for (auto [result, type] : llvm::zip_equal(results, op->getResultTypes()))
      if (isHalf(type))
        result = emitFromF32(rewriter, op->getLoc(), plan, result, getElementTypeOrSelf(type));
    rewriter.replaceOp(op, results);
    return success();
  }

  static Type withElement(Type type, Type element) {
    auto vector = dyn_cast<VectorType>(type);
    return vector ? Type(vector.clone(element)) : element;
  }

  RegisterPlan plan;
};

/// Conversions that no pattern takes, and no instruction of the target makes.
bool isUnsupported(Operation *op) {
  if (auto trunc = dyn_cast<arith::TruncFOp>(op))
    return isHalf(trunc.getType()) && !(isF32(trunc.getIn().getType()) && roundsToNearest(trunc));
  auto ext = dyn_cast<arith::ExtFOp>(op);
  return ext && isHalf(ext.getIn().getType()) && !isF32(ext.getType());
}

struct ExpandHalvesPass : impl::ExpandHalvesBase<ExpandHalvesPass> {
  void runOnOperation() override {
    FailureOr<RegisterPlan> registers = registerPlanOf(getOperation());
    if (failed(registers))
      return signalPassFailure();
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandExtension, ExpandTruncation, ComputeInF32>(&getContext(), *registers);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    WalkResult left = getOperation()->walk([&](Operation *op) {
      if (!isUnsupported(op))
        return WalkResult::advance();
      op->emitError("has no expansion for the CPU: bf16 and f16 convert from and to f32, rounded to nearest even");
      return WalkResult::interrupt();
    });
    if (left.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
} // namespace weft
