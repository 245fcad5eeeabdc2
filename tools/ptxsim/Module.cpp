// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The text's lines, its shared memory, and the way from text to a Module.
#include "tools/ptxsim/Module.h"

#include "tools/ptxsim/Parser.h"
#include "tools/ptxsim/instructions/Calls.h"

namespace weft::ptxsim {
namespace {

void splitLines(std::string_view text, std::vector<std::string> &lines) {
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = std::min(text.find('\n', begin), text.size());
    lines.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

/// Shared variables one after the other; the ones without a size share what follows.
void layOutShared(Module &module) {
  std::vector<Variable *> shared;
  shared.reserve(module.variables.size());
  for (auto &[name, variable] : module.variables)
    shared.push_back(variable.get());
  for (auto &[name, function] : module.functions)
    for (std::unique_ptr<Variable> &variable : function->variables)
      shared.push_back(variable.get());
  std::erase_if(shared, [](const Variable *variable) { return variable->space != Space::Shared; });
  auto align = [&](uint64_t alignment) {
    module.staticShared = (module.staticShared + alignment - 1) & ~(alignment - 1);
  };
  for (Variable *variable : shared) {
    if (variable->bytes == 0) {
      module.dynamicAlignment = std::max(module.dynamicAlignment, variable->alignment);
      continue;
    }
    align(variable->alignment);
    variable->address = kSharedBase + module.staticShared;
    module.staticShared += variable->bytes;
  }
  if (module.staticShared)
    align(module.dynamicAlignment);
  for (Variable *variable : shared)
    if (variable->bytes == 0)
      variable->address = module.dynamicShared();
}

} // namespace

uint64_t Module::dynamicShared() const { return kSharedBase + staticShared; }

std::variant<std::shared_ptr<Module>, Fault> Module::parse(std::string_view text) {
  auto module = std::make_shared<Module>();
  splitLines(text, module->lines);
  try {
    Parser(tokenize(text), *module).run();
    layOutShared(*module);
    if (std::optional<Fault> undefined = findUndefined(*module))
      throw Fault(*undefined);
  } catch (Fault &fault) {
    if (fault.line > 0 && size_t(fault.line) <= module->lines.size())
      fault.source = module->lines[fault.line - 1];
    return fault;
  }
  return module;
}

const Function *Module::entry(std::string_view name) const {
  auto found = functions.find(name);
  return found == functions.end() || !found->second->entry || !found->second->defined ? nullptr : found->second.get();
}

} // namespace weft::ptxsim
