// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// math.{exp, exp2, erf, tanh, …} on f32 → polynomials: our own where speed counts, MLIR's for the rest.
#include "lowering/cpu/Passes.h"

#include "lowering/cpu/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace weft {
#define GEN_PASS_DEF_EXPANDMATH
#include "lowering/cpu/Passes.h.inc"
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

struct ExpandMathPass : impl::ExpandMathBase<ExpandMathPass> {
  void runOnOperation() override {
    TargetAttr target = getTarget(getOperation());
    if (!target) {
      getOperation()->emitError("needs the module attribute 'weft.target'");
      return signalPassFailure();
    }
    MLIRContext *context = &getContext();
    RegisterPlan plan = RegisterPlan::forTarget(target);
    RewritePatternSet patterns(context);
    patterns.add<Expand<math::ExpOp>>(context, plan, emitExp);
    patterns.add<Expand<math::Exp2Op>>(context, plan, emitExp2OfAny);
    patterns.add<Expand<math::ErfOp>>(context, plan, emitErf);
    patterns.add<Expand<math::TanhOp>>(context, plan, emitTanh);
    auto upstream = [](StringRef name) {
      // These are single instructions, or ours.
      return !llvm::is_contained({"math.sqrt", "math.absf", "math.fma", "math.copysign"}, name);
    };
    populateMathPolynomialApproximationPatterns(patterns, upstream);
    populateMathF32ExpansionPatterns(patterns, upstream);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace weft
