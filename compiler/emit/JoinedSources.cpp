// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/JoinedSources.h"

#include "compiler/emit/ColumnPacker.h"
#include "frontends/weights/FloatValues.h"

#include <algorithm>
#include <optional>

namespace weft {
namespace {

using Shape = std::vector<int64_t>;

/// How many entries of the first dimension of `shape` a source holds; nothing: it does not fit.
std::optional<int64_t> entriesOf(const Shape &source, const Shape &shape) {
  size_t rank = shape.size(), merged = rank - source.size(); // leading dimensions of `shape` that the source lacks
  if (source.empty() || source.size() > rank || merged > 1 ||
      !std::equal(source.begin() + 1, source.end(), shape.begin() + merged + 1))
    return std::nullopt;
  int64_t step = merged ? shape[1] : 1;
  if (step == 0)
    return source.front() == 0 ? std::optional(shape[0]) : std::nullopt;
  return source.front() % step == 0 ? std::optional(source.front() / step) : std::nullopt;
}

Diagnostic misfitOf(const ParameterDescription &parameter, const TensorView &source, const Shape &shape,
                    const std::string &place) {
  return misfit(parameter,
                printableName(source.name) + " has the shape " + printableShape(source.shape) +
                    " where the graph has " + printableShape(shape),
                place);
}

Result<void> checkJoined(const ParameterDescription &parameter, const Shape &shape, const Sources &sources,
                         const std::string &place) {
  if (shape.empty() || sources.size() == 1) { // alone it has all entries
    bool fits = sources.size() == 1 &&
                (shape.empty() ? sources.front()->shape.empty() : entriesOf(sources.front()->shape, shape) == shape[0]);
    return fits ? Result<void>() : misfitOf(parameter, *sources.front(), shape, place);
  }
  int64_t entries = 0;
  for (const TensorView *source : sources) {
    std::optional<int64_t> own = entriesOf(source->shape, shape);
    if (!own)
      return misfitOf(parameter, *source, shape, place);
    entries += *own;
  }
  if (entries != shape[0])
    return misfit(parameter,
                  "its sources have " + std::to_string(entries) + " rows together where the graph has " +
                      std::to_string(shape[0]),
                  place);
  return {};
}

} // namespace

Result<void> readJoined(const ParameterDescription &parameter, const Shape &shape, const Sources &sources,
                        const std::string &place, std::span<float> out) {
  if (Result<void> checked = checkJoined(parameter, shape, sources, place); !checked)
    return checked;
  for (const TensorView *source : sources) {
    if (Result<void> read = readF32(*source, out.first(source->elements())); !read)
      return read;
    out = out.subspan(source->elements());
  }
  return {};
}

Result<std::vector<MatrixSize>> sizesOfMatrices(const ParameterDescription &parameter, int64_t blocks,
                                                const Sources &sources, const std::string &place) {
  auto rowsOf = [](const TensorView &source) {
    return source.shape.size() == 3 ? source.shape[0] * source.shape[1] : source.shape[0];
  };
  auto refuse = [&](const TensorView &source, const std::string &where) {
    return misfit(parameter,
                  printableName(source.name) + " has the shape " + printableShape(source.shape) + " where " + where,
                  place);
  };
  std::vector<MatrixSize> sizes;
  int64_t rows = 0;
  for (const TensorView *source : sources) {
    bool fits = source->shape.size() == 2 || (blocks && source->shape.size() == 3);
    if (!fits || (blocks && source->shape.back() != sources.front()->shape.back()))
      return refuse(*source, blocks ? "there are " + std::to_string(blocks) + " matrices of one size" : "a matrix is");
    rows += rowsOf(*source);
    sizes.push_back({source->shape[0], source->shape.back()});
  }
  if (!blocks)
    return sizes;
  MatrixSize size{rows / blocks, sources.front()->shape.back()};
  for (const TensorView *source : sources) {
    bool isWhole = size.rows * blocks == rows && (size.rows == 0 || rowsOf(*source) % size.rows == 0);
    if (!isWhole || (source->shape.size() == 3 && source->shape[1] != size.rows))
      return refuse(*source, std::to_string(blocks) + " matrices of one size have " + std::to_string(rows) + " rows");
  }
  return std::vector<MatrixSize>(sources.size(), size);
}

} // namespace weft
