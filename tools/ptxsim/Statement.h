// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One instruction as it is written, names of registers already resolved to slots. The Decoder of its opcode turns it
// into an Instruction.
#ifndef WEFT_TOOLS_PTXSIM_STATEMENT_H
#define WEFT_TOOLS_PTXSIM_STATEMENT_H

#include "tools/ptxsim/Type.h"

#include <cstdint>
#include <string>
#include <vector>

namespace weft::ptxsim {

struct Variable;
struct Parameter;
struct Function;

/// Number of a row of the register file; immediates and special registers have rows too. -1: none.
using Slot = int32_t;
constexpr Slot kNoSlot = -1;

struct Operand {
  enum class Kind : uint8_t {
    Register,  ///< slot, type
    Immediate, ///< bits of an integer, or of a double when `floating`; 0f… is kept as the double of equal value
    Symbol,    ///< name (+ value): a variable, a parameter, a function, a label
    Special,   ///< name: "%tid.x"
    Address,   ///< [elements[0] + value] and, of tensors, [elements[0], elements[1]]
    Vector,    ///< {elements…}
    List,      ///< (elements…), of a call
    Pair,      ///< elements[0] | elements[1]
    Sink,      ///< _
  };
  Kind kind;
  bool negated = false; ///< !p
  bool floating = false;
  Type type = Type::None; ///< the register's
  Slot slot = kNoSlot;
  uint64_t value = 0;
  std::string name{};
  int scope = 0; ///< where a Symbol was named
  // What a Symbol is; the parser resolves it when the function has ended.
  const Variable *variable = nullptr;
  const Parameter *parameter = nullptr;
  bool ofFrame = false; ///< the parameter is one that calls use, not the launch's
  const Function *function = nullptr;
  int32_t label = -1;            ///< index of a statement
  std::vector<int32_t> labels{}; ///< of .branchtargets
  std::vector<Operand> elements{};
};

struct Statement {
  int line = 0;
  Slot guard = kNoSlot;
  bool guardNegated = false;
  std::string opcode;                 ///< "ld"
  std::vector<std::string> modifiers; ///< "global", "L1::no_allocate", "v4", "b32"
  std::vector<Operand> operands;

  /// "ld.global.v4.b32"
  std::string fullName() const;
};

} // namespace weft::ptxsim

#endif // WEFT_TOOLS_PTXSIM_STATEMENT_H
