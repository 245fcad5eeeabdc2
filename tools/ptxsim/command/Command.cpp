// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "tools/ptxsim/command/Command.h"

#include <fstream>
#include <sstream>

namespace weft::ptxsim {

std::string readText(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || !text)
    throw UserMistake{path + ": the file cannot be read"};
  return text.str();
}

std::shared_ptr<Module> readModule(const std::string &path) {
  auto parsed = Module::parse(readText(path));
  if (const Fault *fault = std::get_if<Fault>(&parsed))
    throw UserMistake{fault->text(path)};
  return std::get<std::shared_ptr<Module>>(parsed);
}

const Function &entryOf(const Module &module, const std::string &name, const std::string &path) {
  std::string known;
  const Function *only = nullptr;
  for (const auto &[each, function] : module.functions)
    if (function->entry) {
      known += (known.empty() ? "" : ", ") + each;
      only = only || !name.empty() ? nullptr : function.get();
    }
  const Function *found = name.empty() ? only : module.entry(name);
  if (!found)
    throw UserMistake{path + ": " + (name.empty() ? "choose a kernel with --kernel" : "no kernel is called " + name) +
                      "; the file has " + (known.empty() ? "none" : known)};
  return *found;
}

std::string statisticsText(const Statistics &statistics) {
  char text[200];
  std::snprintf(text, sizeof text, "%llu thread instructions (%llu of warps) in %.3f s: %.0f million a second\n",
                static_cast<unsigned long long>(statistics.threadInstructions),
                static_cast<unsigned long long>(statistics.warpInstructions), statistics.seconds,
                double(statistics.threadInstructions) / std::max(statistics.seconds, 1e-9) / 1e6);
  return text;
}

} // namespace weft::ptxsim
