// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/conformance/Halves.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace weft::test {

float rounded(const Stored &stored, double value) {
  int exponent = 0;
  std::frexp(value, &exponent);
  int unit = std::max(exponent - stored.digits, stored.quantum);
  return static_cast<float>(std::ldexp(std::nearbyint(std::ldexp(value, -unit)), unit));
}

uint16_t bitsOf(const Stored &stored, float value) {
  if (stored.type == ElementType::BF16)
    return static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16);
  return std::bit_cast<uint16_t>(static_cast<_Float16>(value));
}

float fromBits(const Stored &stored, uint16_t bits) {
  if (stored.type == ElementType::BF16)
    return std::bit_cast<float>(uint32_t(bits) << 16);
  return static_cast<float>(std::bit_cast<_Float16>(bits));
}

Array arrayOf(const Stored &stored, const std::string &name, std::vector<int64_t> shape,
              const std::vector<float> &values) {
  Array array{name, stored.type, std::move(shape), std::vector<std::byte>(2 * values.size())};
  for (size_t i = 0; i < values.size(); ++i) {
    uint16_t bits = bitsOf(stored, values[i]);
    std::memcpy(array.bytes.data() + 2 * i, &bits, 2);
  }
  return array;
}

std::vector<float> valuesOf(const Array &array) {
  for (const Stored &stored : kStored) {
    if (array.type != stored.type)
      continue;
    std::vector<float> values(array.bytes.size() / 2);
    for (size_t i = 0; i < values.size(); ++i) {
      uint16_t bits;
      std::memcpy(&bits, array.bytes.data() + 2 * i, 2);
      values[i] = fromBits(stored, bits);
    }
    return values;
  }
  std::vector<float> values(array.bytes.size() / sizeof(float));
  std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
  return values;
}

} // namespace weft::test
