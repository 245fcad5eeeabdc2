// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model's stored matrices rounded to 8-bit integers: each output is scaled by its largest magnitude over 127.
//
//   w.weight [N, K] f32  ->  w.packed.int8 [ceil(N / 16), ceil(K / 4), 64] i8 and w.packed.int8_scales [N] f32
#ifndef WEFT_COMPILER_EMIT_QUANTIZEDWEIGHTS_H
#define WEFT_COMPILER_EMIT_QUANTIZEDWEIGHTS_H

#include "compiler/emit/ModelDescription.h"
#include "frontends/weights/Safetensors.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace weft {

/// Fills a parameter whose layout has int8: panels where it holds i8, scales where it holds f32. Errors: W0607 (another
/// shape), W0616 (a value that is not finite), W0135.
Result<void> fillQuantized(const ParameterDescription &parameter, const std::vector<const TensorView *> &sources,
                           const std::string &place, std::span<std::byte> out);

} // namespace weft

#endif // WEFT_COMPILER_EMIT_QUANTIZEDWEIGHTS_H
