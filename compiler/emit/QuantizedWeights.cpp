// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/QuantizedWeights.h"

#include "compiler/emit/ColumnPacker.h"
#include "runtime/include/weft/abi.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>

namespace weft {
namespace {

constexpr int64_t kGroup = 4;      ///< steps of k of a column that lie beside each other
constexpr float kLeast = 0x1p-100; ///< smaller columns are columns of zeros, as in weft.quantize_rows

class Quantizer : public ColumnPacker {
public:
  Quantizer(const ParameterDescription &parameter, const std::string &place, std::span<std::byte> out)
      : ColumnPacker(parameter, place, out), width(parameter.panels->width), isPanels(parameter.dtype == WEFT_I8),
        panelSteps(isPanels ? parameter.shape.end()[-2] : 0), count(parameter.shape.end()[isPanels ? -3 : -1]),
        out(out) {}

private:
  int64_t blocks() const override { return parameter.shape.size() == (isPanels ? 4u : 2u) ? parameter.shape[0] : 0; }
  int64_t blockUnit() const override { return isPanels ? width : 1; }
  bool fitsDepth(int64_t depth) const override {
    return !isPanels || static_cast<int64_t>(llvm::divideCeil(depth, kGroup)) == panelSteps;
  }
  bool fitsTogether(int64_t columns) const override {
    return (isPanels ? static_cast<int64_t>(llvm::divideCeil(columns, width)) : columns) == count;
  }

  Result<void> add(const TensorView &source, MatrixSize size, std::span<const float> values) override {
    int64_t depth = depthOf(size), columns = columnsOf(size);
    for (int64_t n = 0; n < columns; ++n, ++column) {
      const float *first = values.data() + (outByIn ? n * depth : n);
      int64_t step = outByIn ? 1 : columns;
      float most = 0;
      bool finite = true;
      for (int64_t k = 0; k < depth; ++k) {
        finite &= std::isfinite(first[k * step]);
        most = std::max(most, std::fabs(first[k * step]));
      }
      if (!finite)
        return Diagnostic{"W0616", "weight " + printableName(source.name) + " holds a NaN or an infinity", place,
                          "leave out --weights int8, or repair the file: such a value has no 8-bit form"};
      if (most >= kLeast)
        put(first, step, depth, most);
    }
    return {};
  }

  void put(const float *first, int64_t step, int64_t depth, float most) {
    if (!isPanels) {
      reinterpret_cast<float *>(out.data())[column] = most / 127;
      return;
    }
    float inverse = 127 / most;
    auto *panel = reinterpret_cast<int8_t *>(out.data()) + (column / width) * panelSteps * kGroup * width;
    for (int64_t k = 0; k < depth; ++k)
      panel[k / kGroup * kGroup * width + column % width * kGroup + k % kGroup] =
          static_cast<int8_t>(std::nearbyint(first[k * step] * inverse));
  }

  int64_t width;
  bool isPanels;
  int64_t panelSteps; ///< groups of k in a panel
  int64_t count;      ///< panels, or columns, of a block
  std::span<std::byte> out;
};

} // namespace

Result<void> fillQuantized(const ParameterDescription &parameter, const std::vector<const TensorView *> &sources,
                           const std::string &place, std::span<std::byte> out) {
  size_t rank = parameter.shape.size();
  bool isPanels = parameter.dtype == WEFT_I8 && (rank == 3 || rank == 4) &&
                  parameter.shape.back() == kGroup * parameter.panels->width;
  if (!isPanels && (parameter.dtype != WEFT_F32 || (rank != 1 && rank != 2)))
    return misfit(parameter, "its type is not that of a weight in 8 bits", place);
  return Quantizer(parameter, place, out).pack(sources);
}

} // namespace weft
