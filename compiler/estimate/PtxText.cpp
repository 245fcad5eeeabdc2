// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/estimate/PtxText.h"

#include <algorithm>
#include <cctype>
#include <regex>

namespace weft {
namespace {

std::string trimmed(std::string_view text) {
  size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos)
    return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

/// Comments become blanks; the lines stay where they are.
std::string withoutComments(std::string text) {
  for (size_t at = 0; at + 1 < text.size(); ++at) {
    if (text[at] != '/' || (text[at + 1] != '/' && text[at + 1] != '*'))
      continue;
    bool isLine = text[at + 1] == '/';
    size_t end = isLine ? text.find('\n', at) : text.find("*/", at + 2);
    end = end == std::string::npos ? text.size() : isLine ? end : end + 2;
    for (; at < end; ++at)
      if (text[at] != '\n')
        text[at] = ' ';
    --at;
  }
  return text;
}

bool isNameLetter(char letter) { return std::isalnum(static_cast<unsigned char>(letter)) || strchr("_$%", letter); }

/// Splits an entry's body into labels, register declarations and instructions.
class BodyReader {
public:
  BodyReader(const std::string &text, size_t begin, PtxKernelText &kernel)
      : text(text), at(begin), kernel(kernel), line(1 + std::count(text.begin(), text.begin() + begin, '\n')) {}

  void read() {
    for (int opened = 0; at < text.size(); ++at) {
      if (text[at] == '{') {
        scopes.push_back(opened++); // between statements a brace is a scope, not a list of operands
      } else if (text[at] == '}') {
        scopes.pop_back();
        if (scopes.empty())
          break;
      } else if (text[at] == '\n') {
        ++line;
      } else if (!std::isspace(static_cast<unsigned char>(text[at])) && text[at] != ';') {
        readStatement();
      }
    }
    for (auto &[position, around] : branches)
      resolve(kernel.body[position].operands, around);
  }

private:
  /// Labels are of their scope, as inline assembly has them: the body's own keep their names.
  static std::string nameIn(int scope, const std::string &label) {
    return scope == 0 ? label : label + "#" + std::to_string(scope);
  }

  /// Turns a branch's label into the name under which it is known, of the innermost scope that has it.
  void resolve(std::string &label, const std::vector<int> &around) const {
    for (size_t depth = around.size(); depth-- > 0;)
      if (std::string name = nameIn(around[depth], label); kernel.labels.count(name)) {
        label = name;
        return;
      }
  }

  /// Leaves `at` on the last letter of the statement.
  void readStatement() {
    size_t begin = at, name = at;
    while (name < text.size() && isNameLetter(text[name]))
      ++name;
    if (name > begin && name < text.size() && text[name] == ':') {
      kernel.labels[nameIn(scopes.back(), text.substr(begin, name - begin))] = kernel.body.size();
      at = name;
      return;
    }
    if (text.compare(begin, 5, ".loc\t") == 0 || text.compare(begin, 5, ".loc ") == 0) {
      at = std::min(text.find('\n', begin), text.size()) - 1; // of a source's line: no semicolon ends it
      return;
    }
    int first = line;
    while (at < text.size() && text[at] != ';')
      line += text[at++] == '\n';
    std::string statement = trimmed(std::string_view(text).substr(begin, at - begin));
    if (statement.starts_with('.'))
      declare(statement);
    else
      addInstruction(statement, first);
  }

  /// ".reg .b64 %rd<5>", ".reg .pred p", ".shared .align 16 .b8 buffer[1024]"
  void declare(const std::string &statement) {
    static const std::regex kRegister(R"(\.reg\s+\.(pred|[a-z]+?)(\d*)\s+(.*))");
    std::smatch match;
    if (!std::regex_match(statement, match, kRegister))
      return;
    int bits = match[1] == "pred" ? 1 : std::stoi("0" + match[2].str());
    std::string names = match[3];
    for (size_t begin = 0; begin < names.size();) {
      size_t end = std::min(names.find(',', begin), names.size());
      std::string name = trimmed(std::string_view(names).substr(begin, end - begin));
      kernel.registerBits[name.substr(0, name.find('<'))] = bits;
      begin = end + 1;
    }
  }

  void addInstruction(std::string statement, int first) {
    PtxInstruction instruction;
    instruction.line = first;
    if (statement.starts_with('@')) {
      size_t end = statement.find_first_of(" \t\n");
      instruction.predicate = statement.substr(1, end - 1);
      statement = trimmed(std::string_view(statement).substr(std::min(end, statement.size())));
    }
    size_t end = std::min(statement.find_first_of(" \t\n"), statement.size());
    instruction.opcode = statement.substr(0, end);
    instruction.operands = trimmed(std::string_view(statement).substr(end));
    if (instruction.is("bra"))
      branches.emplace_back(kernel.body.size(), scopes);
    kernel.body.push_back(std::move(instruction));
  }

  const std::string &text;
  size_t at;
  PtxKernelText &kernel;
  int line;
  std::vector<int> scopes;                                   ///< the numbers of those that are open
  std::vector<std::pair<size_t, std::vector<int>>> branches; ///< where they stand, and in which scopes
};

int64_t numberAfter(const std::string &text, const std::regex &pattern) {
  std::smatch match;
  return std::regex_search(text, match, pattern) ? std::stoll(match[1]) : 0;
}

/// Bytes of all arrays in shared memory that have a size.
int64_t sharedBytes(const std::string &text) {
  static const std::regex kArray(R"(\.shared\s+(?:\.align\s+\d+\s+)?\.[a-z](\d+)\s+[\w$]+\[(\d+)\])");
  int64_t bytes = 0;
  for (std::sregex_iterator match(text.begin(), text.end(), kArray), end; match != end; ++match)
    bytes += std::stoll((*match)[1]) / 8 * std::stoll((*match)[2]);
  return bytes;
}

} // namespace

Result<PtxKernelText> readPtx(const std::string &original, const std::string &place) {
  std::string text = withoutComments(original);
  static const std::regex kEntry(R"(\.entry\s+([\w$]+))"), kTarget(R"(\.target\s+(\w+))");
  static const std::regex kThreads(R"(\.(?:reqntid|maxntid)\s+(\d+))"), kRegisters(R"(\.maxnreg\s+(\d+))");
  std::smatch entry, target;
  size_t body = std::string::npos;
  if (std::regex_search(text, entry, kEntry))
    body = text.find('{', entry.position() + entry.length());
  if (body == std::string::npos)
    return Diagnostic{"W0624", "the text has no PTX entry with a body", place,
                      "use a file that a compiler wrote as .ptx"};
  PtxKernelText kernel;
  kernel.name = entry[1];
  if (std::regex_search(text, target, kTarget))
    kernel.target = target[1];
  std::string head = text.substr(entry.position(), body - entry.position());
  kernel.threads = numberAfter(head, kThreads);
  kernel.maxRegisters = numberAfter(head, kRegisters);
  kernel.sharedBytes = sharedBytes(text);
  BodyReader(text, body, kernel).read();
  return kernel;
}

} // namespace weft
