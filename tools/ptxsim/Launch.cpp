// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A launch: its checks, and the blocks of its grid. They run one after the other; a block that goes on for long or
// waits gets company, so that one may wait for another.
#include "tools/ptxsim/Device.h"
#include "tools/ptxsim/async/AsyncState.h"

#include <chrono>
#include <list>

namespace weft::ptxsim {
namespace {

/// Warp instructions of one turn, and of a block before others run beside it.
constexpr uint64_t kSlice = 1 << 12;
constexpr uint64_t kPatience = 1 << 21;
constexpr uint64_t kMaxThreads = 1024;

std::string triple(const std::array<uint32_t, 3> &value) {
  return std::to_string(value[0]) + " x " + std::to_string(value[1]) + " x " + std::to_string(value[2]);
}

uint64_t product(const std::array<uint32_t, 3> &value) { return uint64_t(value[0]) * value[1] * value[2]; }

std::optional<std::string> wrongBlock(const Launch &launch) {
  const Function &function = *launch.function;
  uint64_t threads = product(launch.block);
  if (threads == 0 || threads > kMaxThreads)
    return "a block of " + triple(launch.block) + " threads; it has 1 to 1024";
  if (product(function.requiredThreads) && launch.block != function.requiredThreads)
    return "a block of " + triple(launch.block) + " threads, where .reqntid says " + triple(function.requiredThreads);
  if (uint64_t most = product(function.maximumThreads); most && threads > most)
    return "a block of " + triple(launch.block) + " threads, where .maxntid says " + triple(function.maximumThreads);
  if (product(launch.cluster) != 1)
    return "a cluster of " + triple(launch.cluster) + " blocks; clusters of one block are simulated";
  return std::nullopt;
}

} // namespace

std::optional<Fault> Device::refuse(const Launch &launch) const {
  auto wrong = [&](const std::string &message) {
    return Fault{FaultKind::BadLaunch, message, launch.function->line, "", launch.function->name};
  };
  if (std::optional<std::string> message = wrongBlock(launch))
    return wrong(*message);
  if (product(launch.grid) == 0)
    return wrong("a grid of " + triple(launch.grid) + " blocks: it is empty");
  uint64_t shared = launch.module->staticShared + launch.dynamicShared;
  if (shared > options.sharedLimit)
    return wrong(std::to_string(shared) + " bytes of shared memory, a block has " +
                 std::to_string(options.sharedLimit));
  if (launch.parameters.size() != launch.function->parameterBytes)
    return wrong(std::to_string(launch.parameters.size()) + " bytes of parameters, the kernel has " +
                 std::to_string(launch.function->parameterBytes));
  return std::nullopt;
}

namespace {

/// The blocks of a grid, first x, then y, then z.
class Grid {
public:
  Grid(Device &device, const Launch &launch) : device(device), launch(launch), count(product(launch.grid)) {}

  bool more() const { return next < count; }
  void start(std::list<Block> &resident) {
    const auto &grid = launch.grid;
    std::array<uint32_t, 3> index{uint32_t(next % grid[0]), uint32_t(next / grid[0] % grid[1]),
                                  uint32_t(next / grid[0] / grid[1])};
    resident.emplace_back(device, launch, index);
    ++next;
  }

private:
  Device &device;
  const Launch &launch;
  uint64_t count, next = 0;
};

/// " for what", or nothing where that is not known.
std::string describeWait(const Warp &warp) {
  std::string what = waitOf(warp);
  return what.empty() ? "" : " for " + what;
}

/// The first warp that waits, as the place of the fault.
[[noreturn]] void reportDeadlock(const std::list<Block> &resident) {
  const Warp *first = nullptr;
  std::string others;
  for (const Block &block : resident)
    for (const Warp &warp : block.warps) {
      if (warp.done())
        continue;
      if (first && &warp.block == &first->block && others.size() < 400)
        others += "; warp " + std::to_string(warp.index) + " at line " + std::to_string(warp.instruction().line) +
                  describeWait(warp);
      first = first ? first : &warp;
    }
  first->fault(FaultKind::Deadlock,
               "every warp waits: warp " + std::to_string(first->index) + " here" + describeWait(*first) + others,
               std::countr_zero(first->converged()));
}

[[noreturn]] void reportEndless(const std::list<Block> &resident, uint64_t executed) {
  for (const Block &block : resident)
    for (const Warp &warp : block.warps)
      if (!warp.done())
        warp.fault(FaultKind::InfiniteLoop,
                   "the launch has executed " + std::to_string(executed) + " warp instructions and goes on",
                   std::countr_zero(warp.converged()));
  throw Fault{FaultKind::InfiniteLoop, "the launch goes on"};
}

} // namespace

void Device::runBlocks(const Launch &launch) {
  constexpr size_t kMostResident = 256;
  Grid grid(*this, launch);
  std::list<Block> resident;
  uint64_t sinceStart = 0, executed = 0;
  while (grid.more() || !resident.empty()) {
    bool company = sinceStart > kPatience && resident.size() < kMostResident;
    if (grid.more() && (resident.empty() || company)) {
      grid.start(resident);
      sinceStart = 0;
    }
    uint64_t progress = 0;
    for (auto block = resident.begin(); block != resident.end();) {
      progress += block->run(kSlice);
      if (block->done()) {
        for (const Warp &warp : block->warps) {
          total.threadInstructions += warp.threadInstructions;
          total.warpInstructions += warp.warpInstructions;
        }
        block = resident.erase(block);
        sinceStart = 0;
      } else {
        ++block;
      }
    }
    sinceStart += progress;
    executed += progress;
    if (progress == 0 && !resident.empty()) {
      if (!grid.more() || resident.size() >= kMostResident)
        reportDeadlock(resident);
      sinceStart = kPatience + 1;
    }
    if (executed > options.warpBudget)
      reportEndless(resident, executed);
  }
}

std::optional<Fault> Device::launch(const Launch &launch) {
  if (std::optional<Fault> fault = refuse(launch))
    return fault;
  auto begin = std::chrono::steady_clock::now();
  std::optional<Fault> result;
  try {
    runBlocks(launch);
  } catch (const Fault &fault) {
    result = fault;
  }
  total.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

} // namespace weft::ptxsim
