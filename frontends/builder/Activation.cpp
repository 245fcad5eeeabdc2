// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An Activation into arith and math ops on one f32.
#include "frontends/builder/Activation.h"

#include "frontends/builder/Scalars.h"

using namespace mlir;

namespace weft {
namespace {

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
  case Activation::ReluSquared: {
    Value positive = arith::MaximumFOp::create(builder, location, x, s.constant(0.0));
    return s.mul(positive, positive);
  }
  case Activation::Sigmoid:
    return s.sigmoid(x);
  case Activation::Silu:
    return s.mul(x, s.sigmoid(x));
  case Activation::Tanh:
    return math::TanhOp::create(builder, location, x);
  case Activation::Softplus: {
    // max(x, 0) + ln(1 + e^−|x|): the exponential is at most 1.
    Value magnitude = math::AbsFOp::create(builder, location, x);
    Value exponential = math::ExpOp::create(builder, location, arith::NegFOp::create(builder, location, magnitude));
    return s.add(arith::MaximumFOp::create(builder, location, x, s.constant(0.0)),
                 math::Log1pOp::create(builder, location, exponential));
  }
  case Activation::EluPlusOne: {
    Value below = arith::MinimumFOp::create(builder, location, x, s.constant(0.0));
    return s.add(arith::MaximumFOp::create(builder, location, x, s.constant(0.0)),
                 math::ExpOp::create(builder, location, below));
  }
  }
  llvm_unreachable("every activation is built above");
}

Value buildSoftCap(OpBuilder &builder, Location location, Value x, double cap) {
  Scalars s{builder, location};
  Value limit = s.constant(cap);
  return s.mul(limit, math::TanhOp::create(builder, location, s.div(x, limit)));
}

} // namespace weft
