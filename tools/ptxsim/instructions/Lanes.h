// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loop over lanes that most instructions are: `F` of one, two or three values of type T.
#ifndef WEFT_TOOLS_PTXSIM_INSTRUCTIONS_LANES_H
#define WEFT_TOOLS_PTXSIM_INSTRUCTIONS_LANES_H

#include "tools/ptxsim/Bits.h"
#include "tools/ptxsim/Decoder.h"
#include "tools/ptxsim/Warp.h"

namespace weft::ptxsim {

template <class T, auto F> Outcome map1(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]);
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) { result[lane] = bitsFrom(F(valueOf<T>(a[lane]))); });
  return Outcome::Next;
}

template <class T, auto F> Outcome map2(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]), *b = warp.row(i.sources[1]);
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) { result[lane] = bitsFrom(F(valueOf<T>(a[lane]), valueOf<T>(b[lane]))); });
  return Outcome::Next;
}

template <class T, auto F> Outcome map3(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]), *b = warp.row(i.sources[1]), *c = warp.row(i.sources[2]);
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) {
    result[lane] = bitsFrom(F(valueOf<T>(a[lane]), valueOf<T>(b[lane]), valueOf<T>(c[lane])));
  });
  return Outcome::Next;
}

/// Takes `count` sources of `type` after one destination.
inline void takeOperands(Decoder &d, Type type, size_t count) {
  d.expectOperands(count + 1, count + 1);
  d.destination(0);
  for (size_t index = 1; index <= count; ++index)
    d.source(index, type);
  if (d.instruction.sources.size() != count)
    d.refuse("an operand is one value, not several");
}

/// What the arithmetic opcodes have in common whatever their type.
enum class Operation : uint8_t { Add, Sub, Mul, Fma, Min, Max, Neg, Abs, Div, Rcp, Sqrt };

// The rest of an instruction whose type was taken: in Integers.cpp, Halves.cpp.
void decodeInteger(Decoder &decoder, Operation operation, Type type);
void decodeHalf(Decoder &decoder, Operation operation, Type type);

} // namespace weft::ptxsim

#endif // WEFT_TOOLS_PTXSIM_INSTRUCTIONS_LANES_H
