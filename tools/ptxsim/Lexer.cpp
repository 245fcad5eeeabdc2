// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "tools/ptxsim/Lexer.h"

#include "tools/ptxsim/Fault.h"

#include <bit>
#include <cctype>
#include <cstdlib>

namespace weft::ptxsim {
namespace {

bool isWordStart(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%'; }
bool isWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$'; }
bool isDigit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
public:
  explicit Lexer(std::string_view text) : text(text) {}

  std::vector<Token> run() {
    while (skipSpace(), position < text.size())
      next();
    add(Token::Kind::End, position);
    return std::move(tokens);
  }

private:
  char at(size_t offset = 0) const { return position + offset < text.size() ? text[position + offset] : '\0'; }

  [[noreturn]] void fail(const std::string &message) const { throw Fault{FaultKind::Syntax, message, line}; }

  void skipLine() {
    while (position < text.size() && text[position] != '\n')
      ++position;
  }

  void skipComment() {
    size_t end = text.find("*/", position + 2);
    if (end == std::string_view::npos)
      fail("this comment has no end");
    for (; position < end + 2; ++position)
      line += text[position] == '\n';
  }

  void skipSpace() {
    for (; position < text.size();) {
      char c = text[position];
      if (c == '\n')
        ++line;
      if (std::isspace(static_cast<unsigned char>(c)))
        ++position;
      else if (c == '/' && at(1) == '/')
        skipLine();
      else if (c == '/' && at(1) == '*')
        skipComment();
      else
        break;
    }
  }

  Token &add(Token::Kind kind, size_t begin) {
    Token token{kind, text.substr(begin, position - begin), line};
    token.adjacent = begin == lastEnd;
    lastEnd = position;
    return tokens.emplace_back(token);
  }

  void next() {
    size_t begin = position;
    char c = at();
    if (isWordStart(c)) {
      while (++position, isWord(at())) {
      }
      add(Token::Kind::Word, begin);
    } else if (isDigit(c)) {
      number();
    } else if (c == '.' && isWord(at(1))) {
      directive();
    } else if (c == '"') {
      string();
    } else if (c == '@' && at(1) == '@') {
      skipLine();
    } else {
      ++position;
      add(Token::Kind::Mark, begin);
    }
  }

  void directive() {
    size_t begin = position++;
    while (isWord(at()) || (at() == ':' && at(1) == ':' && isWord(at(2))))
      position += at() == ':' ? 2 : 1;
    std::string_view name = text.substr(begin + 1, position - begin - 1);
    if (name == "loc" || name == "file") {
      skipLine();
      return;
    }
    add(Token::Kind::Directive, begin).text = name;
  }

  void string() {
    size_t begin = position;
    size_t end = text.find('"', position + 1);
    if (end == std::string_view::npos || text.substr(begin, end - begin).find('\n') != std::string_view::npos)
      fail("this string has no end");
    position = end + 1;
    add(Token::Kind::String, begin).text = text.substr(begin + 1, end - begin - 1);
  }

  void number() {
    size_t begin = position;
    char mark = char(std::tolower(at(1)));
    if (at() == '0' && (mark == 'f' || mark == 'd'))
      return hexReal(mark == 'f' ? 8 : 16);
    int base = 10;
    if (at() == '0' && (mark == 'x' || mark == 'b')) {
      base = mark == 'x' ? 16 : 2;
      position += 2;
    } else if (at() == '0' && isDigit(at(1))) {
      base = 8;
    }
    std::string digits;
    while (std::isxdigit(static_cast<unsigned char>(at())) && (base == 16 || isDigit(at())))
      digits += text[position++];
    if (base != 16 && base != 2 && (at() == '.' || at() == 'e' || at() == 'E') && (isDigit(at(1)) || at() != '.'))
      return decimalReal(begin);
    char *end = nullptr;
    uint64_t value = std::strtoull(digits.c_str(), &end, base);
    if (digits.empty() || *end)
      fail("this is no number");
    if (at() == 'U' || at() == 'u')
      ++position;
    if (isWord(at()))
      fail("this is no number");
    add(Token::Kind::Integer, begin).value = value;
  }

  void hexReal(size_t digits) {
    size_t begin = position;
    std::string hex(text.substr(position + 2, digits));
    position += 2 + digits;
    char *end = nullptr;
    uint64_t bits = std::strtoull(hex.c_str(), &end, 16);
    if (hex.size() != digits || *end || isWord(at()))
      fail("a floating-point constant has " + std::to_string(digits) + " hexadecimal digits");
    // A double holds every float; a signalling NaN turns quiet, as its payload does not matter.
    double value = digits == 8 ? double(std::bit_cast<float>(uint32_t(bits))) : std::bit_cast<double>(bits);
    add(Token::Kind::Real, begin).value = std::bit_cast<uint64_t>(value);
  }

  void decimalReal(size_t begin) {
    std::string spelled(text.substr(begin, 64));
    char *end = nullptr;
    double value = std::strtod(spelled.c_str(), &end);
    position = begin + (end - spelled.c_str());
    add(Token::Kind::Real, begin).value = std::bit_cast<uint64_t>(value);
  }

  std::string_view text;
  size_t position = 0, lastEnd = 0;
  int line = 1;
  std::vector<Token> tokens;
};

} // namespace

std::vector<Token> tokenize(std::string_view text) { return Lexer(text).run(); }

} // namespace weft::ptxsim
