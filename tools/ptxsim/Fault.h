// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What ends a launch, or refuses a module: the kind, what happened, and where in the PTX. Handlers throw a Fault;
// Module::parse and Device::launch catch it and hand it back.
#ifndef WEFT_TOOLS_PTXSIM_FAULT_H
#define WEFT_TOOLS_PTXSIM_FAULT_H

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft::ptxsim {

enum class FaultKind : uint8_t {
  Syntax,              ///< the text is no PTX
  IllegalInstruction,  ///< an opcode, modifier or operand that is not known
  BadLaunch,           ///< grid, block, shared memory or parameters do not fit the kernel
  OutOfBounds,         ///< no memory at that address
  Misaligned,          ///< an address that is no multiple of the access's size
  UseAfterFree,        ///< the allocation was freed
  UninitializedMemory, ///< a read of bytes that nothing wrote
  UninitializedRegister,
  ReadOnly,     ///< a store to constants or parameters
  Divergence,   ///< threads are missing at an instruction that needs them all
  InfiniteLoop, ///< the budget of instructions is used up
  Deadlock,     ///< every warp waits
  Race,         ///< two threads touch the same bytes without a barrier between them
  Proxy,        ///< a generic access and one of the asynchronous proxy without the fence between them
  InFlight,     ///< a register or memory of an asynchronous operation is touched before its wait
  Barrier,      ///< a barrier is used against its rules
  Trap,         ///< the kernel executed `trap`
};

/// "out of bounds", as messages say it.
std::string_view nameOf(FaultKind kind);

struct Fault {
  FaultKind kind;
  std::string message{};
  int line = 0;         ///< of the PTX text, from 1; 0: none
  std::string source{}; ///< that line
  std::string kernel{}; ///< empty before a launch
  std::array<uint32_t, 3> block{};
  std::array<uint32_t, 3> thread{};
  std::optional<uint64_t> address{};

  /// "kernel.ptx:12: out of bounds: …" and the lines below it; `file` names the text.
  std::string text(std::string_view file) const;
};

} // namespace weft::ptxsim

#endif // WEFT_TOOLS_PTXSIM_FAULT_H
