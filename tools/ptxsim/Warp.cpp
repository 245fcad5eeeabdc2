// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "tools/ptxsim/Warp.h"

#include "tools/ptxsim/Device.h"
#include "tools/ptxsim/async/AsyncState.h"
#include "tools/ptxsim/instructions/Calls.h"

#include <algorithm>
#include <cassert>

namespace weft::ptxsim {
namespace {

constexpr size_t kMaxFrames = 256;

} // namespace

Warp::Warp(Block &block, uint32_t index, const Function &function, LaneMask lanes)
    : block(block), index(index), alive(lanes) {
  enter(function, lanes);
}

std::array<uint32_t, 3> Warp::threadIndex(int lane) const {
  const std::array<uint32_t, 3> &extent = block.launch.block;
  uint32_t linear = thread(lane);
  return {linear % extent[0], linear / extent[0] % extent[1], linear / extent[0] / extent[1]};
}

const Instruction &Warp::instruction() const {
  const Frame &frame = frames.back();
  return frame.function->code[frame.paths.back().next];
}

void Warp::fault(FaultKind kind, const std::string &message, int lane, std::optional<uint64_t> address) const {
  Fault fault{kind, message, instruction().line};
  if (size_t(fault.line) <= block.launch.module->lines.size() && fault.line > 0)
    fault.source = block.launch.module->lines[fault.line - 1];
  fault.kernel = block.launch.function->name;
  fault.block = block.index;
  fault.thread = threadIndex(lane);
  fault.address = address;
  throw fault;
}

void Warp::enter(const Function &function, LaneMask lanes) {
  uint64_t localBegin = 0;
  if (!frames.empty())
    localBegin = (frames.back().localBegin + frames.back().function->localBytes + 15) & ~uint64_t(15);
  frames.emplace_back();
  Frame &frame = frames.back();
  frame.function = &function;
  frame.lanes = lanes;
  // One more, as a sink of 128 bits takes the row behind it too.
  frame.rows.resize((size_t(function.rows) + 1) * kLanes);
  frame.defined.resize(function.rows);
  frame.paths.push_back({0, -1, lanes});
  frame.parameters.resize(size_t(function.frameParameterBytes) * kLanes);
  frame.parametersWritten.resize(frame.parameters.size());
  frame.localBegin = localBegin;
  current = frame.rows.data();
  for (const ConstantRow &constant : function.constants) {
    uint64_t bits = constant.bits;
    if (constant.variable)
      bits += constant.variable->address + (constant.variable->space == Space::Local ? kLocalBase + localBegin : 0);
    std::fill_n(row(constant.slot), kLanes, bits);
    frame.defined[constant.slot] = kAllLanes;
  }
  fillSpecials(frame);
  block.reserveLocal(*this, lanes, localBegin, function.localBytes);
}

void Warp::fillSpecials(Frame &frame) {
  for (const SpecialRow &special : frame.function->specials) {
    for (int lane = 0; lane < kLanes; ++lane)
      row(special.slot)[lane] = specialValue(*this, special.name, lane);
    frame.defined[special.slot] = kAllLanes;
  }
}

/// Faults of registers without a value: lent to a product under way, or never written.
void Warp::requireDefined(const Instruction &instruction, LaneMask active) const {
  const Frame &frame = frames.back();
  for (Slot slot : instruction.reads)
    if (LaneMask missing = active & ~frame.defined[slot]) {
      const std::string &name = frame.function->rowNames[slot];
      if (int line = block.async ? block.async->productLine(*this, slot) : 0)
        fault(FaultKind::InFlight,
              name + " belongs to the wgmma of line " + std::to_string(line) + " until a wgmma.wait_group",
              std::countr_zero(missing));
      if (block.device.options.checkRegisters && instruction.validity == Validity::Strict)
        fault(FaultKind::UninitializedRegister, "nothing has written " + name, std::countr_zero(missing));
    }
}

/// Lanes whose result is a value, where not all that they read is one.
LaneMask Warp::valid(const Instruction &instruction, LaneMask active) {
  requireDefined(instruction, active);
  if (!block.device.options.checkRegisters)
    return active;
  const std::vector<LaneMask> &defined = frames.back().defined;
  auto known = [&](size_t source) { return defined[instruction.sources[source]]; };
  auto lanesWhere = [&](size_t source, bool wanted) {
    LaneMask result = 0;
    const uint64_t *values = row(instruction.sources[source]);
    forLanes(active, [&](int lane) { result |= LaneMask((values[lane] != 0) == wanted) << lane; });
    return result & known(source);
  };
  switch (instruction.validity) {
  case Validity::Select:
    return active & ((lanesWhere(2, true) & known(0)) | (lanesWhere(2, false) & known(1)));
  case Validity::Any: {
    LaneMask any = 0;
    for (size_t source = 0; source < instruction.sources.size(); ++source)
      any |= known(source);
    return active & any;
  }
  case Validity::And:
    return active & ((known(0) & known(1)) | lanesWhere(0, false) | lanesWhere(1, false));
  case Validity::Or:
    return active & ((known(0) & known(1)) | lanesWhere(0, true) | lanesWhere(1, true));
  default:
    for (Slot slot : instruction.reads)
      active &= defined[slot];
    return active;
  }
}

LaneMask Warp::guarded(const Instruction &instruction, LaneMask lanes) {
  const uint64_t *guard = row(instruction.guard);
  LaneMask holds = 0, known = frames.back().defined[instruction.guard];
  for (int lane = 0; lane < kLanes; ++lane)
    holds |= LaneMask(guard[lane] & 1) << lane;
  if ((lanes & ~known) && block.device.options.checkRegisters)
    fault(FaultKind::UninitializedRegister,
          "nothing has written " + frames.back().function->rowNames[instruction.guard],
          std::countr_zero(lanes & ~known));
  return lanes & (instruction.guardNegated ? ~holds : holds);
}

bool Warp::step() {
  Frame &frame = frames.back();
  Path &path = frame.paths.back();
  const Instruction &instruction = frame.function->code[path.next];
  LaneMask active = instruction.guard == kNoSlot ? path.lanes : guarded(instruction, path.lanes);
  ++warpInstructions;
  if (active == 0) {
    ++path.next;
    settle();
    return true;
  }
  LaneMask known = active;
  for (Slot slot : instruction.reads)
    known &= frame.defined[slot];
  if (known != active)
    known = valid(instruction, active);
  Outcome outcome = instruction.execute(instruction, *this, active);
  if (outcome == Outcome::Blocked) {
    --warpInstructions;
    isBlocked = true;
    return false;
  }
  threadInstructions += uint64_t(std::popcount(active));
  if (outcome == Outcome::Jumped)
    return !done();
  for (Slot slot : instruction.writes)
    frame.defined[slot] = (frame.defined[slot] & ~active) | known;
  ++path.next;
  settle();
  return outcome != Outcome::Yield;
}

uint64_t Warp::run(uint64_t budget) {
  isBlocked = false;
  uint64_t before = warpInstructions;
  while (!done() && warpInstructions - before < budget && step()) {
  }
  if (!done())
    takeTurns();
  return warpInstructions - before;
}

/// A path that waits or spins lets its sibling, the other side of the same branch, go on.
void Warp::takeTurns() {
  std::vector<Path> &paths = frames.back().paths;
  if (paths.size() < 2)
    return;
  Path &top = paths.back(), &below = paths[paths.size() - 2];
  if ((top.lanes & below.lanes) == 0) {
    std::swap(top, below);
    isBlocked = isBlocked && top.barrier >= 0;
  }
}

/// Paths that have come to their end are one with the path below.
void Warp::settle() {
  std::vector<Path> &paths = frames.back().paths;
  while (paths.back().next == paths.back().reconverge)
    paths.pop_back();
}

Outcome Warp::branch(const Instruction &instruction, LaneMask taken) {
  return jump(taken, instruction.target, instruction.reconverge);
}

/// `lanes` go to `target`; the others go on behind the branch, or execute it again where its index differs.
Outcome Warp::jump(LaneMask lanes, int32_t target, int32_t reconverge) {
  std::vector<Path> &paths = frames.back().paths;
  Path path = paths.back();
  LaneMask others = path.lanes & ~lanes;
  if (others == 0) {
    paths.back().next = target;
    settle();
    return Outcome::Jumped;
  }
  bool again = !instruction().targets.empty();
  int32_t next = path.next + (again ? 0 : 1);
  // The path that waits at the meeting point; where that is the end of the one that split, it is already there.
  int32_t meeting = reconverge < 0 ? path.reconverge : reconverge;
  if (meeting == path.reconverge)
    paths.pop_back();
  else
    paths.back().next = meeting;
  if (next != meeting)
    paths.push_back({next, meeting, others});
  if (target != meeting)
    paths.push_back({target, meeting, lanes});
  settle();
  return Outcome::Jumped;
}

Outcome Warp::exit(LaneMask lanes) {
  bool more = lanes != converged();
  alive &= ~lanes;
  for (Frame &frame : frames) {
    frame.lanes &= ~lanes;
    for (Path &path : frame.paths)
      path.lanes &= ~lanes;
  }
  if (more)
    ++frames.back().paths.back().next;
  finishPaths();
  block.threadsExited();
  return Outcome::Jumped;
}

/// Drops paths without lanes and frames without paths.
void Warp::finishPaths() {
  for (Frame &frame : frames)
    std::erase_if(frame.paths, [](const Path &path) { return path.lanes == 0; });
  if (done())
    return;
  while (frames.size() > 1 && frames.back().paths.empty()) {
    Frame &callee = frames.back(), &caller = frames[frames.size() - 2];
    if (callee.lanes)
      passResults(*callee.call, caller, callee, callee.lanes);
    frames.pop_back();
    current = frames.back().rows.data();
    std::erase_if(frames.back().paths, [](const Path &path) { return path.lanes == 0; });
  }
  if (!frames.back().paths.empty())
    settle();
}

Outcome Warp::call(const Instruction &instruction, LaneMask lanes) {
  if (frames.size() == kMaxFrames)
    fault(FaultKind::OutOfBounds, "the calls are nested more than " + std::to_string(kMaxFrames) + " deep",
          std::countr_zero(lanes));
  ++frames.back().paths.back().next;
  enter(*instruction.callee, lanes);
  frames.back().call = &instruction;
  passArguments(instruction, frames[frames.size() - 2], frames.back(), lanes);
  return Outcome::Jumped;
}

Outcome Warp::leave(LaneMask lanes) {
  if (frames.size() == 1)
    return exit(lanes);
  bool more = lanes != converged();
  for (Path &path : frames.back().paths)
    path.lanes &= ~lanes;
  if (more)
    ++frames.back().paths.back().next;
  finishPaths();
  return Outcome::Jumped;
}

} // namespace weft::ptxsim
