// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How arguments and results of a call pass between the frames of two functions.
#ifndef WEFT_TOOLS_PTXSIM_INSTRUCTIONS_CALLS_H
#define WEFT_TOOLS_PTXSIM_INSTRUCTIONS_CALLS_H

#include "tools/ptxsim/Warp.h"

namespace weft::ptxsim {

/// Offsets of the caller's .param variables.
struct CallDetails : Details {
  std::vector<uint32_t> results, arguments;
};

void passArguments(const Instruction &call, const Frame &caller, Frame &callee, LaneMask lanes);
void passResults(const Instruction &call, Frame &caller, const Frame &callee, LaneMask lanes);

/// The first call of a function that no module defines.
std::optional<Fault> findUndefined(const Module &module);

} // namespace weft::ptxsim

#endif // WEFT_TOOLS_PTXSIM_INSTRUCTIONS_CALLS_H
