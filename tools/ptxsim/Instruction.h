// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One decoded instruction: a function that executes it for the lanes of a warp, and the small fields that this
// function reads. Nothing of it is text, so execution compares no strings.
#ifndef WEFT_TOOLS_PTXSIM_INSTRUCTION_H
#define WEFT_TOOLS_PTXSIM_INSTRUCTION_H

#include "tools/ptxsim/Statement.h"

#include <memory>

namespace weft::ptxsim {

class Warp;
struct Function;
struct Instruction;

/// Bit n: lane n.
using LaneMask = uint32_t;
constexpr int kLanes = 32;
constexpr LaneMask kAllLanes = 0xffffffff;

enum class Outcome : uint8_t {
  Next,    ///< on to the following instruction
  Jumped,  ///< the handler has set where the lanes go on
  Blocked, ///< nothing happened: execute it again when others have run
  Yield,   ///< on to the following instruction, but let others run first
};

/// What a lane's result is worth when a register that it reads holds no value. Compilers leave registers alone under a
/// mask, compute with them and drop the result; so a fault waits until such a value decides something.
enum class Validity : uint8_t {
  Strict, ///< a fault: the instruction has an effect
  Lane,   ///< no value either
  Any,    ///< one source is enough: parts are put together, of which the program may use one
  Select, ///< sources[2] ? sources[0] : sources[1]: the worth of what is chosen
  And,    ///< a zero on one side is enough
  Or,     ///< of predicates: a one on one side is enough
};

/// Executes `instruction` for the lanes of `active` (never empty; the guard is already applied).
using Execute = Outcome (*)(const Instruction &instruction, Warp &warp, LaneMask active);

/// Where an access points: base register + offset. A variable's address is in `offset` (base: kNoSlot).
struct Address {
  Slot base = kNoSlot;
  int64_t offset = 0;
  Space space = Space::Generic;
  uint8_t baseBits = 64; ///< width of the base register
};

/// Decoded fields that a family needs beside the ones below: derive from it, keep it in Instruction::details.
struct Details {
  virtual ~Details() = default;
};

struct Instruction {
  /// In `flags`: the lanes that execute it leave the function (ret, exit, trap).
  static constexpr uint32_t kEnds = 0x8000'0000;
  /// In `flags` of a load or store: volatile, relaxed, acquire or release, which synchronises and races with nothing.
  static constexpr uint32_t kStrong = 0x4000'0000;

  Execute execute = nullptr;
  Slot guard = kNoSlot;
  bool guardNegated = false;
  Validity validity = Validity::Strict;
  Type type = Type::None;   ///< of the operation
  Type second = Type::None; ///< of the source, where it differs (cvt, set)
  uint8_t count = 1;        ///< elements of a vector access
  uint8_t bytes = 0;        ///< of one element of an access
  uint8_t destinationBits = 0;
  uint32_t flags = 0; ///< a family's own
  int32_t line = 0;
  int32_t target = -1;          ///< of a branch: index of an instruction
  int32_t reconverge = -1;      ///< where the sides of a branch meet again; -1: at the end of the function
  std::vector<int32_t> targets; ///< of brx.idx
  const Function *callee = nullptr;
  Address address;
  std::vector<Slot> destinations; ///< in the order of the operands, vectors flattened
  std::vector<Slot> sources;
  std::vector<Slot> reads;  ///< rows that must hold a value; the warp checks them. The Decoder fills it
  std::vector<Slot> writes; ///< rows that hold a value afterwards
  std::shared_ptr<const Details> details;

  template <class T> const T &as() const { return static_cast<const T &>(*details); }
};

} // namespace weft::ptxsim

#endif // WEFT_TOOLS_PTXSIM_INSTRUCTION_H
