// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors of a model's files that lie one after the other, in row-major order, as one.
//
//   experts.0.up [n, k], experts.1.up [n, k]  ->  [2, n, k]
//   experts.up [2 * n, k]                     ->  [2, n, k]
#ifndef WEFT_COMPILER_EMIT_JOINEDSOURCES_H
#define WEFT_COMPILER_EMIT_JOINEDSOURCES_H

#include "compiler/emit/ModelDescription.h"
#include "frontends/weights/Safetensors.h"

#include <span>
#include <string>
#include <vector>

namespace weft {

using Sources = std::vector<const TensorView *>;

/// Joins the sources to `shape`: each has its dimensions but the first, which may be any, or also lacks the first, and
/// then its second may be a multiple. `out` has the elements of `shape`. Errors: W0607 (another shape), W0135.
Result<void> readJoined(const ParameterDescription &parameter, const std::vector<int64_t> &shape,
                        const Sources &sources, const std::string &place, std::span<float> out);

struct MatrixSize {
  int64_t rows, columns;
};
/// The size of the matrices of each source: one each, or with `blocks` so many of one size in all sources together,
/// which then are [matrices, rows, columns] or [matrices · rows, columns]. Errors: W0607.
Result<std::vector<MatrixSize>> sizesOfMatrices(const ParameterDescription &parameter, int64_t blocks,
                                                const Sources &sources, const std::string &place);

} // namespace weft

#endif // WEFT_COMPILER_EMIT_JOINEDSOURCES_H
