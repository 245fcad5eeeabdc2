// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Modules and functions. Operands, declarations and symbols have files of their own.
#include "tools/ptxsim/Parser.h"

#include <algorithm>

namespace weft::ptxsim {
namespace {

uint32_t aligned(uint32_t value, uint32_t alignment) { return (value + alignment - 1) & ~(alignment - 1); }

} // namespace

void Parser::run() {
  while (peek().kind != Token::Kind::End)
    topLevel();
  if (module.version.empty())
    throw Fault{FaultKind::Syntax, "the text has no .version: it is no PTX", 1};
}

void Parser::skipBraces() {
  expectMark('{', "a section");
  for (int depth = 1; depth > 0;) {
    if (peek().kind == Token::Kind::End)
      fail("expected '}'");
    depth += isMark('{') - isMark('}');
    take();
  }
}

void Parser::topLevel() {
  bool external = false;
  while (takeDirective("visible") || takeDirective("weak") || takeDirective("common") ||
         (peek().text == "extern" && peek().kind == Token::Kind::Directive))
    external |= takeDirective("extern");
  if (peek().kind != Token::Kind::Directive)
    fail("expected a directive");
  std::string_view name = take().text;
  if (name == "version") {
    module.version = take().text;
  } else if (name == "target") {
    module.target = expectWord("a target");
    while (takeMark(','))
      expectWord("a target");
  } else if (name == "address_size") {
    if (expectInteger("32 or 64") != 64)
      fail("only .address_size 64 is simulated");
  } else if (name == "entry" || name == "func") {
    function(name == "entry", external);
  } else if (Space space = spaceNamed(name);
             space == Space::Global || space == Space::Shared || space == Space::Const) {
    moduleVariable(space, external);
  } else if (name == "section") {
    take();
    if (peek().kind != Token::Kind::Mark)
      take();
    skipBraces();
  } else if (name == "pragma" || name == "alias") {
    while (!takeMark(';'))
      take();
  } else {
    --position;
    fail("this directive is not known here");
  }
}

void Parser::parameterList(std::vector<Parameter> &into) {
  if (!takeMark('('))
    return;
  while (!takeMark(')')) {
    if (!into.empty())
      expectMark(',', "a parameter");
    if (!takeDirective("param"))
      takeDirective("reg");
    into.push_back(parameter());
  }
}

std::array<uint32_t, 3> Parser::extents() {
  std::array<uint32_t, 3> result{1, 1, 1};
  size_t count = 0;
  do
    result[count] = uint32_t(expectInteger("an extent"));
  while (++count < 3 && takeMark(','));
  return result;
}

void Parser::functionDirectives(Function &function) {
  while (peek().kind == Token::Kind::Directive) {
    std::string_view name = take().text;
    if (name == "reqntid")
      function.requiredThreads = extents();
    else if (name == "maxntid")
      function.maximumThreads = extents();
    else if (name == "reqnctapercluster")
      function.requiredCluster = extents();
    else if (name == "maxnreg")
      function.maximumRegisters = uint32_t(expectInteger("a number"));
    else if (name == "minnctapersm")
      function.minimumBlocks = uint32_t(expectInteger("a number"));
    else if (name == "maxnctapersm" || name == "maxclusterrank" || name == "abi_preserve" ||
             name == "abi_preserve_control")
      expectInteger("a number");
    else if (name == "pragma")
      while (!takeMark(';'))
        take();
    else if (name != "explicitcluster" && name != "noreturn" && name != "blocksareclusters")
      --position, fail("this directive of a function is not known");
  }
}

void Parser::function(bool entry, bool external) {
  std::vector<Parameter> results, parameters;
  parameterList(results);
  int line = peek().line;
  std::string name = expectWord("the name of a function");
  parameterList(parameters);
  std::unique_ptr<Function> &slot = module.functions[name];
  if (slot && slot->defined)
    throw Fault{FaultKind::Syntax, "a second definition of " + name, line};
  if (!slot)
    slot = std::make_unique<Function>();
  Function &function = *slot;
  function.name = name;
  function.entry = entry;
  function.line = line;
  function.results = std::move(results);
  function.parameters = std::move(parameters);
  functionDirectives(function);
  if (takeMark(';'))
    return;
  function.defined = true;
  functionBody(function);
}

void Parser::frameParameter(Function &function, Parameter parameter) {
  parameter.offset = aligned(function.frameParameterBytes, parameter.alignment);
  function.frameParameterBytes = parameter.offset + parameter.bytes;
  function.frameParameters.push_back(std::make_unique<Parameter>(parameter));
  body.scopes[scope].parameters[parameter.name] = function.frameParameters.back().get();
}

void Parser::functionBody(Function &function) {
  body = {};
  body.scopes.push_back({.parent = -1});
  scope = 0;
  if (function.entry) {
    for (Parameter &parameter : function.parameters) {
      parameter.offset = aligned(function.parameterBytes, parameter.alignment);
      function.parameterBytes = parameter.offset + parameter.bytes;
    }
  } else {
    for (std::vector<Parameter> *list : {&function.results, &function.parameters})
      for (Parameter &parameter : *list) {
        frameParameter(function, parameter);
        parameter.offset = function.frameParameters.back()->offset;
      }
  }
  expectMark('{', "the head of a function");
  block(function);
  Statement end;
  end.line = peek().line;
  end.opcode = "ret";
  body.statements.push_back(end);
  resolve(function);
  assemble(module, function, body);
}

void Parser::block(Function &function) {
  while (!takeMark('}')) {
    if (takeMark('{')) {
      body.scopes.push_back({.parent = scope});
      int outer = scope;
      scope = int(body.scopes.size()) - 1;
      block(function);
      scope = outer;
    } else if (peek().kind == Token::Kind::Directive) {
      if (!bodyDirective(function))
        fail("this directive is not known here");
    } else if (peek().kind == Token::Kind::Word && isMark(':', 1)) {
      label(function);
    } else if (!takeMark(';')) {
      statement(function);
    }
  }
}

bool Parser::bodyDirective(Function &function) {
  std::string_view name = peek().text;
  Space space = spaceNamed(name);
  if (name == "reg") {
    take();
    registers(function);
  } else if (name == "param") {
    take();
    frameParameter(function, parameter());
    expectMark(';', "a parameter");
  } else if (space != Space::Generic) {
    take();
    bodyVariable(function, space);
  } else if (name == "pragma") {
    while (!takeMark(';'))
      take();
  } else {
    return false;
  }
  return true;
}

void Parser::registers(Function &function) {
  Declared declared = declaredType();
  if (declared.vector > 1)
    fail("vector registers are not simulated");
  auto add = [&](const std::string &name) {
    body.scopes[scope].registers[name] = {function.rows, declared.type};
    function.rows += declared.type == Type::B128 ? 2 : 1;
    function.rowNames.resize(function.rows, name);
  };
  do {
    std::string name = expectWord("the name of a register");
    if (!takeMark('<')) {
      add(name);
      continue;
    }
    int64_t count = expectInteger("a number of registers");
    if (count < 0 || count > 1 << 20)
      fail("this is no number of registers");
    expectMark('>', "a number of registers");
    for (int64_t index = 0; index < count; ++index)
      add(name + std::to_string(index));
  } while (takeMark(','));
  expectMark(';', "registers");
}

void Parser::bodyVariable(Function &function, Space space) {
  do {
    std::unique_ptr<Variable> declared = variable(space, false);
    if (space == Space::Local) {
      declared->address = aligned(function.localBytes, declared->alignment);
      function.localBytes = uint32_t(declared->address + declared->bytes);
    }
    body.scopes[scope].variables[declared->name] = declared.get();
    function.variables.push_back(std::move(declared));
  } while (takeMark(','));
  expectMark(';', "a variable");
}

void Parser::label(Function &function) {
  std::string name = expectWord("a label");
  take();
  if (takeDirective("branchtargets"))
    return targetList(name);
  if (peek().kind == Token::Kind::Directive && (peek().text == "callprototype" || peek().text == "calltargets"))
    fail("calls through pointers are not simulated");
  if (!body.scopes[scope].labels.emplace(name, int32_t(body.statements.size())).second)
    fail("a second label " + name);
}

void Parser::targetList(const std::string &name) {
  std::vector<std::string> &labels = body.scopes[scope].targetLists[name];
  do
    labels.push_back(expectWord("a label"));
  while (takeMark(','));
  expectMark(';', "labels");
}

void Parser::statement(Function &function) {
  Statement result;
  if (takeMark('@')) {
    result.guardNegated = takeMark('!');
    std::string name = expectWord("a predicate");
    const Register *guard = findRegister(name);
    if (!guard)
      fail("no register is called " + name);
    result.guard = guard->slot;
  }
  result.line = peek().line;
  result.opcode = expectWord("an instruction");
  while (peek().kind == Token::Kind::Directive)
    result.modifiers.emplace_back(take().text);
  while (!takeMark(';')) {
    if (!result.operands.empty())
      expectMark(',', "an operand");
    result.operands.push_back(operand());
  }
  body.statements.push_back(std::move(result));
}

} // namespace weft::ptxsim
