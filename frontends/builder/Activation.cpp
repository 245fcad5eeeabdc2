// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An Activation into arith and math ops on one f32.
#include "frontends/builder/Activation.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace weft {
namespace {

/// Scalar arithmetic that reads like the formula.
struct Scalars {
  OpBuilder &builder;
  Location location;

  Value constant(double value) {
    return arith::ConstantOp::create(builder, location, builder.getF32FloatAttr(static_cast<float>(value)));
  }
  Value add(Value a, Value b) { return arith::AddFOp::create(builder, location, a, b); }
  Value mul(Value a, Value b) { return arith::MulFOp::create(builder, location, a, b); }
  Value div(Value a, Value b) { return arith::DivFOp::create(builder, location, a, b); }
  Value sigmoid(Value x) {
    Value negated = arith::NegFOp::create(builder, location, x);
    return div(constant(1.0), add(constant(1.0), math::ExpOp::create(builder, location, negated)));
  }
};

constexpr double kSqrtHalf = 0.70710678118654752;
constexpr double kSqrtTwoOverPi = 0.79788456080286536;

} // namespace

Value buildActivation(OpBuilder &builder, Location location, Activation kind, Value x) {
  Scalars s{builder, location};
  switch (kind) {
  case Activation::Identity:
    return x;
  case Activation::GeluErf: {
    Value erf = math::ErfOp::create(builder, location, s.mul(x, s.constant(kSqrtHalf)));
    return s.mul(s.mul(x, s.constant(0.5)), s.add(erf, s.constant(1.0)));
  }
  case Activation::GeluTanh: {
    Value cube = s.mul(s.mul(x, x), x);
    Value inner = s.mul(s.add(x, s.mul(cube, s.constant(0.044715))), s.constant(kSqrtTwoOverPi));
    Value tanh = math::TanhOp::create(builder, location, inner);
    return s.mul(s.mul(x, s.constant(0.5)), s.add(tanh, s.constant(1.0)));
  }
  case Activation::QuickGelu:
    return s.mul(x, s.sigmoid(s.mul(x, s.constant(1.702))));
  case Activation::Relu:
    return arith::MaximumFOp::create(builder, location, x, s.constant(0.0));
  case Activation::Sigmoid:
    return s.sigmoid(x);
  case Activation::Silu:
    return s.mul(x, s.sigmoid(x));
  case Activation::Tanh:
    return math::TanhOp::create(builder, location, x);
  }
  llvm_unreachable("every activation is built above");
}

Value buildSoftCap(OpBuilder &builder, Location location, Value x, double cap) {
  Scalars s{builder, location};
  Value limit = s.constant(cap);
  return s.mul(limit, math::TanhOp::create(builder, location, s.div(x, limit)));
}

} // namespace weft
