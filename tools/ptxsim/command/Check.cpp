// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ptxsim check FILE.ptx: parses and decodes everything, and says what each kernel is.
#include "tools/ptxsim/command/Command.h"

#include <cstdio>

namespace weft::ptxsim {
namespace {

void describe(const std::string &path) {
  std::shared_ptr<Module> module = readModule(path);
  for (const auto &[name, function] : module->functions)
    if (function->entry)
      std::printf("%s: %s: %s, %zu instructions, %zu parameters, %u bytes local\n", path.c_str(), name.c_str(),
                  module->target.c_str(), function->code.size(), function->parameters.size(), function->localBytes);
}

} // namespace

void addCheck(CLI::App &ptxsim, int &exitCode) {
  auto *command = ptxsim.add_subcommand("check", "Parse and decode PTX; nothing runs");
  auto files = std::make_shared<std::vector<std::string>>();
  command->add_option("FILE", *files, "PTX text")->required();
  command->callback([files] {
    for (const std::string &path : *files)
      describe(path);
  });
}

} // namespace weft::ptxsim
