// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar f32 arithmetic in the body of an op that reads like the formula.
#ifndef WEFT_FRONTENDS_BUILDER_SCALARS_H
#define WEFT_FRONTENDS_BUILDER_SCALARS_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace weft {

struct Scalars {
  using Value = mlir::Value;
  mlir::OpBuilder &builder;
  mlir::Location location;

  Value constant(double value) {
    return mlir::arith::ConstantOp::create(builder, location, builder.getF32FloatAttr(static_cast<float>(value)));
  }
  Value add(Value a, Value b) { return mlir::arith::AddFOp::create(builder, location, a, b); }
  Value sub(Value a, Value b) { return mlir::arith::SubFOp::create(builder, location, a, b); }
  Value mul(Value a, Value b) { return mlir::arith::MulFOp::create(builder, location, a, b); }
  Value div(Value a, Value b) { return mlir::arith::DivFOp::create(builder, location, a, b); }
  Value max(Value a, Value b) { return mlir::arith::MaximumFOp::create(builder, location, a, b); }
  Value neg(Value x) { return mlir::arith::NegFOp::create(builder, location, x); }
  Value sqrt(Value x) { return mlir::math::SqrtOp::create(builder, location, x); }
  Value tanh(Value x) { return mlir::math::TanhOp::create(builder, location, x); }
  Value exp(Value x) { return mlir::math::ExpOp::create(builder, location, x); }
  /// `yes` where x is 0.
  Value ifZero(Value x, Value yes, Value no) {
    Value isZero = mlir::arith::CmpFOp::create(builder, location, mlir::arith::CmpFPredicate::OEQ, x, constant(0));
    return mlir::arith::SelectOp::create(builder, location, isZero, yes, no);
  }
  Value sigmoid(Value x) { return div(constant(1.0), add(constant(1.0), exp(neg(x)))); }
};

} // namespace weft

#endif // WEFT_FRONTENDS_BUILDER_SCALARS_H
