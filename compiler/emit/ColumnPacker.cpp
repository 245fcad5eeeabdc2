// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/ColumnPacker.h"

#include "frontends/weights/FloatValues.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

namespace weft {

Diagnostic misfit(const ParameterDescription &parameter, const std::string &message, const std::string &place) {
  return {"W0607", "parameter " + printableName(parameter.name) + ": " + message, place,
          "the weights must be those that the graph was made for"};
}

ColumnPacker::ColumnPacker(const ParameterDescription &parameter, const std::string &place, std::span<std::byte> out)
    : parameter(parameter), place(place), outByIn(parameter.panels->outByIn) {
  std::fill(out.begin(), out.end(), std::byte(0));
}

Result<void> ColumnPacker::pack(const Sources &sources) {
  int64_t count = blocks(), columns = 0;
  Result<std::vector<MatrixSize>> sizes = sizesOfMatrices(parameter, count, sources, place);
  if (!sizes)
    return sizes.takeError();
  for (size_t index = 0; index < sources.size(); ++index) {
    MatrixSize size = (*sizes)[index];
    if (!fitsDepth(depthOf(size)))
      return misfit(parameter,
                    printableName(sources[index]->name) + " has the shape " + printableShape(sources[index]->shape) +
                        " where the graph has panels of the shape " + printableShape(parameter.shape),
                    place);
    columns = columnsOf(size) + (count ? 0 : columns);
  }
  if (!fitsTogether(columns))
    return misfit(parameter, "its sources have " + std::to_string(columns) + " outputs together", place);
  std::vector<float> values;
  for (size_t index = 0; index < sources.size(); ++index) {
    values.resize(sources[index]->elements());
    if (Result<void> read = readF32(*sources[index], values); !read)
      return read;
    MatrixSize size = (*sizes)[index];
    for (size_t at = 0, step = size.rows * size.columns; step && at < values.size(); at += step) {
      if (Result<void> added = add(*sources[index], size, std::span(values).subspan(at, step)); !added)
        return added;
      if (count)
        column = llvm::alignTo(column, blockUnit());
    }
  }
  return {};
}

} // namespace weft
