// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers of 16 bits, computed without the code under test.
#ifndef WEFT_TEST_CONFORMANCE_HALVES_H
#define WEFT_TEST_CONFORMANCE_HALVES_H

#include "compiler/include/weft/Compiler.h"

#include <cstdint>
#include <string>
#include <vector>

namespace weft::test {

struct Stored {
  std::string name;
  ElementType type;
  int digits;  ///< of the significand
  int quantum; ///< the exponent of the smallest number
};
inline const Stored kStored[] = {{"bf16", ElementType::BF16, 8, -133}, {"f16", ElementType::F16, 11, -24}};

/// To nearest, ties to even.
float rounded(const Stored &stored, double value);

/// Of a number that the type holds.
uint16_t bitsOf(const Stored &stored, float value);
float fromBits(const Stored &stored, uint16_t bits);

/// Numbers that the type holds, as an array of it.
Array arrayOf(const Stored &stored, const std::string &name, std::vector<int64_t> shape,
              const std::vector<float> &values);
/// An array of f32, bf16 or f16 as floats.
std::vector<float> valuesOf(const Array &array);

} // namespace weft::test

#endif // WEFT_TEST_CONFORMANCE_HALVES_H
