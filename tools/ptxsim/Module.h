// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PTX text, parsed: variables, functions, and per function its decoded instructions with labels resolved to indices.
#ifndef WEFT_TOOLS_PTXSIM_MODULE_H
#define WEFT_TOOLS_PTXSIM_MODULE_H

#include "tools/ptxsim/Fault.h"
#include "tools/ptxsim/Instruction.h"

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace weft::ptxsim {

/// Where generic addresses of the other spaces begin; a global address is its own generic address.
constexpr uint64_t kSharedWindow = 0x7f10'0000'0000;
constexpr uint64_t kLocalWindow = 0x7f20'0000'0000;
constexpr uint64_t kParamWindow = 0x7f30'0000'0000;
constexpr uint64_t kWindowBytes = 0x0001'0000'0000;
/// Set in the address of a parameter that calls use; parameters of a launch have small addresses.
constexpr uint64_t kFrameParameter = 0x8000'0000;
/// The first address of shared and local memory: below it nothing lies, so that a null pointer is found.
constexpr uint64_t kSharedBase = 1024;
constexpr uint64_t kLocalBase = 1024;

/// A word of an initializer that holds the address of a variable.
struct Relocation {
  size_t offset;
  std::string symbol;
  int64_t addend;
};

struct Variable {
  std::string name;
  Space space = Space::Global;
  Type type = Type::B8;
  uint64_t bytes = 0; ///< 0 of `.extern .shared … []`: dynamic shared memory
  uint32_t alignment = 1;
  bool external = false;
  int line = 0;
  std::vector<std::byte> initial; ///< empty: zeros, of global and const; nothing, of shared and local
  std::vector<Relocation> relocations;
  uint64_t address = 0; ///< within its space; of global and const set when a Device loads the module
};

struct Parameter {
  std::string name;
  Type type = Type::None;
  uint32_t bytes = 0;
  uint32_t alignment = 1;
  uint32_t offset = 0; ///< within the parameters of the function
};

/// A special register that a row holds.
struct SpecialRow {
  Slot slot;
  std::string name; ///< "%tid.x"
};

struct ConstantRow {
  Slot slot;
  uint64_t bits;
  const Variable *variable = nullptr; ///< its address is added
};

struct Function {
  std::string name;
  bool entry = false;
  bool defined = false;
  int line = 0;
  std::vector<Parameter> parameters; ///< of an entry: the launch's; of a function: offsets in the frame
  std::vector<Parameter> results;
  uint32_t parameterBytes = 0;               ///< of an entry
  uint32_t frameParameterBytes = 0;          ///< of .param variables that calls use, for each lane
  uint32_t localBytes = 0;                   ///< for each lane
  std::array<uint32_t, 3> requiredThreads{}; ///< .reqntid; zeros: none
  std::array<uint32_t, 3> maximumThreads{};  ///< .maxntid
  std::array<uint32_t, 3> requiredCluster{}; ///< .reqnctapercluster
  uint32_t maximumRegisters = 0;             ///< .maxnreg
  uint32_t minimumBlocks = 0;                ///< .minnctapersm
  Slot rows = 0;                             ///< of the register file
  std::vector<std::string> rowNames;         ///< of registers, for messages
  std::vector<ConstantRow> constants;
  std::map<uint64_t, Slot> constantSlots; ///< of those without a variable
  std::vector<SpecialRow> specials;
  std::vector<Instruction> code;
  std::vector<std::unique_ptr<Variable>> variables;        ///< of the body
  std::vector<std::unique_ptr<Parameter>> frameParameters; ///< .param variables, those of the signature first
};

struct Module {
  std::string version;            ///< "8.8"
  std::string target;             ///< "sm_90a"
  std::vector<std::string> lines; ///< of the text
  std::map<std::string, std::unique_ptr<Variable>, std::less<>> variables;
  std::map<std::string, std::unique_ptr<Function>, std::less<>> functions;
  uint64_t staticShared = 0;      ///< bytes of the shared variables that have a size
  uint32_t dynamicAlignment = 16; ///< of dynamic shared memory, which follows them
  uint64_t dynamicShared() const; ///< its address

  /// Parses and decodes everything, or says what is wrong in which line.
  static std::variant<std::shared_ptr<Module>, Fault> parse(std::string_view text);
  /// Null where there is no entry of that name.
  const Function *entry(std::string_view name) const;
};

} // namespace weft::ptxsim

#endif // WEFT_TOOLS_PTXSIM_MODULE_H
