// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model's stored matrices rounded in groups along k (dialects/weft/GroupForm.h): each group of an output is scaled by
// its largest magnitude.
//
//   w.weight [N, K] f32  ->  w.packed.int4 [ceil(N / 16), ceil(K / 32), 288] i8
#ifndef WEFT_COMPILER_EMIT_GROUPWISEWEIGHTS_H
#define WEFT_COMPILER_EMIT_GROUPWISEWEIGHTS_H

#include "compiler/emit/ModelDescription.h"
#include "frontends/weights/Safetensors.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace weft {

/// Fills a parameter whose layout names a form of groups. Errors: W0607 (another shape), W0616 (a value that is not
/// finite), W0619 (a scale beyond f16), W0135.
Result<void> fillGroupwise(const ParameterDescription &parameter, const std::vector<const TensorView *> &sources,
                           const std::string &place, std::span<std::byte> out);

} // namespace weft

#endif // WEFT_COMPILER_EMIT_GROUPWISEWEIGHTS_H
