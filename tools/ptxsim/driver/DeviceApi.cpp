// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cuInit, cuDriverGetVersion, cuDevice*.
#include "tools/ptxsim/driver/State.h"

#include <algorithm>
#include <cstring>

namespace weft::ptxsim::driver {

PTXSIM_API int cuInit(unsigned flags) {
  State &state = State::get();
  std::lock_guard lock(state.mutex);
  if (flags)
    return INVALID_VALUE;
  if (state.settings.noDevice)
    return NO_DEVICE;
  state.initialized = true;
  return SUCCESS;
}

PTXSIM_API int cuDriverGetVersion(int *version) {
  if (!version)
    return INVALID_VALUE;
  *version = State::get().settings.driver;
  return SUCCESS;
}

PTXSIM_API int cuDeviceGetCount(int *count) {
  return guarded([&](State &) {
    *count = 1;
    return SUCCESS;
  });
}

PTXSIM_API int cuDeviceGet(int *device, int ordinal) {
  return guarded([&](State &) {
    if (ordinal != 0)
      return INVALID_DEVICE;
    *device = 0;
    return SUCCESS;
  });
}

PTXSIM_API int cuDeviceGetName(char *name, int length, int device) {
  return guarded([&](State &state) {
    if (!name || length < 1)
      return INVALID_VALUE;
    std::string text = "ptxsim sm_" + std::to_string(state.settings.capability);
    if (state.settings.capability == 90)
      text += 'a';
    std::strncpy(name, text.c_str(), size_t(length));
    name[length - 1] = 0;
    return device ? INVALID_DEVICE : SUCCESS;
  });
}

PTXSIM_API int cuDeviceTotalMem_v2(size_t *bytes, int device) {
  return guarded([&](State &state) {
    *bytes = state.settings.memory;
    return device ? INVALID_DEVICE : SUCCESS;
  });
}

PTXSIM_API int cuDeviceGetUuid_v2(void *uuid, int device) {
  return guarded([&](State &state) {
    std::memset(uuid, 0, 16);
    std::memcpy(uuid, "ptxsim", 6);
    static_cast<char *>(uuid)[15] = char(state.settings.capability);
    return device ? INVALID_DEVICE : SUCCESS;
  });
}

PTXSIM_API int cuDeviceGetUuid(void *uuid, int device) { return cuDeviceGetUuid_v2(uuid, device); }

PTXSIM_API int cuDeviceComputeCapability(int *major, int *minor, int device) {
  return guarded([&](State &state) {
    *major = state.settings.capability / 10;
    *minor = state.settings.capability % 10;
    return device ? INVALID_DEVICE : SUCCESS;
  });
}

/// CU_DEVICE_ATTRIBUTE_*: of an A100 and an H100 where they matter to a program (CUDA C++ Programming Guide, "Technical
/// Specifications per Compute Capability"), one multiprocessor's worth of time. -1: not an attribute that is known
/// here.
static int attributeOf(const Settings &settings, int attribute) {
  bool hopper = settings.capability >= 90;
  switch (attribute) {
  case 1: // MAX_THREADS_PER_BLOCK
  case 2: // MAX_BLOCK_DIM_X
  case 3: // MAX_BLOCK_DIM_Y
    return 1024;
  case 4: // MAX_BLOCK_DIM_Z
    return 64;
  case 5: // MAX_GRID_DIM_X
    return 0x7fffffff;
  case 6: // MAX_GRID_DIM_Y
  case 7: // MAX_GRID_DIM_Z
    return 65535;
  case 8: // MAX_SHARED_MEMORY_PER_BLOCK
    return 48 * 1024;
  case 9: // TOTAL_CONSTANT_MEMORY
    return 64 * 1024;
  case 10: // WARP_SIZE
    return 32;
  case 12: // MAX_REGISTERS_PER_BLOCK
  case 82: // MAX_REGISTERS_PER_MULTIPROCESSOR
    return 65536;
  case 13: // CLOCK_RATE, kHz
    return hopper ? 1980000 : 1410000;
  case 16: // MULTIPROCESSOR_COUNT
    return hopper ? 132 : 108;
  case 36: // MEMORY_CLOCK_RATE, kHz
    return hopper ? 2619000 : 1215000;
  case 37: // GLOBAL_MEMORY_BUS_WIDTH
    return 5120;
  case 38: // L2_CACHE_SIZE
    return hopper ? 50 << 20 : 40 << 20;
  case 39: // MAX_THREADS_PER_MULTIPROCESSOR
    return 2048;
  case 75: // COMPUTE_CAPABILITY_MAJOR
    return settings.capability / 10;
  case 76: // COMPUTE_CAPABILITY_MINOR
    return settings.capability % 10;
  case 81: // MAX_SHARED_MEMORY_PER_MULTIPROCESSOR
    return (hopper ? 228 : 164) * 1024;
  case 97: // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
    return maxSharedBytes(settings.capability);
  case 106: // MAX_BLOCKS_PER_MULTIPROCESSOR
    return 32;
  case 111: // RESERVED_SHARED_MEMORY_PER_BLOCK
    return 1024;
  case 15:  // GPU_OVERLAP
  case 31:  // CONCURRENT_KERNELS
  case 40:  // ASYNC_ENGINE_COUNT
  case 41:  // UNIFIED_ADDRESSING
  case 78:  // STREAM_PRIORITIES_SUPPORTED
  case 95:  // COOPERATIVE_LAUNCH
  case 115: // MEMORY_POOLS_SUPPORTED
    return 1;
  case 120: // CLUSTER_LAUNCH
  case 127: // TENSOR_MAP_ACCESS_SUPPORTED
    return hopper;
  default: // what this device lacks: textures, managed memory, peers, …
    return attribute > 0 && attribute < 145 ? 0 : -1;
  }
}

int maxSharedBytes(int capability) { return (capability >= 90 ? 227 : 163) * 1024; }

PTXSIM_API int cuDeviceGetAttribute(int *value, int attribute, int device) {
  return guarded([&](State &state) {
    int found = attributeOf(state.settings, attribute);
    if (!value || found < 0)
      return INVALID_VALUE;
    *value = found;
    return device ? INVALID_DEVICE : SUCCESS;
  });
}

PTXSIM_API int cuDeviceGetPCIBusId(char *text, int length, int device) {
  return guarded([&](State &) {
    if (!text || length < 13)
      return INVALID_VALUE;
    std::memcpy(text, "0000:00:00.0", 13);
    return device ? INVALID_DEVICE : SUCCESS;
  });
}

} // namespace weft::ptxsim::driver
