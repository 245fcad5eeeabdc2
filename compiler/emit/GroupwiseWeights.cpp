// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/GroupwiseWeights.h"

#include "compiler/emit/ColumnPacker.h"
#include "dialects/weft/GroupForm.h"
#include "frontends/weights/FloatValues.h"
#include "runtime/include/weft/abi.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace weft {
namespace {

class GroupPacker : public ColumnPacker {
public:
  GroupPacker(const ParameterDescription &parameter, const NamedGroupForm &named, const std::string &place,
              std::span<std::byte> out)
      : ColumnPacker(parameter, place, out), form(named.form), divisor(named.divisor),
        groups(parameter.shape.end()[-2]), out(reinterpret_cast<uint8_t *>(out.data())) {}

private:
  bool fitsDepth(int64_t depth) const override {
    return static_cast<int64_t>(llvm::divideCeil(depth, form.group)) == groups;
  }
  bool fitsTogether(int64_t columns) const override {
    return static_cast<int64_t>(llvm::divideCeil(columns, kPanelWidth)) == parameter.shape.end()[-3];
  }

  Result<void> add(const TensorView &source, MatrixSize size, std::span<const float> values) override {
    int64_t depth = depthOf(size), columns = columnsOf(size);
    std::vector<float> group(form.group);
    for (int64_t n = 0; n < columns; ++n, ++column) {
      const float *first = values.data() + (outByIn ? n * depth : n);
      int64_t step = outByIn ? 1 : columns;
      for (int64_t g = 0; g < groups; ++g) {
        int64_t begin = g * form.group;
        for (int64_t j = 0; j < form.group; ++j)
          group[j] = begin + j < depth ? first[(begin + j) * step] : 0;
        if (std::optional<float> unfit = put(group, g))
          return unfitting(source, *unfit);
      }
    }
    return {};
  }

  Diagnostic unfitting(const TensorView &source, float value) const {
    const std::string &name = parameter.panels->form;
    if (std::isfinite(value))
      return {"W0619",
              printableName(source.name) + " holds " + std::to_string(value) + ", and its group's scale is beyond f16",
              place, "use --weights keep: the scales of --weights " + name + " are f16"};
    return {"W0616", "weight " + printableName(source.name) + " holds a NaN or an infinity", place,
            "leave out --weights " + name + ", or repair the file: such a value cannot be rounded to an integer"};
  }

  /// The value that has no place in the form, where there is one.
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
  int64_t groups;
  uint8_t *out;
};

} // namespace

Result<void> fillGroupwise(const ParameterDescription &parameter, const std::vector<const TensorView *> &sources,
                           const std::string &place, std::span<std::byte> out) {
  const NamedGroupForm *named = findGroupForm(parameter.panels->form);
  if (!named || parameter.panels->width != kPanelWidth || parameter.dtype != WEFT_I8 ||
      (parameter.shape.size() != 3 && parameter.shape.size() != 4) || parameter.shape.back() != named->form.bytes())
    return misfit(parameter, "its type is not that of a weight in groups", place);
  return GroupPacker(parameter, *named, place, out).pack(sources);
}

} // namespace weft
