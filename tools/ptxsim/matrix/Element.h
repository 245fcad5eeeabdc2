// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Element types of matrix instructions: bit patterns to values and back.
#ifndef WEFT_TOOLS_PTXSIM_MATRIX_ELEMENT_H
#define WEFT_TOOLS_PTXSIM_MATRIX_ELEMENT_H

#include <cstdint>
#include <optional>
#include <string_view>

namespace weft::ptxsim {

enum class Element { F16, BF16, TF32, F32, F64, E4M3, E5M2, S8, U8, S4, U4, S32 };

/// The element that PTX calls "f16", "bf16", "tf32", "e4m3", "s8"…; none for other names.
std::optional<Element> elementOf(std::string_view name);

/// Size of one element in a register or in shared memory, in bits. tf32 takes a whole word.
int bitsOf(Element element);

bool isInteger(Element element);

/// The value of a bit pattern (the low bitsOf(element) bits). Of tf32 the low 13 bits are not read, as in hardware.
/// For every type of at most 32 bits except s32; s32 beyond 2^24 and f64 have functions of their own.
float decodeElement(Element element, uint32_t bits);

/// f16 nearest to a value, ties to even; NaN becomes 0x7fff as in PTX.
uint16_t encodeF16(float value);

/// bf16 nearest to a value, ties to even; NaN becomes 0x7fff as in PTX.
uint16_t encodeBF16(float value);

} // namespace weft::ptxsim

#endif
