// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft explain CODE: what an error code means and what to do.
#include "tools/weft/Command.h"

#include <cstdio>

namespace weft::cli {
namespace {

/// Prints text in lines of at most 80 columns.
void printWrapped(std::string_view text) {
  size_t column = 0;
  for (const std::string &word : CLI::detail::split(std::string(text), ' ')) {
    if (column > 0 && column + 1 + word.size() > 80) {
      std::putchar('\n');
      column = 0;
    }
    column += std::printf(column ? " %s" : "%s", word.c_str());
  }
  std::putchar('\n');
}

Result<void> explain(std::string code) {
  if (code.empty()) {
    auto [codes, count] = allCodes();
    for (size_t index = 0; index < count; ++index)
      std::printf("%s  %s\n", codes[index].code, codes[index].title);
    return {};
  }
  for (char &letter : code)
    letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  const CodeExplanation *found = explainCode(code);
  if (!found)
    return Diagnostic{"W0510", "there is no error code '" + code + "'", "weft explain", "weft explain lists the codes"};
  std::printf("%s: %s\n\n", found->code, found->title);
  printWrapped(found->explanation);
  return {};
}

} // namespace

void addExplain(CLI::App &weft, int &exitCode) {
  auto code = std::make_shared<std::string>();
  CLI::App *command =
      weft.add_subcommand("explain", "Explain an error code; without one, list them all")->group("Commands");
  command->add_option("CODE", *code, "as in error[W0204]")->type_name("");
  command->callback([code, &exitCode] {
    if (Result<void> done = explain(*code); !done)
      exitCode = fail(done.error());
  });
}

} // namespace weft::cli
