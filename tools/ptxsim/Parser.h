// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tokens -> Module. Names of registers become slots at once; labels and other symbols when the function ends.
#ifndef WEFT_TOOLS_PTXSIM_PARSER_H
#define WEFT_TOOLS_PTXSIM_PARSER_H

#include "tools/ptxsim/Lexer.h"
#include "tools/ptxsim/Module.h"

namespace weft::ptxsim {

struct Register {
  Slot slot;
  Type type;
};

/// What `{ … }` encloses: its names hide those outside.
struct Scope {
  int parent;
  std::map<std::string, Register, std::less<>> registers{};
  std::map<std::string, int32_t, std::less<>> labels{}; ///< indices of statements
  std::map<std::string, std::vector<std::string>, std::less<>> targetLists{};
  std::map<std::string, Variable *, std::less<>> variables{};
  std::map<std::string, Parameter *, std::less<>> parameters{}; ///< of the frame
};

/// A function's text, before it is decoded.
struct Body {
  std::vector<Scope> scopes;
  std::vector<Statement> statements;
};

/// Reads tokens one after the other; every parser below is one.
class TokenReader {
public:
  explicit TokenReader(std::vector<Token> tokens) : tokens(std::move(tokens)) {}

protected:
  const Token &peek(size_t ahead = 0) const { return tokens[std::min(position + ahead, tokens.size() - 1)]; }
  const Token &take() { return tokens[std::min(position++, tokens.size() - 1)]; }
  bool isMark(char mark, size_t ahead = 0) const {
    return peek(ahead).kind == Token::Kind::Mark && peek(ahead).text[0] == mark;
  }
  bool takeMark(char mark) { return isMark(mark) && (++position, true); }
  bool takeDirective(std::string_view name) {
    return peek().kind == Token::Kind::Directive && peek().text == name && (++position, true);
  }
  void expectMark(char mark, std::string_view after);
  std::string expectWord(std::string_view what);
  /// An integer, with the operators that compilers write.
  int64_t expectInteger(std::string_view what);
  [[noreturn]] void fail(const std::string &message) const;

  std::vector<Token> tokens;
  size_t position = 0;

private:
  int64_t product(std::string_view what);
  int64_t primary(std::string_view what);
};

/// Operands of one statement.
class OperandParser : public TokenReader {
public:
  using TokenReader::TokenReader;

protected:
  Operand operand();
  const Register *findRegister(std::string_view name) const;

  Body body;
  int scope = 0;

private:
  Operand single();
  Operand named();
  Operand number(bool negative);
  Operand address();
  Operand list(char close, Operand::Kind kind);
};

class Parser : public OperandParser {
public:
  Parser(std::vector<Token> tokens, Module &module) : OperandParser(std::move(tokens)), module(module) {}
  void run();

private:
  struct Linkage {
    bool external = false;
  };
  void topLevel();
  void skipBraces();
  // Declarations.cpp
  struct Declared {
    Type type = Type::None;
    uint32_t alignment = 0;
    int vector = 1;
  };
  Declared declaredType();
  std::unique_ptr<Variable> variable(Space space, bool external);
  void dimensions(Variable &variable, uint32_t elementBytes);
  void initializer(Variable &variable, uint32_t elementBytes);
  void initialValue(Variable &variable, uint32_t elementBytes);
  void moduleVariable(Space space, bool external);
  Parameter parameter();
  // Functions
  void function(bool entry, bool external);
  void parameterList(std::vector<Parameter> &into);
  void functionDirectives(Function &function);
  std::array<uint32_t, 3> extents();
  void functionBody(Function &function);
  void frameParameter(Function &function, Parameter parameter);
  void block(Function &function);
  bool bodyDirective(Function &function);
  void registers(Function &function);
  void bodyVariable(Function &function, Space space);
  void label(Function &function);
  void targetList(const std::string &name);
  void statement(Function &function);
  // Symbols.cpp
  void resolve(Function &function);
  void resolve(Operand &operand, Function &function, int line);
  int32_t labelIndex(const std::string &name, int scope) const;

  Module &module;
};

/// Lays out shared variables and decodes every statement of `body` into `function`.
void assemble(const Module &module, Function &function, const Body &body);

/// Sets Instruction::reconverge of every branch: the immediate post-dominator of its block.
void findReconvergence(Function &function);

} // namespace weft::ptxsim

#endif // WEFT_TOOLS_PTXSIM_PARSER_H
