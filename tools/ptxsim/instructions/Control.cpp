// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// bra, brx.idx, ret, exit, trap, nanosleep, and instructions that only hint; the special registers.
#include "tools/ptxsim/Device.h"
#include "tools/ptxsim/instructions/Lanes.h"

#include <chrono>

namespace weft::ptxsim {
namespace {

Outcome branch(const Instruction &i, Warp &warp, LaneMask active) { return warp.branch(i, active); }

void decodeBra(Decoder &d) {
  d.take("uni");
  d.expectOperands(1, 1);
  d.instruction.target = d.statement.operands[0].label;
  if (d.instruction.target < 0)
    d.refuse("the target is no label");
  d.instruction.execute = branch;
}

/// Lanes with the same index go together; what remains asks again.
Outcome branchIndexed(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *index = warp.row(i.sources[0]);
  int first = std::countr_zero(active);
  if (index[first] >= i.targets.size())
    warp.fault(FaultKind::OutOfBounds,
               "index " + std::to_string(index[first]) + " of " + std::to_string(i.targets.size()) + " branch targets",
               first);
  LaneMask together = 0;
  forLanes(active, [&](int lane) { together |= LaneMask(index[lane] == index[first]) << lane; });
  return warp.jump(together, i.targets[index[first]], i.reconverge);
}

void decodeBrx(Decoder &d) {
  d.take("idx");
  d.take("uni");
  d.expectOperands(2, 2);
  d.source(0, Type::U32);
  d.instruction.targets = d.statement.operands[1].labels;
  for (int32_t target : d.instruction.targets)
    if (target < 0)
      d.refuse("a branch target is no label");
  if (d.instruction.targets.empty())
    d.refuse("the second operand is no list of .branchtargets");
  d.instruction.execute = branchIndexed;
}

Outcome leave(const Instruction &, Warp &warp, LaneMask active) { return warp.leave(active); }
Outcome exit(const Instruction &, Warp &warp, LaneMask active) { return warp.exit(active); }
Outcome trap(const Instruction &i, Warp &warp, LaneMask active) {
  warp.fault(FaultKind::Trap, "the kernel gave up here", std::countr_zero(active));
}
Outcome nothing(const Instruction &, Warp &, LaneMask) { return Outcome::Next; }
Outcome rest(const Instruction &, Warp &, LaneMask) { return Outcome::Yield; }

template <auto Handler> void decodeEnd(Decoder &d) {
  d.take("uni");
  d.expectOperands(0, 0);
  d.instruction.flags |= Instruction::kEnds;
  d.instruction.execute = Handler;
}

void decodeNanosleep(Decoder &d) {
  d.takeType();
  d.expectOperands(1, 1);
  d.source(0, Type::U32);
  d.instruction.execute = rest;
}

/// Hints: their operands must make sense, and nothing happens.
void decodeHint(Decoder &d) {
  for (const std::string &modifier : d.modifiers())
    d.take(modifier);
  for (const Operand &operand : d.statement.operands)
    if (operand.kind == Operand::Kind::Address)
      d.addressOf(operand, Space::Generic);
  d.instruction.execute = nothing;
}

struct Place3 {
  std::string_view name;
  std::array<uint32_t, 3> (*value)(const Warp &, int lane);
};

std::array<uint32_t, 3> quotient(std::array<uint32_t, 3> a, const std::array<uint32_t, 3> &b) {
  for (int dimension = 0; dimension < 3; ++dimension)
    a[dimension] = (a[dimension] + b[dimension] - 1) / b[dimension];
  return a;
}

const Launch &launchOf(const Warp &warp) { return warp.block.launch; }

constexpr Place3 kThreeDimensional[] = {
    {"%tid", [](const Warp &warp, int lane) { return warp.threadIndex(lane); }},
    {"%ntid", [](const Warp &warp, int) { return launchOf(warp).block; }},
    {"%ctaid", [](const Warp &warp, int) { return warp.block.index; }},
    {"%nctaid", [](const Warp &warp, int) { return launchOf(warp).grid; }},
    {"%clusterid",
     [](const Warp &warp, int) {
       std::array<uint32_t, 3> result = warp.block.index;
       for (int dimension = 0; dimension < 3; ++dimension)
         result[dimension] /= launchOf(warp).cluster[dimension];
       return result;
     }},
    {"%nclusterid", [](const Warp &warp, int) { return quotient(launchOf(warp).grid, launchOf(warp).cluster); }},
    {"%cluster_ctaid",
     [](const Warp &warp, int) {
       std::array<uint32_t, 3> result = warp.block.index;
       for (int dimension = 0; dimension < 3; ++dimension)
         result[dimension] %= launchOf(warp).cluster[dimension];
       return result;
     }},
    {"%cluster_nctaid", [](const Warp &warp, int) { return launchOf(warp).cluster; }},
};

struct Single {
  std::string_view name;
  uint64_t (*value)(const Warp &, int lane);
};

uint32_t below(int lane) { return (1u << lane) - 1; }

uint32_t rankInCluster(const Warp &warp) {
  const auto &extent = launchOf(warp).cluster;
  const auto &index = warp.block.index;
  return index[0] % extent[0] + extent[0] * (index[1] % extent[1] + extent[1] * (index[2] % extent[2]));
}

constexpr Single kSingle[] = {
    {"%laneid", [](const Warp &, int lane) { return uint64_t(lane); }},
    {"%warpid", [](const Warp &warp, int) { return uint64_t(warp.index); }},
    {"%nwarpid", [](const Warp &warp, int) { return uint64_t((launchOf(warp).threads() + kLanes - 1) / kLanes); }},
    {"%smid", [](const Warp &, int) { return uint64_t(0); }},
    {"%nsmid", [](const Warp &, int) { return uint64_t(1); }},
    {"%gridid", [](const Warp &, int) { return uint64_t(1); }},
    {"%lanemask_eq", [](const Warp &, int lane) { return uint64_t(1u << lane); }},
    {"%lanemask_lt", [](const Warp &, int lane) { return uint64_t(below(lane)); }},
    {"%lanemask_le", [](const Warp &, int lane) { return uint64_t(below(lane) | 1u << lane); }},
    {"%lanemask_gt", [](const Warp &, int lane) { return uint64_t(~(below(lane) | 1u << lane)); }},
    {"%lanemask_ge", [](const Warp &, int lane) { return uint64_t(~below(lane)); }},
    {"%cluster_ctarank", [](const Warp &warp, int) { return uint64_t(rankInCluster(warp)); }},
    {"%cluster_nctarank",
     [](const Warp &warp, int) {
       const auto &extent = launchOf(warp).cluster;
       return uint64_t(extent[0] * extent[1] * extent[2]);
     }},
    {"%is_explicit_cluster",
     [](const Warp &warp, int) { return uint64_t(launchOf(warp).function->requiredCluster[0] != 0); }},
    {"%dynamic_smem_size", [](const Warp &warp, int) { return uint64_t(launchOf(warp).dynamicShared); }},
    {"%total_smem_size", [](const Warp &warp, int) { return uint64_t(warp.block.shared.size()); }},
    {"%aggr_smem_size", [](const Warp &warp, int) { return uint64_t(warp.block.shared.size()); }},
    {"%reserved_smem_offset_begin", [](const Warp &, int) { return uint64_t(0); }},
    {"%reserved_smem_offset_end", [](const Warp &, int) { return kSharedBase; }},
    {"WARP_SZ", [](const Warp &, int) { return uint64_t(kLanes); }},
};

uint64_t nanoseconds() {
  return uint64_t(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
}

constexpr Single kChanging[] = {
    {"%clock", [](const Warp &warp, int) { return uint64_t(uint32_t(warp.block.device.clock)); }},
    {"%clock_hi", [](const Warp &warp, int) { return warp.block.device.clock >> 32; }},
    {"%clock64", [](const Warp &warp, int) { return warp.block.device.clock; }},
    {"%globaltimer", [](const Warp &, int) { return nanoseconds(); }},
    {"%globaltimer_lo", [](const Warp &, int) { return uint64_t(uint32_t(nanoseconds())); }},
    {"%globaltimer_hi", [](const Warp &, int) { return nanoseconds() >> 32; }},
};

int dimensionOf(std::string_view name) {
  return name.size() > 2 && name[name.size() - 2] == '.' ? int(std::string_view("xyz").find(name.back())) : -1;
}

} // namespace

bool isSpecial(std::string_view name, bool &changing) {
  changing = false;
  int dimension = dimensionOf(name);
  if (dimension >= 0)
    for (const Place3 &known : kThreeDimensional)
      if (known.name == name.substr(0, name.size() - 2))
        return true;
  for (const Single &known : kSingle)
    if (known.name == name)
      return true;
  for (const Single &known : kChanging)
    if (known.name == name)
      return changing = true;
  return false;
}

uint64_t specialValue(const Warp &warp, std::string_view name, int lane) {
  int dimension = dimensionOf(name);
  if (dimension >= 0)
    for (const Place3 &known : kThreeDimensional)
      if (known.name == name.substr(0, name.size() - 2))
        return known.value(warp, lane)[dimension];
  for (const Single &known : kSingle)
    if (known.name == name)
      return known.value(warp, lane);
  for (const Single &known : kChanging)
    if (known.name == name)
      return known.value(warp, lane);
  return 0;
}

void registerControl(Registry &registry) {
  registry.add("bra", decodeBra);
  registry.add("brx", decodeBrx);
  registry.add("ret", decodeEnd<leave>);
  registry.add("exit", decodeEnd<exit>);
  registry.add("trap", decodeEnd<trap>);
  registry.add("brkpt", decodeHint);
  registry.add("pmevent", decodeHint);
  registry.add("nanosleep", decodeNanosleep);
  registry.add("prefetch", decodeHint);
  registry.add("prefetchu", decodeHint);
  registry.add("applypriority", decodeHint);
  registry.add("discard", decodeHint);
}

} // namespace weft::ptxsim
