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

} // namespace

Result<void> readF32(const TensorView &tensor, std::span<float> out) {
  assert(out.size() == tensor.elements() && "one float an element");
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
  default:
    return Diagnostic{"W0135",
                      "the tensor holds " + std::string(dtypeName(tensor.dtype)) +
                          ", where weights in F32, F16, BF16 or F64 are needed",
                      "tensor " + printableName(tensor.name), "store the model's weights in one of these types"};
  }
}

} // namespace weft
