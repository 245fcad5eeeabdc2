// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights that the compiler computes from tensors of the model's files: functions of each element, dimensions in
// another order.
#ifndef WEFT_COMPILER_EMIT_COMPUTEDWEIGHTS_H
#define WEFT_COMPILER_EMIT_COMPUTEDWEIGHTS_H

#include "compiler/emit/JoinedSources.h"

#include <span>
#include <string>

namespace weft {

/// Fills `out`, of the parameter's elements. Errors: W0607 (the sources have another shape), W0135.
Result<void> fillComputed(const ParameterDescription &parameter, const Sources &sources, const std::string &place,
                          std::span<float> out);

} // namespace weft

#endif // WEFT_COMPILER_EMIT_COMPUTEDWEIGHTS_H
