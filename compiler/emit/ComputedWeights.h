// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights that the compiler computes from a tensor of the model's files: functions of each element, dimensions in
// another order.
#ifndef WEFT_COMPILER_EMIT_COMPUTEDWEIGHTS_H
#define WEFT_COMPILER_EMIT_COMPUTEDWEIGHTS_H

#include "compiler/emit/ModelDescription.h"
#include "frontends/weights/Safetensors.h"

#include <span>
#include <string>

namespace weft {

/// Fills `out`, of the parameter's elements. Errors: W0607 (the source has another shape), W0135.
Result<void> fillComputed(const ParameterDescription &parameter, const TensorView &source, const std::string &place,
                          std::span<float> out);

} // namespace weft

#endif // WEFT_COMPILER_EMIT_COMPUTEDWEIGHTS_H
