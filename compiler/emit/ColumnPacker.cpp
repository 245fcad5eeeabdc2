// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/ColumnPacker.h"

#include "frontends/weights/FloatValues.h"

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

Result<void> ColumnPacker::pack(const std::vector<const TensorView *> &sources) {
  int64_t columns = 0;
  for (const TensorView *source : sources) {
    if (source->shape.size() != 2 || !fitsDepth(depthOf(*source)))
      return misfit(parameter,
                    printableName(source->name) + " has the shape " + printableShape(source->shape) +
                        " where the graph has panels of the shape " + printableShape(parameter.shape),
                    place);
    columns += columnsOf(*source);
  }
  if (!fitsTogether(columns))
    return misfit(parameter, "its sources have " + std::to_string(columns) + " outputs together", place);
  std::vector<float> values;
  for (const TensorView *source : sources) {
    values.resize(source->elements());
    if (Result<void> read = readF32(*source, values); !read)
      return read;
    if (Result<void> added = add(*source, values); !added)
      return added;
  }
  return {};
}

} // namespace weft
