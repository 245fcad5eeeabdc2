// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/GroupedWeights.h"

#include "dialects/weft/GroupForm.h"
#include "frontends/weights/FloatValues.h"
#include "runtime/include/weft/abi.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace weft {
namespace {

Diagnostic misfit(const ParameterDescription &parameter, const std::string &message, const std::string &place) {
  return {"W0607", "parameter " + printableName(parameter.name) + ": " + message, place,
          "the weights must be those that the graph was made for"};
}

/// Columns of the sources, one after the other, into the panels.
class GroupPacker {
public:
  GroupPacker(const ParameterDescription &parameter, const NamedGroupForm &named, std::span<std::byte> out)
      : form(named.form), divisor(named.divisor), outByIn(parameter.panels->outByIn), groups(parameter.shape[1]),
        out(reinterpret_cast<uint8_t *>(out.data())) {
    std::fill(out.begin(), out.end(), std::byte(0));
  }

  int64_t columnsOf(const TensorView &source) const { return source.shape[outByIn ? 0 : 1]; }
  bool fits(const TensorView &source) const {
    return source.shape.size() == 2 &&
           static_cast<int64_t>(llvm::divideCeil(source.shape[outByIn ? 1 : 0], form.group)) == groups;
  }

  /// The value that has no place in the form, where there is one.
  std::optional<float> add(const TensorView &source, std::span<const float> values) {
    int64_t depth = source.shape[outByIn ? 1 : 0], columns = columnsOf(source);
    std::vector<float> group(form.group);
    for (int64_t n = 0; n < columns; ++n, ++column) {
      const float *first = values.data() + (outByIn ? n * depth : n);
      int64_t step = outByIn ? 1 : columns;
      for (int64_t g = 0; g < groups; ++g) {
        int64_t begin = g * form.group;
        for (int64_t j = 0; j < form.group; ++j)
          group[j] = begin + j < depth ? first[(begin + j) * step] : 0;
        if (std::optional<float> unfit = put(group, g))
          return unfit;
      }
    }
    return std::nullopt;
  }

private:
  std::optional<float> put(const std::vector<float> &group, int64_t g) {
    float extreme = 0;
    for (float value : group) {
      if (!std::isfinite(value))
        return value;
      if (std::fabs(value) > std::fabs(extreme))
        extreme = value;
    }
    uint16_t scale = f16FromFloat((divisor < 0 ? extreme : std::fabs(extreme)) / divisor);
    float number = floatFromF16(scale);
    if (std::isinf(number))
      return extreme;
    if (number == 0)
      return std::nullopt;
    uint8_t *to = out + (column / kPanelWidth * groups + g) * form.bytes();
    uint8_t *scales = to + form.wordBytes() + column % kPanelWidth * 2;
    scales[0] = static_cast<uint8_t>(scale & 0xff);
    scales[1] = static_cast<uint8_t>(scale >> 8);
    float most = static_cast<float>((1 << (form.bits - 1)) - 1), least = divisor < 0 ? -most - 1 : -most;
    for (int64_t j = 0; j < form.group; ++j) {
      auto value = static_cast<int>(std::nearbyint(std::clamp(group[j] / number, least, most)));
      int64_t bit = j % form.steps() * form.bits;
      uint8_t &byte = to[(j / form.steps() * kPanelWidth + column % kPanelWidth) * 4 + bit / 8];
      byte |= static_cast<uint8_t>((value & ((1 << form.bits) - 1)) << bit % 8);
    }
    return std::nullopt;
  }

  GroupForm form;
  float divisor;
  bool outByIn;
  int64_t groups;
  uint8_t *out;
  int64_t column = 0;
};

Diagnostic unfitting(const TensorView &source, const std::string &form, float value, const std::string &place) {
  if (std::isfinite(value))
    return {"W0619",
            printableName(source.name) + " holds " + std::to_string(value) + ", and its group's scale is beyond f16",
            place, "use --weights keep: the scales of --weights " + form + " are f16"};
  return {"W0616", "weight " + printableName(source.name) + " holds a NaN or an infinity", place,
          "leave out --weights " + form + ", or repair the file: such a value cannot be rounded to an integer"};
}

} // namespace

Result<void> fillGrouped(const ParameterDescription &parameter, const std::vector<const TensorView *> &sources,
                         const std::string &place, std::span<std::byte> out) {
  const NamedGroupForm *named = findGroupForm(parameter.panels->form);
  if (!named || parameter.panels->width != kPanelWidth || parameter.dtype != WEFT_I8 || parameter.shape.size() != 3 ||
      parameter.shape[2] != named->form.bytes())
    return misfit(parameter, "its type is not that of a weight in groups", place);
  GroupPacker packer(parameter, *named, out);
  int64_t columns = 0;
  for (const TensorView *source : sources) {
    if (!packer.fits(*source))
      return misfit(parameter,
                    printableName(source->name) + " has the shape " + printableShape(source->shape) +
                        " where the graph has panels of the shape " + printableShape(parameter.shape),
                    place);
    columns += packer.columnsOf(*source);
  }
  if (static_cast<int64_t>(llvm::divideCeil(columns, kPanelWidth)) != parameter.shape[0])
    return misfit(parameter, "its sources have " + std::to_string(columns) + " outputs together", place);
  std::vector<float> values;
  for (const TensorView *source : sources) {
    values.resize(source->elements());
    if (Result<void> read = readF32(*source, values); !read)
      return read;
    if (std::optional<float> unfit = packer.add(*source, values))
      return unfitting(*source, parameter.panels->form, *unfit, place);
  }
  return {};
}

} // namespace weft
