// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontends/weights/FloatValues.h"

#include <cassert>
#include <cmath>
#include <cstring>

namespace weft {
namespace {

/// convert of each stored element, read without assuming alignment.
template <class Stored, class Convert>
void convertAll(const TensorView &tensor, std::span<float> out, Convert convert) {
  const std::byte *source = tensor.bytes.data();
  for (float &value : out) {
    Stored stored;
    std::memcpy(&stored, source, sizeof(stored));
    source += sizeof(stored);
    value = convert(stored);
  }
}

Result<void> readF64(const TensorView &tensor, std::span<float> out) {
  bool fits = true;
  convertAll<double>(tensor, out, [&](double stored) {
    float value = static_cast<float>(stored);
    fits &= std::isinf(value) == std::isinf(stored);
    return value;
  });
  if (!fits)
    return Diagnostic{"W0135", "the tensor holds values beyond the range of float32",
                      "tensor " + printableName(tensor.name), "rescale the weights, or store them as F32"};
  return {};
}

/// Two elements a byte, the first in its low half; blocks lie one after the other.
void readF4(const TensorView &tensor, std::span<float> out) {
  for (size_t block = 0; block < tensor.scales.size(); ++block) {
    float scale = floatFromE8M0(std::to_integer<uint8_t>(tensor.scales[block]));
    for (size_t at = block * kBlockOfF4; at < (block + 1) * kBlockOfF4; at += 2) {
      auto pair = std::to_integer<uint8_t>(tensor.bytes[at / 2]);
      out[at] = floatFromF4(pair & 15) * scale;
      out[at + 1] = floatFromF4(pair >> 4) * scale;
    }
  }
}

} // namespace

Result<void> readF32(const TensorView &tensor, std::span<float> out) {
  assert(out.size() == tensor.elements() && "one float an element");
  if (tensor.computed) {
    tensor.computed->read(out);
    return {};
  }
  switch (tensor.dtype) {
  case DType::F32:
    if (!out.empty())
      std::memcpy(out.data(), tensor.bytes.data(), tensor.bytes.size());
    return {};
  case DType::F16:
    convertAll<uint16_t>(tensor, out, floatFromF16);
    return {};
  case DType::BF16:
    convertAll<uint16_t>(tensor, out, floatFromBF16);
    return {};
  case DType::F64:
    return readF64(tensor, out);
  case DType::F4:
    if (!tensor.scales.empty() || out.empty()) {
      assert(tensor.scales.size() * kBlockOfF4 == out.size() && "a scale for each block");
      readF4(tensor, out);
      return {};
    }
    [[fallthrough]];
  default:
    return Diagnostic{"W0135",
                      "the tensor holds " + std::string(dtypeName(tensor.dtype)) +
                          ", where weights in F32, F16, BF16 or F64 are needed",
                      "tensor " + printableName(tensor.name), "store the model's weights in one of these types"};
  }
}

} // namespace weft
