// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the names in operands are: labels, variables, parameters, functions.
#include "tools/ptxsim/Parser.h"

namespace weft::ptxsim {

int32_t Parser::labelIndex(const std::string &name, int from) const {
  for (int at = from; at >= 0; at = body.scopes[at].parent)
    if (auto found = body.scopes[at].labels.find(name); found != body.scopes[at].labels.end())
      return found->second;
  return -1;
}

void Parser::resolve(Operand &operand, Function &function, int line) {
  for (Operand &element : operand.elements)
    resolve(element, function, line);
  if (operand.kind != Operand::Kind::Symbol)
    return;
  for (int at = operand.scope; at >= 0; at = body.scopes[at].parent) {
    const Scope &names = body.scopes[at];
    if (auto found = names.variables.find(operand.name); found != names.variables.end())
      operand.variable = found->second;
    else if (auto frame = names.parameters.find(operand.name); frame != names.parameters.end())
      operand.parameter = frame->second, operand.ofFrame = true;
    else if (auto list = names.targetLists.find(operand.name); list != names.targetLists.end())
      for (const std::string &name : list->second)
        operand.labels.push_back(labelIndex(name, at));
    else
      continue;
    return;
  }
  operand.label = labelIndex(operand.name, operand.scope);
  if (operand.label >= 0)
    return;
  for (const Parameter &parameter : function.parameters)
    if (function.entry && parameter.name == operand.name)
      operand.parameter = &parameter;
  if (auto found = module.variables.find(operand.name); !operand.parameter && found != module.variables.end())
    operand.variable = found->second.get();
  if (auto found = module.functions.find(operand.name); found != module.functions.end())
    operand.function = found->second.get();
  if (!operand.parameter && !operand.variable && !operand.function)
    throw Fault{FaultKind::Syntax, "nothing is called " + operand.name, line};
}

void Parser::resolve(Function &function) {
  for (Statement &statement : body.statements)
    for (Operand &operand : statement.operands)
      resolve(operand, function, statement.line);
}

} // namespace weft::ptxsim
