// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The part of the CUDA driver's binary interface that the look-alike has: names, numbers and layouts, from the CUDA
// driver API's documentation. Every function of driver/*.cpp with PTXSIM_API is an exported C symbol.
#ifndef WEFT_TOOLS_PTXSIM_DRIVER_API_H
#define WEFT_TOOLS_PTXSIM_DRIVER_API_H

#include <cstddef>
#include <cstdint>

#define PTXSIM_API extern "C" __attribute__((visibility("default")))

namespace weft::ptxsim::driver {

/// CUresult; every number keeps its name of the driver without CUDA_ERROR_.
enum Result : int {
  SUCCESS = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  NOT_INITIALIZED = 3,
  NO_DEVICE = 100,
  INVALID_DEVICE = 101,
  INVALID_IMAGE = 200,
  INVALID_CONTEXT = 201,
  NO_BINARY_FOR_GPU = 209,
  ECC_UNCORRECTABLE = 214,
  UNSUPPORTED_LIMIT = 215,
  INVALID_PTX = 218,
  UNSUPPORTED_PTX_VERSION = 222,
  INVALID_HANDLE = 400,
  NOT_FOUND = 500,
  NOT_READY = 600,
  ILLEGAL_ADDRESS = 700,
  LAUNCH_OUT_OF_RESOURCES = 701,
  LAUNCH_TIMEOUT = 702,
  PRIMARY_CONTEXT_ACTIVE = 708,
  ASSERT = 710,
  ILLEGAL_INSTRUCTION = 715,
  MISALIGNED_ADDRESS = 716,
  LAUNCH_FAILED = 719,
  COOPERATIVE_LAUNCH_TOO_LARGE = 720,
  NOT_SUPPORTED = 801,
  INVALID_CLUSTER_SIZE = 912,
  UNKNOWN = 999,
};

struct Context;
struct LoadedModule;
struct LoadedFunction;
struct Stream;
struct Event;

struct LaunchAttribute {
  int32_t id;
  int32_t padding;
  union {
    uint32_t cluster[3];
    int32_t number;
    char bytes[64];
  };
};
static_assert(sizeof(LaunchAttribute) == 72);

enum LaunchAttributeId { kCooperative = 2, kClusterDimension = 4 };

struct LaunchConfig {
  uint32_t grid[3];
  uint32_t block[3];
  uint32_t sharedBytes;
  Stream *stream;
  LaunchAttribute *attributes;
  uint32_t attributeCount;
};

} // namespace weft::ptxsim::driver

#endif
