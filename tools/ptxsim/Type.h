// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The types of PTX: of instructions and of registers. One value of one lane has 64 bits at most, but b128's, which
// takes two register slots.
#ifndef WEFT_TOOLS_PTXSIM_TYPE_H
#define WEFT_TOOLS_PTXSIM_TYPE_H

#include <cstdint>
#include <string_view>

namespace weft::ptxsim {

enum class Type : uint8_t {
  None,
  Pred,
  B8,
  B16,
  B32,
  B64,
  B128,
  U8,
  U16,
  U32,
  U64,
  S8,
  S16,
  S32,
  S64,
  F16,
  BF16,
  TF32,
  F32,
  F64,
  U16x2,
  S16x2,
  F16x2,
  BF16x2,
  E4M3x2,
  E5M2x2,
  E4M3,
  E5M2,
};

/// The type of a modifier without its dot ("f16x2"), None where it is none.
Type typeNamed(std::string_view modifier);
std::string_view nameOf(Type type);

/// Bits of one value; 1 of a predicate.
int bitsOf(Type type);
inline int bytesOf(Type type) { return (bitsOf(type) + 7) / 8; }

/// One number in floating point (f16, bf16, tf32, f32, f64); packed pairs are not.
inline bool isFloat(Type type) { return type >= Type::F16 && type <= Type::F64; }
inline bool isSigned(Type type) { return type >= Type::S8 && type <= Type::S64; }
inline bool isBits(Type type) { return type >= Type::B8 && type <= Type::B128; }
inline bool isInteger(Type type) { return type >= Type::B8 && type <= Type::S64; }

/// State spaces. Generic is an address that says itself where it lies.
enum class Space : uint8_t { Generic, Global, Shared, Local, Const, Param };

/// The space of a modifier ("shared::cta"), Generic where it names none.
Space spaceNamed(std::string_view modifier);
std::string_view nameOf(Space space);

} // namespace weft::ptxsim

#endif // WEFT_TOOLS_PTXSIM_TYPE_H
