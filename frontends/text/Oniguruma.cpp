// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An expression in Oniguruma's syntax to the same one in PCRE2's. The two agree but for a few escapes, the meaning
// of (?m) and what may stand in brackets; PCRE2's own check finds the rest.
#include "frontends/text/CharacterClass.h"
#include "frontends/text/Pattern.h"

#include <algorithm>
#include <cctype>

namespace weft::text {
namespace {

class Translator {
public:
  Translator(std::string_view source, const std::string &place) : source(source), place(place) {}

  Result<std::string> run() {
    while (position < source.size()) {
      if (Result<void> done = step(); !done)
        return done.takeError();
    }
    return std::move(target);
  }

private:
  bool startsWith(std::string_view what) const { return source.substr(position).starts_with(what); }

  void copy(size_t bytes) {
    target.append(source.substr(position, bytes));
    position += bytes;
  }

  Result<void> step() {
    char c = source[position];
    if (c == '\\')
      return translateEscape();
    if (inClass)
      return stepInClass(c);
    if (c == '[') {
      inClass = true;
      copy(1);
      if (startsWith("^"))
        copy(1);
      if (startsWith("]")) // a bracket in this place is a member
        copy(1);
      return {};
    }
    if (startsWith("(?"))
      return translateGroup();
    if (c == '{')
      return translateRepetition();
    copy(1);
    return {};
  }

  /// {n,m}+ repeats the repetition; in PCRE2 it would be possessive.
  Result<void> translateRepetition() {
    size_t end = source.find_first_not_of("0123456789,", position + 1);
    if (end != std::string_view::npos && source.substr(end).starts_with("}+"))
      return unsupported("a quantifier after {n,m}");
    copy(1);
    return {};
  }

  Result<void> stepInClass(char c) {
    if (startsWith("[:")) {
      size_t end = source.find(":]", position);
      copy(end == std::string_view::npos ? 1 : end + 2 - position);
      return {};
    }
    if (c == '[')
      return unsupported("brackets within brackets");
    if (startsWith("&&"))
      return unsupported("an intersection of brackets");
    inClass = c != ']';
    copy(1);
    return {};
  }

  /// Backslash escapes, in brackets or not.
  Result<void> translateEscape() {
    char name = position + 1 < source.size() ? source[position + 1] : '\0';
    switch (name) {
    case 's': // PCRE2's \s has U+180E besides
      return write("\\p{White_Space}", 2);
    case 'S':
      return write("\\P{White_Space}", 2);
    case 'w': // PCRE2's \w lacks marks and other alphabetic characters
    case 'W': // Oniguruma's has these fractions and superscripts, but only outside of brackets
      return writeClass("\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}" + newPatternCharacters('w') +
                            (inClass ? "" : "\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}"),
                        name == 'W', 2);
    case 'd':
    case 'D':
      return writeClass("\\p{Nd}" + newPatternCharacters('d'), name == 'D', 2);
    case 'h': // a hexadecimal digit; a blank in PCRE2
    case 'H':
      return writeClass("0-9a-fA-F", name == 'H', 2);
    case 'p':
    case 'P':
      for (std::string_view property : {"{L}", "{N}"})
        if (source.substr(position + 2).starts_with(property))
          return writeClass("\\p" + std::string(property) + newPatternCharacters(property[1]), name == 'P', 5);
      break;
    case 'u':
      if (isHex(position + 2, 4))
        return write("\\x{" + std::string(source.substr(position + 2, 4)) + "}", 6);
      break;
    }
    copyEscape();
    return {};
  }

  /// Writes a translation and passes what it stands for.
  Result<void> write(const std::string &translation, size_t bytes) {
    target += translation;
    position += bytes;
    return {};
  }

  /// Writes the members of a class, in brackets of its own if it is not in brackets already.
  Result<void> writeClass(const std::string &members, bool isNegated, size_t bytes) {
    if (inClass && isNegated)
      return unsupported("a negated class in brackets");
    return write(inClass ? members : (isNegated ? "[^" : "[") + members + "]", bytes);
  }

  /// An escape that both have, with what follows it in braces: \p{L}, \x{2581}.
  void copyEscape() {
    size_t end = std::min(position + 2, source.size());
    if (end < source.size() && source[end] == '{' &&
        std::string_view("pPxkgo").find(source[end - 1]) != std::string_view::npos)
      end = std::min(source.find('}', end), source.size() - 1) + 1;
    copy(end - position);
  }

  bool isHex(size_t from, size_t count) const {
    if (from + count > source.size())
      return false;
    for (size_t i = from; i < from + count; ++i)
      if (!std::isxdigit(static_cast<unsigned char>(source[i])))
        return false;
    return true;
  }

  /// In (?imx-imx) and (?imx-imx:…) the m is PCRE2's s: the dot matches line ends. ^ and $ are always by line.
  Result<void> translateGroup() {
    copy(2);
    size_t end = position;
    while (end < source.size() &&
           (source[end] == 'i' || source[end] == 'm' || source[end] == 'x' || source[end] == '-'))
      ++end;
    bool areFlags = end > position && end < source.size() && (source[end] == ')' || source[end] == ':');
    if (!areFlags)
      return {};
    for (; position < end; ++position)
      target += source[position] == 'm' ? 's' : source[position];
    return {};
  }

  Diagnostic unsupported(const std::string &what) const {
    return {"W0304",
            "the pattern \"" + std::string(source) + "\" has " + what + " at byte " + std::to_string(position) +
                ", which is not supported",
            place, "write the pattern without it"};
  }

  std::string_view source;
  const std::string &place;
  std::string target;
  size_t position = 0;
  bool inClass = false;
};

} // namespace

Result<std::string> translateOniguruma(std::string_view source, const std::string &place) {
  return Translator(source, place).run();
}

} // namespace weft::text
