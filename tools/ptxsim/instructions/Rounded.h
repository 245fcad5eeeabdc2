// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic of f32 and f64 with a rounding mode other than to nearest, and the approximations: rare, so one handler
// with a switch.
#ifndef WEFT_TOOLS_PTXSIM_INSTRUCTIONS_ROUNDED_H
#define WEFT_TOOLS_PTXSIM_INSTRUCTIONS_ROUNDED_H

#include "tools/ptxsim/instructions/Lanes.h"

namespace weft::ptxsim {

/// The operands are taken.
void decodeRounded(Decoder &decoder, Operation operation, Type type, Rounding rounding, bool ftz, bool sat);

/// False, with nothing taken, where it has neither .approx nor .full. In Transcendentals.cpp.
bool decodeApproximation(Decoder &decoder);

} // namespace weft::ptxsim

#endif // WEFT_TOOLS_PTXSIM_INSTRUCTIONS_ROUNDED_H
