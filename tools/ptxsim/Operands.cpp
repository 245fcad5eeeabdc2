// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operands of statements, and the numbers in them.
#include "tools/ptxsim/Parser.h"

#include <bit>

namespace weft::ptxsim {

void TokenReader::fail(const std::string &message) const {
  const Token &token = peek();
  std::string found = token.kind == Token::Kind::End ? "the end of the text" : "'" + std::string(token.text) + "'";
  throw Fault{FaultKind::Syntax, message + ", found " + found, token.line};
}

void TokenReader::expectMark(char mark, std::string_view after) {
  if (!takeMark(mark))
    fail(std::string("expected '") + mark + "' after " + std::string(after));
}

std::string TokenReader::expectWord(std::string_view what) {
  if (peek().kind != Token::Kind::Word)
    fail("expected " + std::string(what));
  return std::string(take().text);
}

int64_t TokenReader::primary(std::string_view what) {
  if (takeMark('-'))
    return -primary(what);
  if (takeMark('~'))
    return ~primary(what);
  if (takeMark('(')) {
    int64_t value = expectInteger(what);
    expectMark(')', "a constant expression");
    return value;
  }
  if (peek().kind != Token::Kind::Integer)
    fail("expected " + std::string(what));
  return int64_t(take().value);
}

int64_t TokenReader::product(std::string_view what) {
  int64_t value = primary(what);
  while (takeMark('*'))
    value *= primary(what);
  return value;
}

int64_t TokenReader::expectInteger(std::string_view what) {
  int64_t value = product(what);
  for (;;) {
    if (takeMark('+'))
      value += product(what);
    else if (takeMark('-'))
      value -= product(what);
    else
      return value;
  }
}

const Register *OperandParser::findRegister(std::string_view name) const {
  for (int at = scope; at >= 0; at = body.scopes[at].parent)
    if (auto found = body.scopes[at].registers.find(name); found != body.scopes[at].registers.end())
      return &found->second;
  return nullptr;
}

Operand OperandParser::list(char close, Operand::Kind kind) {
  Operand result{kind};
  while (!takeMark(close)) {
    if (!result.elements.empty())
      expectMark(',', "an element");
    result.elements.push_back(operand());
  }
  return result;
}

/// [a], [a+4], [a+-4], [a-4], [64], [a, {x, y}], [a, {x, y}, b].
Operand OperandParser::address() {
  Operand result{Operand::Kind::Address};
  bool constant = peek().kind != Token::Kind::Word;
  if (constant) {
    Operand zero{Operand::Kind::Immediate};
    result.elements.push_back(zero);
    result.value = uint64_t(expectInteger("an address"));
  } else {
    result.elements.push_back(named());
    // The offset of a symbol was read with it.
    result.value = result.elements[0].kind == Operand::Kind::Symbol ? result.elements[0].value : 0;
    if (result.elements[0].kind == Operand::Kind::Symbol)
      result.elements[0].value = 0;
    if (takeMark('+') || isMark('-'))
      result.value += uint64_t(expectInteger("an offset"));
  }
  while (takeMark(','))
    result.elements.push_back(operand());
  expectMark(']', "an address");
  return result;
}

Operand OperandParser::number(bool negative) {
  Operand result{Operand::Kind::Immediate};
  if (peek().kind == Token::Kind::Real) {
    result.floating = true;
    double value = std::bit_cast<double>(take().value);
    result.value = std::bit_cast<uint64_t>(negative ? -value : value);
    return result;
  }
  int64_t value = expectInteger("a number");
  result.value = uint64_t(negative ? -value : value);
  return result;
}

/// A register, a special register, or another name with an offset.
Operand OperandParser::named() {
  const Token &token = take();
  std::string name(token.text);
  if (const Register *found = findRegister(name)) {
    Operand result{Operand::Kind::Register};
    result.slot = found->slot;
    result.type = found->type;
    result.name = std::move(name);
    return result;
  }
  if (name == "_")
    return Operand{Operand::Kind::Sink};
  Operand result{Operand::Kind::Symbol};
  if (name[0] == '%' || name == "WARP_SZ") {
    result.kind = Operand::Kind::Special;
    if (peek().kind == Token::Kind::Directive && peek().adjacent && peek().text.size() == 1)
      name += "." + std::string(take().text);
  } else if (takeMark('+') || isMark('-')) {
    result.value = uint64_t(expectInteger("an offset"));
  }
  result.name = std::move(name);
  result.scope = scope;
  return result;
}

Operand OperandParser::single() {
  if (takeMark('{'))
    return list('}', Operand::Kind::Vector);
  if (takeMark('('))
    return list(')', Operand::Kind::List);
  if (takeMark('['))
    return address();
  if (takeMark('!')) {
    Operand result = single();
    result.negated = !result.negated;
    return result;
  }
  if (isMark('-') && peek(1).kind == Token::Kind::Real)
    return take(), number(true);
  if (peek().kind == Token::Kind::Word)
    return named();
  return number(false);
}

Operand OperandParser::operand() {
  Operand first = single();
  if (!takeMark('|'))
    return first;
  Operand pair{Operand::Kind::Pair};
  pair.elements.push_back(std::move(first));
  pair.elements.push_back(single());
  return pair;
}

} // namespace weft::ptxsim
