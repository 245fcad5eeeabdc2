// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cuLaunchKernel, cuLaunchKernelEx, cuLaunchCooperativeKernel. A kernel has run when the call returns; what went wrong
// in it is told by the next call, as with a real device, and stays until the context is reset.
#include "tools/ptxsim/driver/State.h"

#include <cstring>

namespace weft::ptxsim::driver {

/// What the driver refuses before a kernel starts; the text goes to the report.
static int checkLaunch(State &state, const LoadedFunction &function, const KernelFacts &facts,
                       const MachineLaunch &launch, std::string &why) {
  uint64_t threads = uint64_t(launch.block[0]) * launch.block[1] * launch.block[2];
  for (int axis = 0; axis < 3; ++axis) {
    uint32_t limit = axis == 0 ? 0x7fffffffu : 65535u;
    if (launch.grid[axis] == 0 || launch.grid[axis] > limit || launch.block[axis] == 0 || threads > 1024)
      return why = "the grid or the block is empty or too large", INVALID_VALUE;
    if (facts.requiredThreads[0] && launch.block[axis] != uint32_t(facts.requiredThreads[axis]))
      return why = "the block is not that of .reqntid", INVALID_VALUE;
    if (launch.cluster[axis] == 0 || launch.grid[axis] % launch.cluster[axis])
      return why = "the grid is no multiple of the cluster", INVALID_CLUSTER_SIZE;
  }
  uint32_t clusterBlocks = launch.cluster[0] * launch.cluster[1] * launch.cluster[2];
  if (clusterBlocks > 8 || (clusterBlocks > 1 && state.settings.capability < 90))
    return why = "a cluster has at most 8 blocks, and 1 before sm_90", INVALID_CLUSTER_SIZE;
  if (threads > uint64_t(facts.maxThreads))
    return why = "the block has more threads than .maxntid", LAUNCH_OUT_OF_RESOURCES;
  uint64_t rounded = (threads + 31) / 32 * 32;
  if (rounded * uint64_t(facts.maxRegisters) > 65536)
    return why = "the block's registers (.maxnreg) are more than 65536", LAUNCH_OUT_OF_RESOURCES;
  if (launch.dynamicShared > uint32_t(function.dynamicSharedLimit))
    return why = "dynamic shared memory of " + std::to_string(launch.dynamicShared) + " bytes is above the limit of " +
                 std::to_string(function.dynamicSharedLimit) + " (cuFuncSetAttribute)",
           INVALID_VALUE;
  return SUCCESS;
}

static int run(State &state, LoadedFunction &function, const MachineLaunch &launch) {
  KernelFacts facts;
  std::string text;
  state.machine->kernel(function.module->code, function.name, facts);
  int64_t number = ++state.launches;
  if (number == state.settings.failLaunch)
    return state.settings.failLaunchCode;
  if (number == state.settings.loseAtLaunch) {
    state.report("launch " + std::to_string(number) + " loses the device (PTXSIM_FAULT)");
    state.gone = true;
    state.sticky = ECC_UNCORRECTABLE;
    return SUCCESS;
  }
  if (int result = checkLaunch(state, function, facts, launch, text); result != SUCCESS) {
    state.report("launch of " + function.name + " refused: " + text);
    return result;
  }
  int result = state.machine->launch(function.module->code, launch, text);
  if (result != SUCCESS) {
    state.report(text);
    if (result == INVALID_VALUE)
      return result;
    state.sticky = result;
  }
  return SUCCESS;
}

/// `extra`: CU_LAUNCH_PARAM_BUFFER_POINTER 1, CU_LAUNCH_PARAM_BUFFER_SIZE 2, CU_LAUNCH_PARAM_END 0, instead of
/// parameters.
static bool readExtra(void **extra, MachineLaunch &launch) {
  for (; extra && *extra; extra += 2) {
    if (uintptr_t(extra[0]) == 1)
      launch.packed = extra[1];
    else if (uintptr_t(extra[0]) == 2)
      std::memcpy(&launch.packedBytes, extra[1], sizeof launch.packedBytes);
    else
      return false;
  }
  return true;
}

static int launchKernel(LoadedFunction *function, const LaunchConfig &config, void **parameters, void **extra) {
  return guardedInContext([&](State &state) {
    if (!state.functions.count(function) || !isStream(state, config.stream))
      return int(INVALID_HANDLE);
    MachineLaunch launch = {};
    launch.kernel = function->name;
    std::memcpy(launch.grid, config.grid, sizeof launch.grid);
    std::memcpy(launch.block, config.block, sizeof launch.block);
    launch.cluster[0] = launch.cluster[1] = launch.cluster[2] = 1;
    launch.dynamicShared = config.sharedBytes;
    launch.parameters = parameters;
    for (uint32_t index = 0; index < config.attributeCount; ++index)
      if (const LaunchAttribute &each = config.attributes[index]; each.id == kClusterDimension)
        std::memcpy(launch.cluster, each.cluster, sizeof launch.cluster);
    if (!readExtra(extra, launch) || (parameters && launch.packed))
      return int(INVALID_VALUE);
    return run(state, *function, launch);
  });
}

PTXSIM_API int cuLaunchKernelEx(const LaunchConfig *config, LoadedFunction *function, void **parameters, void **extra) {
  return config ? launchKernel(function, *config, parameters, extra) : INVALID_VALUE;
}

PTXSIM_API int cuLaunchKernel(LoadedFunction *function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                              unsigned blockY, unsigned blockZ, unsigned sharedBytes, Stream *stream, void **parameters,
                              void **extra) {
  LaunchConfig config = {{gridX, gridY, gridZ}, {blockX, blockY, blockZ}, sharedBytes, stream, nullptr, 0};
  return launchKernel(function, config, parameters, extra);
}

/// A grid whose blocks wait for each other: all of them run at once here in any case.
PTXSIM_API int cuLaunchCooperativeKernel(LoadedFunction *function, unsigned gridX, unsigned gridY, unsigned gridZ,
                                         unsigned blockX, unsigned blockY, unsigned blockZ, unsigned sharedBytes,
                                         Stream *stream, void **parameters) {
  LaunchAttribute attribute = {};
  attribute.id = kCooperative;
  LaunchConfig config = {{gridX, gridY, gridZ}, {blockX, blockY, blockZ}, sharedBytes, stream, &attribute, 1};
  return launchKernel(function, config, parameters, nullptr);
}

} // namespace weft::ptxsim::driver
