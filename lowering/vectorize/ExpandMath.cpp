// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// math.{exp, exp2, erf, tanh, …} on f32 → polynomials: our own where speed counts, MLIR's for the rest.
#include "lowering/vectorize/Passes.h"

#include "lowering/vectorize/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace weft {
#define GEN_PASS_DEF_EXPANDMATH
#include "lowering/vectorize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

using Emit = Value (*)(OpBuilder &, Location, const RegisterPlan &, Value);

Value emitExp2OfAny(OpBuilder &builder, Location loc, const RegisterPlan &plan, Value x) {
  return emitExp2(builder, loc, plan, x, /*nonPositive=*/false);
}

Value emitExp(OpBuilder &builder, Location loc, const RegisterPlan &plan, Value x) {
  TypedAttr log2e = builder.getF32FloatAttr(1.4426950408889634f);
  if (auto vector = dyn_cast<VectorType>(x.getType()))
    log2e = DenseElementsAttr::get(vector, Attribute(log2e));
  Value scaled = arith::MulFOp::create(builder, loc, x, arith::ConstantOp::create(builder, loc, log2e));
  return emitExp2OfAny(builder, loc, plan, scaled);
}

template <class OpT> struct Expand : OpRewritePattern<OpT> {
  Expand(MLIRContext *context, RegisterPlan plan, Emit emit)
      : OpRewritePattern<OpT>(context, /*benefit=*/10), plan(plan), emit(emit) {}

  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32())
      return rewriter.notifyMatchFailure(op, "only f32 is expanded");
    rewriter.replaceOp(op, emit(rewriter, op.getLoc(), plan, op.getOperand()));
    return success();
  }

  RegisterPlan plan;
  Emit emit;
};

Value emitRsqrt(OpBuilder &builder, Location loc, const RegisterPlan &, Value x) {
  TypedAttr one = builder.getF32FloatAttr(1.0f);
  if (auto vector = dyn_cast<VectorType>(x.getType()))
    one = DenseElementsAttr::get(vector, Attribute(one));
  Value root = math::SqrtOp::create(builder, loc, x);
  return arith::DivFOp::create(builder, loc, arith::ConstantOp::create(builder, loc, one), root);
}

/// math.fma on a target without the instruction: a call of the C library otherwise.
struct SplitMultiplyAdd : OpRewritePattern<math::FmaOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::FmaOp op, PatternRewriter &rewriter) const override {
    Value product = arith::MulFOp::create(rewriter, op.getLoc(), op.getA(), op.getB());
    rewriter.replaceOpWithNewOp<arith::AddFOp>(op, product, op.getC());
    return success();
  }
};

/// floor and trunc by ceil, which MLIR expands, on targets without a rounding instruction.
Value emitFloor(OpBuilder &builder, Location loc, const RegisterPlan &, Value x) {
  Value negative = arith::NegFOp::create(builder, loc, x);
  return arith::NegFOp::create(builder, loc, math::CeilOp::create(builder, loc, negative));
}

Value emitTrunc(OpBuilder &builder, Location loc, const RegisterPlan &plan, Value x) {
  Value magnitude = emitFloor(builder, loc, plan, math::AbsFOp::create(builder, loc, x));
  return math::CopySignOp::create(builder, loc, magnitude, x);
}

/// Ops that are one instruction on every target, or a few that LLVM expands inline.
bool staysMath(Operation *op, const RegisterPlan &plan) {
  if (isa<math::SqrtOp, math::AbsFOp, math::AbsIOp, math::CopySignOp>(op) || (plan.device && isa<math::Exp2Op>(op)))
    return true;
  bool rounds = isa<math::FloorOp, math::CeilOp, math::TruncOp, math::RoundEvenOp, math::FmaOp>(op);
  return (rounds && plan.fused) || isa<math::CountLeadingZerosOp, math::CountTrailingZerosOp, math::CtPopOp>(op);
}

struct ExpandMathPass : impl::ExpandMathBase<ExpandMathPass> {
  void runOnOperation() override {
    FailureOr<RegisterPlan> registers = registerPlanOf(getOperation());
    if (failed(registers))
      return signalPassFailure();
    MLIRContext *context = &getContext();
    RegisterPlan plan = *registers;
    RewritePatternSet patterns(context);
    patterns.add<Expand<math::ExpOp>>(context, plan, emitExp);
    if (!plan.device)
      patterns.add<Expand<math::Exp2Op>>(context, plan, emitExp2OfAny);
    patterns.add<Expand<math::ErfOp>>(context, plan, emitErf);
    patterns.add<Expand<math::TanhOp>>(context, plan, emitTanh);
    patterns.add<Expand<math::RsqrtOp>>(context, plan, emitRsqrt);
    if (!plan.fused) {
      patterns.add<SplitMultiplyAdd>(context);
      patterns.add<Expand<math::FloorOp>>(context, plan, emitFloor);
      patterns.add<Expand<math::TruncOp>>(context, plan, emitTrunc);
    }
    // By identities over exp, log and the like, which are expanded in turn.
    SmallVector<StringRef> identities = {"sinh", "cosh", "tan", "asinh", "acosh", "atanh", "powf", "round"};
    if (!plan.fused)
      llvm::append_range(identities, ArrayRef<StringRef>{"ceil", "roundeven"});
    math::populateExpansionPatterns(patterns, identities);
    auto upstream = [&](StringRef name) {
      // These are single instructions, or ours.
      return !llvm::is_contained({"math.sqrt", "math.absf", "math.fma", "math.copysign"}, name) &&
             !(plan.device && name == "math.exp2");
    };
    populateMathPolynomialApproximationPatterns(patterns, upstream);
    populateMathF32ExpansionPatterns(patterns, upstream);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    WalkResult left = getOperation()->walk([&](Operation *op) {
      // A remainder would be a call of the C library.
      bool isMath = isa<arith::RemFOp>(op) || (op->getDialect() && op->getDialect()->getNamespace() == "math");
      if (isMath && !staysMath(op, plan))
        return WalkResult(op->emitError("has no expansion for the CPU in this element type; f32 has the most"));
      return WalkResult::advance();
    });
    if (left.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
} // namespace weft
