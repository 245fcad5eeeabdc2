// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The elementwise nonlinearities of transformer layers, on one scalar.
#ifndef WEFT_FRONTENDS_BUILDER_ACTIVATION_H
#define WEFT_FRONTENDS_BUILDER_ACTIVATION_H

#include "mlir/IR/Builders.h"

namespace weft {

enum class Activation {
  Identity,
  GeluErf,   ///< x · Φ(x), with the error function
  GeluTanh,  ///< its tanh approximation (Hendrycks and Gimpel 2016, arXiv:1606.08415)
  QuickGelu, ///< x · σ(1.702 x)
  Relu,
  ReluSquared, ///< the square of relu(x) (So et al. 2021, arXiv:2109.08668)
  Sigmoid,     ///< σ(x) = 1 / (1 + e^−x)
  Silu,        ///< x · σ(x)
  Tanh,
  Softplus,  ///< ln(1 + e^x), without overflow
  EluPlusOne ///< x + 1 above 0, e^x below: positive features of linear attention
};

/// Emits the scalar f32 computation in arith and math ops.
mlir::Value buildActivation(mlir::OpBuilder &builder, mlir::Location location, Activation kind, mlir::Value x);

/// cap · tanh(x / cap): near x where x is small, never beyond cap.
mlir::Value buildSoftCap(mlir::OpBuilder &builder, mlir::Location location, mlir::Value x, double cap);

} // namespace weft

#endif // WEFT_FRONTENDS_BUILDER_ACTIVATION_H
