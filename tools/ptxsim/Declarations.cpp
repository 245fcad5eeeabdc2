// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Variables and parameters: their types, extents and initial values.
#include "tools/ptxsim/Parser.h"

#include <bit>
#include <cstring>

namespace weft::ptxsim {
namespace {

constexpr uint64_t kMaxVariable = uint64_t(1) << 32;

/// The bits of a number in a variable of `type`.
uint64_t bitsIn(Type type, bool real, uint64_t value) {
  if (type == Type::F32)
    return std::bit_cast<uint32_t>(real ? float(std::bit_cast<double>(value)) : float(int64_t(value)));
  if (type == Type::F64 && !real)
    return std::bit_cast<uint64_t>(double(int64_t(value)));
  // 0f… in a .b32 means its bits.
  return real && bitsOf(type) == 32 ? std::bit_cast<uint32_t>(float(std::bit_cast<double>(value))) : value;
}

} // namespace

Parser::Declared Parser::declaredType() {
  Declared result;
  while (peek().kind == Token::Kind::Directive) {
    std::string_view name = peek().text;
    if (name == "align") {
      take();
      result.alignment = uint32_t(expectInteger("an alignment"));
      if (!std::has_single_bit(result.alignment))
        fail("an alignment is a power of two");
    } else if (name == "v2" || name == "v4") {
      take();
      result.vector = name == "v2" ? 2 : 4;
    } else if (Type type = typeNamed(name); type != Type::None) {
      take();
      result.type = type;
    } else if (name == "texref" || name == "samplerref" || name == "surfref") {
      fail("textures and surfaces are not simulated");
    } else if (name == "ptr" || spaceNamed(name) != Space::Generic || name == "attribute") {
      take(); // what a pointer parameter points to
      if (name == "attribute" && takeMark('('))
        while (!takeMark(')'))
          take();
    } else {
      fail("expected a type");
    }
  }
  if (result.type == Type::None)
    fail("expected a type");
  return result;
}

void Parser::dimensions(Variable &variable, uint32_t elementBytes) {
  uint64_t count = 1;
  bool open = false;
  while (takeMark('[')) {
    if (takeMark(']')) {
      open = true;
      continue;
    }
    int64_t extent = expectInteger("an extent");
    if (extent < 0 || __builtin_mul_overflow(count, uint64_t(extent), &count) || count * elementBytes > kMaxVariable)
      fail("this variable is too large");
    expectMark(']', "an extent");
  }
  variable.bytes = open ? 0 : count * elementBytes;
}

void Parser::initialValue(Variable &variable, uint32_t elementBytes) {
  size_t begin = variable.initial.size();
  if (takeMark('{')) {
    while (!takeMark('}')) {
      initialValue(variable, elementBytes);
      takeMark(',');
    }
    return;
  }
  uint64_t bits = 0;
  bool negative = isMark('-') && peek(1).kind == Token::Kind::Real && takeMark('-');
  if (peek().kind == Token::Kind::Word) {
    std::string name = expectWord("a name");
    bool generic = name == "generic" && takeMark('(');
    if (generic)
      name = expectWord("a variable");
    int64_t addend = isMark('+') || isMark('-') ? (takeMark('+'), expectInteger("an offset")) : 0;
    if (generic)
      expectMark(')', "a variable");
    variable.relocations.push_back({begin, name, addend});
  } else if (peek().kind == Token::Kind::Real) {
    double value = std::bit_cast<double>(take().value);
    bits = bitsIn(variable.type, true, std::bit_cast<uint64_t>(negative ? -value : value));
  } else {
    bits = bitsIn(variable.type, false, uint64_t(expectInteger("an initial value")));
  }
  variable.initial.resize(begin + elementBytes);
  std::memcpy(variable.initial.data() + begin, &bits, std::min<size_t>(elementBytes, 8));
}

void Parser::initializer(Variable &variable, uint32_t elementBytes) {
  if (!takeMark('='))
    return;
  initialValue(variable, elementBytes);
  if (variable.bytes == 0)
    variable.bytes = variable.initial.size();
  if (variable.initial.size() > variable.bytes)
    fail("more initial values than elements");
  variable.initial.resize(variable.bytes);
}

std::unique_ptr<Variable> Parser::variable(Space space, bool external) {
  Declared declared = declaredType();
  auto result = std::make_unique<Variable>();
  result->line = peek().line;
  result->name = expectWord("the name of a variable");
  result->space = space;
  result->type = declared.type;
  result->external = external;
  uint32_t elementBytes = uint32_t(bytesOf(declared.type) * declared.vector);
  result->alignment = declared.alignment ? declared.alignment : elementBytes;
  dimensions(*result, elementBytes);
  initializer(*result, uint32_t(bytesOf(declared.type)));
  return result;
}

void Parser::moduleVariable(Space space, bool external) {
  do {
    std::unique_ptr<Variable> declared = variable(space, external);
    if (external && !(space == Space::Shared && declared->bytes == 0))
      external = false; // another module's: it has its own memory here, as modules are not linked
    std::string name = declared->name;
    module.variables[name] = std::move(declared);
  } while (takeMark(','));
  expectMark(';', "a variable");
}

Parameter Parser::parameter() {
  Declared declared = declaredType();
  Variable shape;
  std::string name = expectWord("the name of a parameter");
  uint32_t elementBytes = uint32_t(bytesOf(declared.type) * declared.vector);
  dimensions(shape, elementBytes);
  if (shape.bytes > 65536)
    fail("this parameter is too large");
  // The alignment of a pointer's target is no alignment of the parameter; a larger one does no harm but moves it.
  bool array = declared.type == Type::B8;
  uint32_t alignment = array ? std::max(1u, declared.alignment) : elementBytes;
  return {std::move(name), declared.type, uint32_t(shape.bytes), alignment, 0};
}

} // namespace weft::ptxsim
