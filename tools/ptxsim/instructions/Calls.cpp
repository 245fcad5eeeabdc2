// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// call of a .func: arguments are copied from the caller's parameters to the callee's, results back on return.
#include "tools/ptxsim/instructions/Calls.h"

#include "tools/ptxsim/instructions/Lanes.h"

#include <cstring>

namespace weft::ptxsim {
namespace {

/// CUDA's assert() in device code calls this function, which no module defines.
constexpr std::string_view kAssertFail = "__assertfail";

Outcome call(const Instruction &i, Warp &warp, LaneMask active) {
  if (!i.callee->defined)
    warp.fault(FaultKind::Trap, "an assertion of the kernel failed", std::countr_zero(active));
  return warp.call(i, active);
}

void takeParameters(Decoder &d, size_t index, std::vector<uint32_t> &offsets) {
  const Operand &list = d.statement.operands[index];
  for (const Operand &operand : list.elements) {
    if (!operand.parameter || !operand.ofFrame)
      d.refuse("arguments and results of a call are .param variables");
    offsets.push_back(operand.parameter->offset);
  }
}

void decodeCall(Decoder &d) {
  d.take("uni");
  auto details = std::make_shared<CallDetails>();
  size_t index = 0;
  auto isList = [&](size_t at) {
    return at < d.operandCount() && d.statement.operands[at].kind == Operand::Kind::List;
  };
  if (isList(index))
    takeParameters(d, index++, details->results);
  if (index >= d.operandCount() || !d.statement.operands[index].function)
    d.refuse("only functions that are named can be called");
  const Function *callee = d.instruction.callee = d.statement.operands[index++].function;
  if (isList(index))
    takeParameters(d, index++, details->arguments);
  if (index != d.operandCount())
    d.refuse("an operand is too many");
  if (callee->results.size() != details->results.size() || callee->parameters.size() != details->arguments.size())
    d.refuse(callee->name + " has " + std::to_string(callee->parameters.size()) + " parameters and " +
             std::to_string(callee->results.size()) + " results");
  d.instruction.details = details;
  d.instruction.execute = call;
}

/// One parameter of one lane, and which of its bytes were written.
void copyParameter(Frame &to, uint32_t toOffset, const Frame &from, uint32_t fromOffset, uint32_t bytes, int lane) {
  size_t target = size_t(lane) * to.function->frameParameterBytes + toOffset;
  size_t source = size_t(lane) * from.function->frameParameterBytes + fromOffset;
  std::memcpy(to.parameters.data() + target, from.parameters.data() + source, bytes);
  std::memcpy(to.parametersWritten.data() + target, from.parametersWritten.data() + source, bytes);
}

} // namespace

void passArguments(const Instruction &call, const Frame &caller, Frame &callee, LaneMask lanes) {
  const auto &details = call.as<CallDetails>();
  for (size_t index = 0; index < details.arguments.size(); ++index) {
    const Parameter &parameter = callee.function->parameters[index];
    forLanes(lanes, [&](int lane) {
      copyParameter(callee, parameter.offset, caller, details.arguments[index], parameter.bytes, lane);
    });
  }
}

void passResults(const Instruction &call, Frame &caller, const Frame &callee, LaneMask lanes) {
  const auto &details = call.as<CallDetails>();
  for (size_t index = 0; index < details.results.size(); ++index) {
    const Parameter &parameter = callee.function->results[index];
    forLanes(lanes, [&](int lane) {
      copyParameter(caller, details.results[index], callee, parameter.offset, parameter.bytes, lane);
    });
  }
}

std::optional<Fault> findUndefined(const Module &module) {
  for (const auto &[name, function] : module.functions)
    for (const Instruction &instruction : function->code)
      if (instruction.callee && !instruction.callee->defined && instruction.callee->name != kAssertFail)
        return Fault{FaultKind::IllegalInstruction,
                     "the function " + instruction.callee->name + " is only declared: link it into the module",
                     instruction.line};
  return std::nullopt;
}

void registerCalls(Registry &registry) { registry.add("call", decodeCall); }

} // namespace weft::ptxsim
