// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "tools/ptxsim/Decoder.h"

#include "tools/ptxsim/Bits.h"
#include "tools/ptxsim/Parser.h"
#include "tools/ptxsim/Warp.h"

#include <algorithm>
#include <bit>

namespace weft::ptxsim {
namespace {

/// Logical complement of a predicate, or copy of a special register that changes.
Outcome complement(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *source = warp.row(i.sources[0]);
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) { result[lane] = source[lane] ^ 1; });
  return Outcome::Next;
}

struct SpecialName : Details {
  std::string name;
};

Outcome readSpecial(const Instruction &i, Warp &warp, LaneMask active) {
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) { result[lane] = specialValue(warp, i.as<SpecialName>().name, lane); });
  return Outcome::Next;
}

bool startsWithAny(std::string_view text, std::initializer_list<std::string_view> heads) {
  return std::any_of(heads.begin(), heads.end(), [&](std::string_view head) { return text.starts_with(head); });
}

/// Instructions whose lanes compute alone, without an effect but their result.
constexpr std::string_view kAlone[] = {
    "abs",  "add",  "addc",  "bfe",  "bfi",   "bfind", "bmsk", "brev",  "clz",   "cnot",     "copysign",
    "cos",  "cvt",  "cvta",  "div",  "dp2a",  "dp4a",  "ex2",  "fma",   "fns",   "isspacep", "lg2",
    "lop3", "mad",  "mad24", "madc", "max",   "min",   "mov",  "mul",   "mul24", "neg",      "not",
    "popc", "prmt", "rcp",   "rem",  "rsqrt", "sad",   "set",  "setp",  "shf",   "shl",      "shr",
    "sin",  "slct", "sqrt",  "sub",  "subc",  "szext", "tanh", "testp", "xor",
};

Validity validityOf(const std::string &opcode, const std::vector<std::string> &modifiers) {
  bool predicate = std::find(modifiers.begin(), modifiers.end(), "pred") != modifiers.end();
  if (opcode == "selp")
    return Validity::Select;
  if (opcode == "and")
    return Validity::And;
  if (opcode == "or")
    return predicate ? Validity::Or : Validity::Lane;
  if (opcode == "prmt")
    return Validity::Any;
  bool alone = std::find(std::begin(kAlone), std::end(kAlone), opcode) != std::end(kAlone);
  return alone ? Validity::Lane : Validity::Strict;
}

} // namespace

std::string Statement::fullName() const {
  std::string result = opcode;
  for (const std::string &modifier : modifiers)
    result += "." + modifier;
  return result;
}

Decoder::Decoder(const Module &module, Function &function, const Statement &statement)
    : module(module), function(function), statement(statement), taken(statement.modifiers.size()) {
  instruction.line = statement.line;
  instruction.guard = statement.guard;
  instruction.guardNegated = statement.guardNegated;
  instruction.validity = validityOf(statement.opcode, statement.modifiers);
}

void Decoder::refuse(const std::string &why) const {
  throw Fault{FaultKind::IllegalInstruction, statement.fullName() + ": " + why, statement.line};
}

bool Decoder::take(std::string_view modifier) {
  for (size_t index = 0; index < taken.size(); ++index)
    if (!taken[index] && statement.modifiers[index] == modifier)
      return taken[index] = true;
  return false;
}

int Decoder::takeOneOf(std::initializer_list<std::string_view> modifiers) {
  int index = 0;
  for (std::string_view modifier : modifiers) {
    if (take(modifier))
      return index;
    ++index;
  }
  return -1;
}

Type Decoder::takeTypeIfAny() {
  for (size_t index = 0; index < taken.size(); ++index)
    if (Type type = typeNamed(statement.modifiers[index]); !taken[index] && type != Type::None)
      return taken[index] = true, type;
  return Type::None;
}

Type Decoder::takeType() {
  Type type = takeTypeIfAny();
  if (type == Type::None)
    refuse("the type is missing");
  return type;
}

Space Decoder::takeSpace() {
  for (size_t index = 0; index < taken.size(); ++index)
    if (Space space = spaceNamed(statement.modifiers[index]); !taken[index] && space != Space::Generic)
      return taken[index] = true, space;
  return Space::Generic;
}

int Decoder::takeVector() {
  constexpr int kCounts[] = {1, 2, 4, 8};
  return kCounts[takeOneOf({"v2", "v4", "v8"}) + 1];
}

bool Decoder::takeCacheHints() {
  bool policy = false;
  for (size_t index = 0; index < taken.size(); ++index) {
    const std::string &name = statement.modifiers[index];
    if (taken[index])
      continue;
    constexpr std::string_view kOperators[] = {"ca", "cg", "cs", "lu", "cv", "wb", "wt", "nc"};
    taken[index] = std::find(std::begin(kOperators), std::end(kOperators), name) != std::end(kOperators) ||
                   startsWithAny(name, {"L1::", "L2::"});
    policy |= name == "L2::cache_hint";
  }
  return policy;
}

void Decoder::takeMemoryOrder() {
  constexpr std::string_view kOrders[] = {"weak",     "relaxed", "acquire", "release", "acq_rel", "sc",
                                          "volatile", "cta",     "cluster", "gpu",     "sys",     "mmio"};
  for (std::string_view order : kOrders)
    take(order);
}

Slot Decoder::scratchRow() {
  function.rowNames.resize(function.rows + 1, "an intermediate value");
  return function.rows++;
}

Slot Decoder::constantRow(uint64_t bits) {
  auto [place, fresh] = function.constantSlots.emplace(bits, kNoSlot);
  if (fresh) {
    place->second = scratchRow();
    function.constants.push_back({place->second, bits});
  }
  return place->second;
}

Slot Decoder::specialRow(const Operand &operand) {
  bool changing = false;
  if (!isSpecial(operand.name, changing))
    refuse("nothing is called " + operand.name);
  if (!changing) {
    for (const SpecialRow &row : function.specials)
      if (row.name == operand.name)
        return row.slot;
    function.specials.push_back({scratchRow(), operand.name});
    return function.specials.back().slot;
  }
  Instruction read;
  read.line = statement.line;
  read.execute = readSpecial;
  auto details = std::make_shared<SpecialName>();
  details->name = operand.name;
  read.details = details;
  read.destinations = read.writes = {scratchRow()};
  function.code.push_back(read);
  return read.destinations[0];
}

Slot Decoder::symbolRow(const Operand &operand) {
  if (operand.parameter)
    return constantRow(operand.parameter->offset + (operand.ofFrame ? kFrameParameter : 0) + operand.value);
  if (!operand.variable)
    refuse(operand.name + " is no value");
  function.constants.push_back({scratchRow(), operand.value, operand.variable});
  return function.constants.back().slot;
}

Slot Decoder::negatedRow(Slot row) {
  Instruction negate;
  negate.line = statement.line;
  negate.execute = complement;
  negate.validity = Validity::Lane;
  negate.destinations = negate.writes = {scratchRow()};
  negate.sources = negate.reads = {row};
  function.code.push_back(negate);
  return negate.destinations[0];
}

Slot Decoder::sourceRow(const Operand &operand, Type type) {
  switch (operand.kind) {
  case Operand::Kind::Register: {
    Slot row = operand.negated ? negatedRow(operand.slot) : operand.slot;
    instruction.reads.push_back(row);
    return row;
  }
  case Operand::Kind::Immediate:
    return constantRow(immediateBits(operand, type));
  case Operand::Kind::Special: {
    Slot row = specialRow(operand);
    return row;
  }
  case Operand::Kind::Symbol:
    return symbolRow(operand);
  default:
    refuse("an operand is no value");
  }
}

Slot Decoder::destinationRow(const Operand &operand) {
  if (operand.kind == Operand::Kind::Sink) {
    scratchRow(); // so that the row behind the sink is nobody's
    return scratchRow() - 1;
  }
  if (operand.kind != Operand::Kind::Register)
    refuse("the result is no register");
  instruction.writes.push_back(operand.slot);
  if (operand.type == Type::B128)
    instruction.writes.push_back(operand.slot + 1);
  return operand.slot;
}

Decoder &Decoder::destination(size_t index) {
  if (index >= operandCount())
    refuse("an operand is missing");
  const Operand &operand = statement.operands[index];
  bool several = operand.kind == Operand::Kind::Vector || operand.kind == Operand::Kind::Pair;
  if (several && operand.elements.empty())
    refuse("a vector has elements");
  for (const Operand &element : several ? std::span(operand.elements) : std::span(&operand, 1))
    instruction.destinations.push_back(destinationRow(element));
  if (!several && operand.kind == Operand::Kind::Register)
    instruction.destinationBits = uint8_t(bitsOf(operand.type));
  return *this;
}

Decoder &Decoder::source(size_t index, Type type) {
  if (index >= operandCount())
    refuse("an operand is missing");
  const Operand &operand = statement.operands[index];
  bool several = operand.kind == Operand::Kind::Vector || operand.kind == Operand::Kind::Pair;
  if (several && operand.elements.empty())
    refuse("a vector has elements");
  for (const Operand &element : several ? std::span(operand.elements) : std::span(&operand, 1)) {
    instruction.sources.push_back(sourceRow(element, type));
    if (element.kind == Operand::Kind::Register && element.type == Type::B128)
      instruction.reads.push_back(element.slot + 1);
  }
  return *this;
}

int64_t Decoder::immediate(size_t index) {
  if (index >= operandCount() || statement.operands[index].kind != Operand::Kind::Immediate)
    refuse("operand " + std::to_string(index + 1) + " must be a constant");
  return int64_t(statement.operands[index].value);
}

Address Decoder::addressOf(const Operand &operand, Space space) {
  if (operand.kind != Operand::Kind::Address)
    refuse("an operand must be an address in brackets");
  const Operand &base = operand.elements[0];
  Address result{kNoSlot, int64_t(operand.value), space, 64};
  if (base.kind == Operand::Kind::Immediate)
    return result;
  result.base = sourceRow(base, Type::U64);
  if (base.kind == Operand::Kind::Register)
    result.baseBits = uint8_t(bitsOf(base.type));
  // A name says its space where the instruction does not.
  if (space == Space::Generic && base.variable && base.variable->space != Space::Global)
    result.space = base.variable->space;
  return result;
}

Decoder &Decoder::address(size_t index, Space space) {
  if (index >= operandCount())
    refuse("an operand is missing");
  instruction.address = addressOf(statement.operands[index], space);
  return *this;
}

void Decoder::expectOperands(size_t low, size_t high) {
  if (operandCount() < low || operandCount() > high)
    refuse("it has " + std::to_string(operandCount()) + " operands, not " + std::to_string(low) +
           (high > low ? " to " + std::to_string(high) : ""));
}

void Decoder::finish() {
  for (size_t index = 0; index < taken.size(); ++index)
    if (!taken[index])
      refuse("the modifier ." + statement.modifiers[index] + " is not known here");
  if (!instruction.execute)
    refuse("this combination of modifiers is not known");
}

namespace {

void decodeStatement(const Module &module, Function &function, const Statement &statement) {
  const Registry &registry = Registry::get();
  Decode decode = nullptr;
  if (!statement.modifiers.empty())
    decode = registry.find(statement.opcode + "." + statement.modifiers[0]);
  if (!decode)
    decode = registry.find(statement.opcode);
  if (!decode)
    throw Fault{FaultKind::IllegalInstruction, "the instruction " + statement.fullName() + " is not known",
                statement.line};
  Decoder decoder(module, function, statement);
  decode(decoder);
  decoder.finish();
  function.code.push_back(std::move(decoder.instruction));
}

} // namespace

void assemble(const Module &module, Function &function, const Body &body) {
  std::vector<int32_t> begins; // of each statement
  for (const Statement &statement : body.statements) {
    begins.push_back(int32_t(function.code.size()));
    decodeStatement(module, function, statement);
  }
  for (Instruction &instruction : function.code) {
    if (instruction.target >= 0)
      instruction.target = begins[instruction.target];
    for (int32_t &target : instruction.targets)
      target = begins[target];
  }
  findReconvergence(function);
}

} // namespace weft::ptxsim
